"""The initial responses of XOAUTH2 (Google's, which PSC operators use) and OAUTHBEARER (RFC 7628).

Both carry the access token of Pro Santé Connect (spec: mss.md §1.4).
"""

import base64
import binascii
from dataclasses import dataclass, field

MECHANISMS = ("XOAUTH2", "OAUTHBEARER")
EXTERNAL = "EXTERNAL"
"""RFC 4422, appendix A: offered to whom presented a TLS certificate (applicative mailboxes)."""

MAX_RESPONSE = 12_288  # RFC 4954 §4: the longest line of an AUTH exchange

REFUSAL = b'{"status":"401","schemes":"bearer","scope":"mail"}'
"""What an operator was seen to answer to a refused token (spec: mss.md §1.4), to the byte."""


class MalformedResponseError(ValueError):
    """The client's response is not in the mechanism's form."""


@dataclass(frozen=True, slots=True)
class BearerLogin:
    user: str = field(repr=False)
    token: str = field(repr=False)


def decode_base64(text: bytes) -> bytes:
    """`=` is an empty response (RFC 4954 §4, RFC 4959 §3)."""
    if text == b"=":
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise MalformedResponseError("not base64") from error


def parse_external(response: bytes) -> str:
    """The address of the mailbox, empty where the certificate alone tells it."""
    try:
        user = response.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedResponseError("not UTF-8") from error
    if not user.isprintable() or len(user) > 320:
        raise MalformedResponseError("is no address")
    return user.lower()


def parse_response(mechanism: str, response: bytes) -> BearerLogin:
    try:
        fields = response.decode("utf-8").split("\x01")
    except UnicodeDecodeError as error:
        raise MalformedResponseError("not UTF-8") from error
    if fields[-2:] != ["", ""]:
        raise MalformedResponseError("does not end with two U+0001")
    first, pairs = fields[0], fields[1:-2]
    user = _user_of_gs2(first) if mechanism == "OAUTHBEARER" else _after(first, "user=")
    tokens = [_bearer(_after(pair, "auth=")) for pair in pairs if pair.startswith("auth=")]
    if len(tokens) != 1:
        raise MalformedResponseError("holds no auth=Bearer field, or several")
    return BearerLogin(user.lower(), tokens[0])


def _user_of_gs2(header: str) -> str:
    """`n,a=user,` (RFC 5801 §4); without a user the token alone names the account."""
    parts = header.split(",")
    if len(parts) != 3 or parts[0] not in ("n", "y") or parts[2]:
        raise MalformedResponseError("does not start with a GS2 header such as n,a=user@example,")
    if not parts[1]:
        return ""
    return _after(parts[1], "a=").replace("=2C", ",").replace("=3D", "=")


def _bearer(value: str) -> str:
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise MalformedResponseError("auth is not of the form Bearer <token>")
    return token.strip()


def _after(text: str, prefix: str) -> str:
    if not text.startswith(prefix):
        raise MalformedResponseError(f"{prefix} is missing")
    return text[len(prefix) :]
