"""PRPA_IN201305UV02, a patient who is searched without an INS: TD0.5, for the regulation only."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import datetime

from lxml import etree

from services.dmp.domain.record import Record
from services.dmp.patients import names
from services.dmp.patients.demographics import write_custodian, write_person
from services.dmp.patients.wrapper import (
    SOURCE,
    Wrapper,
    acknowledge,
    hl7,
    path_of,
    typed,
    write_wrapper,
)
from services.dmp.xds.faults import DmpFault
from socle.problems import Problem
from socle.soap.parsing import text_of

MAX_CANDIDATES = 50
_PARAMETERS = "controlActProcess/queryByParameter/parameterList"
_PERCENT = 100


def read_family_name(asked: Wrapper) -> str:
    path = f"{_PARAMETERS}/livingSubjectName/value/family"
    found = asked.body.find(path_of(path))
    name = "" if found is None else text_of(found)
    if not name:
        problem = Problem("DMP-HL7-NAME", f"/{asked.kind}/{path}", "there is no name",
                          "livingSubjectName with a family", source=SOURCE)  # fmt: skip
        raise DmpFault("SocleQuery", "La recherche ne donne pas de nom.", [problem])
    return name[:100]


def write_candidates(asked: Wrapper, found: Sequence[Record], at: datetime) -> etree._Element:
    """PRPA_IN201306UV02; more than the limit are counted as remaining."""
    root = write_wrapper(names.FIND_ANSWER, asked, at)
    acknowledge(root, asked, as_element=True)
    act = hl7(root, "controlActProcess", classCode="CACT", moodCode="EVN")
    hl7(act, "code", code="PRPA_TE201306UV02", codeSystem=names.INTERACTIONS)
    shown = found[:MAX_CANDIDATES]
    for record in shown:
        _candidate(act, record)
    ack = hl7(act, "queryAck")
    query = asked.body.find(path_of("controlActProcess/queryByParameter"))
    query_id = None if query is None else query.find(path_of("queryId"))
    if query_id is not None:
        hl7(ack, "queryId", **{str(k): str(v) for k, v in query_id.attrib.items()})
    hl7(ack, "queryResponseCode", code="OK" if found else "NF")
    for name, count in (
        ("resultTotalQuantity", len(found)),
        ("resultCurrentQuantity", len(shown)),
        ("resultRemainingQuantity", len(found) - len(shown)),
    ):
        hl7(ack, name, value=str(count))
    if query is not None:
        act.append(deepcopy(query))
    return root


def _candidate(act: etree._Element, record: Record) -> None:
    subject = hl7(act, "subject", contextConductionInd="false", typeCode="SUBJ")
    event = hl7(subject, "registrationEvent", classCode="REG", moodCode="EVN")
    hl7(event, "statusCode", code="active")
    patient = hl7(hl7(event, "subject1", typeCode="SBJ"), "patient", classCode="PAT")
    hl7(patient, "id", extension=record.ins.with_key, root=record.ins.oid)
    hl7(patient, "statusCode", code=record.status)
    write_person(patient, record.person, whole=True)
    match = hl7(
        hl7(patient, "subjectOf1", typeCode="SBJ"), "queryMatchObservation",
        classCode="COND", moodCode="EVN",
    )  # fmt: skip
    typed(match, "CS", code="POURCENTAGE").tag = path_of("code")
    typed(match, "INT", value=str(_PERCENT))
    other = hl7(hl7(patient, "subjectOf2"), "administrativeObservation")
    hl7(other, "code", code=names.EMERGENCY[0], codeSystem=names.EMERGENCY[1])
    typed(other, "BL", value="true" if record.opposes_emergency else "false")
    write_custodian(event)
