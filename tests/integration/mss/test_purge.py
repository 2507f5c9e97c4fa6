"""Texts that nothing holds any more are let go, and nothing else is."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from socle.db.database import Database
from tests.patience import PATIENCE_SECONDS

from .conftest import KIT, KIT_BOX, ROBERT, ROBERT_BOX, Mail
from .samples import message

pytestmark = pytest.mark.postgres

FAR_BOX = "far.away@voisin.mssante.fr"


async def purge(mail: Mail, days: float = 0) -> dict[str, int]:
    answer = await mail.http.post(f"/s/{mail.space}/_sandbox/mss/purge", json={"days": days})
    assert answer.is_success, answer.text
    found: dict[str, int] = answer.json()
    return found


async def rows(database: Database, mail: Mail, what: str) -> list[Any]:
    async with database.read() as session:
        found = await session.execute(
            text(f"SELECT {what} WHERE space = :space"), {"space": mail.space}
        )
        return list(found)


async def bodies(database: Database, mail: Mail) -> int:
    return len(await rows(database, mail, "sha256 FROM mss.body"))


async def removed(mail: Mail, content: bytes) -> str:
    """A message that Robert got and removed; its report is made. Gives its id."""
    await mail.run(lambda: mail.submit(content))
    headers = mail.mint.headers(mail.space, ROBERT)
    path = f"/mss/mailboxes/{ROBERT_BOX}/messages"
    found = (await mail.http.get(path, headers=headers)).json()["messages"][-1]["id"]
    report = await mail.http.get(f"/mss/messages/{found}/report", headers=headers)
    assert report.is_success, report.text
    gone = await mail.http.delete(f"/mss/messages/{found}", headers=headers)
    assert gone.is_success, gone.text
    return str(found)


async def test_removes_the_text_and_keeps_what_is_known_of_the_message(
    mail: Mail, database: Database
) -> None:
    id_ = await removed(mail, message())
    assert await purge(mail) == {"messages": 1, "bytes": len(message())}
    assert await bodies(database, mail) == 0
    (left,) = await rows(database, mail, "id, message_id, header FROM mss.message")
    assert (str(left.id), left.message_id, bytes(left.header)) == (id_, "<1@socle.test>", b"")
    report = await mail.http.get(
        f"/mss/messages/{id_}/report", headers=mail.mint.headers(mail.space, KIT)
    )
    assert report.json()["rules"]
    assert (await purge(mail))["messages"] == 0


async def test_keeps_a_message_that_is_younger(mail: Mail, database: Database) -> None:
    await removed(mail, message())
    assert (await purge(mail, days=0.1))["messages"] == 0
    assert await bodies(database, mail) == 1


async def test_keeps_what_lies_in_a_folder(mail: Mail, database: Database) -> None:
    await mail.run(lambda: mail.submit(message()))
    headers = mail.mint.headers(mail.space, ROBERT)
    (found,) = (
        await mail.http.get(f"/mss/mailboxes/{ROBERT_BOX}/messages", headers=headers)
    ).json()["messages"]
    await mail.http.get(f"/mss/messages/{found['id']}/report", headers=headers)
    assert (await purge(mail))["messages"] == 0
    content = await mail.http.get(f"/mss/messages/{found['id']}", headers=headers)
    assert content.content == message()


async def test_keeps_what_waits_for_its_report_or_in_the_queue(
    mail: Mail, database: Database
) -> None:
    busy = {"answer": "451 4.3.2 Later, please"}
    control = f"/s/{mail.space}/_sandbox/mss"
    await mail.http.put(f"{control}/trust/operators/voisin/answer", json=busy)
    await mail.run(lambda: mail.submit(message(), FAR_BOX))
    assert (await purge(mail))["messages"] == 0
    (queued,) = (await mail.http.get(f"{control}/queue")).json()
    headers = mail.mint.headers(mail.space, KIT)
    await mail.http.get(f"/mss/messages/{queued['message']}/report", headers=headers)
    assert (await purge(mail))["messages"] == 0
    assert await bodies(database, mail) == 1


async def test_keeps_a_text_that_another_message_has(mail: Mail, database: Database) -> None:
    """The same bytes, sent to Robert by Kit and filed by Robert himself."""
    await removed(mail, message())

    def file() -> None:
        with mail.imap(ROBERT, ROBERT_BOX) as client:
            assert client.append("INBOX", "", None, message())[0] == "OK"

    await mail.run(file)
    assert await purge(mail) == {"messages": 1, "bytes": 0}
    assert await bodies(database, mail) == 1


@pytest.mark.parametrize(
    "recipients", [[ROBERT_BOX], [ROBERT_BOX, KIT_BOX]], ids=["hot", "general"]
)
async def test_bytes_that_come_again_while_they_are_removed_are_taken(
    mail: Mail, database: Database, recipients: list[str]
) -> None:
    """The purge has locked the text when the mail comes, and removes it while the mail waits."""

    def send() -> None:
        with mail.smtp() as client:
            assert client.sendmail(KIT_BOX, recipients, message()) == {}

    await removed(mail, message())
    here = {"space": mail.space}
    async with database.write() as session:
        for what in (
            "UPDATE mss.message SET sha256 = NULL, header = '' WHERE space = :space",
            "SELECT FROM mss.body WHERE space = :space FOR UPDATE",
        ):
            await session.execute(text(what), here)
        sending = asyncio.create_task(mail.run(send))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await waits_for_a_lock(database):
                assert not sending.done()
                await asyncio.sleep(0.02)
        await session.execute(text("DELETE FROM mss.body WHERE space = :space"), here)
    await sending
    assert await bodies(database, mail) == 1


async def waits_for_a_lock(database: Database) -> bool:
    async with database.read() as session:
        found = await session.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database() AND query LIKE '%mss.body%'"
            )
        )
        return bool(found.scalar())


async def test_steps_over_a_message_that_is_being_filed(mail: Mail, database: Database) -> None:
    id_ = await removed(mail, message())
    async with database.write() as session:
        await session.execute(
            text(
                "INSERT INTO mss.item (folder, uid, space, message, internal_date)"
                " SELECT id, uid_next, space, :message, now() FROM mss.folder"
                " WHERE space = :space AND address = :address AND name = 'INBOX'"
            ),
            {"message": UUID(id_), "space": mail.space, "address": KIT_BOX},
        )
        assert (await purge(mail))["messages"] == 0
    assert (await purge(mail))["messages"] == 0
    assert await bodies(database, mail) == 1


async def test_the_same_mail_arrives_whole_when_it_is_sent_again(
    mail: Mail, database: Database
) -> None:
    await removed(mail, message())
    await purge(mail)
    await mail.run(lambda: mail.submit(message()))
    headers = mail.mint.headers(mail.space, ROBERT)
    (found,) = (
        await mail.http.get(f"/mss/mailboxes/{ROBERT_BOX}/messages", headers=headers)
    ).json()["messages"]
    content = await mail.http.get(f"/mss/messages/{found['id']}", headers=headers)
    assert content.content == message()
