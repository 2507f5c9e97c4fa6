"""What the FHIR routes share: base address, resource identifiers."""

from uuid import UUID

from fastapi import Request

from services.dmp import repository
from services.dmp.domain.visibility import Reader
from services.dmp.repository import StoredEntry
from socle.auth.dependencies import kernel_of
from socle.auth.subject import Subject
from socle.db.database import ReadSession
from socle.errors import Category, DomainError
from socle.spaces import Space


def base_url(request: Request) -> str:
    """The address under which the client reaches this FHIR server, its space prefix included."""
    public = kernel_of(request).settings.public_url.rstrip("/")
    return f"{public}{request.state.space_prefix}/dmp/fhir"


def reader_of(caller: Subject) -> Reader:
    return Reader(caller.national_id)


async def get_entry(
    session: ReadSession, space: Space, resource_id: str, reader: Reader
) -> StoredEntry:
    """The document of a resource id: its logicalId, or the entryUUID of any of its versions."""
    try:
        name = str(UUID(resource_id))
    except ValueError:
        raise unknown_document(resource_id) from None
    entry = await repository.get_document(session, space.name, name, reader)
    if entry is None:
        raise unknown_document(resource_id)
    return entry


def unknown_document(value: str) -> DomainError:
    return DomainError(
        Category.NOT_FOUND,
        "document_unknown",
        f"No document entry {value[:64]} in this space; search DocumentReference by patient.identifier.",
    )
