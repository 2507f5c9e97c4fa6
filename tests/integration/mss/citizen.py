"""A patient of Mon espace santé and those who write to them, for tests."""

import base64
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP, default
from typing import Any

import httpx
import orjson
from sqlalchemy import text

from services.mss.workers import apply_events
from socle.clock import wall
from socle.db.database import Database
from socle.events.envelope import Event
from socle.ids.ins import NIR_TEST, Ins

from .conftest import KIT, KIT_BOX, Mail

ANNE = Ins(NIR_TEST, "2790351215189")
LEO = Ins(NIR_TEST, "1810263220751")
ORG_BOX = "secretariat.hopital@socle.mssante.fr"
_sent = 0


def letter(
    to: str = ANNE.citizen_address, subject: str = "Votre compte rendu", **headers: str
) -> bytes:
    """A message of its own; a keyword such as X_MSS_MES becomes a header field."""
    global _sent
    _sent += 1
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"Dr_Kit_DOC0042788 <{KIT_BOX}>"
    mail["To"], mail["Subject"] = to, subject
    mail["Message-ID"] = f"<citizen-{_sent}@socle.test>"
    mail["X-MSS-NIL"] = "DEV935997"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Bonjour")
    return mail.as_bytes()


@dataclass
class Citizen:
    """`ins` as the patient; `mail` is the service that they share with professionals."""

    mail: Mail
    database: Database
    ins: Ins = ANNE

    @property
    def address(self) -> str:
        return self.ins.citizen_address

    @property
    def pseudonym(self) -> str:
        kernel = self.mail.app.state.kernel
        return str(kernel.pseudonym(self.mail.space, self.ins.oid, self.ins.matricule))

    async def say(self, *, qualified: bool = True, later: int = 0) -> None:
        """INS says so, and the consumer of the mail service hears it."""
        event = Event.new(
            f"ins.identity.{'qualified' if qualified else 'disqualified'}.v1",
            source="/ins",
            subject=self.pseudonym,
            space=self.mail.space,
            time=wall() + timedelta(seconds=later),
            data={"patient": self.pseudonym, "qualified": qualified},
        )
        async with self.database.write() as session:
            await apply_events(session, [event])

    async def post(self, path: str, *, key: str = "", **body: Any) -> httpx.Response:
        """`key` as Idempotency-Key."""
        return await self.mail.http.post(
            f"/s/{self.mail.space}/_sandbox/mss/patient{path}",
            json={"address": self.address, **body},
            headers={"Idempotency-Key": key} if key else {},
        )

    async def ask(self, path: str, **body: Any) -> Any:
        answer = await self.post(path, **body)
        assert answer.is_success, answer.text
        return answer.json()

    async def rules(self, **rules: Any) -> None:
        answer = await self.mail.http.put(
            f"/s/{self.mail.space}/_sandbox/mss/patient-rules", json=rules
        )
        assert answer.is_success, answer.text

    async def receive(self, content: bytes | None = None, sender: str = KIT_BOX) -> None:
        """A message that Kit's session submits to the patient."""
        sent = letter(self.address) if content is None else content

        def work() -> None:
            with self.mail.smtp(KIT, sender) as client:
                client.sendmail(sender, [self.address], sent)

        await self.mail.run(work)

    async def inbox(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.ask("/messages"))["messages"]
        return found

    async def events(self, kind: str) -> list[dict[str, Any]]:
        """`data` of the events of this space, oldest first; `kind` is accepted, read, …"""
        async with self.database.read() as session:
            rows = await session.execute(text("SELECT value FROM mss.outbox ORDER BY id"))
            all_ = [orjson.loads(bytes(row.value)) for row in rows]
        return [
            event["data"]
            for event in all_
            if event["space"] == self.mail.space and event["type"] == f"mss.message.{kind}.v1"
        ]


async def received(mail: Mail, who: str = KIT, box: str = KIT_BOX) -> list[EmailMessage]:
    """What lies in a professional's INBOX, parsed."""
    headers = mail.mint.headers(mail.space, who)
    listed = await mail.http.get(f"/mss/mailboxes/{box}/messages", headers=headers)
    assert listed.is_success, listed.text
    found = []
    for one in listed.json()["messages"]:
        content = (await mail.http.get(f"/mss/messages/{one['id']}", headers=headers)).content
        parsed = BytesParser(policy=default).parsebytes(content)
        assert isinstance(parsed, EmailMessage)
        found.append(parsed)
    return found


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def body_of(mail: EmailMessage) -> str:
    """The plain text; of a report, what it says to people."""
    part = next(iter(mail.iter_parts()), mail) if mail.is_multipart() else mail
    text = part.get_content()
    assert isinstance(text, str)
    return text.strip()
