"""What a FHIR submission says, in the terms of XDS, so that the SOAP door can show it.

The document's own header is the better source of almost everything; only what it does not hold is
taken from the resources: confidentiality, and the lot (spec: dmp.md §2, §3.5).
"""

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.dmp.fhir.access import codings, first, items, mapping, text
from services.dmp.fhir.codes import oid_of_system
from services.dmp.fhir.identifiers import patient_ins, unique_id_of
from socle.cda.metadata import DocumentMetadata
from socle.ids.ins import Ins
from socle.ids.oids import IDNAT_PS
from socle.xds.document_entry import NORMAL, Author, Coded, DocumentEntry, entry_of
from socle.xds.submission_set import SubmissionSet

CONTENT_TYPES = "1.2.250.1.213.2.2"
_DESIGNATION = "designationType"
_SOURCE_ID = "sourceId"
_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}){0,2}")


def entry_from_reference(
    reference: dict[str, Any], metadata: DocumentMetadata, ins: Ins
) -> DocumentEntry:
    entry = entry_of(metadata, ins, _labels(reference, metadata.confidentiality or "N"))
    return replace(
        entry, reference_ids=_references(reference), comments=text(reference.get("description"))
    )


def entry_of_resource(resource: dict[str, Any], content: bytes) -> DocumentEntry:
    """All of it from the resource: for a document whose header says too little (domain/undescribed)."""
    attachment = mapping(first(resource.get("content")).get("attachment"))
    context = mapping(resource.get("context"))
    period = mapping(context.get("period"))
    ins = patient_ins(resource, despite_key=True)
    return DocumentEntry(
        unique_id=unique_id_of(resource.get("masterIdentifier")),
        patient_id=ins[0].cx if ins and ins[0] else "",
        type_code=_coded(resource.get("type")),
        class_code=_coded(first(resource.get("category"))),
        format_code=_coded({"coding": [first(resource.get("content")).get("format")]}),
        facility_type=_coded(context.get("facilityType")),
        practice_setting=_coded(context.get("practiceSetting")),
        confidentiality=_labels(resource, "N"),
        event_codes=tuple(_coded(one) for one in items(context.get("event"))),
        authors=_authors(resource),
        title=text(attachment.get("title")),
        comments=text(resource.get("description")),
        creation_time=_stamp(resource.get("date")) or _stamp(attachment.get("creation")),
        service_start=_stamp(period.get("start")),
        service_stop=_stamp(period.get("end")),
        language=text(attachment.get("language")),
        mime_type=text(attachment.get("contentType")).partition(";")[0].strip().lower(),
        reference_ids=_references(resource),
        size=len(content),
        hash=hashlib.sha1(content, usedforsecurity=False).hexdigest(),
    )


def set_from_list(
    resource: dict[str, Any], entries: list[DocumentEntry], fallback_id: str, at: datetime
) -> SubmissionSet:
    """`fallback_id` is for a List without an identifier, which MHD allows."""
    extensions = [mapping(one) for one in items(resource.get("extension"))]
    designation = _extension(extensions, _DESIGNATION).get("valueCodeableConcept")
    content_type = next(iter(codings(designation)), ("", ""))
    source = mapping(_extension(extensions, _SOURCE_ID).get("valueIdentifier"))
    authors = next((entry.authors for entry in entries if entry.authors), ())
    notes = (text(mapping(one).get("text")) for one in items(resource.get("note")))
    return SubmissionSet(
        unique_id=unique_id_of(first(resource.get("identifier"))) or fallback_id,
        source_id=text(source.get("value")).removeprefix("urn:oid:"),
        patient_id=entries[0].patient_id if entries else "",
        submission_time=at.strftime("%Y%m%d%H%M%S"),
        content_type=Coded(content_type[1], oid_of_system(content_type[0]) or CONTENT_TYPES),
        authors=tuple(Author(author.person, author.institutions) for author in authors[:1]),
        title=text(resource.get("title")),
        comments="\n".join(filter(None, notes)),
    )


def _labels(resource: dict[str, Any], level: str) -> tuple[Coded, ...]:
    """`level` is always there; what hides a document comes beside it."""
    labels = tuple(
        Coded(code, oid_of_system(system), text(display))
        for label in items(resource.get("securityLabel"))
        for coding in items(mapping(label).get("coding"))
        for system, code, display in [_coding(coding)]
        if code
    )
    if labels and not any(label.system == NORMAL for label in labels):
        return (Coded(level, NORMAL), *labels)
    return labels


def _references(resource: dict[str, Any]) -> tuple[str, ...]:
    """referenceIdList (CXi) from context.related: accession number, order, Study Instance UID."""
    found = []
    for related in map(mapping, items(mapping(resource.get("context")).get("related"))):
        identifier = mapping(related.get("identifier"))
        value, system = text(identifier.get("value")), text(identifier.get("system"))
        kind = next((code for _, code in codings(identifier.get("type"))), "")
        if value:
            authority = system.removeprefix("urn:oid:")
            found.append(f"{value}^^^&{authority}&ISO^{kind}".replace("\0", ""))
    return tuple(found)


def _authors(resource: dict[str, Any]) -> tuple[Author, ...]:
    """Those that are contained, or named by an identifier; a device has no number."""
    contained = {
        f"#{text(one.get('id'))}": one for one in map(mapping, items(resource.get("contained")))
    }
    found = []
    for author in map(mapping, items(resource.get("author"))):
        named = contained.get(text(author.get("reference")), {})
        number = text(
            (first(named.get("identifier")) or mapping(author.get("identifier"))).get("value")
        )
        name = first(named.get("name"))
        given = next((text(one) for one in items(name.get("given"))), "")
        if number:
            person = f"{number}^{text(name.get('family'))}^{given}^^^^^^&{IDNAT_PS}&ISO^D^^^IDNPS"
            found.append(Author(person.replace("\0", "")))
    return tuple(found)


def _coded(concept: Any) -> Coded:
    system, code, display = _coding(first(mapping(concept).get("coding")))
    return Coded(code, oid_of_system(system), display)


def _stamp(value: Any) -> str:
    """A FHIR date or instant as a stamp of HL7v2 in UTC, as precise as it was."""
    written = text(value)
    if "T" not in written:
        return written.replace("-", "") if _DATE.fullmatch(written) else ""
    try:
        at = datetime.fromisoformat(written)
        return at.astimezone(UTC).strftime("%Y%m%d%H%M%S")
    except (ValueError, OverflowError):
        return ""


def _coding(value: Any) -> tuple[str, str, str]:
    coding = mapping(value)
    return text(coding.get("system")), text(coding.get("code")), text(coding.get("display"))


def _extension(extensions: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next((one for one in extensions if text(one.get("url")).endswith(name)), {})
