"""Applicative mailboxes: opened by the TLS certificate that is bound to them, and by no other."""

import base64
import imaplib
import smtplib
import ssl
from pathlib import Path
from typing import Any

import pytest

from socle.pki import SandboxCa

from .certificates import Held, held, revoke
from .conftest import KIT_BOX, ROBERT, ROBERT_BOX, Mail
from .samples import message

pytestmark = pytest.mark.postgres

APP_BOX = "automate@socle.mssante.fr"
CERTIFICATES = f"/mailboxes/{APP_BOX}/certificates"


@pytest.fixture
async def app_box(mail: Mail) -> str:
    answer = await mail.http.post(
        f"/s/{mail.space}/_sandbox/mss/mailboxes",
        json={"address": APP_BOX, "kind": "APP", "label": "Automate", "owners": [ROBERT]},
    )
    assert answer.status_code == 201, answer.text
    return APP_BOX


def smtp(mail: Mail, context: ssl.SSLContext) -> smtplib.SMTP:
    client = mail.smtp_clear()
    client.starttls(context=context)
    client.ehlo()
    return client


def external(client: smtplib.SMTP, user: str = "") -> tuple[int, bytes]:
    blob = base64.b64encode(user.encode()).decode() if user else "="
    return client.docmd("AUTH", f"EXTERNAL {blob}")


def imap(mail: Mail, context: ssl.SSLContext) -> imaplib.IMAP4:
    client = mail.imap_clear()
    client.starttls(context)
    return client


@pytest.mark.usefixtures("app_box")
class TestExternal:
    @pytest.mark.parametrize("user", ["", APP_BOX, APP_BOX.upper()])
    async def test_opens_the_mailbox_of_the_certificate(
        self, mail: Mail, tmp_path: Path, user: str
    ) -> None:
        own = await held(mail, CERTIFICATES, tmp_path)

        def work() -> None:
            with smtp(mail, own.context()) as client:
                assert "EXTERNAL" in client.esmtp_features["auth"].split()
                assert external(client, user)[0] == 235
                sent = message().replace(KIT_BOX.encode(), APP_BOX.encode())
                assert client.sendmail(APP_BOX, [ROBERT_BOX, APP_BOX], sent) == {}
            with imap(mail, own.context()) as inbox:
                assert "AUTH=EXTERNAL" in inbox.capabilities
                inbox.authenticate("EXTERNAL", lambda _: user.encode())
                assert inbox.select()[1] == [b"1"]

        await mail.run(work)

    async def test_waits_for_the_response_when_none_came_with_the_command(
        self, mail: Mail, tmp_path: Path
    ) -> None:
        own = await held(mail, CERTIFICATES, tmp_path)

        def work() -> list[int]:
            with smtp(mail, own.context()) as client:
                return [client.docmd("AUTH", "EXTERNAL")[0], client.docmd("")[0]]

        assert await mail.run(work) == [334, 235]

    async def test_sends_as_no_other_mailbox(self, mail: Mail, tmp_path: Path) -> None:
        own = await held(mail, CERTIFICATES, tmp_path)

        def work() -> int:
            with smtp(mail, own.context()) as client:
                external(client)
                return client.mail(KIT_BOX)[0]

        assert await mail.run(work) == 553

    @pytest.mark.parametrize("user", [KIT_BOX, "nobody@socle.mssante.fr", "\x00"])
    async def test_is_refused_for_a_mailbox_that_is_not_bound(
        self, mail: Mail, tmp_path: Path, user: str
    ) -> None:
        own = await held(mail, CERTIFICATES, tmp_path)

        def work() -> int:
            with smtp(mail, own.context()) as client:
                return external(client, user)[0]

        assert await mail.run(work) in (501, 535)

    async def test_opens_several_mailboxes_by_one_certificate(
        self, mail: Mail, tmp_path: Path
    ) -> None:
        own = await held(mail, CERTIFICATES, tmp_path)
        second = "second@socle.mssante.fr"
        prefix = f"/s/{mail.space}/_sandbox/mss/mailboxes"
        body = {"address": second, "kind": "APP", "label": "Second", "owners": [ROBERT]}
        await mail.http.post(prefix, json=body)
        pem = own.certificate.read_text()
        answer = await mail.http.post(f"{prefix}/{second}/certificates", json={"pem": pem})
        assert answer.status_code == 201, answer.text

        def work() -> list[int]:
            with smtp(mail, own.context()) as client:
                return [external(client)[0], external(client, second)[0]]

        assert await mail.run(work) == [535, 235]

    async def test_is_not_offered_without_a_certificate(self, mail: Mail) -> None:
        def work() -> int:
            with mail.smtp_tls() as client, mail.imap_tls() as inbox:
                assert "EXTERNAL" not in client.esmtp_features["auth"].split()
                assert "AUTH=EXTERNAL" not in inbox.capabilities
                with pytest.raises(imaplib.IMAP4.error):
                    inbox.authenticate("EXTERNAL", lambda _: b"")
                return external(client)[0]

        assert await mail.run(work) == 504

    async def test_leaves_tokens_alone_when_a_certificate_is_there(
        self, mail: Mail, tmp_path: Path
    ) -> None:
        from .conftest import KIT, xoauth2

        own = await held(mail, CERTIFICATES, tmp_path)

        def work() -> int:
            with smtp(mail, own.context()) as client:
                blob = xoauth2(KIT_BOX, mail.token(KIT))
                return int(client.auth("XOAUTH2", lambda _=None: blob)[0])

        assert await mail.run(work) == 235


@pytest.mark.usefixtures("app_box")
class TestRefusals:
    async def refusals(self, mail: Mail, own: Held) -> tuple[tuple[int, bytes], str]:
        def work() -> tuple[tuple[int, bytes], str]:
            with smtp(mail, own.context()) as client:
                code = external(client)
            with imap(mail, own.context()) as inbox:
                try:
                    inbox.authenticate("EXTERNAL", lambda _: b"")
                except imaplib.IMAP4.error as error:
                    return code, str(error)
                return code, ""

        return await mail.run(work)

    @pytest.mark.parametrize("validity", ["expired", "not_yet_valid"])
    async def test_name_the_rule_when_the_certificate_is_outside_its_dates(
        self, mail: Mail, tmp_path: Path, validity: str
    ) -> None:
        (code, text), imap_text = await self.refusals(
            mail, await held(mail, CERTIFICATES, tmp_path, validity=validity)
        )
        assert code == 535
        assert b"TRUST-EXPIRY" in text
        assert "TRUST-EXPIRY" in imap_text

    async def test_name_the_rule_when_it_is_revoked(self, mail: Mail, tmp_path: Path) -> None:
        own = await held(mail, CERTIFICATES, tmp_path)
        await revoke(mail, own)
        (code, text), imap_text = await self.refusals(mail, own)
        assert code == 535
        assert b"TRUST-REVOCATION" in text
        assert "TRUST-REVOCATION" in imap_text

    @pytest.mark.parametrize("mode", ["warn", "off"])
    async def test_are_lifted_by_the_rules_of_the_space(
        self, mail: Mail, tmp_path: Path, mode: str
    ) -> None:
        own = await held(mail, CERTIFICATES, tmp_path, validity="expired")
        rules = f"/s/{mail.space}/_sandbox/mss/trust/rules"
        assert (await mail.http.put(rules, json={"TRUST-EXPIRY": mode})).status_code == 200
        (code, _), imap_text = await self.refusals(mail, own)
        assert (code, imap_text) == (235, "")

    async def test_meet_an_operators_certificate(self, mail: Mail, tmp_path: Path) -> None:
        own = await held(mail, "/trust/operators/socle/certificates", tmp_path)
        (code, _), imap_text = await self.refusals(mail, own)
        assert code == 535
        assert "bound to no mailbox" in imap_text

    async def test_end_the_handshake_for_another_authority(
        self, mail: Mail, tmp_path: Path
    ) -> None:
        other = SandboxCa.open(tmp_path / "other")
        home = mail.app.state.kernel.settings.home
        context: Any = ssl.create_default_context(cafile=str(home / "ca" / "root.pem"))
        other.client("automate").load_into(context)

        def work() -> None:
            with smtp(mail, context) as client:
                external(client)

        with pytest.raises((ssl.SSLError, OSError, smtplib.SMTPException)):
            await mail.run(work)

    async def test_meet_certificates_for_mailboxes_of_people(self, mail: Mail) -> None:
        path = f"/s/{mail.space}/_sandbox/mss/mailboxes/{KIT_BOX}/certificates"
        assert (await mail.http.post(path, json={})).status_code == 409
        path = f"/s/{mail.space}/_sandbox/mss/mailboxes/nobody@x.mssante.fr/certificates"
        assert (await mail.http.post(path, json={})).status_code == 404
        path = f"/s/{mail.space}/_sandbox/mss{CERTIFICATES}"
        assert (await mail.http.post(path, json={"pem": "nonsense"})).status_code == 422
