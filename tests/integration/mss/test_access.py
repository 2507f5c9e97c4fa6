"""Who opens a mailbox, how much it holds, when a session ends."""

import imaplib
import smtplib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.mss import service
from socle.clock import wall_seconds
from socle.testing.tokens import TokenMint

from .conftest import KIT, KIT_BOX, ROBERT, ROBERT_BOX, Mail, mail_service, xoauth2
from .samples import message

pytestmark = pytest.mark.postgres


async def call(mail: Mail, method: str, path: str, who: str = KIT, body: Any = None) -> Any:
    headers = mail.mint.headers(mail.space, who)
    return await mail.http.request(method, path, headers=headers, json=body)


async def control(mail: Mail, method: str, path: str, body: Any) -> Any:
    return await mail.http.request(method, f"/s/{mail.space}/_sandbox/mss{path}", json=body)


async def delegate(mail: Mail, rights: str, to: str = ROBERT) -> None:
    body = {"national_id": to, "rights": rights}
    answer = await call(mail, "POST", f"/mss/mailboxes/{KIT_BOX}/delegations", body=body)
    assert answer.status_code == 201, answer.text


class TestKinds:
    @pytest.mark.parametrize(
        ("kind", "owners", "status"),
        [
            ("PER", [], 422),
            ("PER", [KIT, ROBERT], 422),
            ("PER", [ROBERT], 201),
            ("CAB", [], 422),
            ("CAB", [KIT, ROBERT], 201),
            ("ORG", [], 422),
            ("ORG", [KIT, ROBERT], 201),
            ("APP", [], 201),
            ("XXX", [KIT], 422),
        ],
    )
    async def test_have_the_owners_that_fit(
        self, mail: Mail, kind: str, owners: list[str], status: int
    ) -> None:
        address = f"{kind.lower()}{len(owners)}@socle.mssante.fr"
        body = {"address": address, "kind": kind, "label": "X", "owners": owners}
        answer = await control(mail, "POST", "/mailboxes", body)
        assert answer.status_code == status, answer.text

    async def test_an_applicative_mailbox_takes_no_token(self, mail: Mail) -> None:
        box = "app@socle.mssante.fr"
        body = {"address": box, "kind": "APP", "label": "X", "owners": [KIT]}
        await control(mail, "POST", "/mailboxes", body)

        def work() -> None:
            with mail.smtp(KIT, box):
                pass

        with pytest.raises(smtplib.SMTPAuthenticationError):
            await mail.run(work)


class TestDelegation:
    async def test_lets_read_and_nothing_else(self, mail: Mail) -> None:
        await mail.run(lambda: mail.submit(message(), KIT_BOX))
        await delegate(mail, "read")
        listed = (await call(mail, "GET", "/mss/mailboxes", ROBERT)).json()
        assert {"address": KIT_BOX, "rights": "read"}.items() <= next(
            box for box in listed if box["address"] == KIT_BOX
        ).items()

        def work() -> None:
            with mail.imap(ROBERT, KIT_BOX) as client:
                with pytest.raises(imaplib.IMAP4.readonly):  # SELECT opened it read-only
                    client.select()
                client.select(readonly=True)
                assert client.fetch("1", "(BODY[TEXT])")[0] == "OK"
                assert client.search(None, "UNSEEN")[1] == [b"1"]
                assert client.append("INBOX", None, None, message("<2@x>"))[0] == "NO"
                assert client.create("Mien")[0] == "NO"
                assert client.uid("STORE", "1", "+FLAGS", r"(\Seen)")[0] == "NO"
                assert client.uid("MOVE", "1", "Trash")[0] == "NO"
            with mail.smtp(ROBERT, KIT_BOX) as client:
                assert client.mail(KIT_BOX)[0] == 553

        await mail.run(work)
        for method, path in (("DELETE", "messages"), ("GET", "delegations")):
            answer = await call(mail, method, f"/mss/mailboxes/{KIT_BOX}/{path}", ROBERT)
            assert answer.status_code == 403

    async def test_lets_write_and_send_until_it_is_taken_back(self, mail: Mail) -> None:
        await delegate(mail, "read")
        await delegate(mail, "read-write")  # replaces the first

        def work() -> None:
            with mail.smtp(ROBERT, KIT_BOX) as client:
                assert client.sendmail(KIT_BOX, [ROBERT_BOX], message()) == {}
            with mail.imap(ROBERT, KIT_BOX) as client:
                assert client.create("Partage")[0] == "OK"

        await mail.run(work)
        path = f"/mss/mailboxes/{KIT_BOX}/delegations"
        (one,) = (await call(mail, "GET", path)).json()
        assert (one["national_id"], one["rights"]) == (ROBERT, "read-write")

        login = mail.imap(ROBERT, KIT_BOX)
        still_open = await mail.run(login.__enter__)
        assert (await call(mail, "DELETE", f"{path}/{ROBERT}")).status_code == 204
        assert (await mail.run(still_open.select))[0] == "NO"
        await mail.run(lambda: login.__exit__(None, None, None))
        assert (await call(mail, "DELETE", f"{path}/{ROBERT}")).status_code == 404
        with pytest.raises(imaplib.IMAP4.error):
            await mail.run(lambda: mail.imap(ROBERT, KIT_BOX).__enter__())

    async def test_is_the_owners_alone(self, mail: Mail) -> None:
        await delegate(mail, "read-write")
        path = f"/mss/mailboxes/{KIT_BOX}/delegations"
        body = {"national_id": "899700000001", "rights": "read"}
        assert (await call(mail, "POST", path, ROBERT, body)).status_code == 403
        assert (await call(mail, "DELETE", f"{path}/{ROBERT}", ROBERT)).status_code == 403
        assert (await call(mail, "POST", path, KIT, {"national_id": KIT})).status_code == 422
        other = f"/mss/mailboxes/{ROBERT_BOX}/delegations"
        assert (await call(mail, "POST", other, KIT, body)).status_code == 404


class TestClosing:
    async def test_a_closed_mailbox_takes_nothing_and_opens_for_nobody(self, mail: Mail) -> None:
        path = f"/mailboxes/{ROBERT_BOX}"
        assert (await control(mail, "PATCH", path, {"active": False})).json()["active"] is False
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            await mail.run(lambda: mail.submit(message()))
        ((code, text),) = refused.value.recipients.values()
        assert (code, text[:5]) == (550, b"5.2.1")
        with pytest.raises(imaplib.IMAP4.error):
            await mail.run(lambda: mail.imap().__enter__())
        assert (await control(mail, "PATCH", path, {"active": True})).status_code == 200
        await mail.run(lambda: mail.submit(message()))

    async def test_ends_the_sending_of_an_open_session(self, mail: Mail) -> None:
        login = mail.smtp()
        client = await mail.run(login.__enter__)
        await control(mail, "PATCH", f"/mailboxes/{KIT_BOX}", {"active": False})

        def work() -> int:
            client.mail(KIT_BOX)
            client.rcpt(ROBERT_BOX)
            code, _ = client.data(message())
            login.__exit__(None, None, None)
            return code

        assert await mail.run(work) == 550


class TestQuota:
    async def limit(self, mail: Mail, quota: int | None, box: str = ROBERT_BOX) -> None:
        answer = await control(mail, "PATCH", f"/mailboxes/{box}", {"quota_bytes": quota})
        assert answer.status_code == 200, answer.text

    async def test_is_told_to_clients(self, mail: Mail) -> None:
        await mail.run(lambda: mail.submit(message()))

        def work() -> tuple[Any, Any]:
            with mail.imap() as client:
                assert {"QUOTA", "QUOTA=RES-STORAGE"} <= set(
                    client.capability()[1][0].decode().split()
                )
                assert client.setquota('""', "(STORAGE 1)")[0] == "NO"
                assert client.getquota("other")[0] == "NO"
                return client.getquotaroot("INBOX")[1], client.getquota('""')[1]

        assert await mail.run(work) == ([[b'"INBOX" ""'], [b'"" ()']], [b'"" ()'])
        await self.limit(mail, 1024 * 1024)
        roots, quota = await mail.run(work)
        assert quota == [b'"" (STORAGE 3 1024)']
        assert roots[1] == quota

    async def test_refuses_mail_at_rcpt_when_the_size_is_announced(self, mail: Mail) -> None:
        await self.limit(mail, 5000)
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            await mail.run(lambda: mail.submit(message(body="x" * 60 + "\r\n" * 4000)))
        ((code, text),) = refused.value.recipients.values()
        assert (code, text[:5]) == (452, b"4.2.2")

    async def test_refuses_mail_at_data_when_it_is_not(self, mail: Mail) -> None:
        await self.limit(mail, 1024)

        def work() -> tuple[int, bytes]:
            with mail.smtp() as client:
                client.docmd("MAIL", f"FROM:<{KIT_BOX}>")
                client.rcpt(ROBERT_BOX)
                client.rcpt(KIT_BOX)
                return client.data(message())

        code, text = await mail.run(work)
        assert (code, text[:5]) == (452, b"4.2.2")
        answer = await call(mail, "GET", f"/mss/mailboxes/{KIT_BOX}/messages")
        assert answer.json()["messages"] == []  # nothing of it was stored

    async def test_refuses_what_clients_file(self, mail: Mail) -> None:
        await mail.run(lambda: mail.submit(message()))
        await self.limit(mail, len(message()) + 1000)

        def work() -> None:
            with mail.imap() as client:
                status, (text,) = client.append("Sent", None, None, message("<2@x>"))
                assert (status, text.startswith(b"[OVERQUOTA]")) == ("NO", True)
                client.select()
                status, (text,) = client.copy("1", "Trash")
                assert (status, text.startswith(b"[OVERQUOTA]")) == ("NO", True)
                assert client.uid("MOVE", "1", "Trash")[0] == "OK"
                assert client.select("Sent")[1] == [b"0"]

        await mail.run(work)

    async def test_lets_a_neighbours_mail_wait(self, mail: Mail) -> None:
        await self.limit(mail, 1024, "cabinet@voisin.mssante.fr")
        await mail.run(lambda: mail.submit(message(), "cabinet@voisin.mssante.fr"))
        answer = await mail.http.get(f"/s/{mail.space}/_sandbox/mss/queue")
        assert len(answer.json()) == 1


class TestTokenExpiry:
    @pytest.fixture
    async def strict(
        self, settings_values: dict[str, Any], mint: TokenMint, space: str, home: Path
    ) -> AsyncIterator[Mail]:
        changes = {"mss_sessions_end_with_token": True}
        async with mail_service(settings_values, mint, space, home, **changes) as mail:
            yield mail

    @pytest.fixture
    def end(self) -> int:
        """Of a token's life. A test goes there by `set_clock` once it is logged in: were the life short
        instead, it might be over before."""
        return wall_seconds() + 3600

    @pytest.fixture
    def set_clock(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
        """Sessions see this instant from now on, however long the test takes."""

        def at(seconds: float) -> None:
            instant = datetime.fromtimestamp(seconds, UTC)
            monkeypatch.setattr(service, "wall", lambda: instant)

        return at

    async def test_ends_a_session_of_imap(
        self, strict: Mail, end: int, set_clock: Callable[[float], None]
    ) -> None:
        def work() -> list[bytes]:
            client = strict.imap_tls()
            token = strict.mint.token(strict.space, ROBERT, exp=end)
            client.authenticate("XOAUTH2", lambda _: xoauth2(ROBERT_BOX, token).encode())
            client.select()
            set_clock(end - 0.3)
            client.send(b"Z1 IDLE\r\n")
            told = [client.readline()]
            while told[-1] and not told[-1].startswith(b"* BYE"):
                told.append(client.readline())
            client.shutdown()
            return told

        told = await strict.run(work)
        # Where the server was slow to wait for the command, it has ended before IDLE.
        assert told[:-1] in ([b"+ idling\r\n"], [])
        assert told[-1].startswith(b"* BYE [EXPIRED]")

    async def test_asks_for_another_login_on_smtp(
        self, strict: Mail, end: int, set_clock: Callable[[float], None]
    ) -> None:
        def work() -> list[int]:
            with strict.smtp_tls() as client:
                blob = xoauth2(KIT_BOX, strict.mint.token(strict.space, KIT, exp=end))
                client.auth("XOAUTH2", lambda _=None: blob)
                codes = [client.mail(KIT_BOX)[0]]
                client.rset()
                set_clock(end)
                codes += [client.mail(KIT_BOX)[0], client.rcpt(ROBERT_BOX)[0]]
                fresh = xoauth2(KIT_BOX, strict.mint.token(strict.space, KIT, exp=end + 3600))
                client.auth("XOAUTH2", lambda _=None: fresh)
                return [*codes, client.mail(KIT_BOX)[0]]

        assert await strict.run(work) == [250, 530, 530, 250]


class TestAutoconfiguration:
    async def test_is_a_fragment_of_a_zone(self, mail: Mail) -> None:
        answer = await mail.http.get(f"/s/{mail.space}/_sandbox/mss/autoconfig/zone")
        lines = answer.text.splitlines()
        state = mail.app.state
        host = "mss.socle.localhost."
        assert lines[:2] == [
            f"_submission._tcp.socle.mssante.fr. 3600 IN SRV 0 1 {state.smtp_port} {host}",
            f"_imap._tcp.socle.mssante.fr. 3600 IN SRV 0 1 {state.imap_port} {host}",
        ]
        assert "_imaps._tcp.socle.mssante.fr. 3600 IN SRV 0 0 0 ." in lines
        assert "voisin" not in answer.text

    async def test_is_a_file_for_thunderbird(self, mail: Mail) -> None:
        path = "/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress="
        answer = await mail.http.get(path + "x@socle.mssante.fr")
        assert "<authentication>OAuth2</authentication>" in answer.text
        assert f"<port>{mail.app.state.imap_port}</port>" in answer.text
        assert (await mail.http.get(path + "x@<evil>")).status_code == 404
