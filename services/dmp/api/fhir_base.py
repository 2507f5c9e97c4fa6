"""What the FHIR routes share: base address, resource identifiers."""

from uuid import UUID

from fastapi import Request

from socle.auth.dependencies import kernel_of
from socle.errors import Category, DomainError


def base_url(request: Request) -> str:
    """The address under which the client reaches this FHIR server, its space prefix included."""
    public = kernel_of(request).settings.public_url.rstrip("/")
    return f"{public}{request.state.space_prefix}/dmp/fhir"


def entry_id(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise unknown_document(value) from None


def unknown_document(value: str) -> DomainError:
    return DomainError(
        Category.NOT_FOUND,
        "document_unknown",
        f"No document entry {value[:64]} in this space; search DocumentReference by patient.identifier.",
    )
