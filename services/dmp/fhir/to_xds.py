"""What a FHIR submission says, in the terms of XDS, so that the SOAP door can show it.

The document's own header is the better source of almost everything; only what it does not hold is
taken from the resources: confidentiality, and the lot (spec: dmp.md §2, §3.5).
"""

from datetime import datetime
from typing import Any

from services.dmp.domain.document_entry import NORMAL, Author, Coded, DocumentEntry, entry_of
from services.dmp.domain.submission_set import SubmissionSet
from services.dmp.fhir.access import codings, first, items, mapping, text
from services.dmp.fhir.codes import oid_of_system
from services.dmp.fhir.identifiers import unique_id_of
from socle.cda.metadata import DocumentMetadata
from socle.ids.ins import Ins

CONTENT_TYPES = "1.2.250.1.213.2.2"
_DESIGNATION = "designationType"
_SOURCE_ID = "sourceId"


def entry_from_reference(
    reference: dict[str, Any], metadata: DocumentMetadata, ins: Ins
) -> DocumentEntry:
    labels = tuple(
        Coded(code, oid_of_system(system), text(display))
        for label in items(reference.get("securityLabel"))
        for coding in items(mapping(label).get("coding"))
        for system, code, display in [_coding(coding)]
        if code
    )
    # N is always there; what hides a document comes beside it.
    if labels and not any(label.system == NORMAL for label in labels):
        labels = (Coded(metadata.confidentiality or "N", NORMAL), *labels)
    return entry_of(metadata, ins, labels)


def set_from_list(
    resource: dict[str, Any], entries: list[DocumentEntry], fallback_id: str, at: datetime
) -> SubmissionSet:
    """`fallback_id` is for a List without an identifier, which MHD allows."""
    extensions = [mapping(one) for one in items(resource.get("extension"))]
    designation = _extension(extensions, _DESIGNATION).get("valueCodeableConcept")
    content_type = next(iter(codings(designation)), ("", ""))
    source = mapping(_extension(extensions, _SOURCE_ID).get("valueIdentifier"))
    authors = next((entry.authors for entry in entries if entry.authors), ())
    return SubmissionSet(
        unique_id=unique_id_of(first(resource.get("identifier"))) or fallback_id,
        source_id=text(source.get("value")).removeprefix("urn:oid:"),
        patient_id=entries[0].patient_id if entries else "",
        submission_time=at.strftime("%Y%m%d%H%M%S"),
        content_type=Coded(content_type[1], oid_of_system(content_type[0]) or CONTENT_TYPES),
        authors=tuple(Author(author.person, author.institutions) for author in authors[:1]),
        title=text(resource.get("title")),
    )


def _coding(value: Any) -> tuple[str, str, str]:
    coding = mapping(value)
    return text(coding.get("system")), text(coding.get("code")), text(coding.get("display"))


def _extension(extensions: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next((one for one in extensions if text(one.get("url")).endswith(name)), {})
