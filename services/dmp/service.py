"""Use cases: a submission comes in, by FHIR or by SOAP."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from services.dmp import folder_repository, repository
from services.dmp.description import describe, located
from services.dmp.domain.deposit import Deposit, check_submission
from services.dmp.domain.entry import Registered
from services.dmp.domain.folder import Filing, NewFolder, check_folder_ids
from services.dmp.domain.imaging_object import MIME_TYPE, describe_imaging_object
from services.dmp.domain.validation import Policy
from services.dmp.domain.visibility import Reader
from services.dmp.entries import NewSet, new_entries
from services.dmp.fhir.bundle import Part, ProvideBundle, ProvidedDocument
from services.dmp.fhir.checks import (
    check_agreement,
    check_attachment,
    check_reference,
    content_type_of,
)
from services.dmp.fhir.folders import read_folder
from services.dmp.fhir.profiles import (
    check_comprehensive,
    check_folder,
    check_simplified,
    check_submission_set,
)
from services.dmp.fhir.relations import check_patch, read_relations
from services.dmp.fhir.simplified import PATH
from services.dmp.fhir.storable import check_storable
from services.dmp.fhir.to_xds import entry_from_reference, entry_of_resource, set_from_list
from services.dmp.hot.registrar import Registrar
from services.dmp.related import Wanted, resolve, resolve_shelved, with_folders
from services.dmp.traces import REFUSALS, tell_refusal
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
    set_warnings: list[Problem]
    folders: dict[int, UUID]
    """The entryUUIDs of the folders, by the places of their Lists in the bundle."""


@dataclass(slots=True)
class _Checked:
    deposit: Deposit | None = None
    relations: list[Wanted] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


async def provide(
    kernel: Kernel,
    registrar: Registrar,
    subject: Subject,
    space: Space,
    policy: Policy,
    bundle: ProvideBundle,
) -> Accepted:
    """ITI-65 and ITI-105: all documents are stored, or none and every problem is told."""
    several = len(bundle.documents) > 1
    checked = [_check(document, policy, among_others=several) for document in bundle.documents]
    try:
        return await _store(kernel, registrar, subject, space, policy, bundle, checked)
    except DomainError as error:
        if error.category in REFUSALS:
            documents = [
                (item.deposit, document.content)
                for item, document in zip(checked, bundle.documents, strict=True)
            ]
            await tell_refusal(
                kernel, space, documents, error.problems, "fhir", sender=subject.national_id
            )
        raise


async def _store(
    kernel: Kernel,
    registrar: Registrar,
    subject: Subject,
    space: Space,
    policy: Policy,
    bundle: ProvideBundle,
    checked: list[_Checked],
) -> Accepted:
    problems = [*bundle.problems, *(problem for item in checked for problem in item.problems)]
    of_set = _check_set(bundle.submission_set, policy)
    problems += of_set
    for part in bundle.folders:
        problems += [*check_storable(part), *policy.of_profile(check_folder(part))]
    deposits = [item.deposit for item in checked if item.deposit is not None]
    problems += check_submission(
        deposits, PATH if bundle.submission_set is None else "Bundle.entry"
    )
    wanted = [one for item in checked for one in item.relations]
    replaced = {one.target for one in wanted if one.kind == "RPLC"}
    for part, url in bundle.patches:
        problems += check_patch(part, url, replaced)
    resolved = await resolve(kernel, space, deposits, wanted)
    problems += resolved.problems
    folders, filings, unfiled = await _read_folders(kernel, space, subject, bundle, deposits)
    problems += unfiled
    if has_errors(problems):
        errors = sum(problem.severity == "error" for problem in problems)
        raise DomainError(
            Category.UNPROCESSABLE if bundle.documents else Category.INCORRECT,
            "submission_refused",
            f"The submission has {errors} errors; nothing was stored.",
            problems=problems,
        )
    submission = _new_set(subject, space, bundle, deposits)
    entries = new_entries(
        kernel, space, submission, deposits, resolved.chains, compare_traits=policy.compares_traits
    )
    related = with_folders(resolved.related, folders, filings, space.now())
    documents = await registrar.register(entries, subject.token, related)
    if folders and not documents[0].is_new:
        folders = await _registered_folders(kernel, space, folders)
    places = zip((part.index for part in bundle.folders), folders, strict=True)
    return Accepted(
        bundle,
        documents,
        [item.problems for item in checked],
        of_set,
        {index: new.id for index, new in places},
    )


async def _read_folders(
    kernel: Kernel, space: Space, subject: Subject, bundle: ProvideBundle, deposits: list[Deposit]
) -> tuple[list[NewFolder], list[Filing], list[Problem]]:
    if not (bundle.folders and deposits):  # a bundle without a document is refused already
        return [], [], []
    of_path = {deposit.path: deposit.id for deposit in deposits}
    new = {
        document.reference.full_url: of_path[f"{document.reference.path}.masterIdentifier"]
        for document in bundle.documents
        if f"{document.reference.path}.masterIdentifier" in of_path
    }
    folders, shelved, problems = [], [], []
    for part in bundle.folders:
        folder, documents, found = read_folder(
            part, uuid7(), deposits[0].ins, deposits[0].metadata.unique_id, new
        )
        folders.append(folder)
        shelved += documents
        problems += found
    problems += check_folder_ids(folders)
    filings, unknown = await resolve_shelved(kernel, space, shelved, Reader(subject.national_id))
    return folders, filings, [*problems, *unknown]


async def _registered_folders(
    kernel: Kernel, space: Space, folders: list[NewFolder]
) -> list[NewFolder]:
    """Of a submission that came before: its folders have their entryUUIDs."""
    async with kernel.database.read() as session:
        found = await folder_repository.find_folders(
            session,
            space.name,
            repository.EVERYTHING,
            unique_ids=[one.folder.unique_id for one in folders],
        )
    ids = {one.folder.unique_id: one.id for one in found}
    return [replace(one, id=ids.get(one.folder.unique_id, one.id)) for one in folders]


def _check_set(part: Part | None, policy: Policy) -> list[Problem]:
    if part is None:  # of ITI-105, or refused already
        return []
    return [*check_storable(part), *policy.of_profile(check_submission_set(part))]


def _check(document: ProvidedDocument, policy: Policy, *, among_others: bool) -> _Checked:
    entry_id, part = uuid7(), document.reference
    relations, unread = read_relations(part, entry_id)
    profile = check_simplified if document.binary is None else check_comprehensive
    problems = [
        *check_storable(part),
        *check_attachment(document, policy),
        *check_reference(document, policy),
        *policy.of_profile(profile(part)),
        *unread,
    ]
    resource = part.resource
    told = entry_of_resource(resource, document.content)
    is_kos = content_type_of(document) == MIME_TYPE
    if is_kos:
        metadata, found = describe_imaging_object(told, document.content, part.path)
    else:
        metadata, found = describe(document.content, policy, lambda: told)
    problems += located(found, part.path, among_others=among_others)
    if metadata is None or metadata.patient is None:
        return _Checked(None, relations, problems)
    if not is_kos:
        problems += check_agreement(document, metadata, metadata.patient, policy)
    deposit = Deposit(
        entry_id,
        f"{document.reference.path}.masterIdentifier",
        document.content,
        metadata,
        metadata.patient,
        told if is_kos else entry_from_reference(resource, metadata, metadata.patient),
        resource,
    )
    return _Checked(deposit, relations, problems)


def _new_set(
    subject: Subject, space: Space, bundle: ProvideBundle, deposits: list[Deposit]
) -> NewSet:
    set_id, at = uuid7(), space.now()
    resource = bundle.submission_set.resource if bundle.submission_set else {}
    entries = [deposit.entry for deposit in deposits]
    xds = set_from_list(resource, entries, f"2.25.{set_id.int}", at)
    return NewSet(set_id, {"submitted": resource, "xds": xds.as_json()}, subject.national_id, at)
