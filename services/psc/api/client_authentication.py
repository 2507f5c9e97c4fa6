"""Client authentication by secret (RFC 6749 §2.3.1); certificates and assertions come with issue 4."""

import base64
import binascii
from urllib.parse import unquote_plus

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.api.context import explicit_space
from services.psc.domain.client import Client
from services.psc.domain.parameters import Parameters
from services.psc.domain.refusals import OAuthError
from services.psc.provider import Provider
from services.psc.service import clients


async def authenticate(
    provider: Provider, session: AsyncSession, request: Request, parameters: Parameters
) -> Client:
    basic = _basic_credentials(request.headers.get("authorization"))
    posted_id, posted_secret = parameters.get("client_id"), parameters.get("client_secret")
    if parameters.get("client_assertion") is not None:
        raise OAuthError(
            "invalid_client",
            "Parameter client_assertion is not supported here",
            "Authenticate with client_secret_basic or client_secret_post.",
            status=401,
        )
    if basic is not None and (posted_secret is not None or posted_id not in (None, basic[0])):
        raise OAuthError(
            "invalid_request",
            "Client credentials sent in more than one way",
            "Use the Authorization header or the form, not both (RFC 6749 2.3).",
        )
    client_id, secret = basic if basic is not None else (posted_id, posted_secret)
    if client_id is None:
        raise OAuthError(
            "invalid_client",
            "Invalid client or Invalid client credentials",
            "Send HTTP Basic credentials, or client_id and client_secret in the form.",
            status=401,
        )
    client = await clients.find(
        session, explicit_space(request), provider.settings.default_space, client_id
    )
    return clients.check_credentials(client, secret, by_header=basic is not None)


def _basic_credentials(header: str | None) -> tuple[str, str] | None:
    """Both halves are form-encoded before they are joined (RFC 6749 §2.3.1)."""
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise OAuthError(
            "invalid_client",
            "Invalid client or Invalid client credentials",
            "Basic credentials are base64 of client_id:client_secret (RFC 7617).",
            status=401,
            headers={"WWW-Authenticate": 'Basic realm="esante-wallet"'},
        ) from error
    client_id, _, secret = decoded.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)
