"""A mail with documents as MSSanté wants it: headers, subject, archive and PDF copies (spec: mss.md §1.7,
§4.1). Everything that the rules of lint/ look at is made here from the documents themselves."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final
from uuid import UUID

from services.mss.domain.compose import mailbox, transmissible
from services.mss.domain.headers import clean_line
from services.mss.domain.lint.headers import carries_qualified_ins
from services.mss.domain.naming import pdf_name, subject_of
from socle.pdf import pdf_of_cda
from socle.xdm import SourceDocument, build_archive
from socle.xdm.layout import ARCHIVE

DEFAULT_NIL: Final = "SOCLE"
"""X-MSS-NIL of what Socle writes itself; a product has its own reference in Convergence."""

_TEXTS: Final = {
    "": "Bonjour,\n\nVeuillez trouver ci-joint {what}.",
    "C": "Bonjour,\n\nVeuillez trouver ci-joint {what}, qui remplace la version envoyée précédemment.",
    "D": "Bonjour,\n\n{what} ci-joint est à supprimer.",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """`reply_to` and `read_receipt_to` are addresses, empty for none; `text` empty for a usual one.

    `is_final` refuses the patient's answer (X-MSS-MES: FIN).
    """

    sender: str = field(repr=False)
    sender_label: str = field(repr=False)
    recipients: tuple[str, ...] = field(repr=False)
    documents: tuple[SourceDocument, ...] = field(repr=False)
    message_id: str
    nil: str = DEFAULT_NIL
    subject: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    reply_to: str = field(default="", repr=False)
    read_receipt_to: str = field(default="", repr=False)
    is_final: bool = False


def write_letter(letter: Letter, *, set_id: UUID, source_id: str, at: datetime) -> bytes:
    """The message with CRLF. The same arguments give the same bytes. ValueError as build_archive."""
    documents = letter.documents
    archive = build_archive(documents, set_id=set_id, source_id=source_id, now=at)
    mail = EmailMessage(policy=SMTP)
    for name, value in _headers(letter, at):
        mail[name] = value
    mail["From"] = mailbox(letter.sender_label, letter.sender)
    mail["To"] = [mailbox("", address) for address in letter.recipients]
    mail.set_content(
        transmissible(letter.text or usual_text(documents)),
        charset="utf-8",
        cte="quoted-printable",
    )
    mail.add_attachment(
        archive, maintype="application", subtype="zip", filename=ARCHIVE, params={"name": ARCHIVE}
    )
    for name, content in _copies(documents, at):
        mail.add_attachment(
            content, maintype="application", subtype="pdf", filename=name, params={"name": name}
        )
    mail.set_boundary(f"=_{set_id.hex}")
    return mail.as_bytes()


def _headers(letter: Letter, at: datetime) -> Iterator[tuple[str, str]]:
    headers = [document.header for document in letter.documents]
    yield "Message-ID", clean_line(letter.message_id)
    yield "Date", format_datetime(at)
    yield "Subject", clean_line(letter.subject or subject_of(headers))
    if letter.reply_to:
        yield "Reply-To", clean_line(letter.reply_to)
    if letter.read_receipt_to:
        yield "Disposition-Notification-To", clean_line(letter.read_receipt_to)
    yield "X-MSS-NIL", clean_line(letter.nil)
    codes = (header.code.code for header in headers if header.code)
    yield "X-MSS-CODECDA", ",".join(map(clean_line, codes))
    yield "X-MSS-INS", "O" if all(map(carries_qualified_ins, headers)) else "N"
    if letter.is_final:
        yield "X-MSS-MES", "FIN"


def usual_text(documents: Sequence[SourceDocument]) -> str:
    """A replacement or a deletion is told in the body too (volet transmission CDA R2, exemples)."""
    actions = {document.action for document in documents}
    what = "le document" if len(documents) == 1 else f"{len(documents)} documents"
    text = _TEXTS[actions.pop() if len(actions) == 1 else ""]
    return (
        text.format(what=what if text.index("{") > len("Bonjour,\n\n") else what.capitalize())
        + "\n"
    )


def _copies(documents: Sequence[SourceDocument], at: datetime) -> Iterator[tuple[str, bytes]]:
    seen: Counter[str] = Counter()
    for document in documents:
        name = pdf_name(document.header, document.metadata)
        seen[name] += 1
        if seen[name] > 1:
            name = pdf_name(document.header, document.metadata, seen[name])
        yield name, pdf_of_cda(document.content, at)
