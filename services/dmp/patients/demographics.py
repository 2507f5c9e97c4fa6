"""PRPA_IN201307UV02: does the record exist (TD0.2), and its administrative data (TD1.3a)."""

from datetime import datetime

from lxml import etree

from services.dmp.domain.record import AccessRight, Person, Record
from services.dmp.patients import names
from services.dmp.patients.wrapper import (
    Wrapper,
    acknowledge,
    control_act,
    hl7,
    observe,
    path_of,
    read_ins,
    typed,
    write_wrapper,
)
from socle.ids.ins import Ins

_VALUE = "controlActProcess/queryByParameter/parameterList/patientIdentifier/value"
_QUERY_ID = "controlActProcess/queryByParameter/queryId"


def read_patient(asked: Wrapper) -> Ins:
    return read_ins(asked.body.findall(path_of(_VALUE)), f"/{asked.kind}/{_VALUE}")


def write_demographics(
    asked: Wrapper, record: Record | None, right: AccessRight | None, at: datetime
) -> etree._Element:
    """PRPA_IN201308UV02. `record` is None for a patient who has none: NF."""
    root = write_wrapper(names.QUERY_ANSWER, asked, at)
    is_test = asked.reason_code != names.CONSULT
    if record is not None and is_test:
        _attention(root, right)
    acknowledge(root, asked)
    act = control_act(root, asked)
    if record is not None:
        _subject(act, record, is_test=is_test)
    ack = hl7(act, "queryAck")
    query_id = asked.body.find(path_of(_QUERY_ID))
    if query_id is not None:
        hl7(ack, "queryId", **{str(k): str(v) for k, v in query_id.attrib.items()})
    hl7(ack, "queryResponseCode", code="NF" if record is None else "OK")
    return root


def write_person(patient: etree._Element, person: Person, *, whole: bool) -> None:
    """`whole` gives the address too, which a test of existence does not tell."""
    found = hl7(patient, "patientPerson", classCode="PSN", determinerCode="INSTANCE")
    name = hl7(found, "name")
    if person.prefix:
        hl7(name, "prefix").text = person.prefix
    if person.given_name:
        hl7(name, "given").text = person.given_name
    for qualifier, family in (("SP", person.used_name), ("BR", person.family_name)):
        if family:
            hl7(name, "family", qualifier=qualifier).text = family
    for use, value in (
        ("", person.mail and f"mailto:{person.mail}"),
        ("HP", person.phone and f"tel:{person.phone}"),
        ("MC", person.mobile and f"tel:{person.mobile}"),
    ):
        if value:
            hl7(found, "telecom", **({"use": use} if use else {}), value=value)
    if person.sex:
        hl7(found, "administrativeGenderCode", code=person.sex)
    if person.birth_date:
        hl7(found, "birthTime", value=person.birth_date)
    if whole and (person.street or person.postal_code or person.city):
        address = hl7(found, "addr")
        for element, text in (
            ("streetAddressLine", person.street),
            ("postalCode", person.postal_code),
            ("city", person.city),
        ):
            if text:
                hl7(address, element).text = text


def write_custodian(event: etree._Element) -> None:
    custodian = hl7(hl7(event, "custodian", typeCode="CST"), "assignedEntity", classCode="ASSIGNED")
    hl7(custodian, "id", root=names.DMP)


def _attention(root: etree._Element, right: AccessRight | None) -> None:
    """AUTORISATION and STATUT_MT. VALIDE and INTERDIT were seen; how the absence of an authorization
    is told was not, so nothing is (services/dmp/README.md)."""
    if right is not None:
        line = hl7(root, "attentionLine")
        code, system = names.AUTHORIZATION
        hl7(line, "keyWordText", code=code, codeSystem=system)
        mode = "INTERDIT" if right.mode == "INTERDITE" else "VALIDE"
        typed(line, "CV", code=mode, codeSystem=names.AUTHORIZATION_VALUES)
    line = hl7(root, "attentionLine")
    code, system = names.TREATING
    hl7(line, "keyWordText", code=code, codeSystem=system)
    is_treating = right is not None and right.is_treating_doctor
    typed(line, "BL", value="true" if is_treating else "false")


def _subject(act: etree._Element, record: Record, *, is_test: bool) -> None:
    subject = hl7(act, "subject", contextConductionInd="false", typeCode="SUBJ")
    event = hl7(subject, "registrationEvent", classCode="REG", moodCode="EVN")
    hl7(event, "statusCode", code="completed")
    patient = hl7(hl7(event, "subject1", typeCode="SBJ"), "patient", classCode="PAT")
    hl7(patient, "id", extension=record.ins.with_key, root=record.ins.oid)
    hl7(patient, "statusCode", code=record.status)
    write_person(patient, record.person, whole=not is_test)
    if is_test:
        observe(patient, names.INTERNET_ACCOUNT, record.internet_account)
        observe(patient, names.ATTACHED, record.attached)
    else:
        observe(patient, names.BREAK_GLASS, record.opposes_break_glass)
        observe(patient, names.EMERGENCY, record.opposes_emergency)
    write_custodian(event)
