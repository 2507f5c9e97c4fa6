"""/ins/verifications: does an INS go with these traits? One by one, or a file of them.

The real service has this too (WS_INS3 to WS_INS5), by a contract that is not public: these routes
are the sandbox's own, and every answer says so.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import Field
from starlette.responses import StreamingResponse

from services.ins import register, verifications
from services.ins.api.views import TraitsIn, refuse_if_any
from services.ins.domain.numbers import read_ins
from services.ins.domain.verification import Claim, Verdict
from services.ins.domain.verification import verify as compare
from services.ins.domain.verification_file import CSV, JSON_LINES, UnreadableFile, read_file
from services.ins.events import identity_verified
from services.ins.settings import InsSettings
from services.ins.verifications import Batch, LineResult
from socle.auth.dependencies import CallerSpace, Professional, kernel_of
from socle.db.sessions import ReadSession, WriteSession
from socle.errors import Category, DomainError
from socle.events.outbox import publish
from socle.idgen import uuid7

BATCHES = "/ins/verifications/batches"
EXPORT_PAGE = 2000
_CONTRACT = {"Socle-Contract": "sandbox only: that of WS_INS3 to WS_INS5 is not public"}
_TYPES = {
    CSV: CSV,
    JSON_LINES: JSON_LINES,
    "application/jsonl": JSON_LINES,
    "application/ndjson": JSON_LINES,
}


def _marked(response: Response) -> None:
    response.headers.update(_CONTRACT)


router = APIRouter(tags=["verification"], dependencies=[Depends(_marked)])


class ClaimIn(TraitsIn):
    oid: str = Field(max_length=64)
    matricule: str = Field(max_length=32, description="13 characters, or 15 with the key")

    def claim(self) -> Claim:
        ins, problems = read_ins(self.oid, self.matricule)
        refuse_if_any([*problems, *self.problems()])
        assert ins is not None
        return Claim(ins.oid, ins.matricule, self.traits())


@router.post("/ins/verifications")
async def verify(
    request: Request,
    body: ClaimIn,
    professional: Professional,
    space: CallerSpace,
    session: WriteSession,
) -> dict[str, Any]:
    """OK or KO, and the names of the traits that differ; never their values."""
    claim = body.claim()
    found = await register.find_by_claims(session, space.name, [claim])
    verdict: Verdict = compare(claim, found.get(claim.number))
    event = identity_verified(
        kernel_of(request), space, claim, verdict, "single", professional.national_id
    )
    await publish(session, "ins", [event])
    return {"result": verdict.code, "differs": list(verdict.differs)}


@router.post(BATCHES, status_code=202)
async def submit(
    request: Request,
    response: Response,
    space: CallerSpace,
    idempotency_key: Annotated[
        str | None, Header(min_length=1, max_length=200, pattern=r"^[\x20-\x7e]*$")
    ] = None,
) -> dict[str, Any]:
    """A CSV or JSON-lines file. Bad lines are told at once, the others are verified in turn."""
    kernel = kernel_of(request)
    settings = cast(InsSettings, kernel.settings)
    media_type = _media_type(request)
    content = await request.body()
    try:
        lines = await asyncio.to_thread(
            read_file, content, media_type, settings.ins_max_batch_lines
        )
    except UnreadableFile as error:
        raise DomainError(
            Category.UNPROCESSABLE,
            "batch_unreadable",
            f"Le fichier ne peut pas être lu : {error.problem.message}.",
            problems=[error.problem],
        ) from error
    digest = hashlib.sha256(media_type.encode() + b"\0" + content).digest()
    async with kernel.database.write() as session:
        batch = await verifications.store(
            session, space.name, uuid7(), lines, digest, space.now(), idempotency_key
        )
    if batch.digest != digest:
        raise DomainError(
            Category.CONFLICT,
            "reference_taken",
            "Idempotency-Key désigne déjà un lot dont le contenu est différent.",
        )
    response.headers["Location"] = f"{request.state.space_prefix}{BATCHES}/{batch.id}"
    _tell_to_wait(batch, response)
    return _view(batch)


@router.get(BATCHES + "/{batch_id}")
async def read(
    batch_id: UUID, response: Response, space: CallerSpace, session: ReadSession
) -> dict[str, Any]:
    """How far it is; `Retry-After` says when to ask again."""
    batch = await _found(session, space.name, batch_id)
    _tell_to_wait(batch, response)
    return _view(batch)


@router.delete(BATCHES + "/{batch_id}", status_code=204, response_class=Response)
async def remove(batch_id: UUID, space: CallerSpace, session: WriteSession) -> Response:
    """With its results; what is not verified yet never will be."""
    if not await verifications.remove(session, space.name, batch_id):
        raise _unknown()
    return Response(status_code=204, headers=_CONTRACT)


@router.get(BATCHES + "/{batch_id}/results")
async def read_results(
    batch_id: UUID,
    space: CallerSpace,
    session: ReadSession,
    after: Annotated[
        int, Query(ge=0, le=10**9, description="the last line of the page before")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> dict[str, Any]:
    """In the order of the file; a line that waits has no result yet. `next` is the next `after`."""
    await _found(session, space.name, batch_id)
    found = await verifications.list_results(session, space.name, batch_id, after, limit)
    return {
        "results": [_result(one) for one in found],
        "next": found[-1].line if len(found) == limit else None,
    }


@router.get(BATCHES + "/{batch_id}/results.csv", response_class=StreamingResponse)
async def export_results(
    batch_id: UUID, request: Request, space: CallerSpace, session: ReadSession
) -> StreamingResponse:
    await _found(session, space.name, batch_id)
    headers = {**_CONTRACT, "Content-Disposition": f'attachment; filename="{batch_id}.csv"'}
    rows = _rows(request, space.name, batch_id)
    return StreamingResponse(rows, headers=headers, media_type="text/csv; charset=utf-8")


async def _rows(request: Request, space: str, batch_id: UUID) -> AsyncIterator[str]:
    """A session a page: a slow reader holds no connection meanwhile."""
    yield "line;reference;result;differs;problems\r\n"
    after, database = 0, kernel_of(request).database
    while True:
        async with database.read() as session:
            page = await verifications.list_results(session, space, batch_id, after, EXPORT_PAGE)
        if not page:
            return
        after = page[-1].line
        yield "".join(_row(one) for one in page)


def _row(one: LineResult) -> str:
    rules = ",".join(problem["rule"] for problem in one.problems)
    cells = (str(one.line), _cell(one.reference), one.result or "", ",".join(one.differs), rules)
    return ";".join(cells) + "\r\n"


def _cell(value: str) -> str:
    """Quoted where needed; a spreadsheet must not take a reference for a formula."""
    if value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        value = f"'{value}"
    if any(char in value for char in ';"\r\n'):
        return '"' + value.replace('"', '""') + '"'
    return value


def _view(batch: Batch) -> dict[str, Any]:
    return {
        "id": str(batch.id),
        "status": "done"
        if batch.finished_at
        else "running"
        if batch.done > batch.bad
        else "waiting",
        "lines": batch.lines,
        "done": batch.done,
        "ok": batch.ok,
        "ko": batch.ko,
        "bad": batch.bad,
        "created_at": batch.created_at,
        "finished_at": batch.finished_at,
    }


def _result(one: LineResult) -> dict[str, Any]:
    return {
        "line": one.line,
        "reference": one.reference,
        "result": one.result,
        "differs": list(one.differs),
        "problems": list(one.problems),
    }


def _tell_to_wait(batch: Batch, response: Response) -> None:
    if batch.finished_at is None:
        response.headers["Retry-After"] = "1"


def _media_type(request: Request) -> str:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in _TYPES:
        raise DomainError(
            Category.INCORRECT,
            "media_type",
            f"Content-Type est « {given[:60]} » ; envoyez text/csv ou application/x-ndjson.",
            status=415,
        )
    return _TYPES[given]


async def _found(session: ReadSession, space: str, batch_id: UUID) -> Batch:
    batch = await verifications.get(session, space, batch_id)
    if batch is None:
        raise _unknown()
    return batch


def _unknown() -> DomainError:
    return DomainError(
        Category.NOT_FOUND, "batch_unknown", "Aucun lot de cet espace n'a cet identifiant."
    )
