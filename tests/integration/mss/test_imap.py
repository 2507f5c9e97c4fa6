"""The IMAP server, through Python's imaplib."""

import imaplib
import resource
from email.parser import BytesParser
from email.policy import default
from typing import Any

import orjson
import pytest

from .conftest import ROBERT_BOX, Mail, xoauth2
from .samples import XML, message

pytestmark = pytest.mark.postgres


class TestLogin:
    async def test_needs_tls_and_knows_no_password(self, mail: Mail) -> None:
        def work() -> tuple[tuple[str, ...], str]:
            client = mail.imap_clear()
            try:
                with pytest.raises(imaplib.IMAP4.error, match="LOGIN is disabled"):
                    client.login("a", "b")
                with pytest.raises(imaplib.IMAP4.error, match="STARTTLS"):
                    client.authenticate("XOAUTH2", lambda _: b"x")
                return client.capabilities, client.noop()[0]
            finally:
                client.logout()

        capabilities, noop = await mail.run(work)
        assert {"STARTTLS", "LOGINDISABLED"} <= set(capabilities)
        assert {"IDLE", "MOVE", "UIDPLUS", "ID", "LITERAL+"} <= set(capabilities)
        assert "AUTH=XOAUTH2" not in capabilities
        assert noop == "OK"

    async def test_tells_the_error_as_json_when_the_token_is_bad(self, mail: Mail) -> None:
        answers: list[bytes] = []

        def responder(challenge: bytes) -> bytes:
            answers.append(challenge)
            return xoauth2(ROBERT_BOX, "bad").encode() if len(answers) == 1 else b""

        def work() -> None:
            client = mail.imap_tls()
            try:
                client.authenticate("XOAUTH2", responder)
            finally:
                client.logout()

        with pytest.raises(imaplib.IMAP4.error, match=r"AUTHENTICATIONFAILED.*not a signed JWT"):
            await mail.run(work)
        assert orjson.loads(answers[1])["status"] == "401"

    async def test_says_so_when_the_mailbox_is_closed(self, mail: Mail) -> None:
        closing = await mail.http.patch(
            f"/s/{mail.space}/_sandbox/mss/mailboxes/{ROBERT_BOX}", json={"active": False}
        )
        assert closing.status_code == 200

        def work() -> None:
            with mail.imap():
                pass

        with pytest.raises(imaplib.IMAP4.error, match="has no such mailbox here"):
            await mail.run(work)


class TestBadCommands:
    def ask(self, mail: Mail, commands: list[str]) -> list[str]:
        with mail.imap() as client:
            answers = []
            for command in commands:
                client.send(f"{client._new_tag().decode()} {command}\r\n".encode())
                answers.append(client.readline().decode().split()[1])
            return answers

    async def test_end_a_connection_that_sends_nothing_else(self, mail: Mail) -> None:
        def work() -> list[str]:
            return self.ask(mail, ["ENABLE CONDSTORE"] * 20)

        assert await mail.run(work) == ["BAD"] * 20

    async def test_of_a_long_life_are_not_added_up(self, mail: Mail) -> None:
        """A client that asks each minute for a status that is not offered stays connected."""
        rounds = 25

        def work() -> list[str]:
            return self.ask(mail, ["STATUS INBOX (HIGHESTMODSEQ)", "NOOP"] * rounds)

        assert await mail.run(work) == ["BAD", "OK"] * rounds


class TestRead:
    async def test_gives_the_attachment_byte_for_byte(self, mail: Mail) -> None:
        sent = message()
        await mail.run(lambda: mail.submit(sent))

        def work() -> tuple[bytes, bytes, bytes, list[bytes]]:
            with mail.imap() as client:
                assert client.select("INBOX") == ("OK", [b"1"])
                _, (found,) = client.uid("SEARCH", "HEADER", "X-MSS-INS", "O", "UNSEEN")
                whole = client.uid("FETCH", found.decode(), "(BODY.PEEK[] FLAGS)")[1][0][1]
                # imaplib's stubs allow any mix of bytes, pairs and None in an answer.
                answer: Any = client.fetch("1", "(BODY.PEEK[2])")[1]
                part = answer[0][1]
                answer = client.fetch("1", "(BODYSTRUCTURE ENVELOPE RFC822.SIZE)")[1]
                structure = answer[0]
                return found, whole, part, structure

        found, whole, part, structure = await mail.run(work)
        assert found == b"1"
        assert whole == sent
        mime = BytesParser(policy=default).parsebytes(whole)
        assert mime.get_payload(1).get_payload(decode=True) == XML  # type: ignore[union-attr]
        assert part in sent
        assert b'"APPLICATION" "XML"' in structure
        assert f"RFC822.SIZE {len(sent)}".encode() in structure

    async def test_marks_as_seen_only_without_peek(self, mail: Mail) -> None:
        await mail.run(lambda: mail.submit(message()))

        def work() -> list[list[bytes]]:
            with mail.imap() as client:
                client.select()
                client.fetch("1", "(BODY.PEEK[TEXT]<0.5>)")
                before = client.search(None, "UNSEEN")[1]
                client.fetch("1", "(BODY[TEXT])")
                return [before, client.search(None, "UNSEEN")[1]]

        assert await mail.run(work) == [[b"1"], [b""]]


class TestFolders:
    async def test_files_copies_moves_and_expunges(self, mail: Mail) -> None:
        await mail.run(lambda: mail.submit(message()))

        def work() -> None:
            with mail.imap() as client:
                listed: Any = client.list()[1]
                names = [line.rsplit(b" ", 1)[1] for line in listed]
                assert names == [b'"INBOX"', b'"Drafts"', b'"Sent"', b'"Trash"']
                assert client.create("Analyses")[0] == "OK"
                status, (text,) = client.append("Sent", r"(\Seen)", None, message("<2@x>"))
                assert status == "OK"
                assert b"APPENDUID" in text
                client.select()
                assert client.copy("1", "Analyses")[0] == "OK"
                assert client.copy("1", "Nowhere")[0] == "NO"
                assert client.uid("MOVE", "1", "Trash")[0] == "OK"
                assert client.search(None, "ALL")[1] == [b""]
                client.select("Analyses")
                client.store("1", "+FLAGS", r"(\Deleted)")
                assert client.expunge()[1] == [b"1"]
                assert b"MESSAGES 1" in client.status("Trash", "(MESSAGES UIDNEXT)")[1][0]
                client.select("Trash")
                assert client.delete("Trash")[0] == "NO"
                assert client.rename("Analyses", "Biologie")[0] == "OK"
                assert client.delete("Biologie")[0] == "OK"

        await mail.run(work)

    async def test_makes_and_shows_the_levels_above(self, mail: Mail) -> None:
        def work() -> None:
            with mail.imap() as client:
                assert client.create('"Patients/&AMk-t&AOk-"')[0] == "OK"
                assert client.create("Patients")[0] == "NO"  # it was made
                listed: Any = client.list('""', "%")[1]
                assert rb'(\HasChildren) "/" "Patients"' in listed
                # It goes, and what is in it stays in sight.
                assert client.delete("Patients")[0] == "OK"
                listed = client.list('""', "%")[1]
                assert rb'(\HasChildren \Noselect) "/" "Patients"' in listed
                assert client.create("Patients")[0] == "OK"
                assert client.rename("Patients", "A/B")[0] == "OK"
                listed = client.list("A/", "*")[1]
                assert [line.rsplit(b" ", 1)[1] for line in listed] == [
                    b'"A/B"',
                    b'"A/B/&AMk-t&AOk-"',
                ]
                assert client.rename("A", "A/C")[0] == "NO"

        await mail.run(work)

    @pytest.mark.parametrize(
        "name", ["R&D", "&AG", "&AGE-", "&====-", "a//b", "/a", '"a*"', "&ACo-"]
    )
    async def test_are_not_made_with_a_name_that_no_client_can_show(
        self, mail: Mail, name: str
    ) -> None:
        def work() -> str:
            with mail.imap() as client:
                return client.create(name)[0]

        assert await mail.run(work) == "NO"

    async def test_are_subscribed_until_a_client_says_otherwise(self, mail: Mail) -> None:
        def work() -> None:
            with mail.imap() as client:
                client.create("A/B")
                assert client.unsubscribe("Drafts")[0] == "OK"
                assert client.unsubscribe("A")[0] == "OK"
                assert client.unsubscribe("Gone")[0] == "OK"
                names = [line.rsplit(b" ", 1)[1] for line in listed(client.lsub()[1])]
                assert names == [b'"INBOX"', b'"A/B"', b'"Sent"', b'"Trash"']
                assert rb'(\HasChildren \Noselect) "/" "A"' in listed(client.lsub('""', "%")[1])
                assert client.subscribe("Drafts")[0] == "OK"
                assert b'"Drafts"' in b" ".join(listed(client.lsub()[1]))

        def listed(lines: Any) -> list[bytes]:
            return list(lines)

        await mail.run(work)

    async def test_lie_in_one_namespace(self, mail: Mail) -> None:
        def work() -> tuple[Any, Any]:
            with mail.imap() as client:
                return client.capability()[1][-1], client.namespace()[1]

        capabilities, shown = await mail.run(work)
        assert b" NAMESPACE " in capabilities
        assert shown == [b'(("" "/")) NIL NIL']


async def test_a_command_names_thousands_of_messages(mail: Mail) -> None:
    """As mail clients do that catch up: the numbers that they miss, one by one."""
    await mail.run(lambda: mail.submit(message()))
    wanted = ",".join(str(number) for number in range(1, 10_001, 2))

    def work() -> Any:
        with mail.imap() as client:
            client.select()
            return client.uid("FETCH", wanted, "(FLAGS)")[1]

    assert len(wanted) > 20_000
    assert await mail.run(work) == [b"1 (UID 1 FLAGS (\\Recent))"]


async def test_a_message_asked_for_again_and_again_is_sent_piece_by_piece(mail: Mail) -> None:
    await mail.run(lambda: mail.submit(b"Subject: x\r\n\r\n" + (b"y" * 70 + b"\r\n") * 13_000))

    def work() -> int:
        with mail.imap() as client:
            client.select()
            client.send(b"Z1 FETCH 1 (%s)\r\n" % b" ".join([b"BODY.PEEK[]"] * 60))
            size = 0
            while not (line := client.readline()).startswith(b"Z1 "):
                size += len(line)
            assert line.startswith(b"Z1 OK")
            return size

    before = peak_memory()
    assert await mail.run(work) > 55_000_000
    assert peak_memory() - before < 30_000


def peak_memory() -> int:
    """kB, of this process, which is the server."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class TestTwoClients:
    async def test_see_each_others_changes(self, mail: Mail) -> None:
        await mail.run(lambda: mail.submit(message()))

        def work() -> None:
            with mail.imap() as one, mail.imap() as two:
                one.select()
                two.select()
                one.store("1", "+FLAGS", r"(\Flagged)")
                two.noop()
                assert rb"\Flagged" in two.response("FETCH")[1][0]
                mail.submit(message("<2@x>"))
                two.noop()
                assert two.response("EXISTS")[1][-1] == b"2"
                one.noop()
                one.store("1", "+FLAGS", r"(\Deleted)")
                one.expunge()
                # A number still means the message that the client knows by it.
                assert two.fetch("2", "(UID)")[1] == [b"2 (UID 2)"]
                two.noop()
                assert two.response("EXPUNGE")[1] == [b"1"]
                assert two.fetch("1", "(UID)")[1] == [b"1 (UID 2)"]

        await mail.run(work)

    async def test_are_told_while_idle(self, mail: Mail) -> None:
        def work() -> list[bytes]:
            with mail.imap() as client:
                client.select()
                client.send(b"Z1 IDLE\r\n")
                assert client.readline().startswith(b"+")
                mail.submit(message())
                told = [client.readline(), client.readline()]
                client.send(b"DONE\r\n")
                assert client.readline().startswith(b"Z1 OK")
                return told

        assert await mail.run(work) == [b"* 1 EXISTS\r\n", b"* 1 RECENT\r\n"]
