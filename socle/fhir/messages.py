"""FHIR JSON over HTTP: media types, bodies, answers."""

import re
from codecs import BOM_UTF8
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from socle.errors import Category, DomainError
from socle.http.render import FHIR_JSON

_QUALITY = re.compile(r"[01](?:\.[0-9]{0,3})?")
FHIR_TYPES = frozenset({"application/fhir+json", "application/json"})


def fhir_response(resource: dict[str, Any], status: int = 200, **headers: str) -> Response:
    return Response(orjson.dumps(resource), status, headers, FHIR_JSON)


def media_type(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def accepted_types(accept: str) -> list[str]:
    """The media types of an Accept field, the preferred first (RFC 9110 §12.5.1)."""
    found = []
    for item in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in item.split(";"))
        quality = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        weight = float(quality) if _QUALITY.fullmatch(quality) else 1.0
        if weight > 0:
            found.append((weight, kind))
    return [kind for _, kind in sorted(found, key=lambda one: -one[0])]


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
        return orjson.loads(
            body.removeprefix(BOM_UTF8)
        )  # which a reader may ignore (RFC 8259 §8.1)
    except orjson.JSONDecodeError as error:
        raise DomainError(
            Category.INCORRECT,
            "malformed_json",
            f"The body is not JSON: {error}. It may have been cut short.",
        ) from error
