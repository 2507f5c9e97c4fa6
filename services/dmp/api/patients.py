"""/si-dmp-server/v2/services/{patients,habilitations}: TD0.2 to TD0.5, TD1.1 to TD1.4, TD1.6."""

from collections.abc import Awaitable, Callable
from typing import cast

from fastapi import APIRouter, Request, Response
from lxml import etree

from services.dmp.api import soap
from services.dmp.domain.record import Record
from services.dmp.hot.registrar import Registrar
from services.dmp.patients import candidates, demographics, names, revision, rights
from services.dmp.patients.wrapper import read_wrapper
from services.dmp.records import (
    NO_CONSENT,
    NOT_FOUND,
    Professional,
    RecordRefused,
    Records,
)
from services.dmp.xds.access import Caller
from services.dmp.xds.faults import DmpFault
from services.dmp.xds.message import Message
from socle.auth.dependencies import kernel_of
from socle.ids.ins import Ins
from socle.problems import Problem

router = APIRouter(tags=["DMP patients"])
Answerer = Callable[[Records, Caller, etree._Element], Awaitable[etree._Element]]


@router.post(f"{soap.PREFIX}/patients", response_class=Response)
async def patients(request: Request) -> Response:
    """By HL7v3, but for patientList."""
    return await _answer(request, _PATIENTS)


@router.post(f"{soap.PREFIX}/habilitations", response_class=Response)
async def habilitations(request: Request) -> Response:
    """Who may read: for the patient whom the VIHF names."""
    return await _answer(request, _RIGHTS)


async def _answer(request: Request, answerers: dict[str, Answerer]) -> Response:
    """The element of the body says what is asked (names.ANSWER_ACTIONS)."""
    message, caller = await soap.read(request)
    answerer = answerers.get(message.body.tag)
    if answerer is None:
        raise _unknown(message, sorted(answerers))
    await soap.require_right(request, message, caller, _transaction(message.body))
    registrar = cast(Registrar, request.app.state.registrar)
    records = Records(kernel_of(request), caller.space, registrar.ins, caller.token)
    body = await answerer(records, caller, message.body)
    return soap.answer(message, names.ANSWER_ACTIONS[message.body.tag], body)


def _transaction(body: etree._Element) -> str:
    """As the rights matrix names it; "" for one that it does not restrict."""
    if body.tag == f"{{{names.HL7}}}{names.QUERY}":
        return "TD1.3a" if read_wrapper(body).reason_code == names.CONSULT else "TD0.2"
    return _TRANSACTIONS.get(body.tag, "")


async def _demographics(records: Records, caller: Caller, body: etree._Element) -> etree._Element:
    asked = read_wrapper(body)
    ins = demographics.read_patient(asked)
    record = await records.find(ins)
    right = await records.right(ins, caller.identifier) if record else None
    return demographics.write_demographics(asked, record, right, records.space.now())


async def _candidates(records: Records, caller: Caller, body: etree._Element) -> etree._Element:
    """The regulation alone searches without an INS (spec: dmp.md §1.9)."""
    purpose = caller.vihf.purpose if caller.vihf else ""
    if purpose != "centre_15":
        problem = Problem(
            "DMP-TD0.5",
            "/Envelope/Header/Security/Assertion/AttributeStatement/purposeofuse",
            f"the purpose of use is {purpose or 'not told'}",
            "centre_15: only a regulation searches a patient by name",
            source="spec dmp.md §1.9",
        )
        raise DmpFault(
            "SocleRights", "La recherche sans INS est réservée à la régulation.", [problem]
        )
    asked = read_wrapper(body)
    name = candidates.read_family_name(asked)
    found = await records.candidates(name, candidates.MAX_CANDIDATES * 2)
    return candidates.write_candidates(asked, found, records.space.now())


async def _revise(records: Records, _caller: Caller, body: etree._Element) -> etree._Element:
    asked = read_wrapper(body)
    wanted = revision.read_revision(asked)
    refusal: tuple[str, str] | None = None
    status, person = wanted.status, wanted.person
    try:
        record = await _done(records, asked.kind, asked.reason_code, wanted)
        status, person = record.status, record.person
    except RecordRefused as error:
        refusal = (error.code, error.text)
    return revision.write_revision(asked, wanted.ins, status, person, refusal, records.space.now())


async def _done(records: Records, kind: str, reason: str, wanted: revision.Revision) -> Record:
    if kind == names.ADD:
        _require_consent(wanted, names.CONSENTS[0])
        return await records.open(wanted.ins, wanted.person, wanted.oppositions)
    if reason == names.CLOSE or wanted.status == "terminated":
        return await records.close(wanted.ins, wanted.closing_code or names.CLOSED_BY_PATIENT)
    if reason == names.REACTIVATE:
        _require_consent(wanted, names.CONSENTS[1])
        return await records.reactivate(wanted.ins)
    return await records.revise(wanted.ins, wanted.person, wanted.oppositions)


def _require_consent(wanted: revision.Revision, code: str) -> None:
    if code not in wanted.consents:
        raise RecordRefused(NO_CONSENT, f"Le consentement du patient n'est pas donné : {code}.")


async def _list(records: Records, caller: Caller, body: etree._Element) -> etree._Element:
    since, kind = rights.read_since(body)
    found = await records.readable(caller.identifier)
    return rights.write_list([one for one in found if rights.is_wanted(one, since, kind)])


async def _set_right(records: Records, caller: Caller, body: etree._Element) -> etree._Element:
    action, treating = rights.read_action(body)
    ins = _patient_of(caller)
    if action == "SUPPRESSION":
        done = await records.withdraw(ins, caller.identifier, treating=treating)
        text = "Autorisation supprimée" if done else "Autorisation absente aucune action effectuée"
        return rights.write_action(names.OK, text)
    try:
        done = await records.authorize(ins, professional_of(caller), treating=treating)
    except RecordRefused as refused:
        return rights.write_action(refused.code, refused.text)
    text = "Autorisation ajoutée" if done else "Autorisation déjà présente aucune action effectuée"
    return rights.write_action(names.OK, text)


async def _list_rights(records: Records, caller: Caller, body: etree._Element) -> etree._Element:
    ins = _patient_of(caller)
    mode = rights.read_mode(body)
    if await records.find(ins) is None:
        raise DmpFault(NOT_FOUND, "Ce patient n'a pas de DMP.")
    return rights.write_rights(await records.rights(ins, mode))


def professional_of(caller: Caller) -> Professional:
    """A token knows the identifier alone; a VIHF has a name to show, and codes of profession and
    specialty, in the form that TD1.6 lists: G15_10/SM26."""
    vihf = caller.vihf
    if vihf is None:
        return Professional(caller.identifier)
    given, _, family = vihf.subject.partition(" ")
    profession, specialty = [*vihf.roles, "", ""][:2]
    code = f"G15_{profession}/{specialty}" if profession and specialty else profession
    return Professional(caller.identifier, given, family, code)


def _patient_of(caller: Caller) -> Ins:
    if caller.vihf is None or caller.vihf.patient is None:
        problem = Problem(
            "DMP-VIHF-PATIENT",
            "/Envelope/Header/Security/Assertion/AttributeStatement/resource-id",
            "the VIHF names no patient",
            "the INS as a CX: <15 characters>^^^&<OID>&ISO^NH",
            source="spec dmp.md §1.3 (TD0.3)",
        )
        raise DmpFault("SocleVihf", "Le VIHF ne nomme pas le patient.", [problem])
    return caller.vihf.patient


def _unknown(message: Message, served: list[str]) -> DmpFault:
    expected = " or ".join(one.rpartition("}")[2] for one in served)
    problem = Problem("DMP-WSA-ActionNotSupported", "/Envelope/Body", "this service has no such message",
                      expected, source="spec dmp.md §1.2")  # fmt: skip
    return DmpFault("ActionNotSupported", "wsa:ActionNotSupported", [problem],
                    relates_to=message.message_id, addressing=True)  # fmt: skip


_PATIENTS: dict[str, Answerer] = {
    f"{{{names.HL7}}}{names.QUERY}": _demographics,
    f"{{{names.HL7}}}{names.FIND}": _candidates,
    f"{{{names.HL7}}}{names.ADD}": _revise,
    f"{{{names.HL7}}}{names.REVISE}": _revise,
    f"{{{names.PATIENTS}}}patientList": _list,
}
_RIGHTS: dict[str, Answerer] = {
    f"{{{names.RIGHTS}}}setAuthorization": _set_right,
    f"{{{names.RIGHTS}}}listAuthorizationByPatient": _list_rights,
}

_TRANSACTIONS = {
    f"{{{names.PATIENTS}}}patientList": "TD0.4",
    f"{{{names.RIGHTS}}}setAuthorization": "TD0.3",
    f"{{{names.RIGHTS}}}listAuthorizationByPatient": "TD1.6",
}
