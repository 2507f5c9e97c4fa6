"""Reports are well formed whatever the message was that they are about."""

from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mss.domain.automatic import automatic_answer
from services.mss.domain.compose import Attachment, Draft, compose
from services.mss.domain.conversation import read_incoming
from services.mss.domain.delivery_report import DeliveryReport, render_delivery_report
from services.mss.domain.envelope import Envelope, ParameterError, Recipient, decode_xtext
from services.mss.domain.headers import parse_header, split_header
from services.mss.domain.read_receipt import (
    Reader,
    is_report,
    read_receipt,
    render_read_receipt,
)
from socle.clock import wall
from socle.idgen import uuid7

KIT, ANNE = "kit@socle.mssante.fr", "279035121518989@patient.mssante.fr"
REPORT_ID = UUID(int=7)
hostile = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from(
            [
                b"Subject: ", b"Message-ID: <a@b>", b"Content-Type: multipart/report; boundary=b",
                b"; report-type=disposition-notification", b"--b", b"\r\n", b"\n", b"\r\n\r\n",
                b"Content-Type: message/disposition-notification", b"Original-Message-ID: <a@b>",
                b"Disposition: x; displayed/error", b"=?utf-8?b?AAA?=", b"=?x-unknown?q?a?=",
                b"\xff\xfe", b"\x00", b" ", b"Reply-To: \"a", b"Auto-Submitted: ;", b"References: <<>",
            ]
        ),
        max_size=30,
    ).map(b"".join),
)  # fmt: skip


def parsed(raw: bytes) -> EmailMessage:
    message = BytesParser(policy=default).parsebytes(raw)
    assert isinstance(message, EmailMessage)
    return message


def failed(original: bytes, returned: str = "FULL") -> EmailMessage:
    report = DeliveryReport(
        "MAILER-DAEMON@patient.mssante.fr", "Message non distribué", "Pas remis.\n\nFermée.", "failed",
        "5.2.1", "550 5.2.1 Fermée", Recipient(ANNE, None, "rfc822;Anne"),
    )  # fmt: skip
    envelope = Envelope(KIT, (report.recipient,), "FULL" if returned == "FULL" else "HDRS", "lot 1")
    return parsed(
        render_delivery_report(
            report, envelope, original, reporting_mta="mta", report_id=REPORT_ID, at=wall()
        )
    )


class TestAnyMessage:
    @given(hostile)
    def test_is_reported_on_in_three_parts(self, original: bytes) -> None:
        for returned in ("FULL", "HDRS"):
            report = failed(original, returned)
            kinds = [part.get_content_type() for part in report.iter_parts()]
            assert kinds[:2] == ["text/plain", "message/delivery-status"]
            assert kinds[2:] == ["message/rfc822" if returned == "FULL" else "text/rfc822-headers"]

    @given(hostile, st.text(max_size=60))
    def test_is_acknowledged_and_the_acknowledgement_is_read_again(
        self, original: bytes, name: str
    ) -> None:
        raw = render_read_receipt(original, Reader(ANNE, name, "test"), KIT, REPORT_ID, wall())
        assert parsed(raw)["To"] == KIT
        found = read_receipt(raw)
        if found is not None:
            assert (found.disposition, found.failed) == ("displayed", False)

    @given(hostile)
    def test_is_judged_without_a_failure(self, original: bytes) -> None:
        header = parse_header(original[: split_header(original)])
        read_incoming(header, KIT, is_report=is_report(header))
        read_receipt(original)
        assert parsed(automatic_answer(header, ANNE, KIT, REPORT_ID, wall()))["To"] == KIT


class TestOriginal:
    def test_comes_back_to_the_octet(self) -> None:
        original = b"Subject: x\r\nMessage-ID: <a@b>\r\n\r\n\xe9t\xe9\r\n.\r\n"
        report = failed(original)
        assert report["In-Reply-To"] == "<a@b>"
        assert b"\r\n\r\n" + original + b"\r\n--" in bytes_of(original)

    def test_header_is_cut_when_it_is_endless(self) -> None:
        assert len(bytes_of(b"X: y\r\n" * 100_000, "HDRS")) < 70_000


def bytes_of(original: bytes, returned: str = "FULL") -> bytes:
    recipient = Recipient(ANNE)
    report = DeliveryReport(KIT, "s", "t", "failed", "5.0.0", "550", recipient)
    envelope = Envelope(KIT, (recipient,), "FULL" if returned == "FULL" else "HDRS")
    return render_delivery_report(
        report, envelope, original, reporting_mta="m", report_id=uuid7(), at=wall()
    )


class TestConversation:
    @pytest.mark.parametrize(
        ("header", "contact", "reply"),
        [
            (b"Subject: x", KIT, "REPLY"),
            (b"Reply-To: Org <ORG@socle.mssante.fr>, b@socle.mssante.fr", "org@socle.mssante.fr", "REPLY"),
            (b"Reply-To: someone@example.org", KIT, "REPLY"),
            (b"Reply-To: " + ANNE.encode(), KIT, "REPLY"),
            (b"X-MSS-MES: FIN", KIT, "NO_REPLY"),
            (b"X-MSS-MES: fin", KIT, "REPLY"),
            (b"Subject: =?utf-8?q?=5BFIN=5D?=", KIT, "NO_REPLY"),
        ],
    )  # fmt: skip
    def test_follows_from_the_header(self, header: bytes, contact: str, reply: str) -> None:
        incoming = read_incoming(parse_header(header + b"\r\n\r\n"), KIT, is_report=False)
        assert (incoming.contact, incoming.reply) == (contact, reply)


class TestComposed:
    @given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
    def test_survives_any_words(self, name: str, subject: str, text: str) -> None:
        draft = Draft(
            KIT, (ANNE,), subject, text, "<1@x>", sender_name=name, html=f"<p>{text}</p>",
            attachments=(Attachment(name or "x", "application/pdf", b"%PDF"),),
        )  # fmt: skip
        mail = parsed(compose(draft, wall()))
        assert mail["Message-ID"] == "<1@x>"
        assert [part.get_content() for part in mail.iter_attachments()] == [b"%PDF"]


class TestXtext:
    @pytest.mark.parametrize(("text", "meaning"), [("a+2Bb", "a+b"), ("+3D", "="), ("", "")])
    def test_is_decoded(self, text: str, meaning: str) -> None:
        assert decode_xtext(text, 100) == meaning

    @pytest.mark.parametrize("text", ["a+2b", "+", "é", "a=b", "+0A", "x" * 101])
    def test_is_refused_when_it_is_none(self, text: str) -> None:
        with pytest.raises(ParameterError):
            decode_xtext(text, 100)
