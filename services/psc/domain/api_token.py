"""Tokens of an API Pro Santé Connectée, for which a PSC token is exchanged (spec: psc.md §7)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.psc.domain.claims import SPACE, Claims, at_hash, other_ids, subject_of
from services.psc.domain.parameters import Parameters
from services.psc.domain.refusals import OAuthError
from socle.people.person import Person
from socle.pki import thumbprints

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 (a type)
SUBJECT_TYPES: Final = (ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt")


@dataclass(frozen=True, slots=True)
class ExchangeRequest:
    subject_token: str = field(repr=False)
    scope: str
    audience: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApiToken:
    """`session_id` is the PSC session's: the proxy's traces and the API speak of that one."""

    space: str
    jti: UUID
    grant_id: UUID
    client_id: str
    session_id: UUID
    national_id: str = field(repr=False)
    scope: str
    audience: tuple[str, ...]
    issuer: str
    certificate_thumbprint: bytes | None
    issued_at: datetime
    expires_at: datetime
    refresh_expires_at: datetime
    refresh_used_at: datetime | None = None
    revoked_at: datetime | None = None


def read_request(parameters: Parameters, *, scope_required: bool) -> ExchangeRequest:
    """The ANS's own proxy sends no scope, though the CI-SIS wants one: which holds is a setting."""
    token = parameters.get("subject_token")
    if token is None:
        raise OAuthError(
            "invalid_request", "subject_token is missing", "Send the PSC access token."
        )
    if parameters.get("subject_token_type") not in SUBJECT_TYPES:
        raise OAuthError(
            "invalid_request",
            "subject_token_type is missing or not supported",
            f"Send subject_token_type={ACCESS_TOKEN}.",
        )
    if parameters.get("subject_issuer") not in (None, "psc"):
        raise OAuthError(
            "invalid_issuer", "Invalid subject_issuer parameter", "Send psc, or leave it out."
        )
    if parameters.get("requested_token_type") not in (None, ACCESS_TOKEN):
        raise OAuthError(
            "invalid_request", "requested_token_type unsupported", f"Only {ACCESS_TOKEN} is issued."
        )
    scope = parameters.get("scope")
    if scope is None and scope_required:
        raise OAuthError(
            "invalid_scope", "Missing parameter: scope", "Send the API's business scopes."
        )
    audience = tuple(dict.fromkeys((parameters.get("audience") or "").split()))
    return ExchangeRequest(token, scope or "openid profile email", audience)


def api_claims(token: ApiToken, person: Person, encoding: thumbprints.Encoding) -> Claims:
    return {
        "exp": int(token.expires_at.timestamp()),
        "iat": int(token.issued_at.timestamp()),
        "jti": str(token.jti),
        "iss": token.issuer,
        "aud": ["account", *(token.audience or (token.client_id,))],
        "sub": subject_of(token.national_id),
        "typ": "Bearer",
        "azp": token.client_id,
        "session_state": str(token.session_id),
        "sid": str(token.session_id),
        "acr": "1",
        "scope": token.scope,
        "SubjectNameID": token.national_id,
        "preferred_username": token.national_id,
        "otherIds": other_ids(person),
        "given_name": person.given_name,
        "family_name": person.family_name,
        "name": f"{person.given_name} {person.family_name}",
        SPACE: token.space,
        **_confirmation(token.certificate_thumbprint, encoding),
    }


def api_id_claims(access: Claims, jti: UUID, access_token: str) -> Claims:
    carried = {name: value for name, value in access.items() if name not in ("scope", "cnf")}
    return {
        **carried,
        "jti": str(jti),
        "typ": "ID",
        "aud": access["azp"],
        "auth_time": access["iat"],
        "at_hash": at_hash(access_token),
    }


def _confirmation(thumbprint: bytes | None, encoding: thumbprints.Encoding) -> dict[str, Any]:
    if thumbprint is None:
        return {}
    return {"cnf": {"x5t#S256": thumbprints.encoded(thumbprint)[encoding]}}
