"""What a hostile or broken client sends to the SMTP server."""

import base64

import pytest

from socle.db.database import Database

from .citizen import ANNE, Citizen, letter, received
from .conftest import KIT_BOX, ROBERT, ROBERT_BOX, Mail

pytestmark = pytest.mark.postgres
PATIENT = ANNE.citizen_address


async def code_of(mail: Mail, command: str, rest: bytes) -> int:
    """Of a command of raw octets, after MAIL where it is RCPT."""

    def work() -> int:
        with mail.smtp() as client:
            if command == "RCPT":
                client.mail(KIT_BOX)
            assert client.sock is not None
            client.sock.sendall(command.encode() + b" " + rest + b"\r\n")
            code = client.getreply()[0]
            assert client.noop()[0] == 250
            return code

    return await mail.run(work)


class TestAddress:
    @pytest.mark.parametrize(
        "rest",
        [
            b"TO:<a\x00b@socle.mssante.fr>", b"TO:<>", b"TO:<@>", b"TO:<a@b@c>", b'TO:<"a b"@x.fr>',
            b"TO:<" + b"a" * 900 + b"@x.fr>", b"TO:<\xe9@x.fr>", b"TO: a", b"TO:<a@[1.2.3.4]>",
            b"TO:<;DROP TABLE@x>", b"TO:<a@x.fr> NOTIFY", b"TO:<279035121518989@patient.mssante.fr",
            b"TO:<a\x00@patient.mssante.fr>",
        ],
    )  # fmt: skip
    async def test_of_a_recipient_is_refused_for_good(self, mail: Mail, rest: bytes) -> None:
        assert 500 <= await code_of(mail, "RCPT", rest) < 560

    @pytest.mark.parametrize(
        "rest", [b"FROM:<a\x00@x>", b"FROM:<@>", b"FROM:", b"FROM:<a@b> RET=\x00"]
    )
    async def test_of_a_sender_is_refused_for_good(self, mail: Mail, rest: bytes) -> None:
        assert 500 <= await code_of(mail, "MAIL", rest) < 560

    @pytest.mark.parametrize(
        ("command", "told"),
        [
            ("EHLO PC-ACCUEIL-ÉTÉ", "500 5.5.2 A command is ASCII; SMTPUTF8 is not offered"),
            ("MAIL FROM:<hélène@socle.mssante.fr>", "500 5.5.2 A command is ASCII"),
            (f"MAIL FROM:<{KIT_BOX}> SMTPUTF8", "555 5.5.4 SMTPUTF8 is not offered"),
        ],
    )
    async def test_that_is_not_ascii_is_told_what_to_do(
        self, mail: Mail, command: str, told: str
    ) -> None:
        """Such as the name of a computer, which many libraries greet with."""

        def work() -> str:
            with mail.smtp() as client:
                assert client.sock is not None
                client.sock.sendall(command.encode("latin-1") + b"\r\n")
                code, text = client.getreply()
                return f"{code} {text.decode()}"

        assert (await mail.run(work)).startswith(told)


class TestMessage:
    @pytest.mark.parametrize(
        "header",
        [
            b"Message-ID: <a\x00b@c>", b"Subject: \x00\xff", b"Reply-To: \x00", b"X-MSS-CODECDA: \x00,a",
            b"X-MSS-INS: \x00", b"Disposition-Notification-To: \x00", b"In-Reply-To: <\x00@x>",
            b"References: " + b"<a@b>" * 180, b"From: \x00", b"Content-Type: multipart/report; boundary=",
            b"Auto-Submitted: \xff", b"Subject: =?utf-8?b?AAAA?=", b"Subject: =?a?b?c?=",
            b"Message-ID: <" + b"x" * 900 + b">", b"Reply-To: <" + b"r" * 64 + b"@mssante.fr>, ,;:",
        ],
    )  # fmt: skip
    async def test_is_delivered_and_read_and_answered_whatever_its_header(
        self, mail: Mail, database: Database, header: bytes
    ) -> None:
        anne = Citizen(mail, database)
        await anne.say()
        raw = header + b"\r\nX: y\r\n\r\nBonjour\r\n"

        def work() -> int:
            with mail.smtp() as client:
                client.mail(KIT_BOX)
                client.rcpt(PATIENT)
                client.rcpt(ROBERT_BOX, ["NOTIFY=SUCCESS"])
                return client.data(raw)[0]

        assert await mail.run(work) == 250
        (found,) = await anne.inbox()
        read = await anne.ask("/messages/read", id=found["id"])
        assert base64.b64decode(read["data"]) == raw
        answer = await anne.post("/messages/reply", id=found["id"], text="Oui")
        assert answer.status_code in (201, 403), answer.text
        assert len(await received(mail, ROBERT, ROBERT_BOX)) == 1

    async def test_without_a_header_or_a_body_is_one(self, mail: Mail) -> None:
        def work() -> list[int]:
            codes = []
            with mail.smtp() as client:
                for content in (b"", b"\r\n", b"x", b"\x00"):
                    client.mail(KIT_BOX)
                    client.rcpt(ROBERT_BOX)
                    codes.append(client.data(content)[0])
            return codes

        assert await mail.run(work) == [250] * 4
        assert len(await received(mail, ROBERT, ROBERT_BOX)) == 4


async def test_a_hundred_recipients_are_taken_and_no_more(mail: Mail) -> None:
    def work() -> list[int]:
        with mail.smtp() as client:
            client.mail(KIT_BOX)
            return [client.rcpt(f"{n:013d}00@patient.mssante.fr")[0] for n in range(101)]

    assert await mail.run(work) == [250] * 100 + [452]


async def test_a_report_about_itself_goes_nowhere(mail: Mail, database: Database) -> None:
    """The mailer daemon's own address takes nothing, so that no two daemons talk for ever."""

    def work() -> None:
        with mail.smtp() as client:
            client.sendmail(KIT_BOX, ["mailer-daemon@patient.mssante.fr"], letter())

    await mail.run(work)
    assert len(await received(mail)) == 1
