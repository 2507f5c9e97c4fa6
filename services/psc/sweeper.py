"""Ends sessions that have run out, so that their closing is an event and not a guess.

It runs in every web process of the service; they share the work (SKIP LOCKED).
"""

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from services.psc.provider import Provider
from services.psc.service import sessions
from socle.clock import wall
from socle.logs import get_logger

INTERVAL_SECONDS = 30.0
log = get_logger("psc.sweeper")


async def run(provider: Provider) -> None:
    """Until cancelled; a database that is down is tried again at the next turn."""
    while True:
        await asyncio.sleep(INTERVAL_SECONDS)
        try:
            closed = await sessions.sweep(provider, wall())
        except (SQLAlchemyError, OSError) as error:
            log.warning("sweep_failed", error=type(error).__name__)
        else:
            if closed:
                log.info("sessions_expired", count=closed)
