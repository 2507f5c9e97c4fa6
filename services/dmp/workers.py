"""The relay, and the consumer that learns whose INS is qualified."""

import asyncio
from collections.abc import Sequence

from services.dmp import repository
from services.dmp.deep.worker import is_wanted, listen, validate
from services.dmp.events import INS_DISQUALIFIED, INS_QUALIFIED, IdentityQualification
from services.dmp.settings import DmpSettings
from socle.db.database import WriteSession
from socle.events.consumer import Consumer
from socle.events.envelope import Event, parse_data
from socle.events.relay import Relay
from socle.events.topics import Topic
from socle.http.app import Worker
from socle.kernel import Kernel

CONSUMER = "dmp"


async def apply_events(session: WriteSession, events: Sequence[Event]) -> None:
    for event in events:
        if event.type in (INS_QUALIFIED, INS_DISQUALIFIED):
            said = parse_data(IdentityQualification, event)
            await repository.upsert_patient(
                session,
                event.space,
                said.patient,
                said.status,
                said.qualified,
                event.time,
                said.fingerprints,
            )


async def relay(kernel: Kernel) -> None:
    await Relay(kernel.database, "dmp", kernel.event_log).run()


async def consume(kernel: Kernel) -> None:
    """INS's events; and those of documents, where deep validation is wanted."""
    assert isinstance(kernel.settings, DmpSettings)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_consume_identities(kernel))
        if is_wanted(kernel.settings):
            tasks.create_task(listen(kernel))
            tasks.create_task(validate(kernel))


async def _consume_identities(kernel: Kernel) -> None:
    await Consumer(
        database=kernel.database,
        schema="dmp",
        name=CONSUMER,
        topics=(Topic.INS_IDENTITIES,),
        handler=apply_events,
        event_log=kernel.event_log,
    ).run()


WORKERS: dict[str, Worker] = {"relay": relay, "consume": consume}
