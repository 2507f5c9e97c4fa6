"""A real Kafka broker without Docker: one KRaft node on loopback, from the jars of Maven Central.

    with EmbeddedKafka(Path(".socle")) as kafka:
        KafkaLog(kafka.bootstrap, ...)

On the command line: scripts/kafka start | stop | status | tool.
"""

from socle.embedded.kafka.answers import answers
from socle.embedded.kafka.broker import EmbeddedKafka

__all__ = ["EmbeddedKafka", "answers"]
