"""Chooses the log that the settings name."""

from socle.db.database import Database
from socle.events.embedded_log import EmbeddedLog
from socle.events.log import EventLog
from socle.settings import Settings


def open_log(settings: Settings, database: Database, *, client: str) -> EventLog:
    if settings.events == "embedded":
        return EmbeddedLog(database)
    # aiokafka takes 15 MB and half a second to import: only who needs it pays.
    from socle.events.kafka_log import KafkaLog

    return KafkaLog(settings.kafka_bootstrap, client=client, partitions=settings.kafka_partitions)
