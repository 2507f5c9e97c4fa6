"""Document identifiers in their FHIR, XDS and CDA forms."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from services.dmp.fhir.access import items, mapping, text
from socle.ids.ins import Ins, from_fhir

URI_SYSTEM = "urn:ietf:rfc:3986"


def unique_id_of(identifier: Any) -> str:
    """An XDS uniqueId (`root` or `root^extension`) from a masterIdentifier, "" if there is none.

    Producers write urn:oid:<root>, urn:oid:<root>^<extension>, or root and extension in `system`
    and `value`; a GUID root, which some real documents have, comes as urn:uuid:.
    """
    system, value = text(mapping(identifier).get("system")), text(mapping(identifier).get("value"))
    if not system or system == URI_SYSTEM:
        return _bare(value)
    return f"{_bare(system)}^{value}"


def _bare(value: str) -> str:
    return value.removeprefix("urn:oid:").removeprefix("urn:uuid:")


def uri_of(unique_id: str) -> str:
    """The URI of a uniqueId: a UUID keeps its own scheme."""
    root = unique_id.partition("^")[0]
    return f"urn:{'uuid' if '-' in root else 'oid'}:{unique_id}"


def patient_ins(
    resource: dict[str, Any], *, despite_key: bool = False
) -> tuple[Ins | None, list[str]] | None:
    """The INS of `subject` and its faults; None if no patient is named by an identifier.

    With `despite_key` a wrong key is a fault of an INS that is there all the same.
    """
    subject = mapping(resource.get("subject"))
    for identifier in _subject_identifiers(resource, subject):
        system, value = text(identifier.get("system")), text(identifier.get("value"))
        if system.startswith("urn:oid:"):
            ins, faults = from_fhir(system, value)
            if ins is None and despite_key:
                ins = Ins.despite_key(system.removeprefix("urn:oid:"), value)
            return ins, faults
    return None


def ins_of_token(value: str, *, despite_key: bool) -> tuple[Ins | None, list[str]]:
    """The INS of a search parameter `urn:oid:<OID>|<INS>`, and its faults."""
    system, bar, number = value.partition("|")
    if not bar:
        return None, ["the OID of the INS is missing"]
    ins, faults = from_fhir(system, number)
    if ins is None and despite_key:
        ins = Ins.despite_key(system.removeprefix("urn:oid:"), number)
    return ins, faults


def _subject_identifiers(resource: dict[str, Any], subject: dict[str, Any]) -> list[dict[str, Any]]:
    if "identifier" in subject:
        return [mapping(subject["identifier"])]
    reference = text(subject.get("reference"))
    if reference.startswith("#"):
        contained = (
            mapping(item)
            for item in items(resource.get("contained"))
            if mapping(item).get("id") == reference[1:]
        )
        return [mapping(i) for item in contained for i in items(item.get("identifier"))]
    parts = urlsplit(reference)
    if parts.path.endswith("Patient"):  # conditional reference: Patient?identifier=system|value
        found = parse_qs(parts.query).get("identifier", [])
        return [
            {"system": system, "value": value}
            for system, _, value in (token.partition("|") for token in found)
        ]
    return []
