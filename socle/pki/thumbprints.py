"""How a token names the certificate to which it is bound (`cnf`, `x5t#S256`)."""

import base64
from typing import Literal

Encoding = Literal["ans", "rfc8705"]


def encoded(thumbprint: bytes) -> dict[Encoding, str]:
    """Both ways that are met.

    RFC 8705 §3.1 takes the digest; the ANS's samples take the standard base64 of its lower-case
    hexadecimal text (spec: psc.md §7, decoded from them).
    """
    return {
        "ans": base64.b64encode(thumbprint.hex().encode()).decode(),
        "rfc8705": base64.urlsafe_b64encode(thumbprint).decode().rstrip("="),
    }
