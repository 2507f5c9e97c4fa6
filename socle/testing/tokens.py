"""Access tokens in PSC's form, signed by a key of the test's own."""

from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from socle.auth.tokens import SPACE_CLAIM, issuer_of
from socle.clock import wall_seconds
from socle.idgen import random_uuid


def new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": str(random_uuid()), "use": "sig", "alg": "RS256"})


@dataclass
class TokenMint:
    """Stands where RemoteKeys stands: `app.state.kernel.verifier.keys = mint`."""

    public_url: str = "http://localhost:8080"
    key: RSAKey = field(default_factory=new_key)

    async def holding(self, _kid: str | None) -> KeySet:
        return KeySet([self.key])

    def claims(
        self, space: str, national_id: str = "899700427885", **changes: Any
    ) -> dict[str, Any]:
        now = wall_seconds()
        claims = {
            "exp": now + 3600,  # PSC gives two minutes: less than some tests take on a busy machine
            "iat": now,
            "auth_time": now,
            "jti": str(random_uuid()),
            "iss": issuer_of(self.public_url),
            "sub": f"f:550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd:{national_id}",
            "typ": "Bearer",
            "azp": "socle-demo",
            "acr": "eidas1",
            "scope": "openid scope_all",
            "authMode": "MOBILE",
            "preferred_username": national_id,
            SPACE_CLAIM: space,
        }
        return {name: value for name, value in {**claims, **changes}.items() if value is not None}

    def token(self, space: str, national_id: str = "899700427885", **changes: Any) -> str:
        """A token; a claim given as None is left out."""
        return self.sign(self.claims(space, national_id, **changes))

    def sign(self, claims: dict[str, Any], key: RSAKey | None = None, alg: str = "RS256") -> str:
        signer = key or self.key
        return jwt.encode({"alg": alg, "typ": "JWT", "kid": signer.kid}, claims, signer)

    def headers(self, space: str, national_id: str = "899700427885") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(space, national_id)}"}
