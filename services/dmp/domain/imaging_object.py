"""The KOS of an imaging examination: a DICOM object beside its report, and never a report.

Facts: spec mes.md §F (DRIM-M); the demonstrator of the ANS deposits it in the lot of its CDA report. Its
entry says everything, since there is no CDA header to read.
"""

from typing import Final

from services.dmp.domain.undescribed import metadata_of_entry
from socle.cda.metadata import DocumentMetadata
from socle.problems import Problem
from socle.xds.document_entry import DocumentEntry

MIME_TYPE: Final = "application/dicom"
TYPE_CODE: Final = "IMG-KOS"
FORMAT_CODE: Final = "1.2.840.10008.5.1.4.1.1.88.59"
CLASS_CODE: Final = "31"
SOURCE: Final = "spec mes.md §F (DRIM-M, KOS); dmp.md §4.3, §4.4"

_PREAMBLE: Final = 128  # bytes before the mark of a DICOM file (PS3.10 §7.1)
_MARK: Final = b"DICM"


def is_imaging_object(entry: DocumentEntry) -> bool:
    return entry.mime_type == MIME_TYPE or entry.format_code.code == FORMAT_CODE


def describe_imaging_object(
    entry: DocumentEntry, content: bytes, path: str
) -> tuple[DocumentMetadata | None, list[Problem]]:
    """The metadata, unless something that an imaging object must be is not there."""
    problems = [
        Problem("DMP-KOS", f"{path}/{name}", f"it is {given[:60] or 'missing'}", expected,
                source=SOURCE)
        for name, given, expected in (
            ("mimeType", entry.mime_type, MIME_TYPE),
            ("typeCode", entry.type_code.code, TYPE_CODE),
            ("formatCode", entry.format_code.code, FORMAT_CODE),
            ("classCode", entry.class_code.code, CLASS_CODE),
        )
        if given != expected
    ]  # fmt: skip
    if content[_PREAMBLE : _PREAMBLE + len(_MARK)] != _MARK:
        problems.append(
            Problem("DMP-KOS-DICOM", path, "the bytes are no DICOM file",
                    "128 bytes, then DICM (PS3.10 §7.1)", source=SOURCE)
        )  # fmt: skip
    if not entry.reference_ids:
        problems.append(
            Problem("DMP-KOS-REFERENCES", f"{path}/referenceIdList", "it is missing",
                    "accession number, order, Study Instance UID", "warning", SOURCE)
        )  # fmt: skip
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    metadata = metadata_of_entry(entry, content)
    if metadata is None or metadata.patient is None:
        expected = "uniqueId, typeCode, creationTime, and the INS as patientId"
        problems.append(Problem("DMP-UNDESCRIBED", path, "it says too little of itself", expected,
                                source=SOURCE))  # fmt: skip
        return None, problems
    return metadata, problems
