"""What a new space holds: the establishments of the demo."""

from services.usage import repository
from socle.db.database import WriteSession
from socle.spaces import Space

# Fictive FINESS, with a letter, as on the test platforms (spec: psc.md §8).
STRUCTURES = {
    "0B0193488": "Hôpital générique FIN VARI",
    "1B0064166": "Centre hospitalier de démonstration",
}


async def seed(session: WriteSession, space: Space) -> None:
    for finess, name in STRUCTURES.items():
        await repository.upsert_structure(session, space.name, finess, name)
