"""The address of a next page as the real directory gives it: `[base]/_page?id=…` (guide v2, uc-call-type).

The id holds the whole search and where it goes on, so that no page is kept anywhere and none expires.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from typing import Final

MAX_LENGTH: Final = 64 * 1024
_MAX_WHOLE: Final = 1024 * 1024
Parameters = Sequence[tuple[str, str]]


def page_id(kind: str, parameters: Parameters, token: str) -> str:
    rest = [item for item in parameters if item[0] != "_page_token"]
    whole = json.dumps([kind, *rest, ("_page_token", token)], ensure_ascii=False)
    packed = zlib.compress(whole.encode("utf-8", "replace"))
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_page_id(id_: str) -> tuple[str, list[tuple[str, str]]] | None:
    """Kind and parameters; None for what is no id of ours. It is read as a search is, so that one
    who makes an id gets no more than who writes the parameters."""
    try:
        if len(id_) > MAX_LENGTH:
            return None
        padded = id_.encode("ascii") + b"=" * (-len(id_) % 4)
        unpacking = zlib.decompressobj()
        whole = unpacking.decompress(base64.b64decode(padded, b"-_", validate=True), _MAX_WHOLE)
        read = json.loads(whole.decode("utf-8"))
        kind, *parameters = read if isinstance(read, list) else []
        pairs = [(name, value) for name, value in parameters]
    except (binascii.Error, zlib.error, ValueError, TypeError, RecursionError):
        return None
    if not isinstance(kind, str) or not all(
        isinstance(name, str) and isinstance(value, str) for name, value in pairs
    ):
        return None
    return kind, pairs
