"""What a DocumentReference says, held against the document that it describes."""

import base64
import hashlib
from typing import Any

from services.dmp.domain.imaging_object import MIME_TYPE as IMAGING_OBJECT
from services.dmp.domain.validation import Policy
from services.dmp.domain.visibility import CODES
from services.dmp.fhir.access import codings, first, items, mapping, text
from services.dmp.fhir.bundle import MHD, ProvidedDocument
from services.dmp.fhir.identifiers import patient_ins, unique_id_of, uri_of
from socle.cda.metadata import DocumentMetadata
from socle.ids.ins import Ins
from socle.problems import Problem, Severity

XML_TYPES = frozenset({"text/xml", "application/xml"})
PDSM = "PDSm pdsm-comprehensive-document-reference"


def check_attachment(document: ProvidedDocument, policy: Policy) -> list[Problem]:
    """Size, hash and media type: known before the document is read.

    A publication by ITI-105 need not state size and hash: the bytes are in the same element.
    """
    may_lack = document.binary is None or policy.is_lenient
    attachment = mapping(first(document.reference.resource.get("content")).get("attachment"))
    path = f"{document.reference.path}.content[0].attachment"
    problems = []
    size, actual = attachment.get("size"), len(document.content)
    if size is None and not may_lack:
        problems.append(_absent("PDSM-SIZE", f"{path}.size", f"{actual}, the size in bytes"))
    elif size not in (None, actual):
        problems.append(
            Problem("PDSM-SIZE", f"{path}.size", f"size is {size}", f"{actual}", source=MHD)
        )
    digest = base64.b64encode(hashlib.sha1(document.content, usedforsecurity=False).digest())
    wanted, given = digest.decode(), attachment.get("hash")
    if given is None and not may_lack:
        problems.append(_absent("PDSM-HASH", f"{path}.hash", "the SHA-1 of the bytes in base64"))
    elif given not in (None, wanted):
        problems.append(
            Problem(
                "PDSM-HASH",
                f"{path}.hash",
                "the hash is not that of the bytes",
                f"{wanted} (base64 of the raw SHA-1)",
                source="FHIR R4 Attachment.hash",
            )
        )
    if content_type_of(document) == IMAGING_OBJECT:
        return problems
    typed = [(path, attachment)]
    if document.binary is not None:
        typed.append((document.binary.path, document.binary.resource))
    for where, holder in typed:
        value = holder.get("contentType")
        if text(value).partition(";")[0].strip().lower() not in XML_TYPES:
            problems.append(
                Problem(
                    "DMP-CDA-ONLY",
                    f"{where}.contentType",
                    f"contentType is {text(value) or 'absent'}",
                    "text/xml or application/xml: the DMP keeps CDA R2 documents; wrap a PDF in a "
                    "CDA R2 level 1 body",
                    source="spec dmp.md §1.4 mimeType",
                )
            )
    return problems


def _unknown_labels(resource: dict[str, Any], path: str) -> list[Problem]:
    """A misspelt one would leave a document in sight that was to be hidden."""
    return [
        Problem(
            "PDSM-SECURITYLABEL-CODE", f"{path}.securityLabel[{index}]",
            f"{code[:40]} is not in the value set", f"{', '.join(CODES)} (JDV_J58)",
            source="spec dmp.md §2",
        )
        for index, label in enumerate(items(resource.get("securityLabel")))
        for _, code in codings(label)
        if code not in CODES
    ]  # fmt: skip


def content_type_of(document: ProvidedDocument) -> str:
    """As the DocumentReference says it, without parameters."""
    attachment = mapping(first(document.reference.resource.get("content")).get("attachment"))
    return text(attachment.get("contentType")).partition(";")[0].strip().lower()


def check_reference(document: ProvidedDocument, policy: Policy) -> list[Problem]:
    """What the DocumentReference must say by itself, whatever the document turns out to be."""
    resource, path = document.reference.resource, document.reference.path
    problems = _unknown_labels(resource, path)
    if resource.get("status") != "current":
        problems.append(
            Problem(
                "MHD-STATUS", f"{path}.status", "status of a new document", "current", source=MHD
            )
        )
    if not unique_id_of(resource.get("masterIdentifier")):
        problems.append(
            _absent(
                "PDSM-MASTERIDENTIFIER",
                f"{path}.masterIdentifier",
                "urn:oid: and the id of the CDA document",
            )
        )
    if not codings(resource.get("type")):
        problems.append(_absent("PDSM-TYPE", f"{path}.type", "the code of the CDA document"))
    return [*problems, *_check_subject(resource, f"{path}.subject", policy)]


def _check_subject(resource: dict[str, Any], where: str, policy: Policy) -> list[Problem]:
    found = patient_ins(resource, despite_key=policy.is_lenient)
    if found is None:
        return [_absent("PDSM-SUBJECT", where, "the patient's INS under urn:oid:<OID of the INS>")]
    ins, faults = found
    severity: Severity = "error" if ins is None else "warning"
    return [Problem("INS-FORM", where, fault, "", severity, "spec ins.md §2") for fault in faults]


def check_agreement(
    document: ProvidedDocument, metadata: DocumentMetadata, ins: Ins, policy: Policy
) -> list[Problem]:
    """What the DocumentReference says, held against the CDA header; absences are told before."""
    resource, path = document.reference.resource, document.reference.path
    problems = []
    master = unique_id_of(resource.get("masterIdentifier"))
    if master and master.lower() != metadata.unique_id.lower():
        problems.append(
            Problem(
                "DMP-UNIQUEID",
                f"{path}.masterIdentifier",
                "masterIdentifier is not the id of the CDA document",
                uri_of(metadata.unique_id),
                source="spec dmp.md §1.4 uniqueId",
            )
        )
    codes = {code for _, code in codings(resource.get("type"))}
    if codes and metadata.type_code.code not in codes:
        problems.append(
            Problem(
                "DMP-TYPECODE",
                f"{path}.type",
                f"type is {', '.join(sorted(codes))}",
                f"{metadata.type_code.code}, the code of the CDA document",
                source="spec dmp.md §1.4 typeCode",
            )
        )
    subject, _ = patient_ins(resource, despite_key=policy.is_lenient) or (None, [])
    if subject is not None and subject != ins:
        problems.append(
            Problem(
                "DMP-PATIENTID",
                f"{path}.subject",
                "subject is another patient than the CDA's recordTarget",
                "the INS of recordTarget/patientRole/id",
                source="spec dmp.md §1.4 patientId",
            )
        )
    return problems


def _absent(rule: str, path: str, expected: str) -> Problem:
    return Problem(rule, path, "this element is missing", expected, source=PDSM)
