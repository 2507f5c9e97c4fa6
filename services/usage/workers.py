"""The relay, and the consumer that counts."""

from services.usage.service import apply_events
from socle.events.consumer import Consumer
from socle.events.relay import Relay
from socle.events.topics import Topic
from socle.http.app import Worker
from socle.kernel import Kernel

CONSUMER = "usage"
TOPICS: tuple[str, ...] = (
    Topic.DMP_DOCUMENTS,
    Topic.USAGE_ACTIVITY,
    Topic.MSS_MESSAGES,
    Topic.INS_IDENTITIES,
    Topic.PSC_SESSIONS,
)


async def relay(kernel: Kernel) -> None:
    await Relay(kernel.database, "usage", kernel.event_log).run()


async def consume(kernel: Kernel) -> None:
    await Consumer(
        database=kernel.database,
        schema="usage",
        name=CONSUMER,
        topics=TOPICS,
        handler=apply_events,
        event_log=kernel.event_log,
    ).run()


WORKERS: dict[str, Worker] = {"relay": relay, "consume": consume}
