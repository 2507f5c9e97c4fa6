"""Use cases: the evidence files of a dossier, kept by their hash, unchanged once submitted."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage import pieces_repository as repository
from services.usage.domain.acts import holds_number_of_person
from services.usage.domain.measures import Beneficiary
from services.usage.domain.pieces import Kind, check_piece, label_of
from services.usage.indicators import name_of
from services.usage.payments import check_kind
from services.usage.rule_store import book_of
from socle.db.database import WriteSession
from socle.errors import Category, DomainError, too_large
from socle.problems import Problem
from socle.spaces import Space

MAX_PIECES = 200  # of one dossier


@dataclass(frozen=True, slots=True)
class Piece:
    """Without its body."""

    reference: str
    name: str
    media_type: str
    size: int
    sha256: str
    stored_at: datetime
    submitted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came in and was checked."""

    content: bytes
    kind: Kind
    name: str


async def checked(content: bytes, announced: str, name: str, limit: int) -> Upload:
    """By its content. Raises DomainError with what is wrong."""
    if len(content) > limit:
        raise too_large(limit)
    kind, problems = await asyncio.to_thread(check_piece, content, announced, limit)
    if holds_number_of_person(name):
        problems.append(
            Problem("PIECE-NIR", "/name", "reads like the number of a person", "another name")
        )
    if problems or kind is None:
        forbidden = any(problem.rule == "PIECE-NIR" for problem in problems)
        raise DomainError(
            Category.UNPROCESSABLE,
            "donnee_interdite" if forbidden else "piece_refusee",
            f"This file is not kept ({len(problems)} problems).",
            problems=problems,
        )
    return Upload(content, kind, label_of(name, kind))


async def check_dossier(
    session: AsyncSession, space: Space, programme: str, of: Beneficiary
) -> None:
    """A programme and a beneficiary that go together; raises DomainError."""
    check_kind((await book_of(session, space.name, programme)).book.programme, of)
    await name_of(session, space, of)


async def store(
    session: WriteSession,
    space: Space,
    programme: str,
    of: Beneficiary,
    reference: str,
    upload: Upload,
) -> tuple[Piece, bool]:
    """The piece, and whether it is new. The same again changes nothing; another one takes the place
    of one that is not submitted."""
    await check_dossier(session, space, programme, of)
    await repository.lock(session, space.name)
    digest = hashlib.sha256(upload.content).digest()
    key = (space.name, of.key, programme)
    before = await repository.find(session, *key, reference)
    if before is not None:
        same = bytes(before.sha256) == digest
        if same and (before.name == upload.name or before.submitted_at):
            return _piece(before), False
        _require_changeable(before)
    elif await repository.count(session, *key) >= MAX_PIECES:
        raise DomainError(
            Category.CONFLICT, "trop_de_pieces", f"A dossier keeps {MAX_PIECES} pieces at most."
        )
    values = {
        "space": space.name,
        "beneficiary": of.key,
        "programme": programme,
        "reference": reference,
        "name": upload.name,
        "media_type": upload.kind.media_type,
        "size": len(upload.content),
        "sha256": digest,
        "stored_at": space.now(),
        "submitted_at": None,
    }
    await repository.put(session, values, upload.content)
    if before is not None and bytes(before.sha256) != digest:
        await repository.forget_body(session, space.name, bytes(before.sha256))
    found = await _find(session, space, programme, of, reference)
    return _piece(found), before is None


async def list_pieces(
    session: AsyncSession, space: Space, programme: str, of: Beneficiary
) -> list[Piece]:
    await check_dossier(session, space, programme, of)
    return [_piece(row) for row in await repository.listed(session, space.name, of.key, programme)]


async def read(
    session: AsyncSession, space: Space, programme: str, of: Beneficiary, reference: str
) -> tuple[Piece, bytes]:
    found = await _find(session, space, programme, of, reference)
    return _piece(found), await repository.content(session, space.name, bytes(found.sha256))


async def delete(
    session: WriteSession, space: Space, programme: str, of: Beneficiary, reference: str
) -> None:
    await repository.lock(session, space.name)
    found = await _find(session, space, programme, of, reference)
    _require_changeable(found)
    await repository.delete(session, space.name, of.key, programme, reference)
    await repository.forget_body(session, space.name, bytes(found.sha256))


async def submit(
    session: WriteSession, space: Space, programme: str, of: Beneficiary
) -> Sequence[Piece]:
    """All pieces of the dossier; those that were submitted before keep their instant."""
    await check_dossier(session, space, programme, of)
    await repository.lock(session, space.name)
    await repository.submit(session, space.name, of.key, programme, space.now())
    return await list_pieces(session, space, programme, of)


async def _find(
    session: AsyncSession, space: Space, programme: str, of: Beneficiary, reference: str
) -> Row[Any]:
    found = await repository.find(session, space.name, of.key, programme, reference)
    if found is None:
        raise DomainError(
            Category.NOT_FOUND, "piece_inconnue", f"The dossier has no piece {reference}."
        )
    return found


def _require_changeable(found: Row[Any]) -> None:
    if found.submitted_at is not None:
        raise DomainError(
            Category.CONFLICT,
            "piece_immuable",
            f"Piece {found.reference} was submitted on {found.submitted_at.isoformat()}: it changes no "
            "more; store another one under a reference of its own.",
        )


def _piece(row: Row[Any]) -> Piece:
    return Piece(
        row.reference, row.name, row.media_type, row.size, bytes(row.sha256).hex(), row.stored_at,
        row.submitted_at,
    )  # fmt: skip
