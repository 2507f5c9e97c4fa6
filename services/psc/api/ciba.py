"""The backchannel authentication endpoint (spec: psc.md §6.1)."""

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.psc.api.client_authentication import authenticate
from services.psc.api.context import CurrentProvider, form_of, prefix_of, refuse_repeated
from services.psc.api.faults import faults_of
from services.psc.api.forms import CLIENT, form_body
from services.psc.domain.ciba import read_request
from services.psc.domain.refusals import OAuthError
from services.psc.service import ciba
from socle.auth.tokens import REALM_PATH

router = APIRouter(tags=["ciba"])


@router.post(
    f"{REALM_PATH}/protocol/openid-connect/ext/ciba/auth",
    openapi_extra=form_body(
        (*CLIENT, "channel", "requested_expiry"),
        required=["scope", "acr_values", "login_hint", "binding_message"],
    ),
)
async def start(request: Request, provider: CurrentProvider) -> Response:
    form = await form_of(request)
    refuse_repeated(form)
    kernel = provider.kernel
    client = await authenticate(provider, request, form)
    if client.public:
        raise OAuthError(
            "unauthorized_client",
            "Client not allowed.",
            "A public client cannot start a backchannel request: anyone could claim to be it.",
            status=401,
        )
    if not client.ciba:
        raise OAuthError(
            "invalid_grant",
            "Client not allowed OIDC CIBA Grant",
            "CIBA is opened for each client by itself: enrol it with ciba: true.",
        )
    asked = read_request(form)
    space = await kernel.spaces.get(client.space)  # its people are there once it is seeded
    await faults_of(request, provider, space, client.client_id).strike(asked.national_id)
    issuer = provider.issuer(prefix_of(request))
    started = await ciba.start(provider, client, asked, issuer)
    body = {
        "auth_req_id": started.auth_req_id,
        "expires_in": started.expires_in,
        "interval": round(started.interval),
    }
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return Response(orjson.dumps(body), 200, headers, "application/json")
