"""Discovery and keys: both names of the document (spec: psc.md §1, §2)."""

from typing import Any

from fastapi import APIRouter, Request, Response

from services.psc.api.context import CurrentProvider, prefix_of
from services.psc.domain import discovery
from socle.auth.dependencies import RequestSpace
from socle.auth.keys import CERTS_PATH
from socle.auth.tokens import REALM_PATH

router = APIRouter(tags=["discovery"])


@router.get(f"{REALM_PATH}/.well-known/wallet-openid-configuration")
async def wallet_configuration(
    request: Request, provider: CurrentProvider, _space: RequestSpace
) -> dict[str, Any]:
    """PSC's own name; its authorization endpoint is the wallet's `/auth`."""
    prefix = prefix_of(request)
    endpoint = f"{provider.settings.public_url.rstrip('/')}{prefix}/auth"
    return discovery.document(provider.issuer(prefix), endpoint, provider.tls_base(prefix))


@router.get(f"{REALM_PATH}/.well-known/openid-configuration")
async def standard_configuration(
    request: Request, provider: CurrentProvider, _space: RequestSpace
) -> dict[str, Any]:
    """The standard name, with the realm's authorization endpoint."""
    prefix = prefix_of(request)
    issuer = provider.issuer(prefix)
    endpoint = f"{issuer}/protocol/openid-connect/auth"
    return discovery.document(issuer, endpoint, provider.tls_base(prefix))


@router.get(CERTS_PATH)
async def certs(response: Response, provider: CurrentProvider) -> dict[str, Any]:
    response.headers["Cache-Control"] = "no-cache"
    return await provider.signer.jwks()
