"""What makes a ZAM, and that each is made once."""

from services.mss.hl7v2 import answers, repository
from services.mss.hl7v2.answers import Accepted, ReadError
from services.mss.hl7v2.participants import Addressee
from services.mss.hl7v2.repository import Sender
from socle.db.database import WriteSession
from socle.idgen import uuid7
from socle.spaces import Space


async def tell_reception(
    session: WriteSession,
    sender: Sender,
    space: Space,
    accepted: Accepted,
    message_id: str,
    addressee: Addressee,
    code: int | None,
) -> None:
    """ZAM^Z02, unless this recipient was told of before; `code` says why its server refused."""
    if not await repository.claim_reception(session, space.name, message_id, addressee.address):
        return
    identifier, at = uuid7(), space.now()
    content = answers.reception_by_mail(accepted, addressee, code, str(identifier), at)
    await repository.insert_acknowledgement(
        session, sender, accepted.control_id, identifier, content, at
    )


async def tell_reading(
    session: WriteSession,
    sender: Sender,
    space: Space,
    accepted: Accepted,
    reader: Addressee,
    error: ReadError | None,
) -> None:
    """ZAM^Z03."""
    identifier, at = uuid7(), space.now()
    content = answers.reading(accepted, reader, error, str(identifier), at)
    await repository.insert_acknowledgement(
        session, sender, accepted.control_id, identifier, content, at
    )
