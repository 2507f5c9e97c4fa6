"""PRPA_IN201311UV02 and 201314: create, modify, close and reactivate a record (TD1.1 to TD1.4)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lxml import etree

from services.dmp.domain.record import Oppositions, Person
from services.dmp.patients import names
from services.dmp.patients.demographics import write_custodian, write_person
from services.dmp.patients.names import GDP, HL7
from services.dmp.patients.wrapper import (
    Wrapper,
    acknowledge,
    control_act,
    hl7,
    path_of,
    read_ins,
    write_wrapper,
)
from socle.ids.ins import Ins
from socle.soap.parsing import text_of

_PATIENT = "controlActProcess/subject/registrationRequest/subject1/patient"
# The default one of an answer is that of HL7v3, as the DMP writes it.
_NAMESPACES: Any = {"gdp": GDP, None: HL7}


@dataclass(frozen=True, slots=True)
class Revision:
    """`consents` are those that were given."""

    ins: Ins
    status: str
    person: Person = field(repr=False)
    oppositions: Oppositions
    consents: frozenset[str]
    closing_code: str


def read_revision(asked: Wrapper) -> Revision:
    patient = asked.body.find(path_of(_PATIENT))
    identifiers = [] if patient is None else patient.findall(path_of("id"))
    ins = read_ins(identifiers, f"/{asked.kind}/{_PATIENT}/id")
    assert patient is not None
    observed = _observations(patient)
    status = patient.find(path_of("statusCode"))
    return Revision(
        ins,
        "" if status is None else status.get("code", ""),
        _person(patient),
        Oppositions(observed.get(names.BREAK_GLASS[0]), observed.get(names.EMERGENCY[0])),
        frozenset(code for code in names.CONSENTS if observed.get(code)),
        _closing_code(asked.body),
    )


def write_revision(
    asked: Wrapper,
    ins: Ins,
    status: str,
    person: Person,
    refusal: tuple[str, str] | None,
    at: datetime,
) -> etree._Element:
    """The answer in the wrapper of GDP: done (201312, 201315) or refused (201313, 201316)."""
    done, refused = (
        (names.ADD_DONE, names.ADD_REFUSED)
        if asked.kind == names.ADD
        else (names.REVISE_DONE, names.REVISE_REFUSED)
    )
    outer = etree.Element(f"{{{GDP}}}{asked.kind}_Response", nsmap=_NAMESPACES)
    root = write_wrapper(refused if refusal else done, asked, at, outer)
    acknowledge(root, asked, refusal)
    act = control_act(root, asked)
    subject = hl7(act, "subject", contextConductionInd="false", typeCode="SUBJ")
    if refusal is not None:
        request = hl7(subject, "registrationRequest", classCode="REG", moodCode="RQO")
        _echo(request, "active", ins, status, person)
        return outer
    event = hl7(subject, "registrationEvent", classCode="REG", moodCode="EVN")
    _echo(event, "completed", ins, status, person)
    write_custodian(event)
    return outer


def _echo(parent: etree._Element, state: str, ins: Ins, status: str, person: Person) -> None:
    hl7(parent, "statusCode", code=state)
    patient = hl7(hl7(parent, "subject1", typeCode="SBJ"), "patient", classCode="PAT")
    hl7(patient, "id", extension=ins.with_key, root=ins.oid)
    hl7(patient, "statusCode", code=status)
    named = Person(person.family_name, person.used_name, person.given_name, person.prefix)
    write_person(patient, named, whole=False)


def _observations(patient: etree._Element) -> dict[str, bool]:
    found = {}
    for one in patient.findall(path_of("subjectOf/administrativeObservation")):
        code, value = one.find(path_of("code")), one.find(path_of("value"))
        if code is not None and value is not None and value.get("value") in ("true", "false"):
            found[code.get("code", "")] = value.get("value") == "true"
    return found


def _person(patient: etree._Element) -> Person:
    person = patient.find(path_of("patientPerson"))
    if person is None:
        return Person()
    telecoms = [
        (one.get("use", ""), one.get("value", "")) for one in person.findall(path_of("telecom"))
    ]
    sex, birth = (person.find(path_of(name)) for name in ("administrativeGenderCode", "birthTime"))
    families = {
        one.get("qualifier", ""): text_of(one)[:100]
        for one in person.findall(path_of("name/family"))
    }
    return Person(
        family_name=families.get("BR", "") or families.get("", "") or families.get("SP", ""),
        used_name=families.get("SP", "") or families.get("CL", ""),
        given_name=_text(person, "name/given"),
        prefix=_text(person, "name/prefix"),
        sex="" if sex is None else sex.get("code", "")[:2],
        birth_date="" if birth is None else birth.get("value", "")[:8],
        phone=_telecom(telecoms, "HP", "tel:"),
        mobile=_telecom(telecoms, "MC", "tel:"),
        mail=_telecom(telecoms, "", "mailto:"),
        street=_text(person, "addr/streetAddressLine"),
        postal_code=_text(person, "addr/postalCode"),
        city=_text(person, "addr/city"),
    )


def _text(parent: etree._Element, path: str) -> str:
    found = parent.find(path_of(path))
    return "" if found is None else text_of(found)[:200]


def _telecom(telecoms: list[tuple[str, str]], use: str, scheme: str) -> str:
    return next(
        (
            value.removeprefix(scheme)[:200]
            for one, value in telecoms
            if value.startswith(scheme) and use in ("", one)
        ),
        "",
    )


def _closing_code(body: etree._Element) -> str:
    code = body.find(path_of("controlActProcess/reasonOf/detectedIssueEvent/code"))
    return "" if code is None else code.get("code", "")[:60]
