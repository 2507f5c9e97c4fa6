"""Mail software that we did not write, as Debian ships it, unmodified: swaks, msmtp, curl, mbsync.

None of them learns anything of this sandbox but host, port, authority, user, and token or certificate.
"""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from .certificates import Held, held
from .conftest import KIT, KIT_BOX, ROBERT, ROBERT_BOX, Mail
from .samples import message
from .tools import run, tool

pytestmark = pytest.mark.postgres

APP_BOX = "automate@socle.mssante.fr"
BEARER = ("XOAUTH2", "OAUTHBEARER")
Done = CompletedProcess[str]


async def application(mail: Mail, folder: Path) -> Held:
    """The certificate of an applicative mailbox."""
    answer = await mail.http.post(
        f"/s/{mail.space}/_sandbox/mss/mailboxes",
        json={"address": APP_BOX, "kind": "APP", "label": "Automate", "owners": [ROBERT]},
    )
    assert answer.status_code == 201, answer.text
    return await held(mail, f"/mailboxes/{APP_BOX}/certificates", folder)


def root_of(mail: Mail) -> str:
    return str(mail.app.state.kernel.settings.home / "ca" / "root.pem")


def written(folder: Path, content: bytes | None = None) -> str:
    file = folder / "mail.eml"
    file.write_bytes(message() if content is None else content)
    return str(file)


async def inbox(mail: Mail, who: str = ROBERT, box: str = ROBERT_BOX) -> list[bytes]:
    headers = mail.mint.headers(mail.space, who)
    answer = await mail.http.get(f"/mss/mailboxes/{box}/messages", headers=headers)
    return [
        (await mail.http.get(f"/mss/messages/{found['id']}", headers=headers)).content
        for found in answer.json()["messages"]
    ]


async def done(mail: Mail, work: Callable[[], Done]) -> Done:
    finished = await mail.run(work)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished


class TestCurl:
    def smtp(self, mail: Mail, folder: Path, sender: str, *login: str) -> Done:
        return run(
            [
                tool("curl"), "--silent", "--show-error", "--ssl-reqd", "--cacert", root_of(mail),
                "--mail-from", sender, "--mail-rcpt", ROBERT_BOX,
                "--upload-file", written(folder), *login,
                f"smtp://localhost:{mail.app.state.smtp_port}",
            ]
        )  # fmt: skip

    def imap(self, mail: Mail, path: str, *login: str) -> Done:
        return run(
            [
                tool("curl"), "--silent", "--show-error", "--ssl-reqd", "--cacert", root_of(mail),
                *login, f"imap://localhost:{mail.app.state.imap_port}/{path}",
            ]
        )  # fmt: skip

    def bearer(self, mail: Mail, mechanism: str, who: str, box: str) -> list[str]:
        token = mail.token(who)
        return ["--user", box, "--oauth2-bearer", token, "--login-options", f"AUTH={mechanism}"]

    @pytest.mark.parametrize("mechanism", BEARER)
    async def test_sends_and_reads_with_a_token(
        self, mail: Mail, tmp_path: Path, mechanism: str
    ) -> None:
        login = self.bearer(mail, mechanism, KIT, KIT_BOX)
        await done(mail, lambda: self.smtp(mail, tmp_path, KIT_BOX, *login))
        login = self.bearer(mail, mechanism, ROBERT, ROBERT_BOX)
        read = await done(mail, lambda: self.imap(mail, "INBOX;UID=1", *login))
        assert read.stdout.encode().split() == message().split()

    async def test_sends_and_reads_with_a_certificate(self, mail: Mail, tmp_path: Path) -> None:
        own = await application(mail, tmp_path)
        login = [
            "--cert", str(own.certificate), "--key", str(own.key),
            "--user", f"{APP_BOX}:", "--login-options", "AUTH=EXTERNAL",
        ]  # fmt: skip
        await done(mail, lambda: self.smtp(mail, tmp_path, APP_BOX, *login))
        assert await inbox(mail) == [message()]
        listed = await done(mail, lambda: self.imap(mail, "", *login))
        assert r"\Sent" in listed.stdout

    async def test_is_told_when_the_token_is_bad(self, mail: Mail, tmp_path: Path) -> None:
        login = ["--user", KIT_BOX, "--oauth2-bearer", "x.y.z", "--login-options", "AUTH=XOAUTH2"]
        finished = await mail.run(lambda: self.smtp(mail, tmp_path, KIT_BOX, *login))
        assert finished.returncode == 67, finished.stderr  # CURLE_LOGIN_DENIED


class TestMsmtp:
    def send(self, mail: Mail, folder: Path, sender: str, *settings: str, **secret: str) -> Done:
        configuration = folder / "msmtprc"
        lines = [
            "account default", "host localhost", f"port {mail.app.state.smtp_port}",
            "tls on", "tls_starttls on", f"tls_trust_file {root_of(mail)}",
            f"from {sender}", *settings,
        ]  # fmt: skip
        configuration.write_text("\n".join(lines) + "\n")
        configuration.chmod(0o600)
        command = f"{tool('msmtp')} --file={configuration} {ROBERT_BOX} < {written(folder)}"
        return run(["sh", "-c", command], **secret)

    @pytest.mark.parametrize("mechanism", BEARER)
    async def test_sends_with_a_token(self, mail: Mail, tmp_path: Path, mechanism: str) -> None:
        settings = [f"auth {mechanism.lower()}", f"user {KIT_BOX}", "passwordeval echo $TOKEN"]
        token = mail.token(KIT)
        await done(mail, lambda: self.send(mail, tmp_path, KIT_BOX, *settings, TOKEN=token))
        assert await inbox(mail) == [message()]

    async def test_sends_with_a_certificate(self, mail: Mail, tmp_path: Path) -> None:
        own = await application(mail, tmp_path)
        settings = [
            "auth external", f"user {APP_BOX}",
            f"tls_cert_file {own.certificate}", f"tls_key_file {own.key}",
        ]  # fmt: skip
        await done(mail, lambda: self.send(mail, tmp_path, APP_BOX, *settings))
        assert await inbox(mail) == [message()]

    async def test_is_told_when_the_token_is_bad(self, mail: Mail, tmp_path: Path) -> None:
        settings = ["auth xoauth2", f"user {KIT_BOX}", "passwordeval echo $TOKEN"]
        finished = await mail.run(
            lambda: self.send(mail, tmp_path, KIT_BOX, *settings, TOKEN="x.y.z")
        )
        assert finished.returncode != 0
        assert "535" in finished.stderr


class TestSwaks:
    """It knows neither XOAUTH2 nor EXTERNAL (Debian 12), but certificates: it plays an operator."""

    def talk(self, port: int, mail: Mail, folder: Path, *options: str) -> Done:
        return run(
            [
                tool("swaks"), "--server", f"localhost:{port}", "--tls", "--tls-verify",
                "--tls-ca-path", root_of(mail), "--helo", "smtp1.voisin.mssante.fr",
                "--data", f"@{written(folder)}", *options,
            ]
        )  # fmt: skip

    async def test_brings_mail_as_an_operator(self, mail: Mail, tmp_path: Path) -> None:
        own = await held(mail, "/trust/operators/voisin/certificates", tmp_path)
        port = mail.app.state.peer_port
        options = [
            "--from", "x@voisin.mssante.fr", "--to", ROBERT_BOX,
            "--tls-cert", str(own.certificate), "--tls-key", str(own.key),
        ]  # fmt: skip
        await done(mail, lambda: self.talk(port, mail, tmp_path, *options))
        (content,) = await inbox(mail)
        assert content.split() == message().split()

    async def test_is_refused_as_an_operator_without_a_certificate(
        self, mail: Mail, tmp_path: Path
    ) -> None:
        port = mail.app.state.peer_port
        options = ["--from", "x@voisin.mssante.fr", "--to", ROBERT_BOX]
        finished = await mail.run(lambda: self.talk(port, mail, tmp_path, *options))
        assert finished.returncode == 23, finished.stdout  # swaks(1): MAIL FROM was refused
        assert "550 5.7.1 TRUST-CERTIFICATE" in finished.stdout

    async def test_is_refused_for_submission_without_a_login(
        self, mail: Mail, tmp_path: Path
    ) -> None:
        port = mail.app.state.smtp_port
        options = ["--from", KIT_BOX, "--to", ROBERT_BOX]
        finished = await mail.run(lambda: self.talk(port, mail, tmp_path, *options))
        assert finished.returncode == 23, finished.stdout
        assert "530" in finished.stdout


class TestMbsync:
    """Its XOAUTH2 comes from a plugin of Cyrus SASL: libsasl2-modules-kdexoauth2 in Debian."""

    def sync(self, mail: Mail, folder: Path, *login: str, **secret: str) -> Done:
        (folder / "store").mkdir(exist_ok=True)
        lines = [
            "IMAPAccount mss", "Host localhost", f"Port {mail.app.state.imap_port}",
            "SSLType STARTTLS", f"CertificateFile {root_of(mail)}", *login, "",
            "IMAPStore far", "Account mss", "",
            "MaildirStore near", "SubFolders Verbatim", f"Path {folder}/store/",
            f"Inbox {folder}/store/INBOX", "",
            "Channel all", "Far :far:", "Near :near:", "Patterns *", "Create Both",
            "Expunge Both", "SyncState *",
        ]  # fmt: skip
        configuration = folder / "mbsyncrc"
        configuration.write_text("\n".join(lines) + "\n")
        return run([tool("mbsync", "isync"), "--config", str(configuration), "all"], **secret)

    def copied(self, file: Path) -> list[bytes]:
        """Its words, without the mark by which mbsync finds a copy again."""
        lines = file.read_bytes().splitlines()
        return b" ".join(line for line in lines if not line.startswith(b"X-TUID:")).split()

    def token(self, mail: Mail) -> dict[str, str]:
        sasl = list(Path("/usr/lib").glob("*/sasl2/libkdexoauth2.so"))
        if not sasl:
            tool("libkdexoauth2.so", "libsasl2-modules-kdexoauth2")
        return {"TOKEN": mail.token(ROBERT)}

    async def test_copies_both_ways_with_a_token(self, mail: Mail, tmp_path: Path) -> None:
        await mail.run(lambda: mail.submit(message()))
        login = ["AuthMechs XOAUTH2", f"User {ROBERT_BOX}", 'PassCmd "echo $TOKEN"']
        secret = self.token(mail)
        await done(mail, lambda: self.sync(mail, tmp_path, *login, **secret))
        store = tmp_path / "store"
        (copied,) = (store / "INBOX" / "new").iterdir()
        assert self.copied(copied) == message().split()
        assert (store / "Sent").is_dir()

        # Read and filed here, then seen there.
        seen = store / "INBOX" / "cur" / f"{copied.name.removesuffix(':2,')}:2,S"
        copied.rename(seen)
        (store / "Sent" / "cur" / "1.1.here:2,S").write_bytes(message("<2@x>"))
        await done(mail, lambda: self.sync(mail, tmp_path, *login, **secret))

        def look() -> tuple[Any, Any]:
            with mail.imap() as client:
                client.select()
                unseen = client.search(None, "UNSEEN")[1]
                client.select("Sent")
                return unseen, client.search(None, "HEADER", "Message-ID", "<2@x>")[1]

        assert await mail.run(look) == ([b""], [b"1"])

    async def test_copies_with_a_certificate(self, mail: Mail, tmp_path: Path) -> None:
        own = await application(mail, tmp_path)
        await mail.run(lambda: mail.submit(message(), APP_BOX))
        login = [
            "AuthMechs EXTERNAL", f"User {APP_BOX}",
            f"ClientCertificate {own.certificate}", f"ClientKey {own.key}",
        ]  # fmt: skip
        await done(mail, lambda: self.sync(mail, tmp_path, *login))
        (copied,) = (tmp_path / "store" / "INBOX" / "new").iterdir()
        assert self.copied(copied) == message().split()
