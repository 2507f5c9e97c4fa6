"""What INSi knows in a new space: the official test people."""

from services.ins import register
from services.ins.domain.official import official_people
from socle.db.database import WriteSession
from socle.spaces import Space


async def seed(session: WriteSession, space: Space) -> None:
    await register.upsert_people(session, space.name, official_people())
