"""/_sandbox/ins/people: whom INSi knows in a space, and adding to them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from services.ins import register
from services.ins.api.views import TraitsIn, identity_view, person_view, refuse_if_any
from services.ins.domain.numbers import read_ins
from services.ins.domain.person import Person, RegisteredIns
from services.ins.domain.scenarios import scenarios
from services.ins.service import Identities
from socle.auth.dependencies import RequestSpace, kernel_of
from socle.db.sessions import ReadSession, WriteSession
from socle.http.control import sandbox_only

MATRICULE = r"[0-9]{5}([0-9]{2}|2[AB])[0-9]{6}"
DAY = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$"
router = APIRouter(prefix="/_sandbox/ins", tags=["control plane"], dependencies=[sandbox_only])


class FormerIn(BaseModel):
    """A former INS, kept as it is given: official ones have wrong keys and odd dates."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    oid: str = Field(pattern=r"^(urn:oid:)?1\.2\.250\.1\.213\.1\.4\.(8|9|10|11)$")
    matricule: str = Field(pattern=f"^{MATRICULE}$")
    key: str = Field(pattern=r"^[0-9]{2}$")
    valid_from: str = Field("", pattern=DAY)
    valid_to: str = Field("", pattern=DAY)

    def ins(self) -> RegisteredIns:
        return RegisteredIns(
            self.oid.removeprefix("urn:oid:"),
            self.matricule,
            self.key,
            self.valid_from,
            self.valid_to,
        )


class PersonIn(TraitsIn):
    oid: str = Field(max_length=64)
    matricule: str = Field(max_length=32, description="13 characters, or 15 with the key")
    allow_wrong_key: bool = False
    qualified: bool = False
    history: list[FormerIn] = Field([], max_length=20, description="INSHISTO, in this order")
    insured: str = Field(
        "",
        pattern=f"^({MATRICULE})?$",
        description="the number of whoever the person's Vitale card is; empty for one's own",
    )
    birth_rank: int = Field(1, ge=1, le=9, description="on the card, among twins")

    def person(self) -> Person:
        """The person, or every problem of traits and number at once."""
        ins, problems = read_ins(self.oid, self.matricule, allow_wrong_key=self.allow_wrong_key)
        refuse_if_any([*self.problems(), *problems])
        assert ins is not None
        former = tuple(one.ins() for one in self.history)
        return Person(self.traits(), ins, former, insured=self.insured, birth_rank=self.birth_rank)


@router.get("/people")
async def list_people(
    space: RequestSpace,
    session: ReadSession,
    family_name: Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    """By name; `family_name` is the beginning of the wanted ones."""
    found = await register.list_people(session, space.name, family_name.upper(), limit)
    return [person_view(person) for person in found]


@router.get("/scenarios")
async def list_scenarios() -> list[dict[str, Any]]:
    """The CNDA tests by number: what to send, step by step, and what the answer is here."""
    return list(scenarios())


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
