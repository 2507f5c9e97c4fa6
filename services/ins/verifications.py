"""SQL of verification batches, and the use cases around them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.ins import register
from services.ins.domain.verification import Claim, verify
from services.ins.domain.verification_file import Line
from services.ins.events import identity_verified
from services.ins.tables import verification_batch as batch
from services.ins.tables import verification_line as line
from socle.db.database import WriteSession
from socle.events.outbox import publish
from socle.failpoints import failpoint
from socle.ids.traits import Traits
from socle.kernel import Kernel
from socle.problems import Problem
from socle.spaces import Space

STORED_AT_ONCE = 2000
# Written out, not bound: a plan made for any value could not use the partial indexes.
_OPEN_BATCH = text("finished_at IS NULL")
_OPEN_LINE = text("result IS NULL")


@dataclass(frozen=True, slots=True)
class Batch:
    id: UUID
    digest: bytes
    lines: int
    bad: int
    ok: int
    ko: int
    created_at: datetime
    finished_at: datetime | None

    @property
    def done(self) -> int:
        return self.bad + self.ok + self.ko


@dataclass(frozen=True, slots=True)
class LineResult:
    """`result` is OK, KO, BAD, or None while the line waits."""

    line: int
    reference: str
    result: str | None
    differs: tuple[str, ...]
    problems: tuple[dict[str, str], ...]


async def store(
    session: WriteSession,
    space: str,
    batch_id: UUID,
    lines: Sequence[Line],
    digest: bytes,
    at: datetime,
    reference: str | None,
) -> Batch:
    """The batch of this reference, which may be an earlier one."""
    bad = sum(one.claim is None for one in lines)
    inserted = await session.execute(
        insert(batch)
        .values(
            space=space, id=batch_id, reference=reference, digest=digest, lines=len(lines),
            bad=bad, ok=0, ko=0, created_at=at, finished_at=at if bad == len(lines) else None,
        )
        .on_conflict_do_nothing(constraint="uq_verification_batch_reference")
        .returning(batch.c.id)
    )  # fmt: skip
    if inserted.one_or_none() is None:
        known = await session.execute(
            select(batch).where(batch.c.space == space, batch.c.reference == reference)
        )
        return _batch(known.one())
    for start in range(0, len(lines), STORED_AT_ONCE):
        values = [_values(space, batch_id, one) for one in lines[start : start + STORED_AT_ONCE]]
        await session.execute(insert(line), values)
    found = await get(session, space, batch_id)
    assert found is not None
    return found


async def get(session: AsyncSession, space: str, batch_id: UUID) -> Batch | None:
    row = (
        await session.execute(select(batch).where(batch.c.space == space, batch.c.id == batch_id))
    ).one_or_none()
    return None if row is None else _batch(row)


async def remove(session: WriteSession, space: str, batch_id: UUID) -> bool:
    """With its lines, wherever it stands."""
    removed = await session.execute(
        delete(batch).where(batch.c.space == space, batch.c.id == batch_id).returning(batch.c.id)
    )
    return removed.one_or_none() is not None


async def list_results(
    session: AsyncSession, space: str, batch_id: UUID, after: int, limit: int
) -> list[LineResult]:
    result = await session.execute(
        select(line)
        .where(line.c.space == space, line.c.batch_id == batch_id, line.c.line > after)
        .order_by(line.c.line)
        .limit(limit)
    )
    return [
        LineResult(row.line, row.reference, row.result, tuple(row.differs), tuple(row.problems))
        for row in result
    ]


async def list_open(session: AsyncSession, limit: int) -> list[tuple[str, UUID]]:
    """(space, id) of batches with work left, the oldest first."""
    result = await session.execute(
        select(batch.c.space, batch.c.id).where(_OPEN_BATCH).order_by(batch.c.id).limit(limit)
    )
    return [(row.space, row.id) for row in result]


async def verify_some(
    session: WriteSession, kernel: Kernel, of_space: Space, batch_id: UUID, most: int
) -> int:
    """Verifies the next lines of a batch that no other worker holds; how many there were.

    Verdicts, their events and progress stand or fall together, so a worker that dies leaves no line
    half done.
    """
    space, at = of_space.name, of_space.now()
    held = await session.execute(
        select(batch.c.id)
        .where(batch.c.space == space, batch.c.id == batch_id, _OPEN_BATCH)
        .with_for_update(skip_locked=True)
    )
    if held.one_or_none() is None:
        return 0
    rows = (
        await session.execute(
            select(line.c.line, line.c.claim)
            .where(line.c.space == space, line.c.batch_id == batch_id, _OPEN_LINE)
            .order_by(line.c.line)
            .limit(most)
        )
    ).all()
    claims = {row.line: _claim(row.claim) for row in rows}
    people = await register.find_by_claims(session, space, list(claims.values()))
    verdicts = {number: verify(claim, people.get(claim.number)) for number, claim in claims.items()}
    if verdicts:
        await session.execute(
            update(line)
            .where(
                line.c.space == space,
                line.c.batch_id == batch_id,
                line.c.line == bindparam("number"),
            )
            .values(result=bindparam("verdict"), differs=bindparam("named"), claim=None)
            .execution_options(synchronize_session=False),
            [
                {"number": number, "verdict": one.code, "named": list(one.differs)}
                for number, one in verdicts.items()
            ],
        )
        await publish(
            session,
            "ins",
            [
                identity_verified(kernel, of_space, claims[number], one, "batch", None)
                for number, one in verdicts.items()
            ],
        )
    failpoint("verification.judged")
    confirmed = sum(one.confirmed for one in verdicts.values())
    await session.execute(
        update(batch)
        .where(batch.c.space == space, batch.c.id == batch_id)
        .values(
            ok=batch.c.ok + confirmed,
            ko=batch.c.ko + len(verdicts) - confirmed,
            finished_at=at if len(verdicts) < most else None,
        )
    )
    return len(verdicts)


def _values(space: str, batch_id: UUID, one: Line) -> dict[str, Any]:
    return {
        "space": space,
        "batch_id": batch_id,
        "line": one.number,
        "reference": one.reference,
        "claim": asdict(one.claim) if one.claim else None,
        "problems": [_problem(problem) for problem in one.problems],
        "result": None if one.claim else "BAD",
        "differs": [],
    }


def _problem(problem: Problem) -> dict[str, str]:
    return {
        name: value
        for name in ("rule", "path", "message", "expected", "source")
        if (value := getattr(problem, name))
    }


def _claim(stored: dict[str, Any]) -> Claim:
    return Claim(stored["oid"], stored["matricule"], Traits(**stored["traits"]))


def _batch(row: Row[Any]) -> Batch:
    return Batch(
        row.id, row.digest, row.lines, row.bad, row.ok, row.ko, row.created_at, row.finished_at
    )
