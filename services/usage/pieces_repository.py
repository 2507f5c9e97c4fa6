"""SQL of the evidence files of dossiers: their bodies by hash, as the DMP keeps its own (docs/adr/0006)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, func, select, text, update
from sqlalchemy import delete as delete_from
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.tables import piece, piece_body
from socle.db.database import WriteSession


async def lock(session: WriteSession, space: str) -> None:
    """One writer of pieces at a time for a space: two pieces may share a body."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('usage.piece ' || :space, 0))"),
        {"space": space},
    )


def _of(space: str, beneficiary: str, programme: str) -> list[Any]:
    return [
        piece.c.space == space,
        piece.c.beneficiary == beneficiary,
        piece.c.programme == programme,
    ]


async def listed(
    session: AsyncSession, space: str, beneficiary: str, programme: str
) -> Sequence[Row[Any]]:
    """Without their bodies, the first stored first."""
    result = await session.execute(
        select(piece)
        .where(*_of(space, beneficiary, programme))
        .order_by(piece.c.stored_at, piece.c.reference)
    )
    return result.all()


async def find(
    session: AsyncSession, space: str, beneficiary: str, programme: str, reference: str
) -> Row[Any] | None:
    result = await session.execute(
        select(piece).where(*_of(space, beneficiary, programme), piece.c.reference == reference)
    )
    return result.one_or_none()


async def count(session: AsyncSession, space: str, beneficiary: str, programme: str) -> int:
    result = await session.execute(
        select(func.count()).select_from(piece).where(*_of(space, beneficiary, programme))
    )
    total: int = result.scalar_one()
    return total


async def content(session: AsyncSession, space: str, sha256: bytes) -> bytes:
    result = await session.execute(
        select(piece_body.c.content).where(
            piece_body.c.space == space, piece_body.c.sha256 == sha256
        )
    )
    return bytes(result.scalar_one())


async def put(session: WriteSession, values: dict[str, Any], body: bytes) -> None:
    """`values` are all the columns of a piece. The caller holds the lock."""
    await session.execute(
        insert(piece_body)
        .values(space=values["space"], sha256=values["sha256"], content=body)
        .on_conflict_do_nothing(constraint="pk_piece_body")
    )
    changed = {
        name: value
        for name, value in values.items()
        if name not in ("space", "beneficiary", "programme", "reference")
    }
    await session.execute(
        insert(piece).values(**values).on_conflict_do_update(constraint="pk_piece", set_=changed)
    )


async def delete(
    session: WriteSession, space: str, beneficiary: str, programme: str, reference: str
) -> None:
    await session.execute(
        delete_from(piece).where(
            *_of(space, beneficiary, programme), piece.c.reference == reference
        )
    )


async def forget_body(session: WriteSession, space: str, sha256: bytes) -> None:
    """Where no piece has it any more. The caller holds the lock."""
    await session.execute(
        delete_from(piece_body).where(
            piece_body.c.space == space,
            piece_body.c.sha256 == sha256,
            ~exists().where(piece.c.space == space, piece.c.sha256 == sha256),
        )
    )


async def submit(
    session: WriteSession, space: str, beneficiary: str, programme: str, at: datetime
) -> None:
    """Those that are not submitted yet; from then on nothing changes them."""
    await session.execute(
        update(piece)
        .where(*_of(space, beneficiary, programme), piece.c.submitted_at.is_(None))
        .values(submitted_at=at)
    )
