"""HTML for the person in front of the browser: no outside resource, no framing.

A page runs no script but the one that is named for it, which the policy knows by its hash; each
page works without it.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # no-referrer would hide the origin of our own forms from us
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
_environment = Environment(
    loader=PackageLoader("services.psc.api", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(
    template: str, status: int = 200, *, script: str | None = None, **values: Any
) -> HTMLResponse:
    """`script` names a file beside the templates."""
    policy = _POLICY
    if script is not None:
        source, digest = _script(script)
        policy += f"; script-src 'sha256-{digest}'; connect-src 'self'"
        values["script"] = source
    content = _environment.get_template(template).render(**values)
    return HTMLResponse(content, status, {**_HEADERS, "Content-Security-Policy": policy})


@cache
def _script(name: str) -> tuple[Markup, str]:
    source = _environment.get_template(name).render()
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return Markup(source), digest  # noqa: S704 (a file of ours)


def with_headers(response: HTMLResponse, headers: Mapping[str, str]) -> HTMLResponse:
    response.headers.update(headers)
    return response
