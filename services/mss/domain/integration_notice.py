"""What an automated mailbox answers once it has tried to integrate the documents of a mail: an MDN where
one was asked for (RFC 8098), else an ordinary mail for an error (spec: mss.md §1.8).

Source: volet "Transmission au LPS d'un document CDA provenant d'un courriel MSSanté" v1.1,
struct-msg-mdn, struct-email-standard and error-codes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from typing import Final, Literal

from services.mss.domain.headers import MailFacts, addresses, clean_line, decoded, read_facts
from services.mss.domain.letter import DEFAULT_NIL
from services.mss.domain.lint.reading import file_name
from services.mss.domain.mailboxes import normalised
from services.mss.domain.mime import Part, parse
from services.mss.domain.naming import PREFIX
from socle.xdm.layout import ARCHIVE

ERRORS: Final = {
    900: "Version du document incorrecte lors d'une demande de remplacement/suppression",
    901: "Auteur non autorisé à remplacer ou supprimer un document",
    902: "Identifiant patient inconnu",
    903: "INS non présent dans le document",
    904: "L'INS transmis ne correspond pas exactement à celui stocké dans la base du consommateur",
    905: "L'INS transmis n'est pas complet",
    906: "Erreur 'Autre'",
}
"""user-defined applicationErrorCondition."""

SUBJECTS: Final = {"ko": "[KO Intégration système !]", "erreur": "[Erreur d’intégration !]"}
"""The guide's rule, and the guide's own example of a mail: it contradicts itself."""

SubjectForm = Literal["ko", "erreur"]
Form = Literal["mdn", "mail"]
Why = Literal["not-asked", "not-return-path", "is-report"]


class NoNoticeError(ValueError):
    """No notice may be sent by itself; `reason` says which rule forbids it."""

    def __init__(self, reason: Why) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Result:
    """`code` is None for success; `label` replaces the table's."""

    code: int | None = None
    label: str = ""

    @property
    def said(self) -> str:
        return "" if self.code is None else clean_line(self.label or ERRORS[self.code])


@dataclass(frozen=True, slots=True)
class Received:
    """A mail that lies in an automated mailbox. `return_path` is the sender of its envelope."""

    content: bytes = field(repr=False)
    mailbox: str = field(repr=False)
    return_path: str = field(repr=False)
    label: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Notice:
    """`is_confirmed` where a person lets a receipt go that would not go by itself."""

    result: Result
    message_id: str
    at: datetime
    form: Form | None = None
    subject_form: SubjectForm = "ko"
    is_confirmed: bool = False
    max_bytes: int = 25 * 1024 * 1024


def write_notice(received: Received, notice: Notice) -> tuple[str, bytes]:
    """To whom, and the message. NoNoticeError where none may be sent.

    The original comes back whole, unless that would pass `max_bytes`: then its header only.
    """
    original = parse(received.content)
    form = notice.form or ("mdn" if _asked_by(original.headers) else "mail")
    to = _addressee(received, original.headers, notice, form)
    boundary = f"=_{notice.message_id.strip('<>').partition('@')[0]}"
    facts = read_facts(original.header)
    parts = [_text(notice.result)]
    if form == "mdn":
        parts.append(_fields(received, original.headers, notice, facts.message_id))
    attachments = [_again(part) for part in _documents(original)]
    room = notice.max_bytes - sum(map(len, attachments)) - 65_536
    parts += [
        _original(received.content, original, whole=len(received.content) <= room),
        *attachments,
    ]
    kind = "report; report-type=disposition-notification" if form == "mdn" else "mixed"
    fields = [*_header(received, original.headers, notice, to, facts), ("MIME-Version", "1.0"),
              ("Content-Type", f'multipart/{kind}; boundary="{boundary}"')]  # fmt: skip
    head = b"".join(SMTP.fold_binary(*SMTP.header_store_parse(name, it)) for name, it in fields)
    body = b"".join(b"\r\n--" + boundary.encode() + b"\r\n" + part for part in parts)
    return to, head + body + b"\r\n--" + boundary.encode() + b"--\r\n"


def _asked_by(header: "Message[str, str]") -> str:
    asked = addresses(header.get_all("Disposition-Notification-To", []))
    return next((normalised(address) for _, address in asked if address), "")


def _addressee(received: Received, header: "Message[str, str]", notice: Notice, form: Form) -> str:
    automatic = str(header.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    if header.get_content_type() == "multipart/report" or automatic != "no":
        raise NoNoticeError("is-report")  # or two machines would answer each other for ever
    asked = _asked_by(header)
    if form == "mail":
        return normalised(received.return_path)
    if not asked:
        raise NoNoticeError("not-asked")
    if asked != normalised(received.return_path) and not notice.is_confirmed:
        raise NoNoticeError("not-return-path")
    return asked


def _header(
    received: Received, header: "Message[str, str]", notice: Notice, to: str, facts: MailFacts
) -> Iterator[tuple[str, str]]:
    yield "Date", format_datetime(notice.at)
    yield "From", formataddr((received.label, received.mailbox))
    yield "To", to
    yield "Message-ID", notice.message_id
    if facts.message_id:
        yield "In-Reply-To", facts.message_id
        yield "References", facts.message_id
    yield "Subject", subject_of(decoded(header.get("Subject")), notice)
    yield "Auto-Submitted", "auto-replied"
    yield "X-MSS-NIL", DEFAULT_NIL
    if facts.cda_codes:
        yield "X-MSS-CODECDA", ",".join(facts.cda_codes)
    if facts.ins:
        yield "X-MSS-INS", facts.ins


def subject_of(original: str, notice: Notice) -> str:
    subject = clean_line(original)
    start = subject.find(PREFIX)
    named = subject[start:] if start >= 0 else subject
    if notice.result.code is None:
        return named
    return f"{SUBJECTS[notice.subject_form]}[{notice.result.code}] {named}"


def _text(result: Result) -> bytes:
    if result.code is None:
        text = "Le message ci-dessous a été intégré automatiquement.\r\n"
    else:
        text = (
            "Le message ci-dessous n’a pas pu être intégré automatiquement pour la raison suivante :"
            f"\r\n{result.code} {result.said}\r\n"
        )
    head = b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'
    return head + text.encode()


def _fields(
    received: Received, header: "Message[str, str]", notice: Notice, message_id: str
) -> bytes:
    mode = (
        "manual-action/MDN-sent-manually" if notice.is_confirmed
        else "automatic-action/MDN-sent-automatically"
    )  # fmt: skip
    disposition = f"{mode}; processed"
    result = notice.result
    if result.code is not None:
        disposition += f"/Error: {result.code}^{result.said}"
    recipient = clean_line(str(header.get("Original-Recipient", "")))
    lines = [
        "Reporting-UA: Socle MSS sandbox",
        f"Original-Recipient: {recipient or f'rfc822;{received.mailbox}'}",
        f"Final-Recipient: rfc822;{received.mailbox}",
    ]
    if message_id:
        lines.append(f"Original-Message-ID: {message_id}")
    lines.append(f"Disposition: {disposition}")
    body = "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")
    encoding = b"" if body.isascii() else b"Content-Transfer-Encoding: 8bit\r\n"
    return b"Content-Type: message/disposition-notification\r\n" + encoding + b"\r\n" + body


def _original(content: bytes, original: Part, *, whole: bool) -> bytes:
    shown = content if whole else original.header
    kind = b"message/rfc822" if whole else b"text/rfc822-headers"
    encoding = b"" if shown.isascii() else b"Content-Transfer-Encoding: 8bit\r\n"
    return b"Content-Type: " + kind + b"\r\n" + encoding + b"\r\n" + shown


def _documents(part: Part) -> Iterator[Part]:
    """The archive and the PDF copies."""
    if part.is_multipart:
        for child in part.children:
            yield from _documents(child)
        return
    name = file_name(part)
    if name.upper() == ARCHIVE or re.search(r"\.pdf$", name, re.IGNORECASE):
        yield part


def _again(part: Part) -> bytes:
    """As it came: header, encoding and octets."""
    return part.header + part.content
