"""The stored queries of folders (ITI TF-2 §3.18.4.1.2.3.7.3, .6, .8 and .9)."""

from services.dmp import folder_repository, repository
from services.dmp.conditions import uuids_of
from services.dmp.folder_repository import Filed, StoredFolder
from services.dmp.stored import entry_of_row
from services.dmp.xds.parameters import matches_code, within
from services.dmp.xds.search import Found, Search, in_folders


async def find_folders(search: Search) -> Found:
    query = search.query
    patient = await search.patient("$XDSFolderPatientId")
    statuses = search.statuses("$XDSFolderStatus")
    # A folder is Approved for ever: nothing here deprecates or deletes one.
    if query.problems or patient is None or "Approved" not in statuses:
        return Found()
    found = await folder_repository.find_folders(
        search.session, search.space, search.reader, patient=patient
    )
    return Found(folders=[one for one in found if _is_wanted(search, one)])


def _is_wanted(search: Search, stored: StoredFolder) -> bool:
    query = search.query
    return matches_code(query.groups("$XDSFolderCodeList"), stored.folder.codes) and within(
        stored.updated,
        query.first("$XDSFolderLastUpdateTimeFrom"),
        query.first("$XDSFolderLastUpdateTimeTo"),
    )


async def get_folders(search: Search) -> Found:
    return Found(folders=await _named(search))


async def get_folder_and_contents(search: Search) -> Found:
    folders = await _named(search)
    filed = await folder_repository.find_filed(
        search.session, search.space, search.reader, [one.id for one in folders]
    )
    wanted = [one for one in filed if await _is_wanted_document(search, one)]
    documents = {one.document.id: one.document for one in wanted}
    return Found(
        documents=list(documents.values()), folders=folders, members=list(in_folders(wanted))
    )


async def _is_wanted_document(search: Search, filed: Filed) -> bool:
    query = search.query
    formats = query.groups("$XDSDocumentEntryFormatCode")
    confidentialities = query.groups("$XDSDocumentEntryConfidentialityCode")
    if not (formats or confidentialities):
        return True
    entry = await entry_of_row(search.session, search.space, filed.document)
    return matches_code(formats, (entry.format_code,)) and matches_code(
        confidentialities, entry.confidentiality
    )


async def get_folders_of_document(search: Search) -> Found:
    query = search.query
    by_uuid, by_unique_id = "$XDSDocumentEntryEntryUUID", "$XDSDocumentEntryUniqueId"
    query.require(by_uuid, by_unique_id)
    if query.problems:
        return Found()
    session, space = search.session, search.space
    documents = await repository.find_named(
        session, space, uuids_of(query.all(by_uuid)), query.all(by_unique_id), search.reader
    )
    ids = await folder_repository.folders_of(session, space, documents)
    return Found(
        folders=await folder_repository.find_folders(session, space, search.reader, ids=ids)
    )


async def _named(search: Search) -> list[StoredFolder]:
    query = search.query
    by_uuid, by_unique_id = "$XDSFolderEntryUUID", "$XDSFolderUniqueId"
    query.require(by_uuid, by_unique_id)
    if query.problems:
        return []
    return await folder_repository.find_folders(
        search.session,
        search.space,
        search.reader,
        ids=uuids_of(query.all(by_uuid)),
        unique_ids=query.all(by_unique_id),
    )
