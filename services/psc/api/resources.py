"""What is asked about a token: userinfo, introspection, revocation."""

from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.psc.api.client_authentication import authenticate, thumbprint_of
from services.psc.api.context import (
    CurrentProvider,
    explicit_space,
    form_of,
    refuse_repeated,
    required,
)
from services.psc.api.cors import answers_to
from services.psc.api.faults import faults_of
from services.psc.api.forms import CLIENT, form_body
from services.psc.domain.refusals import OAuthError
from services.psc.provider import Provider
from services.psc.service import inspection
from services.psc.service.faulty import distorted
from socle.auth.tokens import REALM_PATH

router = APIRouter(tags=["token"])
_CONNECT = f"{REALM_PATH}/protocol/openid-connect"
_ABOUT_A_TOKEN = form_body((*CLIENT, "token_type_hint"), required=["token"])


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), 200, {"Cache-Control": "no-store"}, "application/json")


@router.get(f"{_CONNECT}/userinfo")
async def userinfo(request: Request, provider: CurrentProvider) -> Response:
    return await _userinfo(request, provider, _bearer(request))


@router.post(f"{_CONNECT}/userinfo", openapi_extra=form_body(("access_token",)))
async def userinfo_by_form(request: Request, provider: CurrentProvider) -> Response:
    """The token in the header, or in the form (RFC 6750 §2.2), not in both."""
    header, form = _bearer(request), await form_of(request)
    refuse_repeated(form)
    posted = form.get("access_token")
    if header is not None and posted is not None:
        raise OAuthError(
            "invalid_request", "Token sent in more than one way", "Use the header or the form."
        )
    return await _userinfo(request, provider, header or posted)


async def _userinfo(request: Request, provider: Provider, token: str | None) -> Response:
    if token is None:
        raise OAuthError(
            "invalid_request",
            "Token not provided",
            "Send Authorization: Bearer <access_token>.",
            status=401,
            headers={"WWW-Authenticate": 'Bearer realm="esante-wallet"'},
        )
    async with provider.kernel.database.read() as session:
        answer = await inspection.userinfo(
            provider, session, explicit_space(request), token, thumbprint_of(request, provider)
        )
    answers_to(request, answer.client)
    space = await provider.kernel.spaces.get(answer.client.space)
    if space.faults:
        faults = faults_of(request, provider, space, answer.client.client_id)
        await faults.strike(answer.person)
        answer = distorted(provider.signer, faults, answer)
    if answer.signed is not None:
        return Response(answer.signed, 200, {"Cache-Control": "no-store"}, "application/jwt")
    return _json(answer.document)


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


@router.post(f"{_CONNECT}/token/introspect", openapi_extra=_ABOUT_A_TOKEN)
async def introspect(request: Request, provider: CurrentProvider) -> Response:
    form = await form_of(request)
    refuse_repeated(form)
    client = await authenticate(provider, request, form)
    if client.public:
        raise OAuthError(
            "unauthorized_client",
            "Client not allowed.",
            "A public client cannot introspect: anyone could claim to be it.",
            status=401,
        )
    async with provider.kernel.database.read() as session:
        return _json(
            await inspection.introspect(provider, session, client, required(form, "token"))
        )


@router.post(f"{_CONNECT}/revoke", openapi_extra=_ABOUT_A_TOKEN)
async def revoke(request: Request, provider: CurrentProvider) -> Response:
    form = await form_of(request)
    refuse_repeated(form)
    client = await authenticate(provider, request, form)
    async with provider.kernel.database.write() as session:
        await inspection.revoke(provider, session, client, required(form, "token"))
    return Response(status_code=200, headers={"Cache-Control": "no-store"})
