"""The page at `/`: what Socle is, where to point a product, whether each service is up."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from jinja2 import Environment, PackageLoader, select_autoescape
from starlette.responses import HTMLResponse

from gateway.context import gateway_of
from gateway.health import State, states_of_services
from gateway.settings import GatewaySettings
from socle import __version__

router = APIRouter(include_in_schema=False)
_templates = Environment(
    loader=PackageLoader("gateway"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    trim_blocks=True,
    lstrip_blocks=True,
)
_page = _templates.get_template("landing.html")
_style = _templates.get_template("landing.css").render()
_digest = base64.b64encode(hashlib.sha256(_style.encode()).digest()).decode()
# Nothing is loaded and nothing runs; the one style sheet is known by its hash.
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_digest}'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_NAMES = {
    "psc": "Pro Santé Connect",
    "ins": "INS et téléservice INSi",
    "dmp": "Dossier Médical Partagé",
    "mss": "Messagerie Sécurisée de Santé",
    "usage": "Indicateurs d’usage SUN-ES",
}
_STATES = {
    State.READY: "prêt",
    State.NOT_YET: "démarre",
    State.SILENT: "ne répond pas",
    State.UNREACHABLE: "injoignable",
}


@dataclass(frozen=True, slots=True)
class Address:
    service: str
    role: str
    value: str


def addresses(settings: GatewaySettings, prefix: str) -> list[Address]:
    """What a product must be given, under the prefix of its space."""
    base = settings.public_url.rstrip("/") + prefix
    host = urlsplit(settings.public_url).hostname or "localhost"
    return [
        Address(
            "Pro Santé Connect",
            "découverte OpenID Connect",
            f"{base}/auth/realms/esante-wallet/.well-known/openid-configuration",
        ),
        Address("INSi", "SOAP 1.2", f"{base}/lps"),
        Address("DMP", "FHIR R4, PDSm", f"{base}/dmp/fhir"),
        Address("MSSanté", "SMTP, STARTTLS, XOAUTH2", f"{host}:{settings.mss_smtp_port}"),
        Address("MSSanté", "IMAP, STARTTLS, XOAUTH2", f"{host}:{settings.mss_imap_port}"),
        Address("Usage", "indicateurs, JSON", f"{base}/usage/indicators"),
        Address("Bac à sable", "horloge d'un espace", f"{base}/_sandbox/clock"),
        Address("Bac à sable", "journal des requêtes", f"{base}/_sandbox/journal"),
    ]


@router.api_route("/", methods=["GET", "HEAD"], response_class=HTMLResponse)
async def landing(request: Request) -> HTMLResponse:
    gateway = gateway_of(request.app)
    states = await states_of_services(gateway.upstreams)
    values: dict[str, Any] = {
        "style": _style,
        "version": __version__,
        "space": request.state.space or gateway.settings.default_space,
        "prefix": request.state.space_prefix,
        "addresses": addresses(gateway.settings, request.state.space_prefix),
        "services": [(_NAMES[name], _STATES[state], state.name) for name, state in states.items()],
        "all_ready": set(states.values()) == {State.READY},
    }
    return HTMLResponse(_page.render(values), headers=_HEADERS)
