"""The XDS metadata of a document that is registered."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.dmp import repository
from services.dmp.domain.document_entry import DocumentEntry
from services.dmp.fhir.to_xds import entry_from_reference
from services.dmp.repository import StoredEntry
from socle.cda.header import read_header
from socle.cda.metadata import metadata_of


async def entry_of_row(session: AsyncSession, space: str, stored: StoredEntry) -> DocumentEntry:
    """Documents that were registered before there was a SOAP door are described anew."""
    kept = stored.metadata.get("xds")
    if kept is not None:
        return DocumentEntry.of_json(kept)
    content = await repository.get_content(session, space, stored.id)
    metadata = metadata_of(read_header(content), content)
    assert metadata.patient is not None  # or it would not have been registered
    return entry_from_reference(stored.metadata["submitted"], metadata, metadata.patient)
