"""What the directory of a new space holds: the people of Pro Santé Connect, and a key to look at them."""

from services.mss.annuaire import keys, loading
from services.mss.annuaire.domain.professionals import entries_of
from socle.db.database import WriteSession
from socle.people.official import official_people
from socle.spaces import Space

DEMO_KEY = "socle-annuaire-demo"
"""Not a secret: it opens fictive people, to read only."""


async def seed_annuaire(session: WriteSession, space: Space) -> None:
    entries = [entry for person in official_people() for entry in entries_of(person)]
    await loading.insert_entries(session, space.name, entries, space.now())
    await keys.insert_key(
        session, space.name, DEMO_KEY, "démonstration", may_write=False, at=space.now()
    )
