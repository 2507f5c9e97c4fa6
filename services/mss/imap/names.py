"""Names of folders in modified UTF-7 (RFC 3501 §5.1.3), and the tree that they make (§6.3.8)."""

import base64
import re
from collections.abc import Iterable
from typing import Final

DELIMITER: Final = "/"
MAX_NAME: Final = 200
_SHIFTED: Final = re.compile(r"&([A-Za-z0-9+,]*)-")


def is_folder_name(name: str) -> bool:
    """Whether a client that decodes names can show this one, and every level of it has a name."""
    try:
        shown = _decoded(name)
    except ValueError:
        return False
    return (
        len(name) <= MAX_NAME
        and shown.isprintable()
        and not set(shown) & {"*", "%"}
        and all(name.split(DELIMITER))
    )


def _decoded(name: str) -> str:
    """ValueError where it is no modified UTF-7, or writes in it what stands for itself."""
    if "&" in _SHIFTED.sub("", name):
        raise ValueError
    return _SHIFTED.sub(_shifted, name)


def _shifted(found: "re.Match[str]") -> str:
    coded = found[1].replace(",", "/")
    if not coded:
        return "&"
    text = base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True).decode("utf-16-be")
    if any(" " <= letter <= "~" for letter in text):
        raise ValueError
    return text


def missing_parents(names: Iterable[str]) -> list[str]:
    """Levels above a folder that are none themselves: a client that walks with `%` would never come
    to what is below them."""
    known = set(names)
    found = {
        parent
        for name in known
        for at, letter in enumerate(name)
        if letter == DELIMITER and (parent := name[:at]) not in known
    }
    return sorted(found)
