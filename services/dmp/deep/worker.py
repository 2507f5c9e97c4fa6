"""Validates what was registered, one document after the other, beside everything else."""

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.dmp import repository
from services.dmp.deep.engine import Engine, SilentEngineError
from services.dmp.deep.queue import enqueue, finish, take
from services.dmp.events import DOCUMENT_REGISTERED
from services.dmp.settings import DmpSettings
from socle.db.database import WriteSession
from socle.events.consumer import Consumer
from socle.events.envelope import Event
from socle.events.topics import Topic
from socle.kernel import Kernel
from socle.logs import get_logger

CONSUMER: Final = "dmp-validation"
IDLE_SECONDS: Final = 1.0
log = get_logger("dmp.deep")


def is_wanted(settings: DmpSettings) -> bool:
    return settings.dmp_xsd is not None or settings.dmp_schematrons is not None


async def enqueue_events(session: WriteSession, events: Sequence[Event]) -> None:
    await enqueue(
        session,
        [
            (event.space, UUID(event.data["entry_id"]))
            for event in events
            if event.type == DOCUMENT_REGISTERED and event.data["mime"] != "application/dicom"
        ],
    )


async def listen(kernel: Kernel) -> None:
    await Consumer(
        database=kernel.database,
        schema="dmp",
        name=CONSUMER,
        topics=(Topic.DMP_DOCUMENTS,),
        handler=enqueue_events,
        event_log=kernel.event_log,
    ).run()


async def validate(kernel: Kernel) -> None:
    """Until cancelled. What waits in the table is taken up again after a crash."""
    settings = kernel.settings
    assert isinstance(settings, DmpSettings)
    engine = Engine(settings.dmp_xsd, settings.dmp_schematrons, settings.dmp_deep_timeout_seconds)
    try:
        while True:
            if not await validate_next(kernel, engine):
                await asyncio.sleep(IDLE_SECONDS)
    finally:
        await engine.close()


async def validate_next(kernel: Kernel, engine: Engine) -> bool:
    """False where nothing waits."""
    async with kernel.database.write() as session:
        taken = await take(session)
        if taken is None:
            return False
        space, document_id = taken
        content = await repository.get_content(session, space, document_id)
        try:
            findings = await engine.check(content)
        except SilentEngineError as error:
            log.warning("validation_lost", document=str(document_id), reason=str(error))
            findings = [
                {"rule": "DEEP-ENGINE", "path": "", "message": str(error), "severity": "error",
                 "source": ""}
            ]  # fmt: skip
        await finish(session, space, document_id, findings)
    return True
