"""A right mail, the same with one thing changed, and what the rules say of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from typing import Any
from uuid import UUID

from services.mss.domain.letter import Letter, write_letter
from services.mss.domain.lint import Report, lint
from services.mss.domain.lint.mail import Passage
from services.mss.domain.lint.reading import read_mail
from socle.demo.document import laboratory_report
from socle.xdm import SourceDocument

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
CDA = laboratory_report(document_id="2.25.1")
DOCUMENT = SourceDocument.of(CDA)
PATIENT = DOCUMENT.patient.citizen_address
SENDER, COLLEAGUE = "kit@socle.mssante.fr", "robert@socle.mssante.fr"
PASSAGE = Passage("smtp", "PER", "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384", "XOAUTH2", True)
LETTER = Letter(
    sender=SENDER,
    sender_label="Dr_Kit_DOC_Cabinet médical",
    recipients=(COLLEAGUE, PATIENT),
    documents=(DOCUMENT,),
    message_id="<1@socle.mssante.fr>",
    read_receipt_to=SENDER,
    is_final=True,
)


def written(**changes: Any) -> bytes:
    return write_letter(
        replace(LETTER, **changes), set_id=UUID(int=7), source_id="1.2.250.1.999.1", at=AT
    )


def edited(change: Callable[[EmailMessage], object], **changes: Any) -> bytes:
    mail = BytesParser(_class=EmailMessage, policy=SMTP).parsebytes(written(**changes))
    assert isinstance(mail, EmailMessage)
    change(mail)
    return mail.as_bytes()


def report(content: bytes, recipients: Sequence[str] = LETTER.recipients, **passage: Any) -> Report:
    seen = replace(PASSAGE, **passage)
    return lint(read_mail(content, sender=SENDER, recipients=recipients, passage=seen))


def told(
    content: bytes, recipients: Sequence[str] = LETTER.recipients, **passage: Any
) -> dict[str, str]:
    """Rule to outcome, of those that found something."""
    verdicts = report(content, recipients, **passage).verdicts
    return {it.rule.id: it.outcome for it in verdicts if it.findings}


def setting(name: str, value: str | None) -> Callable[[EmailMessage], None]:
    def change(mail: EmailMessage) -> None:
        del mail[name]
        if value is not None:
            mail[name] = value

    return change
