"""The form that registers a relying party, effective at once: what the real service asks by dossier."""

from typing import Any, Final

import orjson
from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import Response

from services.psc.api.context import CurrentProvider, form_of, prefix_of
from services.psc.api.pages import page
from services.psc.domain.discovery import endpoints
from services.psc.domain.enrolment import Enrolment
from services.psc.domain.parameters import Parameters
from services.psc.provider import Provider
from services.psc.repository import clients as rows
from services.psc.service import clients
from socle.auth.dependencies import RequestSpace
from socle.errors import DomainError
from socle.http.control import sandbox_only
from socle.http.same_site import same_site_only
from socle.spaces import Space

ENROLMENT: Final = "/_sandbox/psc/enrolment"
router = APIRouter(prefix=ENROLMENT, include_in_schema=False, dependencies=[sandbox_only])

_LABELS: Final = {
    "client_id": "Identifiant (client_id)",
    "name": "Nom du logiciel",
    "secret": "Secret",
    "redirect_uris": "Adresses de retour",
    "post_logout_redirect_uris": "Adresses de retour après déconnexion",
    "jwks": "Clés publiques (JWKS)",
    "tls_client_auth_subject_dn": "Sujet du certificat",
    "token_endpoint_auth_method": "Authentification",
    "pkce": "PKCE",
}
_OTHER_REASON: Final = "n’est pas de la forme attendue"
_LISTS: Final = ("redirect_uris", "post_logout_redirect_uris")
_SWITCHES: Final = ("loopback", "ciba", "auto_approve")
# In the page's language, by the kind of error: the field, where the error names none, and the reason.
_REASONS: Final = {
    "missing": ("", "à remplir"),
    "string_pattern_mismatch": ("", "ne s’écrit pas ainsi : {pattern}"),
    "string_too_short": ("", "{min_length} caractères au moins"),
    "string_too_long": ("", "{max_length} caractères au plus"),
    "too_long": ("", "{max_length} au plus"),
    "literal_error": ("", "au choix {expected}"),
    "jwks": (
        "",
        '{{"keys": […]}} (RFC 7517) : clés RSA (2048 bits au moins), EC ou OKP, sans partie privée',
    ),
    "distinguished_name": (
        "",
        "un nom tel que CN=ehr,OU=318751275100020,C=FR (RFC 4514)",
    ),
    "no_redirect_uri": (
        "redirect_uris",
        "une adresse au moins, ou toute adresse de cette machine, ou CIBA seul",
    ),
    "redirect_uri": (
        "redirect_uris",
        "« {uri} » n’est pas une URI absolue, http, https ou propre à une application, sans fragment",
    ),
    "public_method": ("token_endpoint_auth_method", "un client public ne s’authentifie pas"),
    "public_secret": ("secret", "un client public n’en a pas : laisser vide"),
    "public_pkce": ("pkce", "un client public en a besoin : optional ou required"),
    "secret_method": ("secret", "un client qui s’authentifie par {method} n’en a pas"),
    "jwks_method": ("jwks", "à remplir pour private_key_jwt, et seulement alors"),
    "subject_method": (
        "tls_client_auth_subject_dn",
        "à remplir pour tls_client_auth, et seulement alors",
    ),
}


@router.get("")
async def show(request: Request, provider: CurrentProvider, space: RequestSpace) -> Response:
    return await _page(request, provider, space, Parameters({"ciba": "on", "loopback": "on"}))


@router.post("", dependencies=[same_site_only])
async def register(request: Request, provider: CurrentProvider, space: RequestSpace) -> Response:
    form = await form_of(request)
    try:
        enrolment = Enrolment.model_validate(_document(form))
    except ValidationError as error:
        problems = [_problem(entry) for entry in error.errors()]
        return await _page(request, provider, space, form, problems)
    try:
        async with provider.kernel.database.write() as session:
            client, secret = await clients.enrol(session, space.name, enrolment)
    except DomainError:
        taken = ("client_id", "cet espace a déjà un client de ce nom")
        return await _page(request, provider, space, form, [(_LABELS[taken[0]], taken[1])])
    issuer = provider.issuer(prefix_of(request) or f"/s/{space.name}")
    return page(
        "enrolled.html",
        client=client,
        secret=secret,
        issuer=issuer,
        discovery=f"{issuer}/.well-known/wallet-openid-configuration",
        token_endpoint=endpoints(issuer)["token_endpoint"],
        back=prefix_of(request) + ENROLMENT,
    )


async def _page(
    request: Request,
    provider: Provider,
    space: Space,
    form: Parameters,
    problems: list[tuple[str, str]] | None = None,
) -> Response:
    async with provider.kernel.database.read() as session:
        enrolled = await rows.list_all(session, space.name)
    return page(
        "enrolment.html",
        400 if problems else 200,
        space=space.name,
        action=prefix_of(request) + ENROLMENT,
        values=form.values,
        problems=problems or [],
        clients=enrolled,
    )


def _document(form: Parameters) -> dict[str, Any]:
    """The form as the call would say it: empty fields are left out, lines become lists."""
    document: dict[str, Any] = {
        name: value.strip() for name, value in form.values.items() if value.strip()
    }
    for name in _LISTS:
        document[name] = [
            line.strip() for line in document.get(name, "").splitlines() if line.strip()
        ]
    for name in _SWITCHES:
        document[name] = document.get(name) == "on"
    if "jwks" in document:
        try:
            document["jwks"] = orjson.loads(document["jwks"])
        except orjson.JSONDecodeError:
            document["jwks"] = {"keys": []}  # refused with the form that a key set has
    return document


def _problem(entry: Any) -> tuple[str, str]:
    """The field's label, and what would have been right."""
    about, reason = _REASONS.get(entry["type"], ("", _OTHER_REASON))
    name = str(entry["loc"][0]) if entry["loc"] else about
    return _LABELS.get(name, name), reason.format(**entry.get("ctx", {}))
