"""MSSanté: the document submitted by SMTP, and read by its recipient over IMAP."""

import imaplib
import smtplib
import ssl
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import make_msgid

from socle.clock import monotonic
from socle.demo.errors import DemoError
from socle.demo.login import Session
from socle.demo.screen import Screen


class Mail:
    def __init__(self, screen: Screen, host: str, smtp: int, imap: int, root: str) -> None:
        """`root` is the PEM of the sandbox CA, which vouches for both servers."""
        self._screen = screen
        self._host, self._smtp, self._imap = host, smtp, imap
        self._context = ssl.create_default_context(cadata=root)

    def submit(self, session: Session, sender: str, recipient: str, document: bytes) -> str:
        """The Message-ID."""
        message = EmailMessage(policy=policy.SMTP)
        message["From"], message["To"] = sender, recipient
        message["Subject"] = "Compte rendu de biologie"
        message["Message-ID"] = make_msgid(domain="socle-demo.example")
        message["X-MSS-CODECDA"] = "11502-2"
        message.set_content("Compte rendu de biologie en pièce jointe.")
        message.add_attachment(document, maintype="text", subtype="xml", filename="CDA.xml")
        started = monotonic()
        with smtplib.SMTP(self._host, self._smtp, timeout=30) as client:
            client.starttls(context=self._context)
            client.ehlo()
            client.auth(
                "XOAUTH2",
                lambda _challenge=None: _xoauth2(sender, session),
                initial_response_ok=True,
            )
            client.send_message(message)
        self._screen.exchange(
            "SMTP",
            "STARTTLS, AUTH XOAUTH2, MAIL FROM, RCPT TO, DATA",
            f"250, {len(document)} bytes of CDA accepted",
            (monotonic() - started) * 1000,
        )
        return str(message["Message-ID"])

    def read(self, session: Session, mailbox: str, message_id: str) -> bytes:
        """The CDA attached to that message."""
        started = monotonic()
        with imaplib.IMAP4(self._host, self._imap, timeout=30) as client:
            client.starttls(ssl_context=self._context)
            client.authenticate("XOAUTH2", lambda _challenge: _xoauth2(mailbox, session).encode())
            client.select("INBOX")
            _, found = client.uid("SEARCH", "HEADER", "Message-ID", f'"{message_id}"')
            numbers = found[0].split()
            if not numbers:
                raise DemoError(f"The message {message_id} is not in the recipient's INBOX.")
            _, parts = client.uid("FETCH", numbers[0].decode(), "(BODY.PEEK[])")
        raw = next(part[1] for part in parts if isinstance(part, tuple))
        message = message_from_bytes(raw, policy=policy.default)
        attachment = next(iter(message.iter_attachments())).get_payload(decode=True)
        assert isinstance(attachment, bytes)
        self._screen.exchange(
            "IMAP",
            "STARTTLS, AUTHENTICATE XOAUTH2, SELECT INBOX, UID SEARCH, UID FETCH",
            f"message of {len(raw)} bytes",
            (monotonic() - started) * 1000,
        )
        return attachment


def _xoauth2(user: str, session: Session) -> str:
    return f"user={user}\x01auth=Bearer {session.access_token}\x01\x01"
