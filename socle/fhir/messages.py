"""FHIR JSON over HTTP: media types, bodies, answers."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from socle.errors import Category, DomainError
from socle.http.render import FHIR_JSON

FHIR_TYPES = frozenset({"application/fhir+json", "application/json"})


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
