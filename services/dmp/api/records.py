"""/_sandbox/dmp/records: the state of patients' records, for whoever prepares a test."""

from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from services.dmp import record_repository
from services.dmp.domain.record import AccessRight, Person, Record
from services.dmp.hot.registrar import Registrar
from services.dmp.records import Records
from socle.auth.dependencies import RequestSpace, kernel_of
from socle.db.sessions import ReadSession
from socle.errors import Category, DomainError
from socle.http.control import sandbox_only
from socle.ids.ins import Ins
from socle.problems import Problem
from socle.spaces import Space

router = APIRouter(prefix="/_sandbox/dmp", tags=["control plane"], dependencies=[sandbox_only])
_TEXT = r"^[^\x00-\x1f]*$"
_STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True)


class PatientIn(BaseModel):
    """In the body, because a path or a query would carry the INS into access logs."""

    model_config = _STRICT

    oid: str = Field(max_length=64)
    matricule: str = Field(max_length=32, description="13 characters, or 15 with the key")

    def ins(self) -> Ins:
        ins, faults = Ins.check(self.oid, self.matricule)
        if ins is None:
            problems = [Problem("INS-FORM", "/matricule", one) for one in faults]
            raise DomainError(Category.INCORRECT, "ins_malformed", "This is no INS.",
                              problems=problems)  # fmt: skip
        return ins


class PersonIn(BaseModel):
    model_config = _STRICT

    family_name: str = Field("", max_length=100, pattern=_TEXT)
    used_name: str = Field("", max_length=100, pattern=_TEXT)
    given_name: str = Field("", max_length=100, pattern=_TEXT)
    sex: Literal["M", "F", ""] = ""
    birth_date: str = Field("", pattern=r"^([0-9]{8})?$", description="YYYYMMDD")


class RightIn(BaseModel):
    model_config = _STRICT

    professional: str = Field(min_length=1, max_length=64, pattern=_TEXT, description="PS_IdNat")
    mode: Literal["ACTIVE", "INTERDITE"] = "ACTIVE"
    is_treating_doctor: bool = False


class RecordIn(PatientIn):
    """Everything that is left out is as for everybody: an open record of Mon espace santé."""

    status: Literal["active", "terminated", "absent"] = "active"
    person: PersonIn = PersonIn()
    attached: bool = True
    internet_account: bool = True
    opposes_break_glass: bool = False
    opposes_emergency: bool = False
    opposes_feeding: bool = False
    shows_masked_in_emergency: bool = False
    rights: list[RightIn] = Field([], max_length=100)


@router.get("/records")
async def list_records(
    space: RequestSpace,
    session: ReadSession,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    """Those that are not as for everybody."""
    found = await record_repository.list_records(session, space.name, limit)
    return [view(one) for one in found]


@router.post("/records")
async def set_record(request: Request, body: RecordIn, space: RequestSpace) -> dict[str, Any]:
    """Replaces the record and its rights as a whole."""
    ins, kernel, now = body.ins(), kernel_of(request), space.now()
    pseudonym = kernel.pseudonym(space.name, ins.oid, ins.matricule)
    record = Record(
        ins,
        body.status,
        Person(**body.person.model_dump()),
        body.attached,
        body.internet_account,
        body.opposes_break_glass,
        body.opposes_emergency,
        body.opposes_feeding,
        body.shows_masked_in_emergency,
        closed_at=now if body.status == "terminated" else None,
        opened_at=now if body.status == "active" else None,
    )
    rights = [
        AccessRight(one.professional, one.mode, one.is_treating_doctor, now, now)
        for one in body.rights
    ]
    async with kernel.database.write() as session:
        await record_repository.store_record(session, space.name, pseudonym, record)
        await record_repository.replace_rights(session, space.name, pseudonym, rights)
    return {**view(record), "rights": [_right(one) for one in rights]}


@router.post("/records/read")
async def read_record(request: Request, body: PatientIn, space: RequestSpace) -> dict[str, Any]:
    """As the DMP sees it: what is stored, or what every qualified patient has."""
    records, ins = _records(request, space), body.ins()
    record = await records.find(ins)
    if record is None:
        raise DomainError(Category.NOT_FOUND, "record_unknown", "This patient has no DMP here.")
    rights = await records.rights(ins, "TOUTE")
    return {**view(record), "rights": [_right(one) for one in rights]}


def _records(request: Request, space: Space) -> Records:
    registrar = cast(Registrar, request.app.state.registrar)
    return Records(kernel_of(request), space, registrar.ins)


def view(record: Record) -> dict[str, Any]:
    flags = {
        name: getattr(record, name)
        for name in (
            "status", "attached", "internet_account", "opposes_break_glass", "opposes_emergency",
            "opposes_feeding", "shows_masked_in_emergency", "closing_code", "closed_at", "opened_at",
        )
    }  # fmt: skip
    return {
        "oid": record.ins.oid,
        "matricule": record.ins.with_key,
        **flags,
        "person": record.person.as_json(),
    }


def _right(right: AccessRight) -> dict[str, Any]:
    return {name: getattr(right, name) for name in right.__slots__}
