"""What this sandbox's own machines and its patients send: filed here, or queued for another operator."""

from uuid import UUID

from services.mss import repository
from services.mss.domain.envelope import Envelope, Recipient
from services.mss.domain.mailboxes import Mailbox
from services.mss.outgoing import Outgoing
from services.mss.transport.queue import enqueue
from services.mss.transport.routing import route
from socle.clock import wall


async def post(
    outgoing: Outgoing, author: str, to: str, message: UUID, *, return_path: str = ""
) -> Mailbox | None:
    """The mailbox that has it; None where another operator will be handed it. Raises UnroutableError
    where nobody serves the address, or its mailbox is closed."""
    session, space = outgoing.session, outgoing.space
    box = (await repository.get_mailboxes(session, space, [to])).get(to)
    if box is not None and not box.active:
        raise UnroutableError
    if box is not None:
        await repository.insert_recipients(session, space, message, [to])
        outgoing.deliver(to, message)
        return box
    way = await route(session, space, author, [to])
    if to not in way.abroad:
        raise UnroutableError
    recipient = Recipient(to)
    envelope = Envelope(return_path, (recipient,))
    await enqueue(session, space, message, way.operator, envelope, [recipient], wall())
    return None


class UnroutableError(Exception):
    """No open mailbox here has the address, and no other operator of the whitelist its domain."""
