"""Qualified identity records of many people at once: what a load on the DMP needs first."""

from collections.abc import Sequence

from services.ins import repository
from services.ins.domain.identity import Identity, Provenance
from services.ins.domain.person import Person
from services.ins.events import qualification_changed
from socle.db.database import WriteSession
from socle.events.outbox import publish
from socle.idgen import uuid7
from socle.ids import identity_status as life
from socle.ids.identity_status import IdentityState, Step, Transition
from socle.kernel import Kernel
from socle.spaces import Space

EVIDENCE = "CN"
REASON = "rendue connue et contrôlée au bac à sable"


async def qualify(
    session: WriteSession, kernel: Kernel, space: Space, people: Sequence[Person]
) -> int:
    """How many records were made. Whoever has one that holds the INS keeps it as it is.

    Each record has the history and the event that it would have been given one by one.
    """
    now = space.now()
    created = Transition(Step.CREATED, IdentityState(), IdentityState(), REASON)
    retrieved = life.retrieve(created.after, REASON)
    checked = life.accept_evidence(retrieved.after, EVIDENCE, REASON)
    provenance = Provenance("INSI", now, EVIDENCE, now)
    records = [
        Identity(
            uuid7(), person.traits, checked.after, now, now,
            ins=person.active, former=person.history, provenance=provenance,
        )
        for person in people
    ]  # fmt: skip
    made = await repository.insert_identities(session, space.name, records)
    new = [record for record in records if record.id in made]
    steps = [created, retrieved, checked]
    await repository.insert_first_steps(session, space.name, [r.id for r in new], steps, now)
    await publish(session, "ins", [qualification_changed(kernel, space, one) for one in new])
    return len(new)
