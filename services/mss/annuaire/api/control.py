"""Control plane of the directory: keys, switches, people in any number."""

import asyncio
from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from services.mss.annuaire import keys, loading
from services.mss.annuaire.domain.population import drawn
from services.mss.annuaire.domain.professionals import entries_of
from services.mss.annuaire.keys import KeyCheck, Switches
from services.mss.settings import MssSettings
from services.mss.trust.seed import DOMAIN
from socle.auth.dependencies import RequestSpace, kernel_of
from socle.db.sessions import ReadSession, WriteSession
from socle.errors import Category, DomainError
from socle.http.control import sandbox_only
from socle.idgen import secret_token
from socle.people.person import Person
from socle.people.population import SIZE

router = APIRouter(
    prefix="/_sandbox/mss/annuaire", tags=["control plane"], dependencies=[sandbox_only]
)


class NewKey(BaseModel):
    """`write` is the right of an operator: to PATCH, and to see the red list."""

    model_config = ConfigDict(extra="forbid")

    label: str = Field("", max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")
    write: bool = False


class KeyOut(BaseModel):
    id: UUID
    label: str
    write: bool
    created_at: datetime


class CreatedKey(KeyOut):
    key: str = Field(repr=False, description="shown this once: only its hash is kept")


class SwitchesIn(BaseModel):
    """null is the service's own setting."""

    model_config = ConfigDict(extra="forbid")

    api_key: KeyCheck | None = None
    as_in_production: bool | None = None


class SwitchesOut(BaseModel):
    """In force, whoever set it."""

    api_key: KeyCheck
    as_in_production: bool


class Loaded(BaseModel):
    """How many are new. `size` people have about 2.4 entries each, and one mailbox."""

    entries: int
    mailboxes: int


@router.post("/keys", status_code=201)
async def create_key(session: WriteSession, space: RequestSpace, asked: NewKey) -> CreatedKey:
    secret, at = secret_token(), space.now()
    id_ = await keys.insert_key(
        session, space.name, secret, asked.label, may_write=asked.write, at=at
    )
    return CreatedKey(id=id_, label=asked.label, write=asked.write, created_at=at, key=secret)


@router.get("/keys")
async def list_keys(session: ReadSession, space: RequestSpace) -> list[KeyOut]:
    return [
        KeyOut(id=key.id, label=key.label, write=key.may_write, created_at=key.created_at)
        for key in await keys.list_keys(session, space.name)
    ]


@router.delete("/keys/{id}", status_code=204)
async def delete_key(session: WriteSession, space: RequestSpace, id: UUID) -> None:
    if not await keys.delete_key(session, space.name, id):
        raise DomainError(Category.NOT_FOUND, "key_unknown", "This space has no such key.")


@router.get("/settings")
async def read_settings(request: Request, session: ReadSession, space: RequestSpace) -> SwitchesOut:
    return _in_force(request, await keys.read_switches(session, space.name))


@router.put("/settings")
async def change_settings(
    request: Request, session: WriteSession, space: RequestSpace, asked: SwitchesIn
) -> SwitchesOut:
    switches = Switches(asked.api_key, asked.as_in_production)
    await keys.store_switches(session, space.name, switches)
    return _in_force(request, switches)


@router.post("/population")
async def populate(
    session: WriteSession,
    space: RequestSpace,
    size: Annotated[int, Query(ge=1, le=10_000, description="again with another start for more")],
    seed: Annotated[int, Query(ge=0, lt=SIZE)] = 0,
    start: Annotated[int, Query(ge=0, lt=SIZE)] = 0,
    mailboxes: Annotated[bool, Query(description="with mailboxes, which take mail")] = True,
) -> Loaded:
    """The same seed and numbers name the same people, here and for Pro Santé Connect."""
    entries, boxes = await asyncio.to_thread(drawn, seed, start, size, DOMAIN)
    stored = await loading.insert_entries(session, space.name, entries, space.now())
    made = await loading.insert_mailboxes(session, space.name, boxes) if mailboxes else 0
    if size >= 1000:
        await loading.refresh_statistics(session)
    return Loaded(entries=stored, mailboxes=made)


@router.post("/people", status_code=201)
async def add_person(session: WriteSession, space: RequestSpace, person: Person) -> Loaded:
    """A person in the words of Pro Santé Connect (`POST /_sandbox/psc/people`), with their RPPS."""
    entries = list(entries_of(person))
    if not entries:
        raise DomainError(
            Category.UNPROCESSABLE, "person_without_rpps",
            "The directory in free access holds professionals with an RPPS only.",
        )  # fmt: skip
    await loading.delete_professional(session, space.name, entries[0].id)
    stored = await loading.insert_entries(session, space.name, entries, space.now())
    return Loaded(entries=stored, mailboxes=0)


def _in_force(request: Request, switches: Switches) -> SwitchesOut:
    found = switches.over(cast(MssSettings, kernel_of(request).settings))
    return SwitchesOut(api_key=found.api_key, as_in_production=found.as_in_production)
