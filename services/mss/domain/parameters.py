"""Parameters of MIME fields such as Content-Type (RFC 2045 §5.1, RFC 2231), as any stranger writes them.

The library's own reader decodes with whatever codec a field names, and raises what that codec raises:
nobody could open such a mail any more.
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

MAX_PARAMETERS: Final = 100
MAX_SEGMENTS: Final = 100
Parameters = list[tuple[str, str]]
"""Names as they are written, `filename*0*` too, and values without their quotes."""

_PARAMETER: Final = re.compile(
    r';\s*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"?|([^;]*+))', re.DOTALL
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def read_parameters(value: str) -> Parameters:
    """What follows the first semicolon; what is no `name=value` is left out."""
    found: Parameters = []
    for one in _PARAMETER.finditer(value):
        name, quoted, bare = one.groups()
        text = bare.strip() if quoted is None else _ESCAPED.sub(r"\1", quoted)
        found.append((name, text))
        if len(found) >= MAX_PARAMETERS:
            break
    return found


def parameter(given: Parameters, name: str) -> str:
    """The value of `name`, whichever form of RFC 2231 it has; the extended form before the plain one."""
    plain, whole = "", ""
    segments: dict[int, tuple[str, bool]] = {}
    for written, value in given:
        base, star, rest = written.lower().partition("*")
        if base != name:
            continue
        number = rest.removesuffix("*")
        if not star:
            plain = plain or value
        elif not rest:
            whole = whole or _extended(value)
        elif number.isascii() and number.isdigit() and len(number) <= 3:
            segments.setdefault(int(number), (value, rest.endswith("*")))
    return whole or _joined(segments) or plain


def _joined(segments: dict[int, tuple[str, bool]]) -> str:
    """`name*0*`, `name*1`, … up to the first gap; the first names the charset of all."""
    parts: list[tuple[str, bool]] = []
    while len(parts) < MAX_SEGMENTS and len(parts) in segments:
        parts.append(segments[len(parts)])
    if not parts:
        return ""
    if not parts[0][1]:
        return "".join(value for value, _ in parts)
    # What is not percent-encoded in a segment without a star must not be decoded with the others.
    text = "".join(value if coded else value.replace("%", "%25") for value, coded in parts)
    return _extended(text)


def _extended(text: str) -> str:
    """`utf-8'fr'r%C3%A9sum%C3%A9.pdf`; without the two quotes, what it is encoded in is not said."""
    charset, _, rest = text.partition("'")
    if "'" in rest:
        octets = unquote_to_bytes(rest.partition("'")[2].encode("utf-8", "surrogateescape"))
    else:
        charset, octets = "", unquote_to_bytes(text.encode("utf-8", "surrogateescape"))
    return in_charset(octets, charset)


def in_charset(octets: bytes, charset: str) -> str:
    """As text that any protocol may carry: what does not fit the charset is replaced, and a charset
    that nobody knows is taken for UTF-8."""
    try:
        text = octets.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        text = octets.decode("utf-8", "replace")
    return without_surrogates(text)


def without_surrogates(text: str) -> str:
    """Some codecs (`utf-7`) give halves of characters, which neither JSON nor UTF-8 has."""
    return text.encode("utf-8", "replace").decode("utf-8")
