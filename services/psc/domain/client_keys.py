"""The public keys with which a client signs its assertions (RFC 7517, RFC 7523)."""

import re
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip
MAX_KEYS: Final = 20
_MEMBERS: Final = frozenset({"kty", "kid", "n", "e", "crv", "x", "y"})
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,255}")
MIN_RSA_BITS: Final = 2048


def public_members(jwks: dict[str, Any]) -> dict[str, Any]:
    """The key set without whatever else was sent along; raises ValueError as `read_jwks` does."""
    keys = read_jwks(jwks).keys
    shown = [
        {name: value for name, value in key.as_dict(private=False).items() if name in _MEMBERS}
        for key in keys
    ]
    if not all(_PRINTABLE.fullmatch(str(entry.get("kid", "-"))) for entry in shown):
        raise ValueError("kid has 1 to 255 printable characters")
    return {"keys": shown}


def read_jwks(jwks: dict[str, Any]) -> KeySet:
    """Raises ValueError with what would have been right. No private key is taken, nor kept."""
    entries = jwks.get("keys")
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_KEYS:
        raise ValueError(f'a key set is {{"keys": [...]}} with 1 to {MAX_KEYS} keys')
    for entry in entries:
        _check(entry)
    return KeySet.import_key_set({"keys": entries})


def _check(entry: Any) -> None:
    if isinstance(entry, dict) and entry.get("kty") == "oct":
        raise ValueError("keys are RSA, EC or OKP; a shared secret is not a public key")
    try:
        key = KeySet.import_key_set({"keys": [entry]}).keys[0]
        private = key.is_private
        rsa_bits = key.raw_value.key_size if isinstance(key, RSAKey) else None
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("one of the keys is not a JWK (RFC 7517)") from error
    if private:
        raise ValueError("send public keys only: one of them holds its private part")
    if rsa_bits is not None and rsa_bits < MIN_RSA_BITS:
        raise ValueError(f"an RSA key has {MIN_RSA_BITS} bits at least")


def verified_claims(token: str, key_set: KeySet) -> dict[str, Any]:
    """The claims of a token that one of the keys signed; a token may leave out kid.

    Raises JoseError, ValueError or KeyError.
    """
    header = jws.extract_compact(token.encode("ascii")).headers()
    fitting = [key for key in key_set.keys if header.get("kid") in (None, key.kid)]
    failure: Exception = ValueError("no key of that kid")
    for key in fitting:
        try:
            return dict(jwt.decode(token, key, algorithms=list(ALGORITHMS)).claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            failure = error
    raise failure
