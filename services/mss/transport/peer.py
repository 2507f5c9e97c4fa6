"""The conversation with a peer, as a client: STARTTLS with our certificate, then one message."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from services.mss.domain.envelope import Envelope, Recipient
from services.mss.domain.line_ends import with_crlf
from services.mss.tls import peer_certificate

PATIENCE_SECONDS = 60.0
"""For a whole message; RFC 5321 §4.5.3.2 would have minutes for each step."""

MAX_REPLY = 4096
_DOT = re.compile(rb"(^|\r\n)\.")


@dataclass(frozen=True, slots=True)
class Reply:
    """`told`: it came after the recipient was named, so that the receiver tells of a refusal itself."""

    code: int
    text: str
    told: bool = False

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 400

    @property
    def is_permanent(self) -> bool:
        return self.code >= 500

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class Refused(Exception):
    """The peer's answer to the whole message, before it knew for whom."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


Judge = Callable[[bytes], Awaitable[None]]
"""Of the certificate that the peer presents, as DER. Raises Refused."""


@dataclass(frozen=True, slots=True)
class Peer:
    """`hostname` is what the peer's certificate must name, whatever address it is reached at; the
    context may leave that to `judge`."""

    host: str
    port: int
    hostname: str
    ours: str

    async def send(
        self,
        context: ssl.SSLContext,
        envelope: Envelope,
        content: bytes,
        judge: Judge | None = None,
    ) -> dict[str, Reply]:
        """The peer's word on each recipient. Raises Refused, OSError or TimeoutError for all."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection(self.host, self.port, limit=MAX_REPLY)
            talk = _Talk(reader, writer)
            try:
                return await self._converse(talk, context, envelope, content, judge)
            finally:
                writer.close()

    async def _converse(
        self,
        talk: "_Talk",
        context: ssl.SSLContext,
        envelope: Envelope,
        content: bytes,
        judge: Judge | None,
    ) -> dict[str, Reply]:
        content = with_crlf(content)
        await talk.expect(await talk.reply())
        await talk.expect(await talk.command(f"EHLO {self.ours}"))
        await talk.expect(await talk.command("STARTTLS"))
        await talk.writer.start_tls(context, server_hostname=self.hostname)
        if judge is not None:
            await judge(peer_certificate(talk.writer.get_extra_info("ssl_object")) or b"")
        offered = await talk.command(f"EHLO {self.ours}")
        await talk.expect(offered)
        reports = re.search(r"(^|\n)DSN\b", offered.text.upper()) is not None
        await talk.expect(await talk.command(_mail(envelope, len(content), reports=reports)))
        answers = {
            one.address: replace(await talk.command(_rcpt(one, reports=reports)), told=True)
            for one in envelope.recipients
        }
        if not any(answer.is_positive for answer in answers.values()):
            return answers
        done = await talk.command("DATA")
        if done.is_positive:
            talk.writer.write(_DOT.sub(rb"\1..", content))
            if not content.endswith(b"\r\n"):
                talk.writer.write(b"\r\n")
            done = replace(await talk.command("."), told=True)
        if done.is_positive:
            await talk.command("QUIT")
        return {
            address: done if answer.is_positive else answer for address, answer in answers.items()
        }


@dataclass(slots=True)
class _Talk:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def command(self, line: str) -> Reply:
        self.writer.write(line.encode() + b"\r\n")
        await self.writer.drain()
        return await self.reply()

    async def reply(self) -> Reply:
        """All lines of one reply (RFC 5321 §4.2.1)."""
        texts: list[str] = []
        while True:
            try:
                line = await self.reader.readuntil(b"\n")
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
                raise ConnectionError("the peer ended the conversation") from error
            text = line.decode("ascii", "replace").rstrip("\r\n")
            if not re.match(r"[2-5]\d\d([ -]|$)", text) or len(texts) > 100:
                raise ConnectionError("the peer does not speak SMTP")
            texts.append(text[4:])
            if text[3:4] != "-":
                return Reply(int(text[:3]), "\n".join(texts))

    @staticmethod
    async def expect(reply: Reply) -> None:
        if not reply.is_positive:
            raise Refused(reply)


def _mail(envelope: Envelope, size: int, *, reports: bool) -> str:
    line = f"MAIL FROM:<{envelope.sender}> SIZE={size}"
    if reports and envelope.returned:
        line += f" RET={envelope.returned}"
    if reports and envelope.envelope_id:
        line += f" ENVID={_xtext(envelope.envelope_id)}"
    return line


def _rcpt(recipient: Recipient, *, reports: bool) -> str:
    line = f"RCPT TO:<{recipient.address}>"
    if reports and recipient.notify is not None:
        line += f" NOTIFY={','.join(sorted(recipient.notify))}"
    if reports and recipient.original:
        kind, _, address = recipient.original.partition(";")
        line += f" ORCPT={kind};{_xtext(address)}"
    return line


def _xtext(text: str) -> str:
    """RFC 3461 §4."""
    return re.sub(r"[^!-*,-<>-~]", lambda found: f"+{ord(found[0]):02X}", text)
