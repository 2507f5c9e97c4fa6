"""\\Recent: for the session that is told of a message first, and for no other (RFC 3501 §2.3.2).

Programs in PHP and Java poll a mailbox by SEARCH NEW or by the number of recent messages.
"""

import imaplib

import pytest

from .conftest import KIT_BOX, ROBERT_BOX, Mail
from .samples import message

pytestmark = pytest.mark.postgres


def send(mail: Mail, number: int) -> None:
    with mail.smtp() as client:
        client.sendmail(
            KIT_BOX, [ROBERT_BOX], message().replace(b"Message-ID: <", b"Message-ID: <%d." % number)
        )


def found(client: imaplib.IMAP4, *criteria: str) -> list[int]:
    return [int(one) for one in client.search(None, *criteria)[1][0].split()]


def flags(client: imaplib.IMAP4, number: int) -> set[str]:
    told = client.fetch(str(number), "(FLAGS)")[1][-1]
    assert isinstance(told, bytes)
    return {one.decode() for one in imaplib.ParseFlags(told)}


def recent(client: imaplib.IMAP4) -> int:
    """Of STATUS, which opens nothing."""
    return int(client.status("INBOX", "(RECENT)")[1][0].rpartition(b"(")[2].split()[1].rstrip(b")"))


async def test_a_message_is_recent_once(mail: Mail) -> None:
    def work() -> None:
        send(mail, 1)
        with mail.imap() as first, mail.imap() as second:
            assert recent(first) == 1
            first.select("INBOX")
            assert first.response("RECENT")[1] == [b"1"]
            assert found(first, "NEW") == found(first, "RECENT") == [1]
            assert found(first, "OLD") == []
            assert flags(first, 1) == {"\\Recent"}
            assert recent(second) == 0
            second.select("INBOX")
            assert second.response("RECENT")[1] == [b"0"]
            assert found(second, "NEW") == []
            assert found(second, "OLD") == [1]
            first.store("1", "+FLAGS", "\\Seen")
            assert flags(first, 1) == {"\\Recent", "\\Seen"}
            assert (found(first, "RECENT"), found(first, "NEW")) == ([1], [])
            second.noop()
            assert flags(second, 1) == {"\\Seen"}

    await mail.run(work)


async def test_what_comes_while_a_folder_is_open_is_recent_for_who_hears_first(mail: Mail) -> None:
    def work() -> None:
        with mail.imap() as first, mail.imap() as second:
            for client in (first, second):
                client.select("INBOX")
            send(mail, 1)
            send(mail, 2)
            first.noop()
            assert first.response("RECENT")[1][-1] == b"2"
            assert found(first, "NEW") == [1, 2]
            second.noop()
            assert second.response("EXISTS")[1][-1:] == [b"2"]
            assert found(second, "NEW") == []
            send(mail, 3)
            second.noop()
            first.noop()
            assert (found(first, "NEW"), found(second, "NEW")) == ([1, 2], [3])

    await mail.run(work)


async def test_a_look_by_examine_takes_nothing(mail: Mail) -> None:
    def work() -> None:
        send(mail, 1)
        with mail.imap() as client:
            for _ in range(2):
                client.select("INBOX", readonly=True)
                assert client.response("RECENT")[1] == [b"1"]
                assert found(client, "NEW") == [1]
            client.select("INBOX")
            assert found(client, "NEW") == [1]
            client.select("INBOX")
            assert found(client, "NEW") == []

    await mail.run(work)


async def test_a_copy_is_recent_in_its_folder(mail: Mail) -> None:
    def work() -> None:
        send(mail, 1)
        with mail.imap() as client:
            client.select("INBOX")
            client.copy("1", "Trash")
            client.select("Trash")
            assert found(client, "RECENT") == [1]

    await mail.run(work)
