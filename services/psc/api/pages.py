"""HTML for the person in front of the browser: no script, no outside resource, no framing."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_environment = Environment(
    loader=PackageLoader("services.psc.api", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    content = _environment.get_template(template).render(**values)
    return HTMLResponse(content, status, _HEADERS)


def with_headers(response: HTMLResponse, headers: Mapping[str, str]) -> HTMLResponse:
    response.headers.update(headers)
    return response
