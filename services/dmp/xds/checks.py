"""What a document entry says, held against its document (spec: dmp.md §1.4, §4).

An absence of what the DMP requires and a disagreement that would make the document unfindable are
errors; what only describes it is told.
"""

import hashlib
import re
from datetime import datetime

from services.dmp.domain.folder import NewFolder, check_folder_ids
from services.dmp.domain.imaging_object import is_imaging_object
from services.dmp.domain.visibility import CODES
from services.dmp.xds.submission import SubmittedDocument
from socle.cda.metadata import DocumentMetadata
from socle.ids.ins import Ins
from socle.problems import Problem
from socle.xds import names
from socle.xds.document_entry import DocumentEntry
from socle.xds.submission_set import SubmissionSet

SOURCE = "spec dmp.md §1.4 (mapping of the HL7v2 volet, required attributes)"
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")
_TIME = re.compile(r"[0-9]{4}(?:[0-9]{2}){0,5}")
_XML_TYPES = frozenset({"text/xml", "application/xml", "application/xslt+xml"})
_REQUIRED = (
    ("uniqueId", "unique_id"), ("patientId", "patient_id"), ("creationTime", "creation_time"),
    ("serviceStartTime", "service_start"), ("languageCode", "language"), ("title", "title"),
    ("legalAuthenticator", "legal_authenticator"), ("sourcePatientId", "source_patient_id"),
    ("mimeType", "mime_type"), ("author", "authors"), ("confidentialityCode", "confidentiality"),
)  # fmt: skip
_CODES = (
    ("classCode", "class_code", names.CLASS_CODE),
    ("typeCode", "type_code", names.TYPE_CODE),
    ("formatCode", "format_code", names.FORMAT_CODE),
    ("healthcareFacilityTypeCode", "facility_type", names.FACILITY_TYPE),
    ("practiceSettingCode", "practice_setting", names.PRACTICE_SETTING),
)


def check_document(document: SubmittedDocument) -> list[Problem]:
    """Before the document is read: attributes, size and hash."""
    entry, path = document.entry, document.path
    problems = [
        _problem("XDSRepositoryMetadataError", f"{path}/{name}", "it is missing", "a value")
        for name, attribute in _REQUIRED
        if not getattr(entry, attribute)
    ]
    for name, attribute, scheme in _CODES:
        code = getattr(entry, attribute)
        # A client was seen that classifies its format under another scheme: it is named.
        if not code.code or (not code.system and name != "formatCode"):
            problems.append(
                _problem(
                    "XDSRepositoryMetadataError", f"{path}/{name}", "it is missing",
                    f"a code and its codingScheme, classified by {scheme}",
                )
            )  # fmt: skip
    problems += [
        _problem(
            "XDSRepositoryMetadataError", f"{path}/{name}", "it is no time", "YYYYMMDDhhmmss, UTC"
        )
        for name, value in (
            ("creationTime", entry.creation_time),
            ("serviceStartTime", entry.service_start),
            ("serviceStopTime", entry.service_stop),
        )
        if value and not _is_time(value)
    ]
    problems += [
        _problem(
            "XDSRepositoryMetadataError", f"{path}/confidentialityCode",
            f"{one.code[:40]} is not in the value set", f"{', '.join(CODES)} (JDV_J58)",
        )
        for one in entry.confidentiality
        if one.code not in CODES
    ]  # fmt: skip
    if entry.mime_type and entry.mime_type not in _XML_TYPES and not is_imaging_object(entry):
        problems.append(
            _problem(
                "XDSRepositoryMetadataError", f"{path}/mimeType", f"it is {entry.mime_type[:60]}",
                "text/xml: the DMP keeps CDA R2 documents; wrap a PDF in a level 1 body",
            )
        )  # fmt: skip
    return [*problems, *check_bytes(document)]


def check_bytes(document: SubmittedDocument) -> list[Problem]:
    entry, path, content = document.entry, document.path, document.content
    if not content:
        return [
            _problem(
                "XDSRepositoryMetadataError", path, "the attachment arrived empty",
                "the bytes of the document: some stacks lose large MTOM parts",
            )
        ]  # fmt: skip
    problems = []
    if "size" not in document.object.slots:
        problems.append(_missing(f"{path}/size", str(len(content))))
    elif entry.size != len(content):
        problems.append(
            _problem(
                "XDSRepositoryMetadataError", f"{path}/size",
                f"size {entry.size} declared, {len(content)} received",
                f"{len(content)}, or the whole document: it may have been cut short",
            )
        )  # fmt: skip
    actual = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    if not entry.hash:
        problems.append(_missing(f"{path}/hash", f"{actual} (SHA-1, hexadecimal)"))
    elif entry.hash != actual:
        problems.append(
            _problem(
                "XDSRepositoryMetadataError", f"{path}/hash", "the hash is not that of the bytes",
                f"{actual} (SHA-1, hexadecimal)",
            )
        )  # fmt: skip
    return problems


def check_agreement(
    document: SubmittedDocument, metadata: DocumentMetadata, ins: Ins, *, despite_key: bool
) -> list[Problem]:
    """Against the CDA header, once it could be read."""
    entry, path = document.entry, document.path
    expected = (
        ("uniqueId", entry.unique_id, metadata.unique_id, "error"),
        ("typeCode", entry.type_code.code, metadata.type_code.code, "error"),
        ("formatCode", entry.format_code.code, metadata.format_code.code, "warning"),
        ("classCode", entry.class_code.code, _code(metadata.class_code), "warning"),
        ("healthcareFacilityTypeCode", entry.facility_type.code, _code(metadata.facility_type), "warning"),
        ("practiceSettingCode", entry.practice_setting.code, _code(metadata.practice_setting), "warning"),
        ("creationTime", entry.creation_time, metadata.creation_time.strftime("%Y%m%d%H%M%S"), "warning"),
    )  # fmt: skip
    problems = [
        _problem(
            "XDSRepositoryMetadataError",
            f"{path}/{name}",
            f"it is {given[:60]}, and the document says otherwise",
            wanted,
            severity,
        )
        for name, given, wanted, severity in expected
        if given and wanted and given != wanted and not _same_instant(name, given, wanted)
    ]
    given_ins = Ins.from_cx(entry.patient_id, despite_key=despite_key)
    if entry.patient_id and given_ins != ins:
        problems.append(
            _problem(
                "XDSPatientIdDoesNotMatch", f"{path}/patientId",
                "it is no INS, or another than the document's recordTarget",
                "the INS of recordTarget/patientRole/id: <15 characters>^^^&<OID>&ISO^NH",
            )
        )  # fmt: skip
    return problems


def check_lot_patient(entries: list[DocumentEntry], set_patient: str, path: str) -> list[Problem]:
    """The set and its documents are of one patient."""
    patients = {entry.patient_id for entry in entries if entry.patient_id} | {set_patient}
    if len(patients - {""}) < 2:
        return []
    return [
        _problem(
            "XDSPatientIdDoesNotMatch", f"{path}/patientId",
            "the submission set and its documents are not of one patient", "the same CX everywhere",
        )
    ]  # fmt: skip


def check_set_ids(found: SubmissionSet, path: str) -> list[Problem]:
    """Both are OIDs, of 64 characters at most (ITI TF-3 §4.2.3.3)."""
    return [
        _problem("XDSRepositoryMetadataError", f"{path}/{name}", f"it is {value[:70]}, no OID",
                 "an OID of digits and dots, without urn:oid:, 64 characters at most")
        for name, value in (("uniqueId", found.unique_id), ("sourceId", found.source_id))
        if value and not (_OID.fullmatch(value) and len(value) <= 64)
    ]  # fmt: skip


def check_folders(folders: list[NewFolder], set_patient: str) -> list[Problem]:
    """Each is of the patient of the set, and has an identifier of its own."""
    problems = check_folder_ids(folders)
    for one in folders:
        folder = one.folder
        if not folder.unique_id:
            problems.append(_missing(f"{one.path}/uniqueId", "an OID of the producer"))
        if not folder.patient_id:
            problems.append(_missing(f"{one.path}/patientId", "the CX of the set"))
        elif set_patient and folder.patient_id != set_patient:
            problems.append(
                _problem(
                    "XDSPatientIdDoesNotMatch", f"{one.path}/patientId",
                    "the folder and the submission set are not of one patient",
                    "the same CX everywhere",
                )
            )  # fmt: skip
    return problems


def _same_instant(name: str, given: str, wanted: str) -> bool:
    """Fewer digits say less, and no other thing."""
    return name == "creationTime" and wanted.startswith(given)


def _is_time(value: str) -> bool:
    """Of any precision, and of a calendar."""
    if not _TIME.fullmatch(value):
        return False
    try:
        datetime.strptime(value, "%Y%m%d%H%M%S"[: len(value) - 2])  # noqa: DTZ007 (UTC)
    except ValueError:
        return False
    return True


def _code(code: object) -> str:
    return str(getattr(code, "code", "") or "")


def _missing(path: str, expected: str) -> Problem:
    return _problem("XDSRepositoryMetadataError", path, "it is missing", expected)


def _problem(rule: str, path: str, message: str, expected: str, severity: str = "error") -> Problem:
    return Problem(rule, path, message, expected, severity=severity, source=SOURCE)  # type: ignore[arg-type]
