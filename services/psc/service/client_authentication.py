"""Who a client is: by secret, by signed assertion, or by certificate."""

from collections.abc import Collection
from dataclasses import dataclass, field

from cryptography import x509

from services.psc.domain import assertion as assertions
from services.psc.domain import secrets
from services.psc.domain.client import SECRET_METHODS, Client
from services.psc.domain.discovery import endpoints
from services.psc.domain.distinguished_names import same_name
from services.psc.domain.refusals import OAuthError
from services.psc.provider import Provider
from services.psc.repository import clients as rows
from socle.clock import wall

_REFUSED = "Invalid client or Invalid client credentials"
_HOW = {
    "none": "This client is public: send its client_id and nothing else.",
    "client_secret_basic": "Send the client's secret by HTTP Basic (client_secret_basic) or as "
    "client_secret in the form (client_secret_post).",
    "private_key_jwt": "This client was enrolled with private_key_jwt: send client_assertion_type "
    f"({assertions.TYPE}) and client_assertion.",
    "tls_client_auth": "This client was enrolled with tls_client_auth: present its certificate to "
    "the TLS listener (mtls_endpoint_aliases), and send client_id.",
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request said of its client; `certificate` comes from the connection, not from it."""

    client_id: str
    secret: str | None = field(repr=False)
    by_header: bool
    assertion: str | None = field(repr=False)
    certificate: x509.Certificate | None


async def authenticate(
    provider: Provider, explicit_space: str | None, credentials: Credentials
) -> Client:
    """In transactions of its own: call it outside of any. Codes as Keycloak splits them (§9)."""
    headers = {"WWW-Authenticate": 'Basic realm="esante-wallet"'} if credentials.by_header else {}
    client = await provider.clients.get(explicit_space, credentials.client_id)
    if client is None:
        raise OAuthError(
            "invalid_client",
            _REFUSED,
            "No such client here; a client belongs to one space, see GET /_sandbox/psc/clients.",
            status=401,
            headers=headers,
        )
    if credentials.assertion is not None and client.jwks is not None:
        await _use_assertion(provider, client, credentials.assertion)
    elif not _is_proved(client, credentials):
        raise OAuthError(
            "unauthorized_client", _REFUSED, _hint(client, credentials), status=401, headers=headers
        )
    return client


def _is_proved(client: Client, credentials: Credentials) -> bool:
    match client.token_endpoint_auth_method:
        case "none":
            return credentials.secret is None and credentials.assertion is None
        case "tls_client_auth":
            wanted, certificate = client.tls_client_auth_subject_dn, credentials.certificate
            return (
                wanted is not None
                and certificate is not None
                and same_name(wanted, certificate.subject)
            )
        case "client_secret_basic" | "client_secret_post":
            return credentials.secret is not None and client.knows_secret(credentials.secret)
        case _:
            return False


def _hint(client: Client, credentials: Credentials) -> str:
    method = client.token_endpoint_auth_method
    if method == "tls_client_auth" and credentials.certificate is not None:
        return (
            f"The certificate's subject is {credentials.certificate.subject.rfc4514_string()}; "
            f"this client was enrolled with {client.tls_client_auth_subject_dn}."
        )
    return _HOW["client_secret_basic" if method in SECRET_METHODS else method]


async def _use_assertion(provider: Provider, client: Client, token: str) -> None:
    """An assertion is good once, whatever becomes of the request that it opens."""
    assertion = assertions.read_assertion(token, client, _audiences(provider, client), wall())
    async with provider.kernel.database.write() as session:
        fresh = await rows.use_assertion(
            session, client, secrets.digest(assertion.jti), assertion.expires_at
        )
    if not fresh:
        raise assertions.refused("Token reuse detected", "Sign a new assertion, with a new jti.")


def _audiences(provider: Provider, client: Client) -> Collection[str]:
    """The issuer, or an endpoint where clients authenticate (RFC 7523 §3, RFC 9126 §2)."""
    found = set()
    for issuer in provider.issuers(client.space):
        urls = endpoints(issuer)
        found |= {issuer, urls["token_endpoint"], urls["introspection_endpoint"]}
        found |= {urls["revocation_endpoint"], urls["pushed_authorization_request_endpoint"]}
        found.add(urls["backchannel_authentication_endpoint"])
    return found
