"""What the FHIR routes share: media types, base address, resource identifiers."""

from typing import Any
from uuid import UUID

import orjson
from fastapi import Request
from starlette.responses import Response

from socle.auth.dependencies import kernel_of
from socle.errors import Category, DomainError
from socle.http.render import FHIR_JSON

FHIR_TYPES = frozenset({"application/fhir+json", "application/json"})


def base_url(request: Request) -> str:
    """The address under which the client reaches this FHIR server, its space prefix included."""
    public = kernel_of(request).settings.public_url.rstrip("/")
    return f"{public}{request.state.space_prefix}/dmp/fhir"


def fhir_response(resource: dict[str, Any], status: int = 200, **headers: str) -> Response:
    return Response(orjson.dumps(resource), status, headers, FHIR_JSON)


def media_type(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def require_fhir_json(request: Request) -> None:
    given = media_type(request.headers.get("content-type", ""))
    if given not in FHIR_TYPES:
        raise DomainError(
            Category.INCORRECT,
            "media_type",
            f"Content-Type is {given or 'absent'}; send application/fhir+json.",
            status=415,
        )


def parse_json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DomainError(
            Category.INCORRECT,
            "malformed_json",
            f"The body is not JSON: {error}. It may have been cut short.",
        ) from error


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
