"""The relay, and the worker that goes through batches of verifications; INS consumes nothing."""

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from services.ins import verifications
from services.ins.metrics import VERIFIED
from socle.events.relay import Relay
from socle.http.app import Worker
from socle.kernel import Kernel
from socle.logs import get_logger

LINES_AT_ONCE = 500
OPEN_BATCHES = 10
IDLE_SECONDS = 0.5
log = get_logger("ins.workers")


async def relay(kernel: Kernel) -> None:
    await Relay(kernel.database, "ins", kernel.event_log).run()


async def verify(kernel: Kernel) -> None:
    """Until cancelled. Any number of these may run: a batch is one worker's at a time."""
    while True:
        try:
            worked = await verify_open_batches(kernel)
        except (SQLAlchemyError, OSError) as error:
            log.warning("verification_waits", error=type(error).__name__)
            worked = False
        if not worked:
            await asyncio.sleep(IDLE_SECONDS)


async def verify_open_batches(kernel: Kernel) -> bool:
    """Some lines of each open batch, so that a small one does not wait for a large one."""
    async with kernel.database.read() as session:
        batches = await verifications.list_open(session, OPEN_BATCHES)
    worked = False
    for name, batch_id in batches:
        space = await kernel.spaces.get(name)
        async with kernel.database.write() as session:
            lines = await verifications.verify_some(session, kernel, space, batch_id, LINES_AT_ONCE)
        VERIFIED.inc(lines)
        worked = worked or lines > 0
    return worked


WORKERS: dict[str, Worker] = {"relay": relay, "verify": verify}
