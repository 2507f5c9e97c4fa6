"""The relay of the PSC service; it consumes nothing."""

from socle.events.relay import Relay
from socle.http.app import Worker
from socle.kernel import Kernel


async def relay(kernel: Kernel) -> None:
    await Relay(kernel.database, "psc", kernel.event_log).run()


WORKERS: dict[str, Worker] = {"relay": relay}
