"""Verification of a PSC access token (RFC 9068 in spirit; PSC's own claims, spec: psc.md §5.1).

A token that was verified is remembered by its hash until it expires: an RS256 verification costs
70 µs, a look-up one.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError

from socle.auth.keys import RemoteKeys
from socle.auth.subject import Subject
from socle.clock import wall_seconds
from socle.errors import unauthenticated

ALGORITHMS = ("RS256", "ES256")
REALM_PATH = "/auth/realms/esante-wallet"
API_REALM_PATH = "/realms/signsessiondata"
"""The realm whose tokens a PSC token is exchanged for; the same keys sign them (docs/adr/0008)."""

SPACE_CLAIM = "socle_space"
LEEWAY_SECONDS = 0
CACHE_SIZE = 50_000
MAX_TOKEN_BYTES = 16 * 1024


def issuer_of(public_url: str, prefix: str = "", realm: str = REALM_PATH) -> str:
    """The issuer under `/s/<space>` (prefix) or at the root."""
    return public_url.rstrip("/") + prefix + realm


@dataclass
class TokenVerifier:
    keys: RemoteKeys
    public_url: str
    default_space: str
    _verified: OrderedDict[bytes, Subject] = field(default_factory=OrderedDict)

    async def verify(self, token: str) -> Subject:
        """The subject of a live token; DomainError(unauthenticated) with the reason otherwise."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        subject = self._verified.get(digest)
        if subject is None:
            subject = self._subject(await self._claims(token), token)
            self._remember(digest, subject)
        if subject.expires_at <= wall_seconds() - LEEWAY_SECONDS:
            self._verified.pop(digest, None)
            raise unauthenticated(
                "token_expired",
                "The access token has expired (PSC access tokens live 120 s); refresh it.",
            )
        return subject

    def _remember(self, digest: bytes, subject: Subject) -> None:
        self._verified[digest] = subject
        if len(self._verified) > CACHE_SIZE:
            self._verified.popitem(last=False)

    async def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN_BYTES:
            raise unauthenticated("token_malformed", "The bearer token is too long to be a token.")
        try:
            header = jws.extract_compact(token.encode()).headers()
        except (JoseError, ValueError, KeyError, UnicodeEncodeError) as error:
            raise unauthenticated(
                "token_malformed", "The bearer token is not a signed JWT."
            ) from error
        if header.get("alg") not in ALGORITHMS:
            raise unauthenticated(
                "token_algorithm",
                f"The token is signed with an algorithm other than {' or '.join(ALGORITHMS)}.",
            )
        key_set = await self.keys.holding(header.get("kid"))
        try:
            return jwt.decode(token, key_set, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError, KeyError) as error:
            raise unauthenticated(
                "token_signature", "The token is not signed by a key of this Pro Santé Connect."
            ) from error

    def _subject(self, claims: dict[str, Any], token: str) -> Subject:
        space = self._space(claims)
        if claims.get("typ") != "Bearer":
            raise unauthenticated(
                "token_type", "This is not an access token (its claim typ is not Bearer)."
            )
        expires_at = claims.get("exp")
        national_id = claims.get("preferred_username")
        if not isinstance(expires_at, int) or not isinstance(national_id, str):
            raise unauthenticated("token_malformed", "The token lacks exp or preferred_username.")
        return Subject(
            space=space,
            client_id=str(claims.get("azp", "")),
            national_id=national_id,
            subject=str(claims.get("sub", "")),
            acr=str(claims.get("acr", "")),
            auth_mode=str(claims.get("authMode", "")),
            expires_at=expires_at,
            token=token,
            confirmation=_confirmation(claims),
        )

    def _space(self, claims: dict[str, Any]) -> str:
        """The token's space; the issuer must be the one of that space, or the root's."""
        space = str(claims.get(SPACE_CLAIM, self.default_space))
        known = {
            issuer_of(self.public_url, prefix, realm)
            for prefix in ("", f"/s/{space}")
            for realm in (REALM_PATH, API_REALM_PATH)
        }
        if claims.get("iss") not in known:
            raise unauthenticated(
                "token_issuer",
                f"The token was not issued by {issuer_of(self.public_url)}; "
                "if you reach Socle by another name, set SOCLE_PUBLIC_URL to it.",
            )
        return space


def _confirmation(claims: dict[str, Any]) -> str | None:
    cnf = claims.get("cnf")
    value = cnf.get("x5t#S256") if isinstance(cnf, dict) else None
    return None if value is None else str(value)
