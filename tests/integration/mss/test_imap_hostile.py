"""What a hostile or broken client sends to the IMAP server."""

import asyncio

import pytest

from .conftest import Mail

pytestmark = pytest.mark.postgres


async def exchange(mail: Mail, sent: bytes) -> bytes:
    """Everything that the server answers until it is silent or closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", mail.app.state.imap_port)
    writer.write(sent)
    answered = b""
    try:
        while chunk := await asyncio.wait_for(reader.read(65536), 1):
            answered += chunk
    except TimeoutError:
        pass
    finally:
        writer.close()
    return answered


async def test_commands_are_dropped_when_pipelined_behind_starttls(mail: Mail) -> None:
    answered = await exchange(mail, b"a STARTTLS\r\nb NOOP\r\n")
    assert b"a OK" in answered
    assert b"b OK" not in answered


async def test_the_connection_ends_when_a_literal_is_too_large(mail: Mail) -> None:
    assert b"* BYE" in await exchange(mail, b"a LOGIN {999999999+}\r\n")


async def test_a_literal_is_refused_before_it_is_sent(mail: Mail) -> None:
    answered = await exchange(mail, b"a LOGIN {999999999}\r\nb NOOP\r\n")
    assert b"a NO [TOOBIG]" in answered
    assert b"b OK" in answered


async def test_the_connection_ends_when_a_line_is_too_long(mail: Mail) -> None:
    assert b"* BYE" in await exchange(mail, b"a" * 200_000)


@pytest.mark.parametrize("line", [b"\r\n", b"a\r\n", b"a NOPE\r\n", b"( NOOP\r\n", b"\xff\xff\r\n"])
async def test_answers_bad_when_there_is_no_command(mail: Mail, line: bytes) -> None:
    assert b" BAD " in await exchange(mail, line)


async def test_refuses_mail_commands_when_not_logged_in(mail: Mail) -> None:
    assert b"a BAD" in await exchange(mail, b"a SELECT INBOX\r\n")
