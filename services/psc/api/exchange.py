"""The realm of an API Pro Santé Connectée: exchange, refresh, introspection, keys (spec: psc.md §7).

Its path has no `/auth` prefix, as in newer Keycloaks.
"""

from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.psc.api.client_authentication import authenticate, thumbprint_of
from services.psc.api.context import (
    CurrentProvider,
    form_of,
    prefix_of,
    refuse_repeated,
    required,
)
from services.psc.api.forms import CLIENT, form_body
from services.psc.domain import api_token
from services.psc.domain.client import Client
from services.psc.domain.parameters import Parameters
from services.psc.domain.refusals import OAuthError
from services.psc.provider import Provider
from services.psc.service import exchange
from socle.auth.tokens import API_REALM_PATH, issuer_of

router = APIRouter(prefix=API_REALM_PATH, tags=["token exchange"])
_CONNECT = "/protocol/openid-connect"
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def issuer(request: Request, provider: Provider) -> str:
    return issuer_of(provider.settings.public_url, prefix_of(request), API_REALM_PATH)


@router.get("/.well-known/openid-configuration")
async def configuration(request: Request, provider: CurrentProvider) -> dict[str, Any]:
    base = issuer(request, provider)
    return {
        "issuer": base,
        "token_endpoint": f"{base}{_CONNECT}/token",
        "introspection_endpoint": f"{base}{_CONNECT}/token/introspect",
        "jwks_uri": f"{base}{_CONNECT}/certs",
        "grant_types_supported": [api_token.GRANT_TYPE, "refresh_token"],
        "token_endpoint_auth_methods_supported": [
            "private_key_jwt", "client_secret_basic", "client_secret_post", "tls_client_auth",
        ],
        "tls_client_certificate_bound_access_tokens": True,
    }  # fmt: skip


@router.get(f"{_CONNECT}/certs")
async def certs(provider: CurrentProvider) -> dict[str, Any]:
    """PSC's own keys sign here too."""
    return await provider.signer.jwks()


@router.post(
    f"{_CONNECT}/token",
    openapi_extra=form_body(
        (
            *CLIENT, "subject_token", "subject_token_type", "subject_issuer", "audience", "scope",
            "requested_token_type", "refresh_token",
        ),
        required=["grant_type"],
        choices={"grant_type": [api_token.GRANT_TYPE, "refresh_token"]},
    ),
)  # fmt: skip
async def token(request: Request, provider: CurrentProvider) -> Response:
    form = await form_of(request)
    refuse_repeated(form)
    grant_type = required(form, "grant_type")
    client = await authenticate(provider, request, form)
    if client.public:
        raise OAuthError(
            "unauthorized_client", "Public client is not allowed to exchange token",
            "Anyone could claim to be it.", status=401,
        )  # fmt: skip
    await provider.kernel.spaces.get(client.space)
    thumbprint = thumbprint_of(request, provider)
    outcome = await _grant(request, provider, client, grant_type, form, thumbprint)
    # Raised only now: what the refusal has revoked is committed.
    if isinstance(outcome, OAuthError):
        raise outcome
    body = {
        "access_token": outcome.access_token,
        "issued_token_type": api_token.ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": outcome.expires_in,
        "refresh_token": outcome.refresh_token,
        "refresh_expires_in": outcome.refresh_expires_in,
        "id_token": outcome.id_token,
        "not-before-policy": 0,
        "session_state": str(outcome.token.session_id),
        "scope": outcome.token.scope,
    }
    return Response(orjson.dumps(body), 200, _NO_STORE, "application/json")


async def _grant(
    request: Request,
    provider: Provider,
    client: Client,
    grant_type: str,
    form: Parameters,
    thumbprint: bytes | None,
) -> exchange.ApiTokens | OAuthError:
    settings, database = provider.settings, provider.kernel.database
    if grant_type == "refresh_token":
        refresh_token = required(form, "refresh_token")
        async with database.write() as session:
            return await exchange.refresh(provider, session, client, refresh_token, thumbprint)
    if grant_type != api_token.GRANT_TYPE:
        raise OAuthError(
            "unsupported_grant_type",
            "Unsupported grant_type",
            f"This realm grants {api_token.GRANT_TYPE} and refresh_token.",
        )
    if thumbprint is None and settings.psc_exchange_certificate_required:
        raise OAuthError(
            "invalid_request",
            "Client Certification missing for MTLS HoK Token Binding",
            "Exchange over mTLS, with a certificate ORG AUTH_CLI (CI-SIS).",
        )
    asked = api_token.read_request(form, scope_required=settings.psc_exchange_scope_required)
    async with database.write() as session:
        return await exchange.exchange(
            provider, session, client, asked, issuer(request, provider), thumbprint
        )


@router.post(
    f"{_CONNECT}/token/introspect", openapi_extra=form_body((*CLIENT,), required=["token"])
)
async def introspect(request: Request, provider: CurrentProvider) -> Response:
    form = await form_of(request)
    refuse_repeated(form)
    client = await authenticate(provider, request, form)
    async with provider.kernel.database.read() as session:
        told = await exchange.introspect(provider, session, client, required(form, "token"))
    return Response(orjson.dumps(told), 200, _NO_STORE, "application/json")
