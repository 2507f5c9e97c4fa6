"""Faults that a vendor asks for: what SMTP and IMAP then answer, and that nothing is half done."""

import asyncio
import base64
import imaplib
import smtplib
import time
from collections.abc import Callable
from typing import Any

import pytest

from services.mss.domain.smtp_errors import NO_CONNECTION, reply
from socle.faults import SMTP_CODES
from tests.patience import PATIENCE_SECONDS

from .citizen import ORG_BOX, letter, received
from .conftest import KIT_BOX, ROBERT, ROBERT_BOX, Mail, xoauth2

pytestmark = pytest.mark.postgres


async def arm(mail: Mail, *rules: dict[str, Any]) -> None:
    answer = await mail.http.put(
        f"/s/{mail.space}/_sandbox/faults",
        json=[{"id": f"r{n}", "service": "mss", **rule} for n, rule in enumerate(rules)],
    )
    assert answer.status_code == 200, answer.text


async def smtp(mail: Mail, work: Callable[[smtplib.SMTP], Any]) -> Any:
    def run() -> Any:
        with mail.smtp() as client:
            return work(client)

    return await mail.run(run)


def send(client: smtplib.SMTP, to: str = ROBERT_BOX) -> tuple[int, int, int]:
    """The codes of MAIL, RCPT and DATA; 0 for what was not reached."""
    mail = client.mail(KIT_BOX)[0]
    rcpt = client.rcpt(to)[0] if mail == 250 else 0
    return mail, rcpt, client.data(letter(to))[0] if rcpt in (250, 251, 252) else 0


class TestStatus:
    @pytest.mark.parametrize(
        ("place", "codes"),
        [("/mail", (451, 0, 0)), ("/rcpt", (250, 451, 0)), ("/data", (250, 250, 451))],
    )
    async def test_strikes_where_it_is_aimed_and_as_often_as_said(
        self, mail: Mail, place: str, codes: tuple[int, int, int]
    ) -> None:
        await arm(mail, {"method": "SMTP", "path": place, "status": 451, "count": 1})
        assert await smtp(mail, send) == codes
        assert await received(mail, ROBERT, ROBERT_BOX) == []
        assert await smtp(mail, send) == (250, 250, 250)
        assert len(await received(mail, ROBERT, ROBERT_BOX)) == 1

    @pytest.mark.parametrize("code", sorted(SMTP_CODES - NO_CONNECTION - {421}))
    def test_has_words_for_each_code_of_the_table(self, code: int) -> None:
        number, status, words = reply(code).split(" ", 2)
        assert (int(number), words.isascii()) == (code, True)
        assert status[0] == number[0]

    async def test_of_421_ends_the_connection(self, mail: Mail) -> None:
        await arm(mail, {"method": "SMTP", "path": "/rcpt", "status": 421})

        def work(client: smtplib.SMTP) -> int:
            client.mail(KIT_BOX)
            code = client.docmd("RCPT", f"TO:<{ROBERT_BOX}>")[0]
            with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
                client.noop()
            return code

        assert await smtp(mail, work) == 421

    @pytest.mark.parametrize("rule", [{"status": 101}, {"status": 111}, {"effect": "drop"}])
    async def test_of_no_connection_is_silence(self, mail: Mail, rule: dict[str, Any]) -> None:
        await arm(mail, {"method": "SMTP", "path": "/mail", **rule})

        def work(client: smtplib.SMTP) -> None:
            with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
                client.mail(KIT_BOX)

        await smtp(mail, work)

    async def test_may_be_of_one_recipient_or_domain(self, mail: Mail) -> None:
        await arm(
            mail,
            {"method": "SMTP", "path": "/rcpt", "status": 550, "recipient": ROBERT_BOX},
            {"method": "SMTP", "path": "/data", "status": 552, "recipient": "@patient.mssante.fr"},
        )
        assert await smtp(mail, send) == (250, 550, 0)
        assert await smtp(mail, lambda client: send(client, ORG_BOX)) == (250, 250, 250)

    async def test_may_be_of_one_sender_or_person(self, mail: Mail) -> None:
        await arm(
            mail,
            {"method": "SMTP", "path": "/mail", "status": 450, "sender": ORG_BOX},
            {"method": "SMTP", "path": "/mail", "status": 451, "person": ROBERT},
        )
        assert await smtp(mail, send) == (250, 250, 250)
        assert await smtp(mail, lambda client: client.mail(ORG_BOX)[0]) == 450

        def as_robert() -> int:
            with mail.smtp(ROBERT, ROBERT_BOX) as client:
                return client.mail(ROBERT_BOX)[0]

        assert await mail.run(as_robert) == 451

    async def test_strikes_by_chance(self, mail: Mail) -> None:
        await arm(mail, {"method": "SMTP", "path": "/mail", "status": 451, "probability": 0.5})

        def work(client: smtplib.SMTP) -> set[int]:
            codes = set()
            for _ in range(30):
                codes.add(client.mail(KIT_BOX)[0])
                client.rset()
            return codes

        assert await smtp(mail, work) == {250, 451}

    async def test_leaves_other_spaces_alone(self, mail: Mail) -> None:
        await arm(mail, {"method": "SMTP", "status": 451})
        other = Mail(mail.app, mail.http, mail.mint, f"{mail.space}-o", mail.trust)
        assert await smtp(other, send) == (250, 250, 250)

    async def test_may_be_slow(self, mail: Mail) -> None:
        await arm(mail, {"method": "SMTP", "path": "/data", "latency_ms": 400})
        started = time.monotonic()
        assert await smtp(mail, send) == (250, 250, 250)
        assert time.monotonic() - started >= 0.4


class TestRate:
    async def test_beyond_it_is_421_and_less_is_not(self, mail: Mail) -> None:
        await arm(
            mail, {"method": "SMTP", "path": "/mail", "effect": "rate_limit", "value": "2/600"}
        )
        assert await smtp(mail, send) == (250, 250, 250)
        assert await smtp(mail, send) == (250, 250, 250)
        assert await smtp(mail, lambda client: client.docmd("MAIL", f"FROM:<{KIT_BOX}>")[0]) == 421


class TestToken:
    async def test_is_refused_once_with_the_json(self, mail: Mail) -> None:
        rule = {"method": "SMTP", "path": "/auth", "effect": "refuse_token", "count": 1}
        await arm(mail, rule)
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            await smtp(mail, send)
        assert refused.value.smtp_code == 535
        assert await smtp(mail, send) == (250, 250, 250)

    async def test_is_refused_and_the_connection_drops(self, mail: Mail) -> None:
        await arm(mail, {"method": "SMTP", "path": "/auth", "effect": "drop_refused_token"})

        def work() -> bytes:
            with mail.smtp_tls() as client:
                blob = base64.b64encode(xoauth2(KIT_BOX, mail.token()).encode()).decode()
                code, words = client.docmd("AUTH", f"XOAUTH2 {blob}")
                assert code == 334
                with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
                    client.docmd("")
                return base64.b64decode(words)

        assert await mail.run(work) == b'{"status":"401","schemes":"bearer","scope":"mail"}'

    async def test_expires_in_the_middle_and_another_goes_on(self, mail: Mail) -> None:
        await arm(mail, {"method": "SMTP", "path": "/rcpt", "effect": "expire_session", "count": 1})

        def work(client: smtplib.SMTP) -> list[int]:
            codes = [*send(client), client.mail(KIT_BOX)[0]]
            blob = xoauth2(KIT_BOX, mail.token())
            codes.append(client.auth("XOAUTH2", lambda _=None: blob)[0])
            client.rset()
            return [*codes, *send(client)]

        assert await smtp(mail, work) == [250, 530, 0, 530, 235, 250, 250, 250]

    async def test_is_answered_by_a_status(self, mail: Mail) -> None:
        await arm(mail, {"method": "SMTP", "path": "/auth", "status": 451})
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            await smtp(mail, send)
        assert refused.value.smtp_code == 451


class TestConnect:
    @pytest.fixture
    async def default(self, mail: Mail) -> Mail:
        """No token is known then: rules are those of the default space."""
        mail.app.state.kernel.settings = mail.app.state.kernel.settings.model_copy(
            update={"default_space": mail.space}
        )
        return mail

    async def test_is_refused_by_smtp(self, default: Mail) -> None:
        await arm(default, {"method": "SMTP", "path": "/connect", "status": 421})
        with pytest.raises(smtplib.SMTPConnectError) as refused:
            await default.run(default.smtp_clear)
        assert refused.value.smtp_code == 421

    async def test_is_dropped_by_both(self, default: Mail) -> None:
        await arm(
            default,
            {"method": "SMTP", "path": "/connect", "effect": "drop"},
            {"method": "IMAP", "path": "/connect", "effect": "drop"},
        )
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            await default.run(default.smtp_clear)
        with pytest.raises((imaplib.IMAP4.abort, ConnectionError)):
            await default.run(default.imap_clear)

    async def test_says_bye_in_imap(self, default: Mail) -> None:
        rule = {"method": "IMAP", "path": "/connect", "effect": "imap_no", "value": "overloaded"}
        await arm(default, rule)
        with pytest.raises(imaplib.IMAP4.error, match="overloaded"):
            await default.run(default.imap_clear)


class TestImap:
    async def imap(self, mail: Mail, work: Callable[[imaplib.IMAP4], Any]) -> Any:
        def run() -> Any:
            with mail.imap() as client:
                client.select()
                return work(client)

        return await mail.run(run)

    @pytest.mark.parametrize("command", ["MOVE", "UID MOVE"])
    async def test_move_fails_as_at_an_operator(self, mail: Mail, command: str) -> None:
        await mail.run(lambda: mail.submit(letter(ROBERT_BOX)))
        await arm(
            mail,
            {"method": "IMAP", "path": "/move", "effect": "imap_no", "value": "Internal error"},
        )

        def work(client: imaplib.IMAP4) -> Any:
            uid = command.startswith("UID")
            move = (
                client.uid("MOVE", "1", "Trash")
                if uid
                else client._simple_command("MOVE", "1", "Trash")
            )
            return move, client.noop()[0], client.select()[1]

        (kind, text), noop, exists = await self.imap(mail, work)
        assert (kind, text) == ("NO", [b"Internal error"])
        assert (noop, exists) == ("OK", [b"1"])

    async def test_append_and_fetch_are_slow(self, mail: Mail) -> None:
        await mail.run(lambda: mail.submit(letter(ROBERT_BOX)))
        await arm(
            mail,
            {"method": "IMAP", "path": "/append", "latency_ms": 300},
            {"method": "IMAP", "path": "/fetch", "latency_ms": 300},
        )

        def work(client: imaplib.IMAP4) -> float:
            started = time.monotonic()
            assert client.append("Sent", "", "", letter())[0] == "OK"
            assert client.fetch("1", "(BODY[])")[0] == "OK"
            return time.monotonic() - started

        assert await self.imap(mail, work) >= 0.6

    async def test_select_fails(self, mail: Mail) -> None:
        await arm(
            mail, {"method": "IMAP", "path": "/select", "effect": "imap_no", "value": "later"}
        )

        def work() -> str:
            with mail.imap() as client:
                return client.select()[0]

        assert await mail.run(work) == "NO"

    @pytest.mark.parametrize("effect", ["expire_session", "drop"])
    async def test_session_ends(self, mail: Mail, effect: str) -> None:
        await arm(mail, {"method": "IMAP", "path": "/fetch", "effect": effect})

        def work() -> str:
            client = mail.imap_tls()
            client.authenticate(
                "XOAUTH2", lambda _: xoauth2(ROBERT_BOX, mail.token(ROBERT)).encode()
            )
            client.select()
            with pytest.raises((imaplib.IMAP4.abort, ConnectionError)) as ended:
                client.fetch("1:*", "(FLAGS)")
            client.shutdown()
            return str(ended.value)

        text = await mail.run(work)
        assert ("EXPIRED" in text) is (effect == "expire_session")

    async def test_token_is_refused_once(self, mail: Mail) -> None:
        await arm(mail, {"method": "IMAP", "path": "/login", "effect": "refuse_token", "count": 1})

        def work() -> tuple[str, str]:
            client = mail.imap_tls()
            blob = xoauth2(ROBERT_BOX, mail.token(ROBERT)).encode()
            answers = iter([blob, b""])
            with pytest.raises(imaplib.IMAP4.error) as refused:
                client.authenticate("XOAUTH2", lambda _: next(answers))
            kind, _ = client.authenticate("XOAUTH2", lambda _: blob)
            client.logout()
            return str(refused.value), kind

        text, kind = await mail.run(work)
        assert "AUTHENTICATIONFAILED" in text
        assert kind == "OK"


async def test_many_struck_sessions_leave_no_task_behind(mail: Mail) -> None:
    await arm(mail, {"method": "SMTP", "path": "/mail", "effect": "drop"})

    def work() -> None:
        with (
            mail.smtp() as client,
            pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)),
        ):
            client.mail(KIT_BOX)

    before = len(asyncio.all_tasks())
    await asyncio.gather(*(mail.run(work) for _ in range(10)))
    async with asyncio.timeout(
        PATIENCE_SECONDS
    ):  # a client may hear of the end before the server's task is over
        while len(asyncio.all_tasks()) > before + 1:  # noqa: ASYNC110 (nothing tells of it)
            await asyncio.sleep(0.02)


async def test_a_method_is_meant_in_any_case(mail: Mail) -> None:
    await arm(mail, {"method": "smtp", "path": "/mail", "status": 450})
    assert await smtp(mail, lambda client: client.mail(KIT_BOX)[0]) == 450


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"method": "POP3", "status": 450}, "the method is one of"),
        ({"method": "IMAP", "path": "move", "effect": "drop"}, "a path begins with /"),
        ({"method": "IMAP", "path": "/MOVE", "effect": "drop"}, "in lower case"),
        ({"method": "SMTP", "service": "dmp", "status": 450}, "service mss alone"),
    ],
)
async def test_a_rule_that_nothing_ever_meets_is_refused(
    mail: Mail, rule: dict[str, Any], said: str
) -> None:
    url = f"/s/{mail.space}/_sandbox/faults"
    answer = await mail.http.put(url, json=[{"id": "r", **rule}])
    assert answer.status_code == 400
    assert said in answer.text
    assert (await mail.http.get(url)).json() == []
