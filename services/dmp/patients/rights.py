"""The DMP's own messages: setAuthorization (TD0.3), listAuthorizationByPatient (TD1.6), patientList
(TD0.4). Their elements and order are those of the WSDL annex."""

from collections.abc import Sequence
from datetime import datetime

from lxml import etree

from services.dmp.domain.record import TREATING_DOCTOR, AccessRight
from services.dmp.patients import names
from services.dmp.patients.names import PATIENTS, RIGHTS
from services.dmp.record_repository import ListedRecord
from services.dmp.xds.faults import DmpFault
from socle.ids import oids
from socle.problems import Problem

SOURCE = "WSDL annex of the editor's kit; spec dmp.md §1.3"
ACTIONS = ("AJOUT", "SUPPRESSION")
MODES = ("ACTIVE", "INTERDITE", "TOUTE")
DATE_TYPES = ("LASTAUTORIZATION", "LASTDOC")


def read_action(body: etree._Element) -> tuple[str, bool]:
    """AJOUT or SUPPRESSION, and whether the role of treating doctor is meant."""
    action = _one_of(body, RIGHTS, "action", ACTIONS)
    role = body.findtext(f"{{{RIGHTS}}}role") or ""
    if role not in ("", TREATING_DOCTOR):
        raise _refused("role", role, (TREATING_DOCTOR,))
    return action, role == TREATING_DOCTOR


def read_mode(body: etree._Element) -> str:
    return _one_of(body, RIGHTS, "mode", MODES, default="TOUTE")


def read_since(body: etree._Element) -> tuple[str, str]:
    """The stamp and the kind of date of TD0.4; an empty stamp does not restrict."""
    kind = _one_of(body, PATIENTS, "dateType", DATE_TYPES, default="LASTAUTORIZATION")
    since = (body.findtext(f"{{{PATIENTS}}}startDate") or "").strip()
    if since and not (since.isascii() and since.isdecimal() and 8 <= len(since) <= 14):
        raise _refused("startDate", since, ("YYYYMMDDhhmmss",))
    return since.ljust(14, "0") if since else "", kind


def write_action(status: str, context: str) -> etree._Element:
    root = _answer(RIGHTS, "setAuthorizationResponse")
    output = _child(root, RIGHTS, "output")
    _child(output, RIGHTS, "status", status)
    _child(output, RIGHTS, "context", context)
    return root


def write_rights(rights: Sequence[AccessRight]) -> etree._Element:
    root = _answer(RIGHTS, "listAuthorizationByPatientResponse")
    output = _child(root, RIGHTS, "output")
    for right in rights:
        one = _child(output, RIGHTS, "listOfAuthorizationByPatient")
        for name, value in (
            ("nationalId", right.professional),
            ("nationalIdType", oids.IDNAT_PS),
            ("firstName", right.given_name),
            ("lastName", right.family_name),
            ("codeSpeciality", right.specialty),
            ("libSpeciality", right.specialty_label),
            ("startOfAuthorization", _stamp(right.started_at)),
            ("lastActionDate", _stamp(right.last_action_at)),
            ("mode", right.mode),
            ("specificRight", TREATING_DOCTOR if right.is_treating_doctor else ""),
        ):
            if value:
                _child(one, RIGHTS, name, value)
    _child(output, RIGHTS, "status", names.OK)
    _child(output, RIGHTS, "context")
    return root


def write_list(found: Sequence[ListedRecord]) -> etree._Element:
    root = _answer(PATIENTS, "patientListResponse")
    output = _child(root, PATIENTS, "output")
    for listed in found:
        record, person = listed.record, listed.record.person
        one = _child(output, PATIENTS, "patientlistData")
        identifier = _child(one, PATIENTS, "patientIdentifier")
        _child(identifier, PATIENTS, "nationalId", record.ins.with_key)
        _child(identifier, PATIENTS, "nationalIdType", record.ins.oid)
        for name, value in (
            ("lastName", person.used_name or person.family_name),
            ("patronymicalName", person.family_name),
            ("firstName", person.given_name),
            ("civility", person.prefix),
            ("dateOfBirth", person.birth_date),
        ):
            if value:
                _child(one, PATIENTS, name, value)
        _child(one, PATIENTS, "MT", "true" if listed.right.is_treating_doctor else "false")
        _child(one, PATIENTS, "message", "false")
        _child(one, PATIENTS, "lastAccessDate", _stamp(listed.right.last_action_at))
        if listed.last_document_at is not None:
            _child(one, PATIENTS, "lastUpdateDate", _stamp(listed.last_document_at))
            _child(one, PATIENTS, "lastAddDate", _stamp(listed.last_document_at))
    _child(output, PATIENTS, "status", names.OK)
    return root


def is_wanted(listed: ListedRecord, since: str, kind: str) -> bool:
    """TD0.4: authorized, or fed, since a date."""
    at = listed.right.started_at if kind == "LASTAUTORIZATION" else listed.last_document_at
    return not since or (at is not None and _stamp(at) >= since)


def _one_of(
    body: etree._Element, namespace: str, name: str, allowed: Sequence[str], default: str = ""
) -> str:
    value = (body.findtext(f"{{{namespace}}}{name}") or "").strip() or default
    if value not in allowed:
        raise _refused(name, value, allowed)
    return value


def _refused(name: str, value: str, allowed: Sequence[str]) -> DmpFault:
    problem = Problem(f"DMP-{name.upper()}", f"/Envelope/Body/*/{name}",
                      f"it is {value[:40] or 'missing'}", " or ".join(allowed),
                      source=SOURCE)  # fmt: skip
    return DmpFault("SocleMessage", f"L'élément {name} n'est pas celui du WSDL.", [problem])


def _answer(namespace: str, name: str) -> etree._Element:
    return etree.Element(f"{{{namespace}}}{name}", nsmap={"ns1": namespace})


def _child(parent: etree._Element, namespace: str, name: str, text: str = "") -> etree._Element:
    found = etree.SubElement(parent, f"{{{namespace}}}{name}")
    if text:
        found.text = text
    return found


def _stamp(at: datetime) -> str:
    return at.strftime("%Y%m%d%H%M%S")
