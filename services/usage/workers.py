"""The relay, and the consumer that counts."""

from services.usage.service import apply_events
from socle.events.consumer import Consumer
from socle.events.relay import Relay
from socle.events.topics import Topic
from socle.http.app import Worker
from socle.kernel import Kernel

CONSUMER = "usage"


async def relay(kernel: Kernel) -> None:
    await Relay(kernel.database, "usage", kernel.event_log).run()


async def consume(kernel: Kernel) -> None:
    await Consumer(
        database=kernel.database,
        schema="usage",
        name=CONSUMER,
        topics=(Topic.DMP_DOCUMENTS, Topic.USAGE_ACTIVITY),
        handler=apply_events,
        event_log=kernel.event_log,
    ).run()


WORKERS: dict[str, Worker] = {"relay": relay, "consume": consume}
