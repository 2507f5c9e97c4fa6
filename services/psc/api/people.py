"""The control plane's part of the directory: people one by one, by extraction, or in any number."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from services.psc.api.context import CurrentProvider
from services.psc.domain import rass
from services.psc.provider import Provider
from services.psc.repository import people
from socle.auth.dependencies import RequestSpace
from socle.db.sessions import ReadSession, WriteSession
from socle.errors import Category, DomainError
from socle.http.control import sandbox_only
from socle.people.person import Person
from socle.people.population import SIZE, population

PEOPLE: Final = "/_sandbox/psc/people"
RASS: Final = f"{PEOPLE}/rass"
EXPORT_PAGE: Final = 2000
router = APIRouter(prefix=PEOPLE, tags=["control plane"], dependencies=[sandbox_only])

NationalId = Annotated[str, Query(pattern=r"^[0-9A-Za-z/_.-]{1,64}$")]
Beginning = Annotated[str, Query(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Synthetic(BaseModel):
    """The same seed and numbers name the same people, here and in every other space."""

    model_config = ConfigDict(extra="forbid")

    count: int = Field(ge=1, le=10_000, description="ask again with another start for more")
    seed: int = Field(0, ge=0, lt=SIZE)
    start: int = Field(0, ge=0, lt=SIZE)


class Stored(BaseModel):
    """`problems` are of people who were left out, when that was asked for."""

    stored: int
    problems: list[dict[str, str]] = []


@router.get("")
async def list_people(
    session: ReadSession,
    space: RequestSpace,
    q: Beginning = "",
    after: NationalId | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> list[Person]:
    """In the order in which they arrived, page after page; or those whose name or identifier
    begins with `q`."""
    if q.strip():
        return await people.search(session, space.name, q, limit)
    return await people.list_all(session, space.name, limit, after)


@router.post("", status_code=201)
async def create_person(session: WriteSession, space: RequestSpace, person: Person) -> Person:
    """Replaces the person of the same SubjectNameID: the same request twice changes nothing."""
    await people.upsert(session, space.name, [person])
    return person


@router.post("/synthetic")
async def make_people(session: WriteSession, space: RequestSpace, asked: Synthetic) -> Stored:
    made = population(asked.seed, asked.start, asked.count)
    return Stored(stored=await people.upsert(session, space.name, made))


@router.post("/rass", openapi_extra={"requestBody": {"content": {"text/plain": {}}}})
async def import_rass(
    request: Request,
    session: WriteSession,
    space: RequestSpace,
    skip_refused: Annotated[
        bool, Query(description="import whoever has no problem in their lines")
    ] = False,
) -> Stored:
    """Everyone of the extraction, or nobody: then the answer has every problem, line by line."""
    body = await request.body()
    found = await asyncio.to_thread(lambda: rass.read(_lines(body)))
    if found.problems and not skip_refused:
        raise DomainError(
            Category.UNPROCESSABLE,
            "rass_refused",
            f"Nobody was imported: {len(found.problems)} problems in {found.rows} lines"
            f" (at most {rass.MAX_PROBLEMS} are told).",
            problems=found.problems,
        )
    stored = await people.upsert(session, space.name, found.people)
    return Stored(stored=stored, problems=[asdict(problem) for problem in found.problems])


@router.get("/rass")
async def export_rass(provider: CurrentProvider, space: RequestSpace) -> StreamingResponse:
    return StreamingResponse(
        _extraction(provider, space.name), media_type="text/plain; charset=utf-8"
    )


@router.get("/{national_id:path}")
async def read_person(session: ReadSession, space: RequestSpace, national_id: str) -> Person:
    found = await people.find(session, space.name, _checked(national_id))
    if found is None:
        raise _unknown()
    return found


@router.delete("/{national_id:path}", status_code=204)
async def delete_person(session: WriteSession, space: RequestSpace, national_id: str) -> None:
    """Whoever is logged in as this person is refused from now on."""
    if not await people.delete(session, space.name, _checked(national_id)):
        raise _unknown()


def _lines(body: bytes) -> Iterator[str]:
    try:
        return iter(body.decode("utf-8").splitlines())
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise DomainError(
            Category.UNPROCESSABLE,
            "rass_encoding",
            f"Line {line} is not UTF-8; save the extraction in UTF-8 (it may begin with a mark).",
        ) from error


async def _extraction(provider: Provider, space: str) -> AsyncIterator[str]:
    """Page after page, so that a million people need no memory."""
    after, header = None, True
    while True:
        async with provider.kernel.database.read() as session:
            page = await people.list_all(session, space, EXPORT_PAGE, after)
        lines = await asyncio.to_thread(_written, page)
        yield "".join(lines if header else lines[1:])
        if len(page) < EXPORT_PAGE:
            return
        after, header = page[-1].SubjectNameID, False


def _written(people: list[Person]) -> list[str]:
    return list(rass.write(people))


def _checked(national_id: str) -> str:
    if not national_id.isascii() or not national_id.isprintable():
        raise _unknown()
    return national_id


def _unknown() -> DomainError:
    return DomainError(
        Category.NOT_FOUND,
        "person_unknown",
        "This space has no such person; GET /_sandbox/psc/people?q= finds them by name.",
    )
