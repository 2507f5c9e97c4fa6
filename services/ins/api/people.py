"""/_sandbox/ins/people: whom INSi knows in a space, and adding to them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field

from services.ins import register
from services.ins.api.numbers import read_ins
from services.ins.api.views import TraitsIn, identity_view, person_view, refuse_if_any
from services.ins.domain.person import Person
from services.ins.service import Identities
from socle.auth.dependencies import RequestSpace, kernel_of
from socle.db.sessions import ReadSession, WriteSession
from socle.http.control import sandbox_only

router = APIRouter(prefix="/_sandbox/ins", tags=["control plane"], dependencies=[sandbox_only])


class PersonIn(TraitsIn):
    oid: str = Field(max_length=64)
    matricule: str = Field(max_length=32, description="13 characters, or 15 with the key")
    allow_wrong_key: bool = False
    qualified: bool = False

    def person(self) -> Person:
        """The person, or every problem of traits and number at once."""
        ins, problems = read_ins(self.oid, self.matricule, allow_wrong_key=self.allow_wrong_key)
        refuse_if_any([*self.problems(), *problems])
        assert ins is not None
        return Person(self.traits(), ins)


@router.get("/people")
async def list_people(
    space: RequestSpace,
    session: ReadSession,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    return [
        person_view(person) for person in await register.list_people(session, space.name, limit)
    ]


@router.post("/people", status_code=201)
async def add_person(
    request: Request, body: PersonIn, space: RequestSpace, session: WriteSession
) -> dict[str, Any]:
    """Replaces a person of the same number; `qualified` also makes their identity record."""
    person = body.person()
    await register.upsert_people(session, space.name, [person])
    view = person_view(person)
    if body.qualified:
        identities = Identities(kernel_of(request), session, space)
        view["identity"] = identity_view(await identities.make_qualified(person))
    return view
