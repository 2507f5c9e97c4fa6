"""What a request says of its client (RFC 6749 §2.3, RFC 7523 §2.2, RFC 8705 §2)."""

import base64
import binascii
from urllib.parse import unquote_plus

from fastapi import Request

from services.psc.api.context import explicit_space
from services.psc.api.cors import answers_to
from services.psc.domain import assertion as assertions
from services.psc.domain.client import Client
from services.psc.domain.parameters import Parameters
from services.psc.domain.refusals import OAuthError
from services.psc.provider import Provider
from services.psc.service.client_authentication import Credentials
from services.psc.service.client_authentication import authenticate as check
from socle.http import client_certificate

_REFUSED = "Invalid client or Invalid client credentials"


async def authenticate(provider: Provider, request: Request, parameters: Parameters) -> Client:
    """In transactions of its own: call it before opening one."""
    credentials = _credentials(provider, request, parameters)
    client = await check(provider, explicit_space(request), credentials)
    answers_to(request, client)
    return client


def thumbprint_of(request: Request, provider: Provider) -> bytes | None:
    """Of the certificate that the caller presented, whoever issued it (RFC 8705 §3)."""
    certificate = client_certificate.presented(request.scope, provider.settings)
    return None if certificate is None else client_certificate.thumbprint(certificate)


def _credentials(provider: Provider, request: Request, parameters: Parameters) -> Credentials:
    basic = _basic_credentials(request.headers.get("authorization"))
    assertion = _assertion(parameters)
    posted_id, posted_secret = parameters.get("client_id"), parameters.get("client_secret")
    ways = [basic is not None, posted_secret is not None, assertion is not None]
    if sum(ways) > 1 or (basic is not None and posted_id not in (None, basic[0])):
        raise OAuthError(
            "invalid_request",
            "Client credentials sent in more than one way",
            "Use the Authorization header, the form's client_secret or an assertion, one of them "
            "(RFC 6749 2.3).",
        )
    client_id, secret = basic if basic is not None else (posted_id, posted_secret)
    if client_id is None and assertion is not None:
        client_id = assertions.claimed_client(assertion)
    if client_id is None:
        raise OAuthError(
            "invalid_client",
            _REFUSED,
            "Send HTTP Basic credentials, client_id with client_secret in the form, an assertion, "
            "or client_id with a client certificate.",
            status=401,
        )
    certificate = client_certificate.presented(request.scope, provider.settings)
    return Credentials(client_id, secret, basic is not None, assertion, certificate)


def _assertion(parameters: Parameters) -> str | None:
    type_, assertion = parameters.get("client_assertion_type"), parameters.get("client_assertion")
    if type_ is None and assertion is None:
        return None
    if type_ != assertions.TYPE:
        raise OAuthError(
            "invalid_client",
            f"Parameter client_assertion_type has value '{type_ or ''}' but expected is "
            f"'{assertions.TYPE}'",
            "Send both client_assertion_type and client_assertion (RFC 7523 2.2).",
            status=401,
        )
    if assertion is None:
        raise OAuthError(
            "invalid_client",
            "client_assertion parameter missing",
            "Send both client_assertion_type and client_assertion (RFC 7523 2.2).",
            status=401,
        )
    return assertion


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
            _REFUSED,
            "Basic credentials are base64 of client_id:client_secret (RFC 7617).",
            status=401,
            headers={"WWW-Authenticate": 'Basic realm="esante-wallet"'},
        ) from error
    client_id, _, secret = decoded.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)
