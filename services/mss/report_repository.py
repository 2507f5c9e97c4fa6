"""SQL of the reports and of the policy of a space."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.domain.lint.report import VERSION, Report
from socle.clock import wall
from socle.db.database import WriteSession

_DONE = (
    " done_at = :done_at, rules_version = :version, outcome = :outcome,"
    " verdicts = CAST(:verdicts AS jsonb)"
)


@dataclass(frozen=True, slots=True)
class StoredReport:
    """`verdicts` is None while the message waits for its report."""

    message: UUID
    passage: dict[str, Any]
    requested_at: datetime
    rules_version: int | None
    outcome: str | None
    verdicts: list[dict[str, Any]] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Examined:
    """What a report is made of."""

    content: bytes = field(repr=False)
    sender: str = field(repr=False)
    recipients: tuple[str, ...] = field(repr=False)


async def read_modes(session: AsyncSession, space: str) -> tuple[str | None, str | None]:
    """Of the rules, and of From; None where the space has not said."""
    found = await session.execute(
        text("SELECT mode, from_mode FROM mss.lint_policy WHERE space = :space"), {"space": space}
    )
    row = found.one_or_none()
    return (row.mode, row.from_mode) if row else (None, None)


async def store_modes(
    session: WriteSession, space: str, mode: str | None, from_mode: str | None
) -> None:
    """What is None stays."""
    await session.execute(
        text(
            "INSERT INTO mss.lint_policy AS p VALUES (:space, :mode, :from_mode)"
            " ON CONFLICT (space) DO UPDATE SET mode = coalesce(:mode, p.mode),"
            " from_mode = coalesce(:from_mode, p.from_mode)"
        ),
        {"space": space, "mode": mode, "from_mode": from_mode},
    )


async def request(
    session: WriteSession, space: str, message: UUID, passage: dict[str, Any], at: datetime
) -> None:
    """In the transaction that accepts the message: no message without its report to come."""
    await session.execute(
        text(
            "INSERT INTO mss.report (space, message, passage, requested_at)"
            " VALUES (:space, :message, CAST(:passage AS jsonb), :at) ON CONFLICT DO NOTHING"
        ),
        {"space": space, "message": message, "passage": orjson.dumps(passage).decode(), "at": at},
    )


async def take(session: WriteSession) -> tuple[str, UUID] | None:
    """The oldest that waits and that nobody else has; it is held until the transaction ends."""
    found = await session.execute(
        text(
            "SELECT space, message FROM mss.report WHERE done_at IS NULL"
            " ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED"
        )
    )
    row = found.one_or_none()
    return (row.space, row.message) if row else None


async def finish(session: WriteSession, space: str, message: UUID, report: Report) -> None:
    await session.execute(
        text(f"UPDATE mss.report SET{_DONE} WHERE space = :space AND message = :message"),
        {
            "space": space,
            "message": message,
            "done_at": wall(),
            "version": VERSION,
            "outcome": report.outcome,
            "verdicts": orjson.dumps(report.as_json()).decode(),
        },
    )


async def get_report(session: AsyncSession, space: str, message: UUID) -> StoredReport | None:
    found = await session.execute(
        text(
            "SELECT message, passage, requested_at, rules_version, outcome, verdicts"
            " FROM mss.report WHERE space = :space AND message = :message"
        ),
        {"space": space, "message": message},
    )
    row = found.one_or_none()
    return StoredReport(*row) if row else None


async def get_examined(session: AsyncSession, space: str, message: UUID) -> Examined | None:
    """None where the text was purged, which happens to no message that waits for its report."""
    found = await session.execute(
        text(
            "SELECT b.content, m.sender,"
            " ARRAY(SELECT r.address FROM mss.recipient r WHERE r.space = m.space AND r.message = m.id"
            "  ORDER BY r.address) AS recipients"
            " FROM mss.message m JOIN mss.body b USING (space, sha256)"
            " WHERE m.space = :space AND m.id = :message"
        ),
        {"space": space, "message": message},
    )
    row = found.one_or_none()
    if row is None:
        return None
    return Examined(bytes(row.content), row.sender or "", tuple(row.recipients))


async def list_reports(
    session: AsyncSession,
    space: str,
    *,
    after: UUID | None,
    outcome: str | None,
    rules: Sequence[str] | None,
    limit: int,
) -> list[StoredReport]:
    """By growing age of the message's id; `rules` keeps those where one of them found something."""
    conditions = ["space = :space"]
    values: dict[str, Any] = {"space": space, "limit": limit}
    if after is not None:
        conditions.append("message > :after")
        values["after"] = after
    if outcome is not None:
        conditions.append("outcome = :outcome")
        values["outcome"] = outcome
    if rules is not None:
        conditions.append(
            "EXISTS (SELECT FROM jsonb_array_elements(verdicts) v WHERE v ->> 'rule' = ANY(:rules)"
            " AND v ->> 'outcome' IN ('failed', 'warning'))"
        )
        values["rules"] = list(rules)
    found = await session.execute(
        text(
            "SELECT message, passage, requested_at, rules_version, outcome, verdicts FROM mss.report"
            f" WHERE {' AND '.join(conditions)} ORDER BY message LIMIT :limit"
        ),
        values,
    )
    return [StoredReport(*row) for row in found]


async def summarise(session: AsyncSession, space: str) -> dict[str, dict[str, int]]:
    """Rule to outcome to the number of messages."""
    found = await session.execute(
        text(
            "SELECT v ->> 'rule' AS rule, v ->> 'outcome' AS outcome, count(*) AS messages"
            " FROM mss.report, jsonb_array_elements(verdicts) v"
            " WHERE space = :space AND verdicts IS NOT NULL GROUP BY 1, 2"
        ),
        {"space": space},
    )
    counted: dict[str, dict[str, int]] = {}
    for row in found:
        counted.setdefault(row.rule, {})[row.outcome] = row.messages
    return counted


async def count(session: AsyncSession, space: str) -> tuple[int, int]:
    """Messages with a report, and those that wait for theirs."""
    found = await session.execute(
        text(
            "SELECT count(done_at) AS done, count(*) FILTER (WHERE done_at IS NULL) AS waiting"
            " FROM mss.report WHERE space = :space"
        ),
        {"space": space},
    )
    row = found.one()
    return row.done, row.waiting
