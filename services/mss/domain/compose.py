"""Messages that Socle writes itself: those of patients, of automatic answers, of tests."""

from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.policy import SMTP
from email.utils import format_datetime

from services.mss.domain.headers import clean_line, message_ids


@dataclass(frozen=True, slots=True)
class Attachment:
    filename: str = field(repr=False)
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """`headers` are further fields, in their order; `html` goes beside the text."""

    sender: str = field(repr=False)
    recipients: tuple[str, ...] = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    message_id: str
    sender_name: str = field(default="", repr=False)
    copies: tuple[str, ...] = field(default=(), repr=False)
    html: str = field(default="", repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def compose(draft: Draft, at: datetime) -> bytes:
    """With CRLF, text in UTF-8 (ECO.2.2.3), the body text/plain or multipart/alternative (ECO.2.2.4)."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = mailbox(draft.sender_name, draft.sender)
    mail["To"] = [mailbox("", one) for one in draft.recipients]
    if draft.copies:
        mail["Cc"] = [mailbox("", one) for one in draft.copies]
    mail["Subject"] = clean_line(draft.subject)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = clean_line(draft.message_id)
    for name, value in draft.headers:
        mail[name] = clean_line(value)
    mail.set_content(transmissible(draft.text))
    if draft.html:
        mail.add_alternative(transmissible(draft.html), subtype="html")
    for one in draft.attachments:
        main, _, sub = one.media_type.partition("/")
        mail.add_attachment(
            one.content, maintype=main, subtype=sub, filename=clean_line(one.filename)
        )
    return mail.as_bytes()


def mailbox(name: str, address: str) -> Address:
    """`Prénom Nom <address>`; the address is one that Socle knows."""
    local, _, domain = address.rpartition("@")
    return Address(clean_line(name), local, domain)


def references(header: "Message[str, str]", message_id: str) -> str:
    """ECO.2.2.2: the References of the message that is answered, and its own identifier."""
    before = message_ids(header, "References") or message_ids(header, "In-Reply-To")
    kept = [one for one in before if one != message_id][-20:]
    return " ".join([*kept, message_id])


def answer_subject(subject: str) -> str:
    return subject if subject[:3].lower() == "re:" else f"Re: {subject}"


def transmissible(text: str) -> str:
    """Without what no UTF-8 text part may hold: NUL, and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
