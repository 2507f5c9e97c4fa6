"""Refusals of this service: OAuth JSON to machines, a French page to people."""

import orjson
from starlette.responses import Response

from services.psc.api.pages import page, with_headers
from services.psc.domain.refusals import OAuthError, PageError
from socle.errors import DomainError
from socle.http.render import render_oauth


def render(error: DomainError, correlation_id: str) -> Response:
    """`error` and `error_description` as the real service; `socle_hint` says what would be right."""
    if isinstance(error, PageError):
        answer = page(
            "error.html",
            error.status,
            description=error.detail,
            hint=error.hint,
            correlation_id=correlation_id,
        )
        return with_headers(answer, error.headers)
    if not isinstance(error, OAuthError):
        return render_oauth(error, correlation_id)
    body = {"error": error.code, "error_description": error.detail}
    if error.hint:
        body["socle_hint"] = error.hint
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache", **error.headers}
    return Response(orjson.dumps(body), error.status, headers, "application/json")
