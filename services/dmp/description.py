"""What a document says of itself, and of whom it is: the first thing that is asked of a deposit."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from services.dmp.domain.undescribed import metadata_of_entry
from services.dmp.domain.validation import Policy
from socle.cda.header import read_header
from socle.cda.metadata import DocumentMetadata, metadata_of, patient_ins
from socle.cda.model import CdaHeader
from socle.cda.rules import check_header
from socle.cda.xml import MalformedCdaError
from socle.ids.ins import Ins
from socle.problems import Problem, has_errors
from socle.xds.document_entry import DocumentEntry


def describe(
    content: bytes, policy: Policy, told: Callable[[], DocumentEntry]
) -> tuple[DocumentMetadata | None, list[Problem]]:
    """The metadata with their patient, unless the header holds an error; and every finding.

    `told` gives what the sender says of the document. It is asked only where a lenient registry
    keeps a document whose header says too little to be found by.
    """
    try:
        header = read_header(content)
    except MalformedCdaError as error:
        return None, error.problems
    problems = policy.of_header(check_header(header))
    if has_errors(problems):
        return None, problems
    metadata: DocumentMetadata | None
    try:
        metadata = metadata_of(header, content)
    except MalformedCdaError as error:
        if not policy.is_lenient:
            return None, error.problems
        metadata = metadata_of_entry(told(), content)
    if metadata is not None and metadata.patient is None:
        metadata = replace(metadata, patient=_patient(header, told))
    if metadata is None or metadata.patient is None:
        return None, [*problems, _anonymous()]
    return metadata, problems


def located(problems: Sequence[Problem], document: str, *, among_others: bool) -> list[Problem]:
    """Where a submission has several documents, a path inside of one also names which; `document` is
    the place of its metadata."""
    if not among_others:
        return list(problems)
    return [
        replace(one, path=document + one.path.rstrip("/")) if one.path.startswith("/") else one
        for one in problems
    ]


def _patient(header: CdaHeader, told: Callable[[], DocumentEntry]) -> Ins | None:
    return patient_ins(header, despite_key=True) or Ins.from_cx(told().patient_id, despite_key=True)


def _anonymous() -> Problem:
    return Problem(
        "DMP-UNDESCRIBED",
        "/ClinicalDocument",
        "neither the document nor its metadata say what it is and whose it is",
        "an id, a code, an effectiveTime and a recordTarget with an INS in the header; or uniqueId, "
        "type, creation time and patient in the metadata",
        source="spec dmp.md §1.4",
    )
