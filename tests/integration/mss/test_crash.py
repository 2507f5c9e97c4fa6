"""The process dies between the commit and the 250: the mail is there, and a retry adds none."""

import asyncio
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from socle.db.database import Database
from socle.testing.tokens import TokenMint
from tests.patience import PATIENCE_SECONDS

from .conftest import KIT, KIT_BOX, ROBERT_BOX
from .running import DROPPED, environment_of, logged_in, start, stop, submit
from .samples import message

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("nothing_pending")]


@pytest.fixture
def environment(database_url: str, mint: TokenMint, tmp_path: Path) -> Iterator[dict[str, str]]:
    with environment_of(database_url, tmp_path, mint) as environment:
        yield environment


async def test_no_mail_is_lost_or_doubled_when_the_process_is_killed_before_the_250(
    database: Database, environment: dict[str, str], mint: TokenMint, space: str
) -> None:
    token = mint.token(space, KIT)

    first = start(environment, SOCLE_FAILPOINTS="mss.stored=1")
    with pytest.raises(DROPPED):
        submit(environment, token)
    assert first.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert await delivered(database, space) == 1

    second = start(environment)
    try:
        submit(environment, token)
    finally:
        stop(second)
    assert await delivered(database, space) == 1


async def test_no_mail_is_lost_or_doubled_when_the_process_is_killed_after_the_commit_of_a_group(
    database: Database, environment: dict[str, str], mint: TokenMint, space: str
) -> None:
    """Six clients send at once, and all that they have sent again; what one of them was told before is
    in the database when the process is dead."""
    token = mint.token(space, KIT)
    told: set[str] = set()
    tried: set[str] = set()

    def send(rank: int) -> None:
        with suppress(*DROPPED), logged_in(environment, token) as client:
            for number in range(20):
                name = f"<{rank}.{number}@socle.test>"
                tried.add(name)
                client.sendmail(KIT_BOX, [ROBERT_BOX], message(name))
                told.add(name)

    first = start(environment, SOCLE_FAILPOINTS="mss.committed=4", SOCLE_MSS_FLUSHES="1")
    await asyncio.gather(*(asyncio.to_thread(send, rank) for rank in range(6)))
    assert first.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    stored = await stored_in(database, space)
    assert told < set(stored)
    assert set(stored) <= tried

    second = start(environment)
    try:
        await asyncio.to_thread(send_again, environment, token, sorted(tried))
    finally:
        stop(second)
    stored = await stored_in(database, space)
    assert sorted(stored) == sorted(tried)  # each once
    assert sorted(stored.values()) == list(range(1, len(tried) + 1))  # no UID lost or given twice


def send_again(environment: Mapping[str, str], token: str, names: list[str]) -> None:
    with logged_in(environment, token) as client:
        for name in names:
            client.sendmail(KIT_BOX, [ROBERT_BOX], message(name))


async def test_no_mail_is_lost_or_doubled_when_the_courier_dies_after_the_peers_250(
    database: Database, environment: dict[str, str], mint: TokenMint, space: str
) -> None:
    token = mint.token(space, KIT)

    first = start(environment, SOCLE_FAILPOINTS="mss.handed_over=1")
    with suppress(*DROPPED):  # it may die before the 221
        submit(environment, token, "cabinet@voisin.mssante.fr")
    assert first.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert (await delivered(database, space), await queued(database, space)) == (1, 1)

    second = start(environment)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while await queued(database, space) and time.monotonic() < deadline:  # noqa: ASYNC110 (another process empties it)
            await asyncio.sleep(0.1)
    finally:
        stop(second)
    assert (await delivered(database, space), await queued(database, space)) == (1, 0)


async def queued(database: Database, space: str) -> int:
    async with database.read() as session:
        found = await session.execute(
            text("SELECT count(*) FROM mss.queued WHERE space = :space"), {"space": space}
        )
        return int(found.scalar_one())


async def delivered(database: Database, space: str) -> int:
    async with database.read() as session:
        found = await session.execute(
            text("SELECT count(*) FROM mss.item WHERE space = :space"), {"space": space}
        )
        return int(found.scalar_one())


async def stored_in(database: Database, space: str) -> dict[str, int]:
    """The UIDs by Message-ID; a mail that lies there twice fails the test."""
    async with database.read() as session:
        found = await session.execute(
            text(
                "SELECT m.message_id, i.uid FROM mss.item i JOIN mss.message m ON m.id = i.message"
                " WHERE i.space = :space"
            ),
            {"space": space},
        )
        rows = [(row.message_id, row.uid) for row in found]
    stored = dict(rows)
    assert len(stored) == len(rows)
    return stored
