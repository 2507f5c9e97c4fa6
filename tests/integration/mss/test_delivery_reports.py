"""Delivery reports: RET, ENVID, NOTIFY and ORCPT of RFC 3461, reports as RFC 3464 writes them."""

import re
import smtplib
from email.message import EmailMessage, Message

import pytest

from socle.db.database import Database

from .citizen import ANNE, Citizen, body_of, letter, received
from .conftest import KIT_BOX, ROBERT, ROBERT_BOX, Mail

pytestmark = pytest.mark.postgres


@pytest.fixture
async def anne(mail: Mail, database: Database) -> Citizen:
    citizen = Citizen(mail, database)
    await citizen.say()
    return citizen


async def send(
    mail: Mail,
    to: str,
    rcpt: tuple[str, ...] = (),
    options: tuple[str, ...] = (),
    content: bytes | None = None,
) -> None:
    sent = letter(to) if content is None else content

    def work() -> None:
        with mail.smtp() as client:
            assert client.sendmail(KIT_BOX, [to], sent, options, rcpt) == {}

    await mail.run(work)


def parts_of(report: EmailMessage) -> tuple[Message, Message, EmailMessage]:
    """Fields of the message, fields of the recipient, what came back."""
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    _, status, returned = report.iter_parts()
    groups = status.get_payload()
    assert isinstance(groups, list)
    assert isinstance(returned, EmailMessage)
    of_message, of_recipient = groups
    assert isinstance(of_message, Message)
    assert isinstance(of_recipient, Message)
    return of_message, of_recipient, returned


class TestSuccess:
    @pytest.mark.parametrize("to", [ROBERT_BOX, ANNE.citizen_address])
    async def test_is_reported_when_it_was_asked_for(self, anne: Citizen, to: str) -> None:
        await send(
            anne.mail,
            to,
            ("NOTIFY=success,FAILURE", "ORCPT=rfc822;Bob+2BB@Exemple.mssante.fr"),
            ("RET=HDRS", "ENVID=Lot+2B42-aB"),
        )
        (report,) = await received(anne.mail)
        of_message, of_recipient, returned = parts_of(report)
        assert of_message["Original-Envelope-Id"] == "Lot+42-aB"
        assert of_message["Reporting-MTA"] == "dns; mss.socle.localhost"
        assert of_recipient["Original-Recipient"] == "rfc822; Bob+B@Exemple.mssante.fr"
        assert of_recipient["Final-Recipient"] == f"rfc822; {to}"
        assert of_recipient["Action"] == "delivered"
        assert of_recipient["Status"] == "2.0.0"
        assert returned.get_content_type() == "text/rfc822-headers"
        assert "Votre message a été remis" in body_of(report)

    @pytest.mark.parametrize("options", [(), ("NOTIFY=NEVER",), ("NOTIFY=FAILURE,DELAY",)])
    async def test_is_not_reported_otherwise(self, anne: Citizen, options: tuple[str, ...]) -> None:
        await send(anne.mail, ROBERT_BOX, options)
        assert await received(anne.mail) == []

    async def test_is_reported_once_when_the_250_was_lost(self, anne: Citizen) -> None:
        sent = letter(ROBERT_BOX)
        for _ in range(2):
            await send(anne.mail, ROBERT_BOX, ("NOTIFY=SUCCESS",), content=sent)
        assert len(await received(anne.mail)) == 1


class TestFailure:
    async def test_is_not_reported_when_never_was_asked(self, anne: Citizen) -> None:
        await anne.ask("/close")
        await send(anne.mail, anne.address, ("NOTIFY=NEVER",))
        await send(anne.mail, anne.address, ("NOTIFY=SUCCESS",))
        assert await received(anne.mail) == []

    @pytest.mark.parametrize(
        ("ret", "kind"),
        [
            ("RET=FULL", "message/rfc822"),
            ("RET=hdrs", "text/rfc822-headers"),
            ("", "text/rfc822-headers"),
        ],
    )
    async def test_brings_back_what_was_asked_for(self, anne: Citizen, ret: str, kind: str) -> None:
        await anne.ask("/close")
        await send(anne.mail, anne.address, (), (ret,) if ret else ())
        (report,) = await received(anne.mail)
        of_message, of_recipient, returned = parts_of(report)
        assert returned.get_content_type() == kind
        assert of_recipient["Action"] == "failed"
        assert of_recipient["Diagnostic-Code"].startswith(
            "smtp; 550 5.2.1 La messagerie Mon espace"
        )
        assert of_message["Original-Envelope-Id"] is None

    async def test_is_not_reported_about_a_report(self, anne: Citizen) -> None:
        """A professional's machine reports to a patient whose mailbox is closed: that is the end."""
        await anne.ask("/close")

        def work() -> None:
            with anne.mail.smtp() as client:
                client.sendmail("", [anne.address], letter(), (), ("NOTIFY=SUCCESS,FAILURE",))

        await anne.mail.run(work)
        assert await received(anne.mail) == []


class TestParameters:
    async def test_are_announced(self, mail: Mail) -> None:
        def work() -> dict[str, str]:
            with mail.smtp_tls() as client:
                return dict(client.esmtp_features)

        assert "dsn" in await mail.run(work)

    @pytest.mark.parametrize(
        "options",
        [
            "RET=ALL", "RET=", "RET", "RET=FULL RET=HDRS", "ENVID=a+zz", "ENVID=" + "x" * 101,
            "ENVID=+0D+0A", "NOTIFY=NEVER",
        ],
    )  # fmt: skip
    async def test_of_mail_are_refused_when_they_are_wrong(self, mail: Mail, options: str) -> None:
        def work() -> tuple[int, bytes]:
            with mail.smtp() as client:
                return client.docmd("MAIL", f"FROM:<{KIT_BOX}> {options}")

        code, words = await mail.run(work)
        assert (code, words[:5]) == (501, b"5.5.4")

    @pytest.mark.parametrize(
        "options",
        [
            "NOTIFY=NEVER,SUCCESS", "NOTIFY=", "NOTIFY=SUCCESS,SUCCESS", "NOTIFY=SOON",
            "ORCPT=rfc822", "ORCPT=rfc822;a+0Ab", "RET=FULL",
        ],
    )  # fmt: skip
    async def test_of_rcpt_are_refused_when_they_are_wrong(self, mail: Mail, options: str) -> None:
        def work() -> tuple[int, bytes]:
            with mail.smtp() as client:
                client.mail(KIT_BOX)
                return client.docmd("RCPT", f"TO:<{ROBERT_BOX}> {options}")

        code, words = await mail.run(work)
        assert (code, words[:5]) == (501, b"5.5.4")

    async def test_stand_beside_those_that_aiosmtpd_knows(self, mail: Mail) -> None:
        def work() -> list[int]:
            with mail.smtp() as client:
                return [
                    client.docmd("MAIL", f"FROM:<{KIT_BOX}> SIZE=100 ENVID=x BODY=8BITMIME")[0],
                    client.docmd("RSET")[0],
                    client.docmd("MAIL", f"FROM:<{KIT_BOX}> RET=FULL UNHEARD=1")[0],
                    client.docmd("MAIL", f"FROM:<{KIT_BOX}> RET=FULL SIZE=9999999")[0],
                ]

        assert await mail.run(work) == [250, 250, 555, 552]


class TestNullReversePath:
    async def test_is_for_reports_of_whoever_is_logged_in(self, mail: Mail) -> None:
        def work() -> None:
            with mail.smtp() as client:
                client.sendmail("", [ROBERT_BOX], letter(ROBERT_BOX))

        await mail.run(work)
        assert len(await received(mail, ROBERT, ROBERT_BOX)) == 1

    async def test_needs_a_login(self, mail: Mail) -> None:
        def work() -> int:
            with mail.smtp_tls() as client:
                return client.mail("")[0]

        assert await mail.run(work) == 530


async def test_reports_are_ascii_save_what_they_quote(anne: Citizen) -> None:
    """A subject of RFC 2047 words, fields without accents."""
    await anne.ask("/close")
    await send(anne.mail, anne.address)
    headers = anne.mail.mint.headers(anne.mail.space)
    listed = await anne.mail.http.get(f"/mss/mailboxes/{KIT_BOX}/messages", headers=headers)
    (found,) = listed.json()["messages"]
    raw = (await anne.mail.http.get(f"/mss/messages/{found['id']}", headers=headers)).content
    header, _, body = raw.partition(b"\r\n\r\n")
    assert header.isascii()
    assert re.search(rb"Subject: .*=\?utf-8\?", header)
    status = body.partition(b"message/delivery-status")[2].partition(b"\r\n--")[0]
    assert status.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")


async def test_vrfy_does_not_mind_the_parameters(mail: Mail) -> None:
    def work() -> int:
        with mail.smtp() as client:
            try:
                return client.verify(ROBERT_BOX)[0]
            except smtplib.SMTPException:
                return 0

    assert await mail.run(work) == 252
