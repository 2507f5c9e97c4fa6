"""The pushed authorization request endpoint (RFC 9126)."""

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.psc.api.client_authentication import authenticate
from services.psc.api.context import CurrentProvider, form_of, refuse_repeated
from services.psc.api.forms import AUTHORIZATION, CLIENT, form_body
from services.psc.service import pushed
from socle.auth.tokens import REALM_PATH

router = APIRouter(tags=["authorization"])


@router.post(
    f"{REALM_PATH}/protocol/openid-connect/ext/par/request",
    openapi_extra=form_body((*CLIENT, *AUTHORIZATION)),
)
async def push(request: Request, provider: CurrentProvider) -> Response:
    form = await form_of(request)
    refuse_repeated(form)
    client = await authenticate(provider, request, form)
    async with provider.kernel.database.write() as session:
        name = await pushed.push(provider, session, client, form)
    body = {
        "request_uri": name,
        "expires_in": int(provider.lifetimes.pushed.total_seconds()),
    }
    return Response(orjson.dumps(body), 201, {"Cache-Control": "no-store"}, "application/json")
