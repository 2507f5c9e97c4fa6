"""Sending, injecting and removing over HTTP."""

import asyncio
import base64
from typing import Any

import httpx
import pytest

from socle.db.database import Database
from tests.patience import PATIENCE_SECONDS

from .citizen import ORG_BOX, Citizen, body_of, letter, received
from .conftest import KIT, KIT_BOX, ROBERT, ROBERT_BOX, Mail
from .samples import message

pytestmark = pytest.mark.postgres
FIELDS: dict[str, Any] = {
    "from": KIT_BOX, "to": [ROBERT_BOX], "subject": "Été", "text": "Bonjour à vous",
}  # fmt: skip


async def post(mail: Mail, who: str = KIT, **changes: Any) -> httpx.Response:
    return await mail.http.post(
        "/mss/messages", json={**FIELDS, **changes}, headers=mail.mint.headers(mail.space, who)
    )


async def post_eml(mail: Mail, content: bytes, **query: Any) -> httpx.Response:
    headers = {**mail.mint.headers(mail.space, KIT), "Content-Type": "message/rfc822"}
    return await mail.http.post("/mss/messages/eml", content=content, params=query, headers=headers)


class TestFields:
    async def test_become_a_message(self, mail: Mail) -> None:
        answer = await post(
            mail,
            cc=[ORG_BOX.upper()],
            html="<p>Bonjour</p>",
            headers={"X-MSS-NIL": "DEV935997", "Reply-To": ORG_BOX},
            attachments=[
                {"filename": "a.pdf", "mime": "application/pdf", "data": base64.b64encode(b"%PDF").decode()}
            ],
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        assert answer.json()["recipients"] == [
            {"address": ROBERT_BOX, "status": "delivered"},
            {"address": ORG_BOX, "status": "delivered"},
        ]
        (found,) = await received(mail, ROBERT, ROBERT_BOX)
        assert found["From"] == f"Dr_Kit_DOC0042788_Cabinet M Doc0042788 <{KIT_BOX}>"
        assert (found["To"], found["Subject"]) == (ROBERT_BOX, "Été")
        assert (found["X-MSS-NIL"], found["Reply-To"]) == ("DEV935997", ORG_BOX)
        plain = found.get_body(("plain",))
        assert plain is not None
        assert plain.get_content().strip() == "Bonjour à vous"
        (file,) = found.iter_attachments()
        assert file.get_content() == b"%PDF"

    async def test_sent_twice_with_one_message_id_are_one_message(self, mail: Mail) -> None:
        frozen = {"freeze": "2026-11-26T10:00:00Z"}  # or the Date would differ
        await mail.http.put(f"/s/{mail.space}/_sandbox/clock", json=frozen)
        ids = {(await post(mail, message_id="<a@b.fr>")).json()["id"] for _ in range(2)}
        assert len(ids) == 1
        assert len(await received(mail, ROBERT, ROBERT_BOX)) == 1

    async def test_name_who_was_refused_and_reach_the_others(
        self, mail: Mail, database: Database
    ) -> None:
        anne = Citizen(mail, database)
        await anne.say()
        await anne.ask("/close")
        answer = await post(mail, to=["no.one@socle.mssante.fr", anne.address, ROBERT_BOX])
        by_address = {one["address"]: one for one in answer.json()["recipients"]}
        assert by_address[ROBERT_BOX]["status"] == "delivered"
        assert by_address["no.one@socle.mssante.fr"]["status"] == "refused"
        assert by_address[anne.address]["status"] == "returned"
        assert by_address[anne.address]["reason"] == "closed"
        assert by_address[anne.address]["enhanced_code"] == "5.2.1"

    async def test_are_refused_when_nobody_takes_them(self, mail: Mail) -> None:
        answer = await post(mail, to=["a@socle.mssante.fr", "b@socle.mssante.fr"])
        assert answer.status_code == 422
        assert [p["rule"] for p in answer.json()["problems"]] == ["MSS-MAILBOX-UNKNOWN"] * 2

    async def test_are_refused_when_the_sender_is_another(self, mail: Mail) -> None:
        assert (await post(mail, ROBERT)).status_code == 404

    @pytest.mark.parametrize(
        "headers",
        [
            {"Bcc": "a"},
            {"content-type": "a"},
            {"X-A": "1", "x-a": "2"},
            {"X A": "1"},
            {"From": "x"},
        ],
    )
    async def test_are_refused_when_a_header_is_not_theirs_to_set(
        self, mail: Mail, headers: dict[str, str]
    ) -> None:
        assert (await post(mail, headers=headers)).status_code in (400, 422)

    async def test_cannot_smuggle_a_header(self, mail: Mail) -> None:
        answer = await post(mail, headers={"X-A": "1\r\nX-MSS-MES: FIN"})
        assert answer.status_code == 201
        (found,) = await received(mail, ROBERT, ROBERT_BOX)
        assert found["X-MSS-MES"] is None

    async def test_ask_for_a_report(self, mail: Mail) -> None:
        await post(mail, notify=["SUCCESS"], envelope_id="lot 7")
        (report,) = await received(mail)
        assert "a été remis" in body_of(report)


class TestEml:
    async def test_is_sent_as_it_is(self, mail: Mail) -> None:
        answer = await post_eml(mail, message().replace(b"\r\n", b"\n"), notify="SUCCESS")
        assert answer.status_code == 201, answer.text
        stored = await mail.http.get(
            f"/mss/messages/{answer.json()['id']}", headers=mail.mint.headers(mail.space, ROBERT)
        )
        assert stored.content == message()
        assert len(await received(mail)) == 1

    @pytest.mark.parametrize(
        ("content", "rule"),
        [
            (b"To: robert.specialiste0021889@socle.mssante.fr\r\n\r\n", "MSS-FROM"),
            (b"From: kit.doc0042788@socle.mssante.fr\r\n\r\n", "MSS-TO"),
            (b"From: a@b.c\r\nTo: <<>>@\r\n\r\n", "MSS-FROM"),
            (b"", "MSS-TO"),
            (b"\x00\xff\r\r\n", "MSS-TO"),
        ],
    )
    async def test_is_refused_when_it_does_not_say_from_whom_to_whom(
        self, mail: Mail, content: bytes, rule: str
    ) -> None:
        answer = await post_eml(mail, content)
        assert answer.status_code == 422
        assert rule in [problem["rule"] for problem in answer.json()["problems"]]

    async def test_is_refused_when_it_is_too_large(self, mail: Mail) -> None:
        assert (await post_eml(mail, b"X: " + b"a" * 1_000_001)).status_code == 413


class TestInjection:
    async def test_puts_fields_into_an_inbox_without_an_event(
        self, mail: Mail, database: Database
    ) -> None:
        answer = await mail.http.post(
            f"/s/{mail.space}/_sandbox/mss/messages",
            json={
                "mailbox": KIT_BOX, "from": "labo@ailleurs.mssante.fr", "sender_name": "Labo d'ailleurs",
                "subject": "Résultats", "headers": {"X-MSS-CODECDA": "11502-2"},
            },
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        (found,) = await received(mail)
        assert found["From"] == "Labo d'ailleurs <labo@ailleurs.mssante.fr>"
        assert found["X-MSS-CODECDA"] == "11502-2"
        assert await Citizen(mail, database).events("delivered") == []

    @pytest.mark.parametrize("content", [b"", b"\xff\x00", b"no header", message()])
    async def test_takes_any_octets(self, mail: Mail, content: bytes) -> None:
        answer = await mail.http.post(
            f"/s/{mail.space}/_sandbox/mss/mailboxes/{KIT_BOX}/eml", content=content
        )
        assert answer.status_code == 201, answer.text
        read = await mail.http.get(
            f"/mss/messages/{answer.json()['id']}", headers=mail.mint.headers(mail.space, KIT)
        )
        assert read.content == content

        def fetched() -> str:
            with mail.imap(KIT, KIT_BOX) as client:
                client.select()
                return client.fetch("1", "(ENVELOPE BODYSTRUCTURE BODY[])")[0]

        assert await mail.run(fetched) == "OK"

    async def test_knows_no_mailbox_of_a_patient(self, mail: Mail, database: Database) -> None:
        anne = Citizen(mail, database)
        await anne.say()
        await anne.ask("/reopen")
        answer = await mail.http.post(
            f"/s/{mail.space}/_sandbox/mss/messages",
            json={"mailbox": anne.address, "from": KIT_BOX},
        )
        assert answer.status_code == 404

    async def test_wakes_who_waits(self, mail: Mail) -> None:
        headers = mail.mint.headers(mail.space, KIT)
        waiting = asyncio.create_task(
            mail.http.get(f"/mss/mailboxes/{KIT_BOX}/messages?wait=20", headers=headers)
        )
        await asyncio.sleep(0.1)
        await mail.http.post(
            f"/s/{mail.space}/_sandbox/mss/mailboxes/{KIT_BOX}/eml", content=message()
        )
        assert len((await asyncio.wait_for(waiting, PATIENCE_SECONDS)).json()["messages"]) == 1


class TestRemoval:
    async def test_of_one_message_takes_it_from_its_reader_alone(self, mail: Mail) -> None:
        sent = (await post(mail, cc=[ORG_BOX])).json()["id"]
        path, robert = f"/mss/messages/{sent}", mail.mint.headers(mail.space, ROBERT)
        answer = await mail.http.delete(path, headers=robert)
        assert answer.json() == {"removed": 1}
        assert (await mail.http.get(path, headers=robert)).status_code == 404
        assert (await mail.http.delete(path, headers=robert)).status_code == 404
        assert len(await received(mail, KIT, ORG_BOX)) == 1

    async def test_is_seen_by_imap(self, mail: Mail) -> None:
        sent = (await post(mail)).json()["id"]
        headers = mail.mint.headers(mail.space, ROBERT)
        opened = mail.imap()
        client = await mail.run(opened.__enter__)
        assert (await mail.run(client.select))[1] == [b"1"]
        await mail.http.delete(f"/mss/messages/{sent}", headers=headers)
        await mail.run(client.noop)
        assert client.untagged_responses["EXPUNGE"] == [b"1"]
        await mail.run(lambda: opened.__exit__(None, None, None))

    async def test_of_a_mailbox_lets_the_same_message_come_again(self, mail: Mail) -> None:
        headers = mail.mint.headers(mail.space, ROBERT)
        for _ in range(2):
            assert (await post_eml(mail, message())).status_code == 201
            answer = await mail.http.delete(
                f"/mss/mailboxes/{ROBERT_BOX}/messages", headers=headers
            )
            assert answer.json() == {"removed": 1}
        foreign = await mail.http.delete(f"/mss/mailboxes/{KIT_BOX}/messages", headers=headers)
        assert foreign.status_code == 404

    async def test_of_all_leaves_mailboxes_and_other_spaces(
        self, mail: Mail, database: Database
    ) -> None:
        anne = Citizen(mail, database)
        await anne.say()
        await anne.ask("/mailbox", name="Anne", email="a@example.org")
        await anne.receive(letter())
        await post_eml(mail, message())
        other = Mail(mail.app, mail.http, mail.mint, f"{mail.space}-o", mail.trust)
        await post_eml(other, message())

        gone = await mail.http.delete(f"/s/{mail.space}/_sandbox/mss/messages")

        assert gone.status_code == 204
        assert await received(mail, ROBERT, ROBERT_BOX) == []
        assert await anne.inbox() == await anne.ask("/contacts") == []
        assert (await anne.ask("/mailbox"))["name"] == "Anne"
        assert len(await received(other, ROBERT, ROBERT_BOX)) == 1
        await post_eml(mail, message())
        assert len(await received(mail, ROBERT, ROBERT_BOX)) == 1
