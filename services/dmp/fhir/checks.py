"""What a DocumentReference says, held against the document that it describes."""

import base64
import hashlib
from typing import Any

from services.dmp.fhir.access import codings, first, items, mapping, text
from services.dmp.fhir.bundle import MHD, ProvidedDocument
from services.dmp.fhir.identifiers import patient_ins, unique_id_of, uri_of
from socle.cda.metadata import DocumentMetadata
from socle.ids.ins import Ins
from socle.problems import Problem

XML_TYPES = frozenset({"text/xml", "application/xml"})
PDSM = "PDSm pdsm-comprehensive-document-reference"


def check_attachment(document: ProvidedDocument) -> list[Problem]:
    """Size, hash and media type: known before the document is read."""
    attachment = mapping(first(document.reference.resource.get("content")).get("attachment"))
    path = f"{document.reference.path}.content[0].attachment"
    problems = []
    size, actual = attachment.get("size"), len(document.content)
    if size is None:
        problems.append(_absent("PDSM-SIZE", f"{path}.size", f"{actual}, the size in bytes"))
    elif size != actual:
        problems.append(
            Problem("PDSM-SIZE", f"{path}.size", f"size is {size}", f"{actual}", source=MHD)
        )
    digest = base64.b64encode(hashlib.sha1(document.content, usedforsecurity=False).digest())
    wanted, given = digest.decode(), attachment.get("hash")
    if given is None:
        problems.append(_absent("PDSM-HASH", f"{path}.hash", "the SHA-1 of the bytes in base64"))
    elif given != wanted:
        problems.append(
            Problem(
                "PDSM-HASH",
                f"{path}.hash",
                "the hash is not that of the Binary",
                f"{wanted} (base64 of the raw SHA-1)",
                source="FHIR R4 Attachment.hash",
            )
        )
    for where, value in (
        (f"{path}.contentType", attachment.get("contentType")),
        (f"{document.binary.path}.contentType", document.binary.resource.get("contentType")),
    ):
        if text(value).partition(";")[0].strip().lower() not in XML_TYPES:
            problems.append(
                Problem(
                    "DMP-CDA-ONLY",
                    where,
                    f"contentType is {text(value) or 'absent'}",
                    "text/xml or application/xml: the DMP keeps CDA R2 documents; wrap a PDF in a "
                    "CDA R2 level 1 body",
                    source="spec dmp.md §1.4 mimeType",
                )
            )
    return problems


def check_reference(
    document: ProvidedDocument, metadata: DocumentMetadata, ins: Ins
) -> list[Problem]:
    """Agreement of the description with the CDA header, and the elements that PDSm requires."""
    resource, path = document.reference.resource, document.reference.path
    problems = []
    if resource.get("status") != "current":
        problems.append(
            Problem(
                "MHD-STATUS", f"{path}.status", "status of a new document", "current", source=MHD
            )
        )
    if items(resource.get("relatesTo")):
        problems.append(
            Problem(
                "DMP-RELATESTO",
                f"{path}.relatesTo",
                "replacing, appending and transforming are not handled here yet",
                "a submission without relatesTo",
                source=MHD,
            )
        )
    master = unique_id_of(resource.get("masterIdentifier"))
    if not master:
        problems.append(
            _absent("PDSM-MASTERIDENTIFIER", f"{path}.masterIdentifier", uri_of(metadata.unique_id))
        )
    elif master.lower() != metadata.unique_id.lower():
        problems.append(
            Problem(
                "DMP-UNIQUEID",
                f"{path}.masterIdentifier",
                "masterIdentifier is not the id of the CDA document",
                uri_of(metadata.unique_id),
                source="spec dmp.md §1.4 uniqueId",
            )
        )
    problems += _check_type(resource, path, metadata)
    problems += _check_patient(resource, path, ins)
    for name in ("category", "date", "author", "securityLabel", "custodian", "context"):
        if not resource.get(name):
            problems.append(_warned(f"PDSM-{name.upper()}", f"{path}.{name}"))
    return problems


def _check_type(resource: dict[str, Any], path: str, metadata: DocumentMetadata) -> list[Problem]:
    codes = {code for _, code in codings(resource.get("type"))}
    if not codes:
        return [_absent("PDSM-TYPE", f"{path}.type", metadata.type_code.code)]
    if metadata.type_code.code in codes:
        return []
    return [
        Problem(
            "DMP-TYPECODE",
            f"{path}.type",
            f"type is {', '.join(sorted(codes))}",
            f"{metadata.type_code.code}, the code of the CDA document",
            source="spec dmp.md §1.4 typeCode",
        )
    ]


def _check_patient(resource: dict[str, Any], path: str, ins: Ins) -> list[Problem]:
    found = patient_ins(resource)
    where = f"{path}.subject"
    if found is None:
        return [_absent("PDSM-SUBJECT", where, f"the patient's INS under urn:oid:{ins.oid}")]
    subject, faults = found
    if subject is None:
        return [Problem("INS-FORM", where, fault, source="spec ins.md §2") for fault in faults]
    if subject == ins:
        return []
    return [
        Problem(
            "DMP-PATIENTID",
            where,
            "subject is another patient than the CDA's recordTarget",
            "the INS of recordTarget/patientRole/id",
            source="spec dmp.md §1.4 patientId",
        )
    ]


def _absent(rule: str, path: str, expected: str) -> Problem:
    return Problem(rule, path, "this element is missing", expected, source=PDSM)


def _warned(rule: str, path: str) -> Problem:
    """The guide requires it and its own examples lack it (spec: dmp.md §3.6): told, not refused."""
    return Problem(
        rule,
        path,
        "the guide requires this element; its absence is accepted here",
        severity="warning",
        source=PDSM,
    )
