"""The XDS metadata of what is registered: documents and submission sets."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.dmp import repository
from services.dmp.fhir.to_xds import entry_from_reference
from services.dmp.repository import StoredEntry, StoredSet
from socle.cda.header import read_header
from socle.cda.metadata import metadata_of
from socle.xds.document_entry import Coded, DocumentEntry
from socle.xds.submission_set import SubmissionSet


def set_of(stored: StoredSet) -> SubmissionSet:
    """Sets that came by FHIR before there was a SOAP door lack what nobody asked for then."""
    kept = stored.metadata.get("xds")
    if kept is not None:
        return SubmissionSet.of_json(kept)
    at = stored.submitted_at.strftime("%Y%m%d%H%M%S")
    return SubmissionSet(f"2.25.{stored.id.int}", "", "", at, Coded("", ""))


async def entry_of_row(session: AsyncSession, space: str, stored: StoredEntry) -> DocumentEntry:
    """Documents that were registered before there was a SOAP door are described anew."""
    kept = stored.metadata.get("xds")
    if kept is not None:
        return DocumentEntry.of_json(kept)
    content = await repository.get_content(session, space, stored.id)
    metadata = metadata_of(read_header(content), content)
    assert metadata.patient is not None  # or it would not have been registered
    return entry_from_reference(stored.metadata["submitted"], metadata, metadata.patient)
