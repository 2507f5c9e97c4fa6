"""ITI-18: the stored queries of TD3.1 (spec: dmp.md §1.5; ITI TF-2 §3.18.4.1.2.3.7)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from lxml import etree
from sqlalchemy.ext.asyncio import AsyncSession

from services.dmp import folder_repository, repository
from services.dmp.conditions import EntryQuery, uuids_of
from services.dmp.domain.visibility import Reader
from services.dmp.folder_repository import StoredFolder
from services.dmp.repository import StoredAssociation, StoredEntry, StoredSet
from services.dmp.stored import entry_of_row, set_of
from services.dmp.xds.folder_queries import (
    find_folders,
    get_folder_and_contents,
    get_folders,
    get_folders_of_document,
)
from services.dmp.xds.message import Message
from services.dmp.xds.parameters import StoredQuery, like, matches_code, read_query, within
from services.dmp.xds.registered import write_folder, write_relation
from services.dmp.xds.responses import query_response
from services.dmp.xds.search import Found, Pseudonymise, Search, in_folders, in_sets
from socle.problems import Problem
from socle.xds import names
from socle.xds.document_entry import Coded, DocumentEntry
from socle.xds.entry import Place, rim, write_entry
from socle.xds.sets import member_id, write_member, write_set

MAX_RESULTS: Final = 2000
"""Objects of one answer; more is XDSTooManyResults."""


async def answer_query(
    session: AsyncSession,
    space: str,
    reader: Reader,
    message: Message,
    pseudonymise: Pseudonymise,
    told: list[Problem],
) -> etree._Element:
    """`told` receives what a stricter setting would refuse."""
    query = read_query(message.body)
    if query is None:
        return _failure([Problem("XDSRegistryError", "/Envelope/Body", "no stored query",
                                 "query:AdhocQueryRequest with a rim:AdhocQuery")])  # fmt: skip
    run = _QUERIES.get(query.id.lower().removeprefix("urn:uuid:"))
    if run is None:
        query.problem("XDSUnknownStoredQuery", "AdhocQuery/@id", query.id[:80], "one of XDS.b")
        return _failure(query.problems)
    found = await run(Search(session, space, reader, query, pseudonymise, told))
    if query.problems:
        return _failure(query.problems)
    count = len(found)
    if count > MAX_RESULTS and query.leaf_class:
        query.problem("XDSTooManyResults", "AdhocQuery", f"{count} objects",
                      f"at most {MAX_RESULTS}: ask for ObjectRef, or narrow the query")  # fmt: skip
        return _failure(query.problems)
    root, objects = query_response(names.SUCCESS, count)
    if not query.leaf_class:
        for identifier in _ids(found):
            rim(objects, "ObjectRef", id=identifier)
        return root
    for stored_set in found.sets:
        write_set(objects, stored_set.id, set_of(stored_set))
    for folder in found.folders:
        write_folder(objects, folder)
    for stored in found.documents:
        entry = await entry_of_row(session, space, stored)
        place = Place(stored.id, stored.logical_id, stored.version, stored.status)
        write_entry(objects, entry, place)
    for one in found.members:
        write_member(objects, one.package, one.member, of_set=one.of_set)
    for relation in found.relations:
        write_relation(objects, relation)
    return root


def _failure(problems: Sequence[Problem]) -> etree._Element:
    return query_response(names.FAILURE, 0, problems)[0]


def _ids(found: Found) -> list[str]:
    return [
        *(f"urn:uuid:{one.id}" for one in found.sets),
        *(f"urn:uuid:{one.id}" for one in found.folders),
        *(f"urn:uuid:{one.id}" for one in found.documents),
        *(member_id(one.package, one.member) for one in found.members),
        *(f"urn:uuid:{one.id}" for one in found.relations),
    ]


async def _find_documents(search: Search) -> Found:
    _tell_unbounded(search)
    return Found(await _documents(search, "$XDSDocumentEntryPatientId"))


def _tell_unbounded(search: Search) -> None:
    """The first search that software makes by itself covers two years at most (spec: dmp.md §1.5); the
    registry cannot know which search is that one, so it tells."""
    bounds = ("CreationTimeFrom", "ServiceStartTimeFrom")
    if not any(search.query.first(f"$XDSDocumentEntry{name}") for name in bounds):
        search.told.append(
            Problem(
                "DMP-SEARCH-TWO-YEARS",
                "$XDSDocumentEntryCreationTimeFrom",
                "the search has no beginning",
                "two years at most in the first automatic search; a search by hand has no bound",
                "warning",
                "PDSm4DMP, exemples d'usage du DMP; spec dmp.md §1.5",
            )
        )


async def _find_by_reference(search: Search) -> Found:
    search.query.require("$XDSDocumentEntryReferenceIdList")
    groups = search.query.groups("$XDSDocumentEntryReferenceIdList")
    found = []
    for stored in await _documents(search, "$XDSDocumentEntryPatientId"):
        entry = await entry_of_row(search.session, search.space, stored)
        if all(any(one in entry.reference_ids for one in group) for group in groups):
            found.append(stored)
    return Found(found)


async def _documents(search: Search, patient_parameter: str) -> list[StoredEntry]:
    query = search.query
    patient = await search.patient(patient_parameter)
    statuses = search.statuses("$XDSDocumentEntryStatus")
    if query.problems or patient is None:
        return []
    if not _wants_stable(query):
        return []
    stored = await repository.search_entries(
        search.session,
        search.space,
        search.reader,
        EntryQuery(patient=patient, statuses=statuses),
        MAX_RESULTS * 5,
    )
    if not _restricts(query):
        return stored
    return [
        one
        for one in stored
        if _is_wanted(query, await entry_of_row(search.session, search.space, one))
    ]


_CODES: Final[dict[str, Callable[[DocumentEntry], Sequence[Coded]]]] = {
    "$XDSDocumentEntryClassCode": lambda entry: (entry.class_code,),
    "$XDSDocumentEntryTypeCode": lambda entry: (entry.type_code,),
    "$XDSDocumentEntryFormatCode": lambda entry: (entry.format_code,),
    "$XDSDocumentEntryPracticeSettingCode": lambda entry: (entry.practice_setting,),
    "$XDSDocumentEntryHealthcareFacilityTypeCode": lambda entry: (entry.facility_type,),
    "$XDSDocumentEntryConfidentialityCode": lambda entry: entry.confidentiality,
    "$XDSDocumentEntryEventCodeList": lambda entry: entry.event_codes,
}
_TIMES: Final[dict[str, Callable[[DocumentEntry], str]]] = {
    "$XDSDocumentEntryCreationTime": lambda entry: entry.creation_time,
    "$XDSDocumentEntryServiceStartTime": lambda entry: entry.service_start,
    "$XDSDocumentEntryServiceStopTime": lambda entry: entry.service_stop,
}
_AUTHOR: Final = "$XDSDocumentEntryAuthorPerson"


def _wants_stable(query: StoredQuery) -> bool:
    """On-demand documents are another type of entry, of which there are none here."""
    groups = query.groups("$XDSDocumentEntryType")
    return all(names.STABLE in group for group in groups)


def _restricts(query: StoredQuery) -> bool:
    times = (f"{name}{end}" for name in _TIMES for end in ("From", "To"))
    return any(query.all(name) for name in (*_CODES, *times, _AUTHOR))


def _is_wanted(query: StoredQuery, entry: DocumentEntry) -> bool:
    return (
        all(matches_code(query.groups(name), codes(entry)) for name, codes in _CODES.items())
        and all(
            within(time(entry), query.first(f"{name}From"), query.first(f"{name}To"))
            for name, time in _TIMES.items()
        )
        and like(query.groups(_AUTHOR), [author.person for author in entry.authors])
    )


async def _find_sets(search: Search) -> Found:
    query = search.query
    patient = await search.patient("$XDSSubmissionSetPatientId")
    statuses = search.statuses("$XDSSubmissionSetStatus")
    if query.problems or patient is None or "Approved" not in statuses:
        return Found()
    sets = await repository.find_sets(search.session, search.space, search.reader, patient=patient)
    return Found(sets=[one for one in sets if _is_wanted_set(query, one)])


def _is_wanted_set(query: StoredQuery, stored: StoredSet) -> bool:
    found = set_of(stored)
    return (
        matches_code(query.groups("$XDSSubmissionSetContentType"), (found.content_type,))
        and within(
            found.submission_time,
            query.first("$XDSSubmissionSetSubmissionTimeFrom"),
            query.first("$XDSSubmissionSetSubmissionTimeTo"),
        )
        and all(found.source_id in group for group in query.groups("$XDSSubmissionSetSourceId"))
        and like(
            query.groups("$XDSSubmissionSetAuthorPerson"),
            [author.person for author in found.authors],
        )
    )


async def _get_documents(search: Search) -> Found:
    return Found(await _named_documents(search))


async def _get_documents_and_associations(search: Search) -> Found:
    found = await _named_documents(search)
    members = list(in_sets(found))
    return Found(found, members=members, relations=await _relations(search, found))


async def _named_documents(search: Search) -> list[StoredEntry]:
    query = search.query
    by_uuid, by_unique_id = "$XDSDocumentEntryEntryUUID", "$XDSDocumentEntryUniqueId"
    by_logical_id = "$XDSDocumentEntryLogicalID"  # every version (ITI-57 supplement, §3.18)
    query.require(by_uuid, by_unique_id, by_logical_id)
    if query.problems:
        return []
    found = await repository.find_named(
        search.session,
        search.space,
        uuids_of(query.all(by_uuid)),
        query.all(by_unique_id),
        search.reader,
        logical_ids=uuids_of(query.all(by_logical_id)),
    )
    if query.leaf_class and len({one.patient for one in found}) > 1:
        query.problem("XDSResultNotSinglePatient", by_uuid, "the documents are of several patients",
                      "ObjectRef, or the documents of one patient")  # fmt: skip
    return found


async def _relations(search: Search, documents: Sequence[StoredEntry]) -> list[StoredAssociation]:
    """An association with a document that the caller is not shown would give its entryUUID away."""
    ids = [one.id for one in documents]
    found = await repository.find_associations(search.session, search.space, ids)
    if not found:
        return []
    ends = [end for one in found for end in (one.source, one.target)]
    shown = {
        one.id
        for one in await repository.find_named(
            search.session, search.space, ends, (), search.reader
        )
    }
    return [one for one in found if shown >= {one.source, one.target}]


async def _get_associations(search: Search) -> Found:
    """Of documents, folders and submission sets: both ends name an association."""
    query = search.query
    query.require("$uuid")
    ids = uuids_of(query.all("$uuid"))
    session, space, reader = search.session, search.space, search.reader
    documents = await repository.find_named(session, space, ids, (), reader)
    of_sets = await repository.find_members(session, space, ids, reader)
    folders = await folder_repository.find_folders(
        session, space, reader, ids=ids, submission_sets=ids
    )
    filing = await folder_repository.folders_of(session, space, documents)
    filed = await folder_repository.find_filed(session, space, reader, [*ids, *filing])
    members = {
        *in_sets([*documents, *of_sets, *folders]),
        *(one for one in in_folders(filed) if {one.package, one.member} & {*ids}),
    }
    return Found(members=sorted(members), relations=await _relations(search, documents))


async def _get_sets(search: Search) -> Found:
    """The sets that hold these documents and folders, with the memberships."""
    query = search.query
    query.require("$uuid")
    ids = uuids_of(query.all("$uuid"))
    documents = await repository.find_named(search.session, search.space, ids, (), search.reader)
    folders = await folder_repository.find_folders(
        search.session, search.space, search.reader, ids=ids
    )
    members = list(in_sets([*documents, *folders]))
    sets = await repository.find_sets(
        search.session, search.space, search.reader, ids=[one.package for one in members]
    )
    return Found(sets=sets, members=members)


async def _get_set_and_contents(search: Search) -> Found:
    query = search.query
    by_uuid, by_unique_id = "$XDSSubmissionSetEntryUUID", "$XDSSubmissionSetUniqueId"
    query.require(by_uuid, by_unique_id)
    if query.problems:
        return Found()
    session, space, reader = search.session, search.space, search.reader
    sets = await repository.find_sets(
        session, space, reader, ids=uuids_of(query.all(by_uuid)), unique_ids=query.all(by_unique_id)
    )
    ids = [one.id for one in sets]
    members = await repository.find_members(session, space, ids, reader)
    documents = await _of_codes(search, members)
    folders = await folder_repository.find_folders(session, space, reader, submission_sets=ids)
    return await _with_members(search, documents, sets, folders)


async def _get_all(search: Search) -> Found:
    query = search.query
    patient = await search.patient("$patientId")
    statuses = search.statuses("$XDSDocumentEntryStatus")
    if query.problems or patient is None:
        return Found()
    session, space, reader = search.session, search.space, search.reader
    documents = await repository.search_entries(
        session, space, reader, EntryQuery(patient=patient, statuses=statuses), MAX_RESULTS * 5
    )
    documents = await _of_codes(search, documents)
    sets = await repository.find_sets(session, space, reader, patient=patient)
    folders = await folder_repository.find_folders(session, space, reader, patient=patient)
    return await _with_members(search, documents, sets, folders)


async def _of_codes(search: Search, documents: list[StoredEntry]) -> list[StoredEntry]:
    """Of a format and a confidentiality, where GetAll and GetSubmissionSetAndContents ask for them."""
    query = search.query
    if not _wants_stable(query):
        return []
    if not _restricts(query):
        return documents
    return [
        one
        for one in documents
        if _is_wanted(query, await entry_of_row(search.session, search.space, one))
    ]


async def _with_members(
    search: Search,
    documents: list[StoredEntry],
    sets: list[StoredSet],
    folders: list[StoredFolder],
) -> Found:
    """And how they hang together, as far as both ends are among them."""
    session, space, reader = search.session, search.space, search.reader
    shown = {one.id for one in documents}
    filed = await folder_repository.find_filed(session, space, reader, [one.id for one in folders])
    inside = [one for one in filed if one.document.id in shown]
    members = [*in_sets([*documents, *folders]), *in_folders(inside)]
    return Found(documents, sets, folders, members, await _relations(search, documents))


async def _get_related(search: Search) -> Found:
    """The document, what it is related to, and how (ITI TF-2 §3.18.4.1.2.3.7.10)."""
    query = search.query
    kinds_name = "$AssociationTypes"
    query.require(kinds_name)
    named = await _named_documents(search)
    kinds = {names.RELATIONS.get(one) for one in query.all(kinds_name)}
    relations = [one for one in await _relations(search, named) if one.kind in kinds]
    ends = {end for one in relations for end in (one.source, one.target)}
    documents = await repository.find_named(
        search.session, search.space, list(ends), (), search.reader
    )
    return Found(documents, relations=relations)


_QUERIES: Final[dict[str, Callable[[Search], Awaitable[Found]]]] = {
    "14d4debf-8f97-4251-9a74-a90016b0af0d": _find_documents,
    "12941a89-e02e-4be5-967c-ce4bfc8fe492": _find_by_reference,
    "f26abbcb-ac74-4422-8a30-edb644bbc1a9": _find_sets,
    "5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4": _get_documents,
    "a7ae438b-4bc2-4642-93e9-be891f7bb155": _get_associations,
    "bab9529a-4a10-40b3-a01f-f68a615d247a": _get_documents_and_associations,
    "51224314-5390-4169-9b91-b1980040715a": _get_sets,
    "e8e3cb2c-e39c-46b9-99e4-c12f57260b83": _get_set_and_contents,
    "d90e5407-b356-4d91-a89f-873917b4b0e6": _get_related,
    "10b545ea-725c-446d-9b95-8aeb444eddf3": _get_all,
    "958f3006-baad-4929-a4de-ff1114824431": find_folders,
    "5737b14c-8a1a-4539-b659-e03a34a5e1e4": get_folders,
    "b909a503-523d-4517-8acf-8e5834dfc4c7": get_folder_and_contents,
    "10cae35a-c7f9-4cf5-b61e-fc3278ffb578": get_folders_of_document,
}
