"""Use cases: the rule files in force in a space, those that Socle ships and those of its own."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage import rules_repository as repository
from services.usage.domain.rules import RuleBook, RuleFileRefused, read_book, shipped
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.spaces import Space

MAX_VERSIONS = 200  # of its own files, for one space


@dataclass(frozen=True, slots=True)
class InForce:
    """A rule file as it holds in a space, and where it comes from."""

    book: RuleBook
    origin: Literal["shipped", "space"]
    stored_at: datetime | None = None


async def in_force(session: AsyncSession, space: str) -> Mapping[str, InForce]:
    """By programme: the space's last file of a programme holds instead of the one that is shipped."""
    found = {name: InForce(book, "shipped") for name, book in shipped().items()}
    for row in await repository.latest(session, space):
        found[row.programme] = InForce(_read(row.body, row.programme), "space", row.stored_at)
    return dict(sorted(found.items()))


async def book_of(
    session: AsyncSession, space: str, programme: str, version: str | None = None
) -> InForce:
    """The file in force, or the one of a version that the space keeps or Socle ships."""
    row = await repository.find(session, space, programme, version)
    if row is not None:
        return InForce(_read(row.body, programme), "space", row.stored_at)
    book = shipped().get(programme)
    if book is not None and version in (None, book.programme.version):
        return InForce(book, "shipped")
    if version is not None:
        raise DomainError(
            Category.NOT_FOUND, "rules_unknown", f"{programme} has no version {version} here."
        )
    known = ", ".join(await in_force(session, space))
    raise DomainError(
        Category.NOT_FOUND, "programme_unknown", f"No programme {programme}; known are {known}."
    )


async def store(
    session: WriteSession, space: Space, programme: str, text: bytes
) -> tuple[InForce, bool]:
    """Puts a file of the space's own in force; whether it is new. A version is never rewritten."""
    try:
        book = await asyncio.to_thread(read_book, text, programme)
    except RuleFileRefused as error:
        raise DomainError(
            Category.INCORRECT,
            "rules_refused",
            f"This rule file cannot be used ({len(error.problems)} problems); "
            "GET /usage/rules/schema gives its form.",
            problems=error.problems,
        ) from error
    body = orjson.dumps(book.raw).decode()
    version = book.programme.version
    await repository.lock(session, space.name)
    known = await repository.find(session, space.name, programme, version)
    if known is not None and known.body != body:
        raise DomainError(
            Category.CONFLICT,
            "version_taken",
            f"Version {version} of {programme} is another file; give this one its own version.",
        )
    if known is None and await repository.count(session, space.name) >= MAX_VERSIONS:
        raise DomainError(
            Category.CONFLICT, "too_many_rules", f"A space keeps {MAX_VERSIONS} rule files at most."
        )
    await repository.put(session, space.name, programme, version, body, space.now())
    return InForce(_read(body, programme), "space", space.now()), known is None


async def forget(session: WriteSession, space: str, programme: str) -> int:
    """Removes the space's own files of a programme; what is shipped holds again."""
    return await repository.delete(session, space, programme)


async def versions(session: AsyncSession, space: str, programme: str) -> list[dict[str, Any]]:
    own = [
        {"version": row.version, "origin": "space", "stored_at": row.stored_at}
        for row in await repository.history(session, space, programme)
    ]
    book = shipped().get(programme)
    if book is not None:
        own.append({"version": book.programme.version, "origin": "shipped", "stored_at": None})
    return own


@lru_cache(maxsize=64)
def _read(body: str, programme: str) -> RuleBook:
    """What is stored was validated then; a later Socle may refuse it, and says so."""
    try:
        return read_book(body.encode(), programme)
    except RuleFileRefused as error:
        raise DomainError(
            Category.CONFLICT,
            "rules_outdated",
            f"This version of Socle no longer reads the space's file of {programme}; "
            f"PUT or DELETE /usage/rules/{programme}.",
            problems=error.problems,
        ) from error
