"""One IMAP connection: reads commands, dispatches them by state, tells the news, answers."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import cast

from sqlalchemy.exc import SQLAlchemyError

from services.mss.changes import Changes
from services.mss.chaos import MailFaults, Place
from services.mss.imap import commands
from services.mss.imap.commands.login import capabilities
from services.mss.imap.errors import Bad, No
from services.mss.imap.parser import Parser
from services.mss.imap.reader import (
    MAX_LINE,
    MAX_SMALL_LITERAL,
    Closed,
    Oversized,
    read_command,
    read_line,
)
from services.mss.imap.selected import Selected
from services.mss.service import Session
from services.mss.settings import MssSettings
from services.mss.tls import peer_certificate
from socle.db.database import Database
from socle.faults import FaultRule
from socle.kernel import Kernel
from socle.logs import get_logger

MAX_BAD_COMMANDS = 20
"""One after another: whoever speaks no IMAP at all is not listened to for long."""
SILENT = "too long without a command"
EXPIRED = "[EXPIRED] the access token has expired"
log = get_logger("mss.imap")


@dataclass
class Connection:
    kernel: Kernel
    settings: MssSettings
    tls: ssl.SSLContext
    changes: Changes
    faults: MailFaults
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    secure: bool = False
    wants_tls: bool = False
    leaving: bool = False
    session: Session | None = None
    selected: Selected | None = None
    bad_commands: int = 0

    @property
    def certificate(self) -> bytes | None:
        """What the client presented to TLS, DER."""
        return peer_certificate(self.writer.get_extra_info("ssl_object"))

    @property
    def database(self) -> Database:
        return self.kernel.database

    @property
    def space(self) -> str:
        assert self.session is not None
        return self.session.space

    @property
    def address(self) -> str:
        assert self.session is not None
        return self.session.mailbox.address

    def require_selected(self) -> Selected:
        if self.selected is None:
            raise Bad("SELECT a folder first")
        return self.selected

    def patience(self) -> tuple[float, str]:
        """How many seconds a client may be silent, and what it is told then. One call decides both:
        a wait may end a hair before the wall clock says that the token has."""
        if self.session is None:
            return self.settings.mss_auth_timeout_seconds, SILENT
        allowed = self.settings.mss_idle_timeout_seconds
        left = self.session.seconds_left() if self.settings.mss_sessions_end_with_token else None
        if left is None or left > allowed:
            return allowed, SILENT
        return max(left, 0.0), EXPIRED

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    def untagged(self, line: bytes) -> None:
        self.writer.write(b"* " + line + b"\r\n")

    async def drain(self) -> None:
        await self.writer.drain()

    async def read_line(self) -> bytes:
        return await read_line(self.reader)

    async def ask(self, challenge: bytes) -> bytes:
        """A continuation request, and the line that the client sends back."""
        self.write(b"+ " + challenge + b"\r\n")
        await self.drain()
        async with asyncio.timeout(self.settings.mss_auth_timeout_seconds):
            return await self.read_line()

    async def serve(self) -> None:
        """From the greeting to the end, whichever side brings it."""
        try:
            await self.strike("connect")
            self.untagged(f"OK [CAPABILITY {capabilities(self)}] Socle MSS ready".encode())
            await self.drain()
            while not self.leaving:
                await self._one_command()
        except No as refusal:
            self._say_goodbye(refusal.text)
        except TimeoutError:
            self._say_goodbye(SILENT)
        except Closed as closed:
            if closed.reason:
                self._say_goodbye(closed.reason)
        except (ConnectionError, ssl.SSLError) as error:
            log.debug("connection_lost", error=type(error).__name__)

    async def strike(self, operation: str, session: Session | None = None) -> FaultRule | None:
        """Asks the rules of the space for faults. Gives one that is about the login alone; raises No
        or Closed for the others."""
        rule = await self.faults.strike(Place("IMAP", operation, session or self.session))
        if rule is None or rule.effect in ("refuse_token", "drop_refused_token"):
            return rule
        if rule.effect == "imap_no":
            raise No(rule.value or "")
        raise Closed(EXPIRED if rule.effect == "expire_session" else "")

    def _say_goodbye(self, reason: str) -> None:
        if not self.writer.is_closing():
            self.untagged(f"BYE {reason}".encode())

    async def _one_command(self) -> None:
        seconds, reason = self.patience()
        try:
            async with asyncio.timeout(seconds):
                raw = await read_command(self.reader, self._invite, self._max_literal)
        except TimeoutError:
            raise Closed(reason) from None
        except Oversized as refused:
            name = refused.command.partition(b" ")[0].decode("ascii", "replace")
            await self._answer(f"{name} NO [TOOBIG] {refused}")
            return
        tag, _, rest = raw.partition(b" ")
        if not _is_tag(tag) or not rest:
            await self._refuse_bad("*", "a tag and a command were expected")
            return
        await self._carry_out(tag.decode("ascii"), rest)

    async def _invite(self) -> None:
        self.write(b"+ Ready for literal data\r\n")
        await self.drain()

    def _max_literal(self, command: bytes) -> int:
        words = command.split(b" ", 2)
        filing = self.session is not None and len(words) > 1 and words[1].upper() == b"APPEND"
        return self.settings.mss_max_message_bytes if filing else MAX_SMALL_LITERAL

    async def _carry_out(self, tag: str, rest: bytes) -> None:
        name, parser = _command(rest)
        try:
            handler = self._handler(name)
            if self.session is not None:
                await self.strike(name.removeprefix("UID ").lower())
            done = await handler(self, parser)
            if self.selected is not None and not self.leaving:
                expunge = name not in commands.EXPUNGE_FORBIDDEN
                for line in await self.selected.news(self.database, expunge=expunge):
                    self.write(line + b"\r\n")
            self.bad_commands = 0  # a client that tries what it may not know stays for days
            await self._answer(f"{tag} OK {done}")
        except No as refusal:
            await self._answer(f"{tag} NO {refusal.text}")
        except Bad as refusal:
            await self._refuse_bad(tag, refusal.text)
        except (SQLAlchemyError, OSError) as error:
            if isinstance(error, ConnectionError | TimeoutError | ssl.SSLError):
                raise
            log.warning("command_failed", command=name, error=type(error).__name__)
            await self._answer(f"{tag} NO [UNAVAILABLE] temporary failure, nothing was changed")
        if self.wants_tls:
            await self._start_tls()

    def _handler(self, name: str) -> commands.Handler:
        if name in commands.ANY_STATE:
            return commands.ANY_STATE[name]
        known = commands.AUTHENTICATED.get(name) or commands.SELECTED.get(name)
        if known is None:
            raise Bad("this command is not known here")
        if self.session is None:
            raise Bad("AUTHENTICATE first" if self.secure else "STARTTLS, then AUTHENTICATE first")
        if name in commands.SELECTED:
            self.require_selected()
        if name in commands.CHANGING and self.session.mailbox.rights == "read":
            raise No("this mailbox was delegated for reading only", "NOPERM")
        return known

    async def _answer(self, line: str) -> None:
        if self.wants_tls:
            # Nothing that follows in clear text may be read as a command: the socket is held
            # still until TLS owns it (RFC 2595 §3.1, command injection).
            # uvloop's transports are no subclass of asyncio's, hence no isinstance.
            cast(asyncio.ReadTransport, self.writer.transport).pause_reading()
        self.write(line.encode("ascii", "replace") + b"\r\n")
        await self.drain()

    async def _refuse_bad(self, tag: str, text: str) -> None:
        self.bad_commands += 1
        await self._answer(f"{tag} BAD {text}")
        if self.bad_commands >= MAX_BAD_COMMANDS:
            raise Closed("too many bad commands")

    async def _start_tls(self) -> None:
        """A new reader takes over: what was buffered in clear text is dropped with the old one."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=MAX_LINE, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        old = self.writer.transport
        transport = await loop.start_tls(
            old, protocol, self.tls, server_side=True, ssl_handshake_timeout=20
        )
        if transport is None:
            raise Closed
        protocol.connection_made(transport)
        self.reader = reader
        self.writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        self.secure, self.wants_tls, self.bad_commands = True, False, 0


def _is_tag(tag: bytes) -> bool:
    return (
        0 < len(tag) <= 100
        and tag.isascii()
        and all(33 <= octet < 127 and octet not in b'(){%*"\\+' for octet in tag)
    )


def _command(rest: bytes) -> tuple[str, Parser]:
    """The name (`UID FETCH` is one) and a parser that stands after it."""
    parser = Parser(rest)
    words = rest.split(b" ", 2)
    name = words[0].upper()
    if name == b"UID" and len(words) > 1:
        name += b" " + words[1].upper()
    parser.position = len(name)
    return name.decode("ascii", "replace"), parser
