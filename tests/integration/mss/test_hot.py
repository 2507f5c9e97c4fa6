"""The one statement of the plain case has the effects of the general way in."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from services.mss import access, intake
from services.mss.domain.envelope import Envelope, Recipient
from services.mss.domain.headers import parse_header
from services.mss.hot.statement import PlainMail
from services.mss.hot.way import answers_nothing, is_plain
from services.mss.intake import Intake, Submitted, Submitter
from socle.db.database import Database

from .conftest import KIT, KIT_BOX, ROBERT_BOX, Mail
from .samples import message

pytestmark = pytest.mark.postgres

ROWS = {
    "message": "SELECT sha256, size, header, sender, message_id FROM mss.message WHERE space = :space",
    "recipient": "SELECT address FROM mss.recipient WHERE space = :space",
    "item": "SELECT uid, flags FROM mss.item WHERE space = :space",
    "folder": "SELECT address, name, uid_next, version FROM mss.folder WHERE space = :space"
    " ORDER BY address, name",
    "report": "SELECT passage, done_at FROM mss.report WHERE space = :space",
    "body": "SELECT sha256, content FROM mss.body WHERE space = :space",
}


async def effects(mail: Mail, database: Database, space: str) -> dict[str, Any]:
    """Every row that a submission to this space left, and its events, without what is drawn anew."""
    submitter = Submitter(space, KIT_BOX, KIT)
    envelope = Envelope(KIT_BOX, (Recipient(ROBERT_BOX),))
    for _ in range(2):  # the second is the same message again
        await mail.app.state.intake.submit(submitter, envelope, message())
    found: dict[str, Any] = {}
    async with database.read() as session:
        for name, statement in ROWS.items():
            rows = await session.execute(text(statement), {"space": space})
            found[name] = [tuple(row) for row in rows]
        rows = await session.execute(text("SELECT topic, value FROM mss.outbox ORDER BY id"))
        events = [(row.topic, orjson.loads(bytes(row.value))) for row in rows]
    found["events"] = [
        (topic, event["type"], {**event["data"], "message": None})
        for topic, event in events
        if event["space"] == space
    ]
    return found


async def test_both_ways_leave_the_same(
    mail: Mail, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = await effects(mail, database, f"{mail.space}-a")
    assert len(plain["events"]) == 2
    monkeypatch.setattr(intake, "is_plain", lambda _: False)
    assert await effects(mail, database, f"{mail.space}-b") == plain


async def test_a_group_of_mails_is_as_many_mails_sent_one_by_one(
    mail: Mail, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several to one mailbox, the same mail twice, one to another mailbox: whoever comes first is let
    through alone, and the others are one statement."""
    intake: Intake = mail.app.state.intake
    space = mail.space
    statements: list[int] = []
    commit = intake.plain._mails.commit

    async def counted(mails: Sequence[PlainMail]) -> Sequence[bool]:
        statements.append(len(mails))
        return await commit(mails)

    monkeypatch.setattr(intake.plain._mails, "commit", counted)
    monkeypatch.setattr(intake.plain._mails, "max_flushes", 1)
    submitter = Submitter(space, KIT_BOX, KIT)

    async def submit(number: int, to: str = ROBERT_BOX) -> Submitted:
        envelope = Envelope(KIT_BOX, (Recipient(to),))
        return await intake.submit(submitter, envelope, message(f"<{number}@socle.test>"))

    await submit(0)  # whoever asks first has the space made
    done = await asyncio.gather(*(submit(n) for n in (1, 2, 3, 3, 4)), submit(5, KIT_BOX))

    assert max(statements) > 2
    assert sum(statements) == 7  # the doubled one was left out, and taken for what it is
    assert done[2].message == done[3].message
    assert [len(one.outcomes) for one in done].count(0) == 1
    async with database.read() as session:
        uids = await session.execute(
            text(
                "SELECT f.address, i.uid, m.message_id, f.uid_next, f.version FROM mss.item i"
                " JOIN mss.folder f ON f.id = i.folder JOIN mss.message m ON m.id = i.message"
                " WHERE i.space = :space ORDER BY f.address, i.uid"
            ),
            {"space": space},
        )
        events = await session.execute(text("SELECT key, topic, value FROM mss.outbox ORDER BY id"))
        told = [orjson.loads(bytes(row.value)) for row in events]
    found = [tuple(row) for row in uids]
    assert [(address, uid, *folder) for address, uid, _, *folder in found] == [
        (KIT_BOX, 1, 2, 1),
        *((ROBERT_BOX, uid, 6, 5) for uid in range(1, 6)),
    ]
    assert sorted(one[2] for one in found) == [f"<{n}@socle.test>" for n in range(6)]
    types = [one["type"].split(".")[2] for one in told if one["space"] == space]
    assert types == ["accepted", "delivered"] * 6


async def test_a_mailbox_that_closes_while_mails_wait_takes_none_of_them(
    mail: Mail, database: Database
) -> None:
    """What was seen of it at RCPT is old by then; its neighbours in the group are not harmed."""
    intake, space = mail.app.state.intake, mail.space
    await mail.app.state.kernel.spaces.get(space)
    submitter = Submitter(space, KIT_BOX, KIT)
    for box in (ROBERT_BOX, KIT_BOX):
        assert await intake.refusal_of(submitter, box) is None
    async with database.write() as session:
        await access.set_state(session, space, ROBERT_BOX, active=False, quota_bytes=None)

    answers = await asyncio.gather(
        *(
            intake.submit(submitter, Envelope(KIT_BOX, (Recipient(to),)), message(f"<{n}@x>"))
            for n, to in enumerate((ROBERT_BOX, KIT_BOX, ROBERT_BOX, KIT_BOX))
        ),
        return_exceptions=True,
    )

    assert [getattr(one, "code", "stored") for one in answers] == [
        "mailbox_closed", "stored", "mailbox_closed", "stored",
    ]  # fmt: skip


async def test_groups_that_meet_in_the_same_folders_do_not_block_one_another(
    mail: Mail, database: Database
) -> None:
    """Two flushes at once, and the general way among them: folders are locked in one order."""
    intake: Intake = mail.app.state.intake
    space = mail.space
    submitter = Submitter(space, KIT_BOX, KIT)
    both = (Recipient(ROBERT_BOX), Recipient(KIT_BOX))

    async def submit(number: int) -> Submitted:
        to = both if number % 5 == 0 else (both[number % 2],)
        content = message(f"<{number}@socle.test>")
        return await intake.submit(submitter, Envelope(KIT_BOX, to), content)

    done = await asyncio.gather(*(submit(number) for number in range(60)))

    assert sum(len(one.outcomes) for one in done) == 72
    async with database.read() as session:
        rows = await session.execute(
            text(
                "SELECT count(*), count(DISTINCT (folder, uid)), max(uid) FROM mss.item i"
                " WHERE space = :space GROUP BY folder"
            ),
            {"space": space},
        )
        assert [tuple(row) for row in rows] == [(36, 36, 36), (36, 36, 36)]


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope("", (Recipient(ROBERT_BOX),)),
        Envelope(KIT_BOX, (Recipient(ROBERT_BOX), Recipient(KIT_BOX))),
        Envelope(KIT_BOX, (Recipient(ROBERT_BOX, frozenset({"SUCCESS"})),)),
        Envelope(KIT_BOX, (Recipient("cabinet@voisin.mssante.fr"),)),
        Envelope(KIT_BOX, (Recipient("146026322000196@patient.mssante.fr"),)),
    ],
)
def test_leaves_the_rest_to_the_general_way(envelope: Envelope) -> None:
    assert not is_plain(envelope)


@pytest.mark.parametrize("header", [b"In-Reply-To: <1@x>\r\n", b"Auto-Submitted: auto-replied\r\n"])
def test_leaves_what_answers_to_the_general_way(header: bytes) -> None:
    assert is_plain(Envelope(KIT_BOX, (Recipient(ROBERT_BOX),)))
    assert answers_nothing(parse_header(message()))
    assert not answers_nothing(parse_header(header + message()))
