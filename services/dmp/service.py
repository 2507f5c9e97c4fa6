"""Use cases: a submission comes in, a document is found and read."""

import base64
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from services.dmp.domain.entry import Entry, Registered
from services.dmp.events import document_registered
from services.dmp.fhir.bundle import ProvideBundle, ProvidedDocument, read_bundle
from services.dmp.fhir.checks import check_agreement, check_attachment, check_reference
from services.dmp.fhir.storable import check_storable
from services.dmp.fhir.submission import Deposit, check_submission
from services.dmp.hot.registrar import Registrar
from services.dmp.settings import DmpSettings
from socle.auth.subject import Subject
from socle.cda.header import MalformedCdaError, read_header
from socle.cda.metadata import DocumentMetadata, metadata_of
from socle.cda.rules import check_header
from socle.errors import Category, DomainError
from socle.http.context import traceparent
from socle.idgen import uuid7
from socle.kernel import Kernel
from socle.problems import Problem, has_errors
from socle.spaces import Space

_UNKNOWN_TYPE = "CDA-HDR-code-unlisted"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a submission, in the order of its documents."""

    bundle: ProvideBundle
    documents: list[Registered]
    warnings: list[list[Problem]]


@dataclass(slots=True)
class _Checked:
    deposit: Deposit | None = None
    problems: list[Problem] = field(default_factory=list)


async def provide(
    kernel: Kernel, registrar: Registrar, subject: Subject, space: Space, resource: Any
) -> Accepted:
    """ITI-65: all documents of the bundle are stored, or none and every problem is told."""
    assert isinstance(kernel.settings, DmpSettings)
    bundle = read_bundle(resource)
    checked = [_check(document, kernel.settings) for document in bundle.documents]
    problems = [*bundle.problems, *(problem for item in checked for problem in item.problems)]
    if bundle.submission_set is not None:
        problems += check_storable(bundle.submission_set)
    problems += check_submission([item.deposit for item in checked if item.deposit is not None])
    if has_errors(problems):
        errors = sum(problem.severity == "error" for problem in problems)
        raise DomainError(
            Category.UNPROCESSABLE if bundle.documents else Category.INCORRECT,
            "submission_refused",
            f"The submission has {errors} errors; nothing was stored.",
            problems=problems,
        )
    deposits = [item.deposit for item in checked if item.deposit is not None]
    entries = _entries(kernel, subject, space, bundle, deposits)
    documents = await registrar.register(entries, subject.token)
    return Accepted(bundle, documents, [item.problems for item in checked])


def _check(document: ProvidedDocument, settings: DmpSettings) -> _Checked:
    problems = [
        *check_storable(document.reference),
        *check_attachment(document),
        *check_reference(document),
    ]
    try:
        header = read_header(document.content)
    except MalformedCdaError as error:
        return _Checked(problems=[*problems, *error.problems])
    header_problems = _with_unknown_type(check_header(header), settings)
    problems += header_problems
    if has_errors(header_problems):
        return _Checked(problems=problems)
    metadata = metadata_of(header, document.content)
    assert metadata.patient is not None  # a header rule refuses a document without an INS
    problems += check_agreement(document, metadata, metadata.patient)
    return _Checked(Deposit(document, metadata, metadata.patient), problems)


def _with_unknown_type(problems: list[Problem], settings: DmpSettings) -> list[Problem]:
    """The header rule warns of a type outside its extract; the DMP refuses it, unless told."""
    if settings.dmp_unknown_types == "warn":
        return problems
    return [
        replace(problem, severity="error") if problem.rule == _UNKNOWN_TYPE else problem
        for problem in problems
    ]


def _entries(
    kernel: Kernel,
    subject: Subject,
    space: Space,
    bundle: ProvideBundle,
    deposits: list[Deposit],
) -> list[Entry]:
    assert bundle.submission_set is not None
    batch = _SubmissionSet(
        uuid7(), orjson.dumps({"submitted": bundle.submission_set.resource}), space.now()
    )
    return [_entry(kernel, subject, space, batch, deposit) for deposit in deposits]


@dataclass(frozen=True, slots=True)
class _SubmissionSet:
    id: UUID
    metadata: bytes
    at: datetime


def _entry(
    kernel: Kernel, subject: Subject, space: Space, submission: _SubmissionSet, deposit: Deposit
) -> Entry:
    metadata, ins = deposit.metadata, deposit.ins
    patient = kernel.pseudonym(space.name, ins.oid, ins.matricule)
    entry_id = uuid7()
    event = document_registered(
        space.name,
        patient,
        ins,
        metadata,
        entry_id=entry_id,
        logical_id=entry_id,
        at=submission.at,
        traceparent=traceparent.get(),
    )
    return Entry(
        id=entry_id,
        # The first version gives the document its lasting identifier.
        logical_id=entry_id,
        submission_set=submission.id,
        space=space.name,
        unique_id=metadata.unique_id,
        patient=patient,
        ins_oid=ins.oid,
        matricule=ins.matricule,
        type_code=metadata.type_code.code,
        class_code=metadata.class_code.code if metadata.class_code else "",
        created_at=metadata.creation_time,
        registered_at=submission.at,
        sha256=bytes.fromhex(metadata.sha256),
        content=deposit.document.content,
        metadata=orjson.dumps(_row_metadata(deposit.document, metadata)),
        set_metadata=submission.metadata,
        submitter=subject.national_id,
        event=event.value,
    )


def _row_metadata(document: ProvidedDocument, metadata: DocumentMetadata) -> dict[str, Any]:
    return {
        "submitted": document.reference.resource,
        "size": metadata.size,
        "sha1_base64": base64.b64encode(bytes.fromhex(metadata.sha1)).decode(),
        "mime": metadata.mime_type,
        "title": metadata.title,
        "level": metadata.level,
        "format_code": metadata.format_code.code,
    }
