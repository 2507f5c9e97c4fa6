"""What an automated mailbox answers, read by the standard library's parser."""

from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

import pytest

from services.mss.domain.integration_notice import (
    ERRORS,
    NoNoticeError,
    Notice,
    Received,
    Result,
    write_notice,
)

from .mails import COLLEAGUE, SENDER, edited, report, setting, written

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SUBJECT = "XDM/1.0/DDM+CR d'examens biologiques ADRUN ZOE 31/12/1975"
OK = Notice(Result(), "<n1@socle.mssante.fr>", AT)
KO = replace(OK, result=Result(902))


def notice(content: bytes, asked: Notice, return_path: str = SENDER) -> EmailMessage:
    to, sent = write_notice(Received(content, COLLEAGUE, return_path), asked)
    message = BytesParser(policy=default).parsebytes(sent)
    assert isinstance(message, EmailMessage)
    assert message["To"] == to
    assert not message.defects
    return message


def parts(message: EmailMessage) -> list[EmailMessage]:
    found = message.get_payload()
    assert isinstance(found, list)
    return [part for part in found if isinstance(part, EmailMessage)]


def fields(part: EmailMessage) -> dict[str, Any]:
    inner = part.get_payload(0)
    assert isinstance(inner, EmailMessage)
    return dict(inner.items())


def test_success_is_a_receipt_with_the_subject_as_it_was() -> None:
    message = notice(written(), OK)
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "disposition-notification"
    assert (message["Subject"], message["To"]) == (SUBJECT, SENDER)
    assert message["In-Reply-To"] == "<1@socle.mssante.fr>"
    text, said, original, archive, copy = parts(message)
    assert "intégré" in text.get_content()
    assert fields(said) == {
        "Reporting-UA": "Socle MSS sandbox",
        "Original-Recipient": f"rfc822;{COLLEAGUE}",
        "Final-Recipient": f"rfc822;{COLLEAGUE}",
        "Original-Message-ID": "<1@socle.mssante.fr>",
        "Disposition": "automatic-action/MDN-sent-automatically; processed",
    }
    assert original.get_content_type() == "message/rfc822"
    assert archive.get_filename() == "IHE_XDM.ZIP"
    assert str(copy.get_filename()).endswith(".pdf")


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_an_error_is_told_by_its_code(code: int) -> None:
    message = notice(written(), replace(OK, result=Result(code)))
    assert message["Subject"] == f"[KO Intégration système !][{code}] {SUBJECT}"
    text, said = parts(message)[:2]
    assert f"{code} {ERRORS[code]}" in text.get_content()
    assert f"processed/Error: {code}^" in str(fields(said)["Disposition"])


def test_the_subject_has_the_form_of_the_guides_example_where_that_is_wanted() -> None:
    message = notice(written(), replace(KO, subject_form="erreur", form="mail"))
    assert message["Subject"] == f"[Erreur d’intégration !][902] {SUBJECT}"


def test_an_ordinary_mail_tells_an_error_where_no_receipt_was_asked_for() -> None:
    message = notice(written(read_receipt_to=""), KO)
    assert message.get_content_type() == "multipart/mixed"
    assert [part.get_content_type() for part in parts(message)] == [
        "text/plain", "message/rfc822", "application/zip", "application/pdf",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "asked", "reason"),
    [
        (written(read_receipt_to=""), replace(OK, form="mdn"), "not-asked"),
        (written(read_receipt_to=COLLEAGUE), OK, "not-return-path"),
        (edited(setting("Auto-Submitted", "auto-replied")), OK, "is-report"),
    ],
)
def test_no_notice_is_sent_that_could_go_round_for_ever(
    content: bytes, asked: Notice, reason: str
) -> None:
    with pytest.raises(NoNoticeError) as refused:
        notice(content, asked)
    assert refused.value.reason == reason


def test_a_notice_is_never_answered() -> None:
    _, sent = write_notice(Received(written(), COLLEAGUE, SENDER), KO)
    with pytest.raises(NoNoticeError, match="is-report"):
        write_notice(Received(sent, SENDER, COLLEAGUE), KO)


def test_a_person_may_let_it_go_to_another_address() -> None:
    message = notice(written(read_receipt_to=COLLEAGUE), replace(OK, is_confirmed=True))
    assert message["To"] == COLLEAGUE
    assert "manual-action/MDN-sent-manually" in str(fields(parts(message)[1])["Disposition"])


def test_a_large_mail_comes_back_by_its_header() -> None:
    content = written()
    message = notice(content, replace(OK, max_bytes=len(content) + 65_536))
    original = parts(message)[2]
    assert original.get_content_type() == "text/rfc822-headers"


def test_a_notice_passes_the_rules_of_its_own() -> None:
    """But for warnings: the tests' sender is another, and a machine reads no answers."""
    _, sent = write_notice(Received(written(), COLLEAGUE, SENDER, "Hôpital – Intégration"), KO)
    verdicts = report(sent, [SENDER], sender_kind="APP", mechanism="EXTERNAL").verdicts
    found = {it.rule.id: it.findings for it in verdicts if it.findings}
    assert all(it.outcome != "failed" for it in verdicts)
    assert set(found) == {"MSS-ORIGIN", "MSS-REPLY-TO"}, found
