"""Mail between operators: the queue out, the rules at the peer, reports back."""

import asyncio
import smtplib
import ssl
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from services.mss.transport import courier
from services.mss.trust import service as trust
from services.mss.trust.authority import Authority
from socle.pki import IssuingCa, SandboxCa
from socle.testing.tokens import TokenMint
from tests.patience import PATIENCE_SECONDS

from .certificates import Held, held, revoke
from .conftest import KIT, KIT_BOX, ROBERT, ROBERT_BOX, Mail, mail_service
from .samples import message

pytestmark = pytest.mark.postgres

NEIGHBOUR_BOX = "cabinet@voisin.mssante.fr"
CERTIFICATES = "/trust/operators/voisin/certificates"


async def arrived(mail: Mail, who: str, box: str, after: int = 0) -> bytes:
    """The next message of a mailbox, waited for."""
    headers = mail.mint.headers(mail.space, who)
    answer = await mail.http.get(
        f"/mss/mailboxes/{box}/messages?wait=30&after={after}",
        headers=headers,
        timeout=PATIENCE_SECONDS,
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()["messages"][0]
    content = await mail.http.get(f"/mss/messages/{found['id']}", headers=headers)
    return bytes(content.content)


async def count(mail: Mail, who: str, box: str) -> int:
    headers = mail.mint.headers(mail.space, who)
    answer = await mail.http.get(f"/mss/mailboxes/{box}/messages", headers=headers)
    return len(answer.json()["messages"])


async def control(mail: Mail, method: str, path: str, body: Any = None) -> Any:
    answer = await mail.http.request(method, f"/s/{mail.space}/_sandbox/mss{path}", json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def waiting(mail: Mail, attempts: int) -> dict[str, Any]:
    """What stands in the queue once it has been tried that often."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await control(mail, "GET", "/queue")
            if found and found[0]["attempts"] >= attempts:
                return dict(found[0])
            await asyncio.sleep(0.05)


class TestQueue:
    async def test_brings_the_message_to_the_neighbour_byte_for_byte(self, mail: Mail) -> None:
        sent = message()
        await mail.run(lambda: mail.submit(sent, NEIGHBOUR_BOX))
        assert await arrived(mail, ROBERT, NEIGHBOUR_BOX) == sent
        async with asyncio.timeout(PATIENCE_SECONDS):
            # The neighbour files it before the courier hears its 250.
            while await control(mail, "GET", "/queue"):  # noqa: ASYNC110 (the courier empties it)
                await asyncio.sleep(0.05)

    async def test_brings_the_answer_back(self, mail: Mail) -> None:
        sent = message().replace(KIT_BOX.encode(), NEIGHBOUR_BOX.encode())

        def work() -> None:
            with mail.smtp(ROBERT, NEIGHBOUR_BOX) as client:
                assert client.sendmail(NEIGHBOUR_BOX, [KIT_BOX], sent) == {}

        await mail.run(work)
        assert await arrived(mail, KIT, KIT_BOX) == sent

    async def test_serves_near_and_far_recipients_of_one_message(self, mail: Mail) -> None:
        def work() -> None:
            with mail.smtp() as client:
                assert client.sendmail(KIT_BOX, [ROBERT_BOX, NEIGHBOUR_BOX], message()) == {}

        await mail.run(work)
        assert await arrived(mail, ROBERT, ROBERT_BOX) == message()
        assert await arrived(mail, ROBERT, NEIGHBOUR_BOX) == message()

    async def test_delivers_once_when_the_client_sends_again(self, mail: Mail) -> None:
        for _ in range(2):
            await mail.run(lambda: mail.submit(message(), NEIGHBOUR_BOX))
        await mail.run(lambda: mail.submit(message("<2@x>"), NEIGHBOUR_BOX))
        both = [await arrived(mail, ROBERT, NEIGHBOUR_BOX, after=uid) for uid in (0, 1)]
        assert sorted(both) == sorted([message(), message("<2@x>")])

    async def test_identifies_a_message_that_has_no_message_id(self, mail: Mail) -> None:
        sent = message().replace(b"Message-ID: <1@socle.test>\r\n", b"")
        await mail.run(lambda: mail.submit(sent, NEIGHBOUR_BOX))
        got = await arrived(mail, ROBERT, NEIGHBOUR_BOX)
        line, _, rest = got.partition(b"\r\n")
        assert rest == sent
        assert line.startswith(b"Message-ID: <")

    async def test_keeps_dots_and_sends_no_bare_line_feed(self, mail: Mail) -> None:
        sent = b"Message-ID: <dots@x>\r\nSubject: x\r\n\r\n.\r\n..\r\n.a\n.b\r\nend\r\n"

        def work() -> None:
            with mail.smtp() as client:
                client.mail(KIT_BOX)
                client.rcpt(NEIGHBOUR_BOX)
                client.docmd("DATA")
                client.send(
                    b"Message-ID: <dots@x>\r\nSubject: x\r\n\r\n..\r\n...\r\n..a\n.b\r\nend\r\n.\r\n"
                )
                assert client.getreply()[0] == 250

        await mail.run(work)
        # Some receivers take LF . LF for the end of a message, and the rest for commands of ours.
        assert await arrived(mail, ROBERT, NEIGHBOUR_BOX) == sent.replace(b"\n.b", b"\r\n.b")

    async def test_waits_and_tries_again_when_the_neighbour_is_busy(self, mail: Mail) -> None:
        busy = {"answer": "451 4.3.2 Later, please"}
        await control(mail, "PUT", "/trust/operators/voisin/answer", busy)
        await mail.run(lambda: mail.submit(message(), NEIGHBOUR_BOX))
        held_back = await waiting(mail, 1)
        assert held_back["reply"] == "451 4.3.2 Later, please"
        await control(mail, "PUT", "/trust/operators/voisin/answer", {"answer": None})
        await control(mail, "POST", "/queue/retry")
        assert await arrived(mail, ROBERT, NEIGHBOUR_BOX) == message()

    async def test_is_sent_with_a_new_certificate_when_the_authority_was_lost(
        self, mail: Mail, tmp_path: Path
    ) -> None:
        lost = Authority(IssuingCa.open(SandboxCa.open(tmp_path / "lost")), "")
        kernel = mail.app.state.kernel
        space = await kernel.spaces.get(mail.space)
        async with kernel.database.write() as session:
            old = await trust.presented_by(session, space, lost, "socle")
        await mail.run(lambda: mail.submit(message(), NEIGHBOUR_BOX))
        assert await arrived(mail, ROBERT, NEIGHBOUR_BOX) == message()
        operators = await control(mail, "GET", "/trust/operators")
        (own,) = [one for one in operators if one["name"] == "socle"]
        assert own["presented"] != str(old.id)

    async def test_a_message_that_fails_us_holds_up_no_other(
        self, mail: Mail, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(_queued: Any, content: bytes) -> bytes:
            if b"<poison@x>" in content:
                raise RuntimeError
            return content

        monkeypatch.setattr(courier, "_identified", fails)
        await mail.run(lambda: mail.submit(message("<poison@x>"), NEIGHBOUR_BOX))
        assert (await waiting(mail, 1))["reply"] == "451 4.3.0 internal error"
        await mail.run(lambda: mail.submit(message(), NEIGHBOUR_BOX))
        assert await arrived(mail, ROBERT, NEIGHBOUR_BOX) == message()


class TestFailure:
    async def failed(self, mail: Mail) -> str:
        """The machine-readable part of the report that the sender gets."""
        report = message_from_bytes(await arrived(mail, KIT, KIT_BOX))
        assert report.get_content_subtype() == "report"
        status: Any = report.get_payload(1)
        return str(status)

    async def test_is_told_when_the_neighbour_knows_no_such_mailbox(self, mail: Mail) -> None:
        await mail.run(lambda: mail.submit(message(), "nobody@voisin.mssante.fr"))
        told = await self.failed(mail)
        assert "Action: failed" in told
        assert "550 5.1.1" in told

    async def test_names_the_rule_when_the_certificate_is_revoked(
        self, mail: Mail, tmp_path: Path
    ) -> None:
        own = await held(mail, "/trust/operators/socle/certificates", tmp_path)
        chosen = {"certificate": own.id}
        await control(mail, "PUT", "/trust/operators/socle/presented", chosen)
        await revoke(mail, own)
        await mail.run(lambda: mail.submit(message(), NEIGHBOUR_BOX))
        assert "TRUST-REVOCATION" in await self.failed(mail)
        assert await count(mail, ROBERT, NEIGHBOUR_BOX) == 0

    async def test_names_the_rule_when_the_domain_leaves_the_whitelist(self, mail: Mail) -> None:
        answer = await mail.http.delete(
            f"/s/{mail.space}/_sandbox/mss/trust/domains/socle.mssante.fr"
        )
        assert answer.status_code == 204
        await mail.run(lambda: mail.submit(message(), NEIGHBOUR_BOX))
        assert "TRUST-DOMAIN" in await self.failed(mail)

    async def test_is_refused_at_once_for_a_domain_that_nobody_serves(self, mail: Mail) -> None:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await mail.run(lambda: mail.submit(message(), "x@nowhere.mssante.fr"))

    async def test_success_is_told_by_the_neighbour_when_it_is_asked_for(self, mail: Mail) -> None:
        def work() -> None:
            with mail.smtp() as client:
                client.sendmail(
                    KIT_BOX,
                    [NEIGHBOUR_BOX],
                    message(),
                    mail_options=["ENVID=Abc+2B1"],
                    rcpt_options=["NOTIFY=SUCCESS", "ORCPT=rfc822;Cabinet+2Bx@voisin.mssante.fr"],
                )

        await mail.run(work)
        told = await self.failed(mail)
        assert "Action: delivered" in told
        assert "Original-Envelope-Id: Abc+1" in told
        assert "Original-Recipient: rfc822; Cabinet+x@voisin.mssante.fr" in told


class TestReceiver:
    """The sender looks at the certificate of whom it hands mail to."""

    @pytest.fixture
    async def enforced(self, mail: Mail) -> Mail:
        await control(mail, "PUT", "/trust/rules", {"TRUST-RECEIVER": "enforce"})
        return mail

    async def present(self, mail: Mail, folder: Path, **body: str) -> Held:
        """From now on by the neighbour."""
        made = await held(mail, CERTIFICATES, folder, **body)
        chosen = {"certificate": made.id}
        await control(mail, "PUT", "/trust/operators/voisin/presented", chosen)
        return made

    async def test_is_not_looked_at_unless_the_space_says_so(
        self, mail: Mail, tmp_path: Path
    ) -> None:
        await self.present(mail, tmp_path, host="smtp9.voisin.mssante.fr")
        await mail.run(lambda: mail.submit(message(), NEIGHBOUR_BOX))
        assert await arrived(mail, ROBERT, NEIGHBOUR_BOX) == message()

    async def test_gets_mail_with_a_certificate_of_the_recipients_domain(
        self, enforced: Mail
    ) -> None:
        await enforced.run(lambda: enforced.submit(message(), NEIGHBOUR_BOX))
        assert await arrived(enforced, ROBERT, NEIGHBOUR_BOX) == message()

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            ({"host": "smtp9.voisin.mssante.fr"}, "none of those listed for voisin.mssante.fr"),
            ({"validity": "expired"}, "outside its dates"),
        ],
    )
    async def test_gets_nothing_with_another_and_the_queue_says_why(
        self, enforced: Mail, tmp_path: Path, body: dict[str, str], why: str
    ) -> None:
        await self.present(enforced, tmp_path, **body)
        await enforced.run(lambda: enforced.submit(message(), NEIGHBOUR_BOX))
        reply = (await waiting(enforced, 1))["reply"]
        assert reply.startswith("451 4.7.5 TRUST-RECEIVER: ")
        assert why in reply
        assert await count(enforced, ROBERT, NEIGHBOUR_BOX) == 0

    async def test_gets_it_after_all_when_the_certificate_is_listed(
        self, enforced: Mail, tmp_path: Path
    ) -> None:
        made = await self.present(enforced, tmp_path, host="smtp9.voisin.mssante.fr")
        await enforced.run(lambda: enforced.submit(message(), NEIGHBOUR_BOX))
        await waiting(enforced, 1)
        entry = {"domain": "voisin.mssante.fr", "operator": "voisin", "dn": made.dn}
        await control(enforced, "POST", "/trust/domains", entry)
        await control(enforced, "POST", "/queue/retry")
        assert await arrived(enforced, ROBERT, NEIGHBOUR_BOX) == message()

    async def test_gets_it_with_a_warning_where_the_space_says_so(
        self, mail: Mail, tmp_path: Path
    ) -> None:
        await control(mail, "PUT", "/trust/rules", {"TRUST-RECEIVER": "warn"})
        await revoke(mail, await self.present(mail, tmp_path))
        await control(mail, "PUT", "/trust/rules", {"TRUST-REVOCATION": "off"})
        await mail.run(lambda: mail.submit(message(), NEIGHBOUR_BOX))
        assert await arrived(mail, ROBERT, NEIGHBOUR_BOX) == message()

    async def test_is_named_in_the_report_when_the_time_is_over(
        self,
        settings_values: dict[str, Any],
        mint: TokenMint,
        space: str,
        home: Path,
        tmp_path: Path,
    ) -> None:
        async with mail_service(
            settings_values, mint, space, home, mss_trust_receiver="enforce",
            mss_queue_lifetime_seconds=0.1, mss_queue_retry_seconds=0.2,
        ) as mail:  # fmt: skip
            await revoke(mail, await self.present(mail, tmp_path))
            await mail.run(lambda: mail.submit(message(), NEIGHBOUR_BOX))
            report = message_from_bytes(await arrived(mail, KIT, KIT_BOX))
            status: Any = report.get_payload(1)
            assert "Diagnostic-Code: smtp; 451 4.7.5 TRUST-RECEIVER" in str(status)
            assert "the certificate is revoked" in str(status).replace("\n ", " ")


class TestPeer:
    async def talk(
        self, mail: Mail, own: Held | None, sender: str = "x@voisin.mssante.fr", to: str = KIT_BOX
    ) -> list[tuple[int, bytes]]:
        """What the sandbox answers to MAIL, RCPT and DATA of an operator's own server."""

        def work() -> list[tuple[int, bytes]]:
            context = mail.trust if own is None else own.context()
            with smtplib.SMTP(
                "127.0.0.1", mail.app.state.peer_port, timeout=PATIENCE_SECONDS
            ) as client:
                client.starttls(context=context)
                client.ehlo()
                assert "auth" not in client.esmtp_features
                answers = [client.mail(sender)]
                if answers[-1][0] == 250:
                    answers.append(client.rcpt(to))
                if answers[-1][0] == 250:
                    answers.append(client.data(message()))
                return answers

        return await mail.run(work)

    async def rules(self, mail: Mail, **modes: str) -> None:
        await control(
            mail, "PUT", "/trust/rules", {k.replace("_", "-"): v for k, v in modes.items()}
        )

    async def test_may_bring_mail_of_its_domain(self, mail: Mail, tmp_path: Path) -> None:
        own = await held(mail, CERTIFICATES, tmp_path)
        answers = await self.talk(mail, own)
        assert [code for code, _ in answers] == [250, 250, 250]
        assert await arrived(mail, KIT, KIT_BOX) == message()

    async def test_may_use_the_certificate_of_any_entry_of_its_domain(
        self, mail: Mail, tmp_path: Path
    ) -> None:
        own = await held(mail, CERTIFICATES, tmp_path, host="smtp2.voisin.mssante.fr")
        assert [code for code, _ in await self.talk(mail, own)] == [250, 250, 250]

    @pytest.mark.parametrize(
        ("body", "sender", "rule"),
        [
            ({}, KIT_BOX, "TRUST-DN"),
            ({"host": "smtp9.voisin.mssante.fr"}, "x@voisin.mssante.fr", "TRUST-DN"),
            ({"validity": "expired"}, "x@voisin.mssante.fr", "TRUST-EXPIRY"),
            ({"validity": "not_yet_valid"}, "x@voisin.mssante.fr", "TRUST-EXPIRY"),
            ({}, "x@unlisted.mssante.fr", "TRUST-DOMAIN"),
            ({"host": "smtp9.voisin.mssante.fr"}, "", "TRUST-DN"),
        ],
    )
    async def test_is_refused_by_name_of_the_rule(
        self, mail: Mail, tmp_path: Path, body: dict[str, str], sender: str, rule: str
    ) -> None:
        own = await held(mail, CERTIFICATES, tmp_path, **body)
        ((code, text),) = await self.talk(mail, own, sender)
        assert (code, text[:5]) == (550, b"5.7.1")
        assert rule.encode() in text

    async def test_is_refused_when_its_certificate_is_revoked(
        self, mail: Mail, tmp_path: Path
    ) -> None:
        own = await held(mail, CERTIFICATES, tmp_path)
        await revoke(mail, own)
        ((code, text),) = await self.talk(mail, own)
        assert code == 550
        assert b"TRUST-REVOCATION" in text

    async def test_is_told_of_every_rule_at_once(self, mail: Mail, tmp_path: Path) -> None:
        own = await held(mail, CERTIFICATES, tmp_path, validity="expired")
        await revoke(mail, own)
        ((_, text),) = await self.talk(mail, own, KIT_BOX)
        for rule in (b"TRUST-EXPIRY", b"TRUST-REVOCATION", b"TRUST-DN"):
            assert rule in text

    async def test_passes_with_a_warning_where_the_space_says_so(
        self, mail: Mail, tmp_path: Path
    ) -> None:
        own = await held(mail, CERTIFICATES, tmp_path, validity="expired")
        await self.rules(mail, TRUST_EXPIRY="warn")
        answers = await self.talk(mail, own)
        assert b"TRUST-EXPIRY" in answers[0][1]
        assert [code for code, _ in answers] == [250, 250, 250]
        await self.rules(mail, TRUST_EXPIRY="off")
        assert b"TRUST-EXPIRY" not in (await self.talk(mail, own))[0][1]

    async def test_needs_a_certificate(self, mail: Mail) -> None:
        ((code, text),) = await self.talk(mail, None)
        assert code == 550
        assert b"TRUST-CERTIFICATE" in text

    async def test_needs_tls(self, mail: Mail) -> None:
        def work() -> int:
            with smtplib.SMTP(
                "127.0.0.1", mail.app.state.peer_port, timeout=PATIENCE_SECONDS
            ) as client:
                client.ehlo()
                return client.mail("x@voisin.mssante.fr")[0]

        assert await mail.run(work) == 530

    async def test_may_bring_a_report(self, mail: Mail, tmp_path: Path) -> None:
        own = await held(mail, CERTIFICATES, tmp_path)
        assert [code for code, _ in await self.talk(mail, own, "")] == [250, 250, 250]

    async def test_is_refused_for_an_unknown_recipient(self, mail: Mail, tmp_path: Path) -> None:
        own = await held(mail, CERTIFICATES, tmp_path)
        answers = await self.talk(mail, own, to="nobody@socle.mssante.fr")
        assert answers[-1][0] == 550
        assert answers[-1][1].startswith(b"5.1.1")

    async def test_is_refused_without_an_authority_of_the_trust_space(
        self, mail: Mail, tmp_path: Path
    ) -> None:
        context: Any = ssl.create_default_context(
            cafile=str(mail.app.state.kernel.settings.home / "ca" / "root.pem")
        )
        SandboxCa.open(tmp_path / "other").client("x").load_into(context)

        def work() -> None:
            with smtplib.SMTP(
                "127.0.0.1", mail.app.state.peer_port, timeout=PATIENCE_SECONDS
            ) as client:
                client.starttls(context=context)
                client.ehlo()

        with pytest.raises((ssl.SSLError, OSError, smtplib.SMTPException)):
            await mail.run(work)
