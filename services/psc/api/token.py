"""The token endpoint."""

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.psc.api.client_authentication import authenticate, thumbprint_of
from services.psc.api.context import CurrentProvider, form_of, refuse_repeated, required
from services.psc.api.faults import faults_of
from services.psc.api.forms import CLIENT, form_body
from services.psc.domain import ciba as ciba_rules
from services.psc.domain.client import Client
from services.psc.domain.parameters import Parameters
from services.psc.domain.refusals import OAuthError
from services.psc.hot import ciba as hot_ciba
from services.psc.hot import tokens as hot
from services.psc.provider import Provider
from services.psc.service import ciba, tokens
from services.psc.service.caller import Caller
from services.psc.service.who import person_behind
from socle.auth.tokens import REALM_PATH
from socle.db.database import WriteSession
from socle.http.faults import RequestFaults

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
    caller = await _caller(request, provider, parameters)
    outcome = await _at_once(provider, caller, grant_type, parameters)
    if outcome is None:
        async with provider.kernel.database.write() as session:
            outcome = await _grant(provider, session, caller, grant_type, parameters)
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


async def _at_once(
    provider: Provider, caller: Caller, grant_type: str, parameters: Parameters
) -> tokens.Tokens | OAuthError | None:
    """None when something is wrong, or may be made wrong: then the longer way finds out what."""
    if caller.space.faults:
        return None
    if grant_type == "refresh_token":
        return await hot.refresh(provider, caller, required(parameters, "refresh_token"))
    if grant_type == "authorization_code":
        return await hot.exchange_code(
            provider,
            caller,
            required(parameters, "code"),
            parameters.get("redirect_uri"),
            parameters.get("code_verifier"),
        )
    if grant_type == ciba_rules.GRANT_TYPE:
        return await hot_ciba.poll(provider, caller, required(parameters, "auth_req_id"))
    return None


async def _caller(request: Request, provider: Provider, parameters: Parameters) -> Caller:
    """Whatever has to be read outside of the transaction is read here."""
    client = await authenticate(provider, request, parameters)
    space = await provider.kernel.spaces.get(client.space)
    faults = faults_of(request, provider, space, client.client_id)
    if space.faults:
        await _strike(provider, faults, client, parameters)
    return Caller(client, thumbprint_of(request, provider), faults)


async def _strike(
    provider: Provider, faults: RequestFaults, client: Client, parameters: Parameters
) -> None:
    """Before anything is burnt, so that a client that tries again after a failure succeeds."""
    person = ""
    if faults.asks_for_person:
        async with provider.kernel.database.read() as session:
            person = await person_behind(session, client, parameters)
    await faults.strike(person)
    rule = faults.effect("oauth_error", person)
    if rule is not None:
        raise OAuthError(rule.value or "", f"Fault injected by rule {rule.id} of this space.")


async def _grant(
    provider: Provider,
    session: WriteSession,
    caller: Caller,
    grant_type: str,
    parameters: Parameters,
) -> tokens.Tokens | OAuthError:
    match grant_type:
        case "authorization_code":
            return await tokens.exchange_code(
                provider,
                session,
                caller,
                required(parameters, "code"),
                parameters.get("redirect_uri"),
                parameters.get("code_verifier"),
            )
        case "refresh_token":
            token = required(parameters, "refresh_token")
            return await tokens.refresh(provider, session, caller, token)
        case ciba_rules.GRANT_TYPE:
            auth_req_id = required(parameters, "auth_req_id")
            return await ciba.poll(provider, session, caller, auth_req_id)
    raise OAuthError(
        "unsupported_grant_type",
        "Unsupported grant_type",
        f"Socle grants authorization_code, refresh_token and {ciba_rules.GRANT_TYPE}.",
    )
