"""The token endpoint."""

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.psc.api.client_authentication import authenticate, thumbprint_of
from services.psc.api.context import CurrentProvider, form_of, refuse_repeated, required
from services.psc.api.forms import CLIENT, form_body
from services.psc.domain import ciba as ciba_rules
from services.psc.domain.client import Client
from services.psc.domain.parameters import Parameters
from services.psc.domain.refusals import OAuthError
from services.psc.provider import Provider
from services.psc.service import ciba, tokens
from socle.auth.tokens import REALM_PATH
from socle.db.database import WriteSession

router = APIRouter(tags=["token"])


@router.post(
    f"{REALM_PATH}/protocol/openid-connect/token",
    openapi_extra=form_body(
        (*CLIENT, "code", "redirect_uri", "code_verifier", "refresh_token", "auth_req_id", "scope"),
        required=["grant_type"],
        choices={"grant_type": ["authorization_code", "refresh_token", ciba_rules.GRANT_TYPE]},
    ),
)
async def token(request: Request, provider: CurrentProvider) -> Response:
    parameters = await form_of(request)
    refuse_repeated(parameters)
    grant_type = required(parameters, "grant_type")
    client = await authenticate(provider, request, parameters)
    thumbprint = thumbprint_of(request, provider)
    if grant_type == ciba_rules.GRANT_TYPE:
        outcome = await _poll(provider, client, parameters, thumbprint)
    else:
        async with provider.kernel.database.write() as session:
            outcome = await _grant(provider, session, client, grant_type, parameters, thumbprint)
    # Raised only now: what the refusal has burnt or revoked is committed.
    if isinstance(outcome, OAuthError):
        raise outcome
    body = {
        "access_token": outcome.access_token,
        "expires_in": outcome.expires_in,
        "refresh_expires_in": outcome.refresh_expires_in,
        "refresh_token": outcome.refresh_token,
        "token_type": "Bearer",
        "id_token": outcome.id_token,
        "not-before-policy": 0,
        "session_state": outcome.session_state,
        "scope": outcome.scope,
    }
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return Response(orjson.dumps(body), 200, headers, "application/json")


async def _poll(
    provider: Provider, client: Client, parameters: Parameters, thumbprint: bytes | None
) -> tokens.Tokens | OAuthError:
    """The space is looked up before the transaction: the session's event carries its time."""
    kernel = provider.kernel
    auth_req_id = required(parameters, "auth_req_id")
    space = await kernel.spaces.get(client.space)
    async with kernel.database.write() as session:
        return await ciba.poll(provider, session, space, client, auth_req_id, thumbprint)


async def _grant(
    provider: Provider,
    session: WriteSession,
    client: Client,
    grant_type: str,
    parameters: Parameters,
    thumbprint: bytes | None,
) -> tokens.Tokens | OAuthError:
    if grant_type == "authorization_code":
        return await tokens.exchange_code(
            provider,
            session,
            client,
            required(parameters, "code"),
            parameters.get("redirect_uri"),
            parameters.get("code_verifier"),
            thumbprint,
        )
    if grant_type == "refresh_token":
        return await tokens.refresh(
            provider, session, client, required(parameters, "refresh_token"), thumbprint
        )
    raise OAuthError(
        "unsupported_grant_type",
        "Unsupported grant_type",
        f"Socle grants authorization_code, refresh_token and {ciba_rules.GRANT_TYPE}.",
    )
