"""Two clients of one mailbox: what one does, the other is told while it waits."""

import imaplib

import pytest

from .conftest import Mail
from .samples import message

pytestmark = pytest.mark.postgres


def idle(client: imaplib.IMAP4, tag: bytes) -> None:
    client.send(tag + b" IDLE\r\n")
    assert client.readline().startswith(b"+")


def done(client: imaplib.IMAP4, tag: bytes) -> None:
    client.send(b"DONE\r\n")
    assert client.readline().startswith(tag + b" OK")


async def test_a_move_is_told_in_both_folders(mail: Mail) -> None:
    await mail.run(lambda: mail.submit(message()))

    def work() -> None:
        with mail.imap() as one, mail.imap() as two, mail.imap() as three:
            assert "MOVE" in one.capability()[1][0].decode().split()
            one.select()
            two.select()
            three.select("Trash")
            idle(two, b"T1")
            idle(three, b"T2")
            assert one.uid("MOVE", "1", "Trash")[0] == "OK"
            assert one.response("COPYUID")[1][0].split()[1:] == [b"1", b"1"]
            assert two.readline() == b"* 1 EXPUNGE\r\n"
            assert three.readline() == b"* 1 EXISTS\r\n"
            assert three.readline() == b"* 1 RECENT\r\n"
            done(two, b"T1")
            done(three, b"T2")
            assert three.fetch("1", "(UID)")[1] == [b"1 (UID 1)"]

    await mail.run(work)


async def test_a_flag_and_a_filed_copy_are_told(mail: Mail) -> None:
    await mail.run(lambda: mail.submit(message()))

    def work() -> None:
        with mail.imap() as one, mail.imap() as two:
            two.select()
            idle(two, b"T1")
            one.select()
            one.uid("STORE", "1", "+FLAGS", r"(\Answered)")
            assert two.readline() == b"* 1 FETCH (UID 1 FLAGS (\\Answered \\Recent))\r\n"
            _, (text,) = one.append("INBOX", None, None, message("<2@x>"))
            assert b"APPENDUID" in text
            assert two.readline() == b"* 2 EXISTS\r\n"
            assert two.readline().endswith(b" RECENT\r\n")
            one.uid("STORE", "1", "+FLAGS", r"(\Deleted)")
            assert rb"\Deleted" in two.readline()
            one.uid("EXPUNGE", "1")
            assert two.readline() == b"* 1 EXPUNGE\r\n"
            done(two, b"T1")

    await mail.run(work)


async def test_special_folders_are_named_to_every_client(mail: Mail) -> None:
    def work() -> list[bytes]:
        with mail.imap() as one, mail.imap() as two:
            one.create("Analyses")
            return [line for line in two.list()[1] if isinstance(line, bytes)]

    listed = b"\n".join(await mail.run(work))
    for name in (rb"\Sent", rb"\Drafts", rb"\Trash", b'"Analyses"'):
        assert name in listed
