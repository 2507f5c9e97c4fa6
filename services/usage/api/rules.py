"""/usage/rules: the rule files in force in a space, their form, and files of its own."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from services.usage import rule_store
from services.usage.domain.rules import json_schema
from services.usage.rule_store import InForce
from socle.auth.dependencies import CallerSpace
from socle.db.sessions import ReadSession, WriteSession

router = APIRouter(prefix="/usage/rules", tags=["rules"])

MAX_RULE_FILE_BYTES = 256 * 1024
Slug = Annotated[str, Path(pattern=r"^[a-z0-9]+(-[a-z0-9]+){0,9}$", max_length=60)]
Version = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")]


@router.get("")
async def list_rules(space: CallerSpace, session: ReadSession) -> list[dict[str, Any]]:
    """The programmes, and which file of each is in force."""
    return [_summary(file) for file in (await rule_store.in_force(session, space.name)).values()]


@router.get("/schema")
async def read_schema(space: CallerSpace) -> dict[str, Any]:
    """The form of a rule file, as JSON Schema."""
    return json_schema()


@router.get("/{programme}")
async def read_rules(
    programme: Slug, space: CallerSpace, session: ReadSession, version: Version = None
) -> dict[str, Any]:
    """A whole rule file, every number with its source and confidence, in the form that PUT takes."""
    file = await rule_store.book_of(session, space.name, programme, version)
    return file.book.programme.model_dump(mode="json", by_alias=True)


@router.get("/{programme}/versions")
async def list_versions(
    programme: Slug, space: CallerSpace, session: ReadSession
) -> list[dict[str, Any]]:
    """The space's own files, the one in force first, and the one that is shipped."""
    await rule_store.book_of(session, space.name, programme)
    return await rule_store.versions(session, space.name, programme)


@router.put("/{programme}")
async def put_rules(
    programme: Slug, request: Request, response: Response, space: CallerSpace, session: WriteSession
) -> dict[str, Any]:
    """A rule file of the space's own, YAML or JSON: in force from now on."""
    file, is_new = await rule_store.store(session, space, programme, await request.body())
    response.status_code = 201 if is_new else 200
    return _summary(file)


@router.delete("/{programme}")
async def delete_rules(
    programme: Slug, space: CallerSpace, session: WriteSession
) -> dict[str, int]:
    """Forgets the space's own files of a programme; what is shipped is in force again."""
    return {"forgotten": await rule_store.forget(session, space.name, programme)}


def _summary(file: InForce) -> dict[str, Any]:
    rules = file.book.programme
    return {
        "programme": rules.programme,
        "version": rules.version,
        "title": rules.title,
        "status": rules.status,
        "beneficiary": rules.beneficiary,
        "windows": list(rules.windows),
        "indicators": list(rules.indicators),
        "options": {name: option.default for name, option in rules.options.items()},
        "origin": file.origin,
        "stored_at": file.stored_at,
    }
