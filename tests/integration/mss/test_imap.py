"""The IMAP server, through Python's imaplib."""

import imaplib
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

        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            await mail.run(work)
        assert orjson.loads(answers[1])["status"] == "401"


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
        def work() -> bytes:
            with mail.imap() as client:
                client.select()
                client.send(b"Z1 IDLE\r\n")
                assert client.readline().startswith(b"+")
                mail.submit(message())
                told = client.readline()
                client.send(b"DONE\r\n")
                assert client.readline().startswith(b"Z1 OK")
                return told

        assert await mail.run(work) == b"* 1 EXISTS\r\n"
