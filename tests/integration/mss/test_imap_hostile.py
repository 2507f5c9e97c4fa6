"""What a hostile or broken client sends to the IMAP server."""

import socket
from contextlib import suppress

import pytest

from tests.patience import PATIENCE_SECONDS

from .conftest import Mail

pytestmark = pytest.mark.postgres


async def exchange(mail: Mail, sent: bytes, last: bytes = b"\r\nend ") -> bytes:
    """Everything that the server answers, until `last` comes or it closes."""

    def work() -> bytes:
        answered = b""
        with connected(mail) as client:
            with suppress(ConnectionError):  # it may close before it has read everything
                client.sendall(sent)
            with suppress(ConnectionError):
                while last not in answered and (chunk := client.recv(65536)):
                    answered += chunk
        return answered

    return await mail.run(work)


def connected(mail: Mail) -> socket.socket:
    return socket.create_connection(("127.0.0.1", mail.app.state.imap_port), PATIENCE_SECONDS)


async def test_commands_are_dropped_when_pipelined_behind_starttls(mail: Mail) -> None:
    """Within TLS, the first answer is to the first command within TLS."""

    def work() -> bytes:
        with connected(mail) as clear:
            clear.sendall(b"a STARTTLS\r\nb NOOP\r\n")
            seen = b""
            while b"a OK" not in seen or not seen.endswith(b"\r\n"):
                seen += clear.recv(1000)
            assert b"b OK" not in seen
            with mail.trust.wrap_socket(clear, server_hostname="localhost") as secured:
                secured.sendall(b"c NOOP\r\n")
                return secured.recv(1000)

    assert (await mail.run(work)).startswith(b"c OK")


async def test_the_connection_ends_when_a_literal_is_too_large(mail: Mail) -> None:
    assert b"* BYE" in await exchange(mail, b"a LOGIN {999999999+}\r\n")


async def test_a_literal_is_refused_before_it_is_sent(mail: Mail) -> None:
    answered = await exchange(mail, b"a LOGIN {999999999}\r\nb NOOP\r\n", b"b OK")
    assert b"a NO [TOOBIG]" in answered
    assert b"b OK" in answered


async def test_the_connection_ends_when_a_line_is_too_long(mail: Mail) -> None:
    assert b"* BYE" in await exchange(mail, b"a" * 200_000)


@pytest.mark.parametrize("line", [b"\r\n", b"a\r\n", b"a NOPE\r\n", b"( NOOP\r\n", b"\xff\xff\r\n"])
async def test_answers_bad_when_there_is_no_command(mail: Mail, line: bytes) -> None:
    answered = await exchange(mail, line + b"end NOOP\r\n")
    assert b" BAD " in answered
    assert b"end OK" in answered


async def test_refuses_mail_commands_when_not_logged_in(mail: Mail) -> None:
    assert b"a BAD" in await exchange(mail, b"a SELECT INBOX\r\nend NOOP\r\n")
