"""The table of the public paths: which service answers, who checks the caller, in which dialect.

The paths are those of the real services (DESIGN.md §1): a client changes its host and nothing else.
"""

from dataclasses import dataclass
from enum import StrEnum

from socle.http.render import (
    Renderer,
    render_json,
    render_oauth,
    render_outcome,
    render_soap,
)


class Access(StrEnum):
    """Who decides whether a request may pass."""

    OPEN = "open"
    SERVICE = "service"
    """The service alone can tell: a VIHF assertion, a certificate or a token, as it is set."""
    BEARER = "bearer"
    """A live Pro Santé Connect access token, verified here and again by the service."""


@dataclass(frozen=True, slots=True)
class Route:
    prefix: str
    service: str
    access: Access
    render: Renderer = render_json
    patience_seconds: float | None = None
    """How long the service may say nothing, where it is not the gateway's usual time."""

    def holds(self, path: str) -> bool:
        """Whole segments only: /insight is not under /ins."""
        return path.startswith(self.prefix) and path[len(self.prefix) :][:1] in ("", "/")


_PUBLIC = (
    Route("/auth", "psc", Access.OPEN, render_oauth),
    Route("/realms/signsessiondata", "psc", Access.OPEN, render_oauth),
    # The Proxy e-Santé knows its callers by its cookie; /connect waits for a person.
    Route("/connect", "psc", Access.OPEN, patience_seconds=330),
    Route("/disconnect", "psc", Access.OPEN),
    Route("/send", "psc", Access.OPEN),
    Route("/traces", "psc", Access.OPEN),
    Route("/check/alive", "psc", Access.OPEN),
    Route("/lps", "ins", Access.SERVICE, render_soap),
    Route("/ins", "ins", Access.BEARER),
    Route("/ins/fhir", "ins", Access.BEARER, render_outcome),
    Route("/ins/fhir/metadata", "ins", Access.OPEN, render_outcome),
    Route("/dmp/fhir", "dmp", Access.BEARER, render_outcome),
    # FHIR R4 §3.2.0.13: a client reads the capabilities before it has a token.
    Route("/dmp/fhir/metadata", "dmp", Access.OPEN, render_outcome),
    Route("/si-dmp-server", "dmp", Access.SERVICE, render_soap),
    Route("/mss", "mss", Access.BEARER),
    # Published to every operator, and at the paths of the real hosts.
    Route("/mss/listeblanchemssante.xml", "mss", Access.OPEN),
    Route("/listeblanchemssante.xml", "mss", Access.OPEN),
    Route("/mss/CRL", "mss", Access.OPEN),
    Route("/CRL", "mss", Access.OPEN),
    Route("/.well-known/autoconfig", "mss", Access.OPEN),
    Route("/fhir/v2", "mss", Access.SERVICE, render_outcome),
    Route("/usage", "usage", Access.BEARER),
    # A file of a hundred thousand acts is read and stored as a whole before it is answered.
    Route("/usage/activity", "usage", Access.BEARER, patience_seconds=600),
)
# A space's clock and faults lie in the database that all services share, so any of them can
# answer; the journal is the gateway's to merge (gateway/journal.py).
_CONTROL = (
    *(
        Route(f"/_sandbox/{service}", service, Access.SERVICE)
        for service in ("psc", "ins", "dmp", "mss", "usage")
    ),
    Route("/_sandbox/clock", "usage", Access.SERVICE),
    Route("/_sandbox/faults", "usage", Access.SERVICE),
)
ROUTES = tuple(sorted((*_PUBLIC, *_CONTROL), key=lambda route: -len(route.prefix)))


def find(path: str) -> Route | None:
    """The most specific route that holds the path (taken without its /s/<space> prefix)."""
    for route in ROUTES:
        if route.holds(path):
            return route
    return None


def dialects() -> dict[str, Renderer]:
    return {route.prefix: route.render for route in _PUBLIC}
