"""Use cases: a submission comes in, by FHIR or by SOAP."""

from dataclasses import dataclass, field
from typing import Any

from services.dmp.domain.deposit import Deposit, check_submission
from services.dmp.domain.entry import Registered
from services.dmp.entries import NewSet, describe, new_entries
from services.dmp.fhir.bundle import ProvideBundle, ProvidedDocument, read_bundle
from services.dmp.fhir.checks import check_agreement, check_attachment, check_reference
from services.dmp.fhir.relations import check_patch, read_relations
from services.dmp.fhir.storable import check_storable
from services.dmp.fhir.to_xds import entry_from_reference, set_from_list
from services.dmp.hot.registrar import Registrar
from services.dmp.related import Wanted, resolve
from services.dmp.settings import DmpSettings
from socle.auth.subject import Subject
from socle.errors import Category, DomainError
from socle.idgen import uuid7
from socle.kernel import Kernel
from socle.problems import Problem, has_errors
from socle.spaces import Space


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a submission, in the order of its documents."""

    bundle: ProvideBundle
    documents: list[Registered]
    warnings: list[list[Problem]]


@dataclass(slots=True)
class _Checked:
    deposit: Deposit | None = None
    relations: list[Wanted] = field(default_factory=list)
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
    deposits = [item.deposit for item in checked if item.deposit is not None]
    problems += check_submission(deposits, "Bundle.entry")
    wanted = [one for item in checked for one in item.relations]
    replaced = {one.target for one in wanted if one.kind == "RPLC"}
    for part, url in bundle.patches:
        problems += check_patch(part, url, replaced)
    resolved = await resolve(kernel, space, deposits, wanted)
    problems += resolved.problems
    if has_errors(problems):
        errors = sum(problem.severity == "error" for problem in problems)
        raise DomainError(
            Category.UNPROCESSABLE if bundle.documents else Category.INCORRECT,
            "submission_refused",
            f"The submission has {errors} errors; nothing was stored.",
            problems=problems,
        )
    submission = _new_set(subject, space, bundle, deposits)
    entries = new_entries(kernel, space, submission, deposits, resolved.chains)
    documents = await registrar.register(entries, subject.token, resolved.related)
    return Accepted(bundle, documents, [item.problems for item in checked])


def _check(document: ProvidedDocument, settings: DmpSettings) -> _Checked:
    entry_id = uuid7()
    relations, unread = read_relations(document.reference, entry_id)
    problems = [
        *check_storable(document.reference),
        *check_attachment(document),
        *check_reference(document),
        *unread,
    ]
    metadata, found = describe(
        document.content, refuse_unknown_types=settings.dmp_unknown_types == "refuse"
    )
    problems += found
    if metadata is None:
        return _Checked(None, relations, problems)
    assert metadata.patient is not None  # a header rule refuses a document without an INS
    problems += check_agreement(document, metadata, metadata.patient)
    resource = document.reference.resource
    deposit = Deposit(
        entry_id,
        f"{document.reference.path}.masterIdentifier",
        document.content,
        metadata,
        metadata.patient,
        entry_from_reference(resource, metadata, metadata.patient),
        resource,
    )
    return _Checked(deposit, relations, problems)


def _new_set(
    subject: Subject, space: Space, bundle: ProvideBundle, deposits: list[Deposit]
) -> NewSet:
    assert bundle.submission_set is not None
    set_id, at = uuid7(), space.now()
    resource = bundle.submission_set.resource
    entries = [deposit.entry for deposit in deposits]
    xds = set_from_list(resource, entries, f"2.25.{set_id.int}", at)
    return NewSet(set_id, {"submitted": resource, "xds": xds.as_json()}, subject.national_id, at)
