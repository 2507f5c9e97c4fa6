"""The transmission wrapper of HL7v3 around each request and answer (HL7v3 NE2008, MCCI)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lxml import etree

from services.dmp.patients import names
from services.dmp.patients.names import HL7, XSI
from services.dmp.xds.faults import DmpFault
from socle.idgen import random_uuid
from socle.ids.ins import Ins
from socle.problems import Problem

_NAMESPACES: Any = {None: HL7}
SOURCE = "HL7v3 PRPA; spec dmp.md §1.3"


@dataclass(frozen=True, slots=True)
class Wrapper:
    """Of a request: what an answer echoes."""

    kind: str
    body: etree._Element = field(repr=False)
    id: dict[str, str]
    sender: str
    sender_name: str
    reason: dict[str, str]

    @property
    def reason_code(self) -> str:
        return self.reason.get("code", "")


def read_wrapper(body: etree._Element) -> Wrapper:
    sender = body.find(path_of("sender/device"))
    reason = body.find(path_of("controlActProcess/reasonCode"))
    identifier = body.find(path_of("id"))
    return Wrapper(
        etree.QName(body).localname,
        body,
        _attributes(identifier),
        _root_of(sender),
        "" if sender is None else (sender.findtext(path_of("softwareName")) or "").strip(),
        _attributes(reason),
    )


def read_ins(identifiers: list[etree._Element], path: str) -> Ins:
    """The INS among `II` elements; a fault where there is none, since nothing can be answered."""
    problems = []
    for one in identifiers:
        ins, faults = Ins.check(one.get("root", ""), one.get("extension", ""))
        if ins is not None:
            return ins
        problems += [Problem("DMP-HL7-INS", path, fault, source=SOURCE) for fault in faults]
    expected = '<id root="1.2.250.1.213.1.4.10" extension="matricule et clé"/>'
    missing = Problem("DMP-HL7-INS", path, "there is no INS", expected, source=SOURCE)
    raise DmpFault("SocleINS", "Le message ne nomme pas son patient.", problems or [missing])


def write_wrapper(
    kind: str, asked: Wrapper, at: datetime, parent: etree._Element | None = None
) -> etree._Element:
    """Up to the sender; attentionLine, acknowledgement and controlActProcess follow."""
    tag = f"{{{HL7}}}{kind}"
    root = (
        etree.Element(tag, nsmap=_NAMESPACES) if parent is None else etree.SubElement(parent, tag)
    )
    root.set("ITSVersion", "XML_1.0")
    hl7(root, "id", root=f"{names.DMP}.1", extension=str(random_uuid()))
    hl7(root, "creationTime", value=at.strftime("%Y%m%d%H%M%S"))
    hl7(root, "interactionId", extension=kind, root=names.INTERACTIONS)
    hl7(root, "processingCode", code="P")
    hl7(root, "processingModeCode", code="T")
    hl7(root, "acceptAckCode", code="NE")
    for role, code, device, name in (
        ("receiver", "RCV", asked.sender, asked.sender_name),
        ("sender", "SND", names.DMP, "DMP"),
    ):
        found = hl7(hl7(root, role, typeCode=code), "device", classCode="DEV",
                    determinerCode="INSTANCE")  # fmt: skip
        hl7(found, "id", root=device)
        if name:
            hl7(found, "softwareName").text = name
    return root


def acknowledge(
    root: etree._Element,
    asked: Wrapper,
    refusal: tuple[str, str] | None = None,
    *,
    as_element: bool = False,
) -> None:
    """AA, or AE with the code and the text of a refusal.

    The type is an attribute in the schemas of GDP, and with `as_element` what PDQv3 has.
    """
    kind = "AE" if refusal else "AA"
    found = hl7(root, "acknowledgement", **({} if as_element else {"typeCode": kind}))
    if as_element:
        hl7(found, "typeCode", code=kind)
    hl7(hl7(found, "targetMessage"), "id", **asked.id)
    if refusal is not None:
        detail = hl7(found, "acknowledgementDetail", typeCode="E")
        hl7(detail, "code", code=refusal[0])
        hl7(detail, "text").text = refusal[1]


def control_act(root: etree._Element, asked: Wrapper) -> etree._Element:
    act = hl7(root, "controlActProcess", classCode="CACT", moodCode="EVN")
    if asked.reason:
        hl7(act, "reasonCode", **asked.reason)
    return act


def observe(patient: etree._Element, code: tuple[str, str], value: bool) -> None:
    """One `subjectOf` of a patient."""
    observation = hl7(
        hl7(patient, "subjectOf", typeCode="SBJ"), "administrativeObservation",
        classCode="OBS", moodCode="EVN",
    )  # fmt: skip
    hl7(observation, "code", code=code[0], codeSystem=code[1])
    typed(observation, "BL", value="true" if value else "false")


def typed(parent: etree._Element, kind: str, **attributes: str) -> etree._Element:
    """A `value` whose type is told."""
    value = hl7(parent, "value", **attributes)
    value.set(f"{{{XSI}}}type", kind)
    return value


def hl7(parent: etree._Element, name: str, /, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{HL7}}}{name}", attributes)


def path_of(steps: str) -> str:
    return "/".join(f"{{{HL7}}}{step}" for step in steps.split("/"))


def _attributes(element: etree._Element | None) -> dict[str, str]:
    return {} if element is None else {str(k): str(v) for k, v in element.attrib.items()}


def _root_of(device: etree._Element | None) -> str:
    found = None if device is None else device.find(path_of("id"))
    return "" if found is None else found.get("root", "")
