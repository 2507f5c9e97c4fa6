"""The relay of the outbox, the consumer that learns whose INS is qualified, the reports, the
acknowledgements in HL7v2, and the purge of what nothing holds any more."""

from collections.abc import Sequence

from services.mss import linting, patient_repository, purge
from services.mss.events import INS_DISQUALIFIED, INS_QUALIFIED, IdentityQualification
from services.mss.hl7v2 import worker as hl7
from socle.db.database import WriteSession
from socle.events.consumer import Consumer
from socle.events.envelope import Event, parse_data
from socle.events.relay import Relay
from socle.events.topics import Topic
from socle.http.app import Worker
from socle.kernel import Kernel

CONSUMER = "mss"


async def apply_events(session: WriteSession, events: Sequence[Event]) -> None:
    for event in events:
        if event.type in (INS_QUALIFIED, INS_DISQUALIFIED):
            said = parse_data(IdentityQualification, event)
            await patient_repository.upsert_patient(
                session, event.space, said.patient, said.qualified, event.time
            )


async def relay(kernel: Kernel) -> None:
    await Relay(kernel.database, "mss", kernel.event_log).run()


async def consume(kernel: Kernel) -> None:
    await Consumer(
        database=kernel.database,
        schema="mss",
        name=CONSUMER,
        topics=(Topic.INS_IDENTITIES,),
        handler=apply_events,
        event_log=kernel.event_log,
    ).run()


WORKERS: dict[str, Worker] = {
    "relay": relay,
    "consume": consume,
    "lint": linting.run,
    "hl7": hl7.run,
    "purge": purge.run,
}
