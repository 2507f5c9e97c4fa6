"""Can the registry keep this resource, and give it back? Asked before anything is written.

A resource is kept as its producer wrote it, in jsonb, and read again at every search: a shape
that only fails there would take the whole listing of a patient down.
"""

import re
from typing import Any

import orjson

from services.dmp.fhir.bundle import Part
from socle.problems import Problem

SOURCE = "FHIR R4 §2.6.2"
# Escapes as orjson writes them, one after the other, so that an escaped backslash begins none. Those of the
# group jsonb refuses (NUL, PostgreSQL §8.14) or XML 1.0 does (§2.2): a listing by SOAP could not be written.
_ESCAPE = re.compile(rb"\\(?:(u00(?:0[0-8bcef]|1[0-9a-f])|[bf])|.)")
_NO_CHARACTER = re.compile(rb"\xef\xbf[\xbe\xbf]")  # U+FFFE and U+FFFF
_LISTS = (
    "identifier", "content", "contained", "author", "category", "securityLabel", "relatesTo",
    "extension", "note", "entry",
)  # fmt: skip
_OBJECTS = ("meta", "masterIdentifier", "type", "subject", "context", "custodian")


def check_storable(part: Part) -> list[Problem]:
    problems = [
        _shape(f"{part.path}.{name}", "an array of objects")
        for name in _LISTS
        if name in part.resource and not _is_list_of_objects(part.resource[name])
    ]
    problems += [
        _shape(f"{part.path}.{name}", "an object")
        for name in _OBJECTS
        if name in part.resource and not isinstance(part.resource[name], dict)
    ]
    try:
        written = orjson.dumps(part.resource)
    except orjson.JSONEncodeError:  # some 250 levels
        problems.append(
            Problem(
                "FHIR-DEPTH", part.path, "the elements are nested too deeply", "fewer levels",
                source=SOURCE,
            )
        )  # fmt: skip
        return problems
    character = _unwritable(written)
    if character is not None:
        problems.append(
            Problem(
                "FHIR-STRING", part.path, f"a text holds the character U+{character:04X}",
                "text whose only control characters are tabs and line ends",
                source="FHIR R4 §2.24.0.1 string",
            )
        )  # fmt: skip
    return problems


def _unwritable(written: bytes) -> int | None:
    """The first character that cannot be kept. Nearly no text has any, and each is looked at: `in` takes a
    hundredth of the time of a pattern without a fixed beginning."""
    if b"\\" in written:
        for escape in _ESCAPE.finditer(written):
            if escape[1]:
                return ord(orjson.loads(b'"%s"' % escape[0]))
    if b"\xef\xbf" in written and (found := _NO_CHARACTER.search(written)):
        return ord(found[0].decode())
    return None


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _shape(path: str, expected: str) -> Problem:
    return Problem("FHIR-SHAPE", path, "the element has another JSON type", expected, source=SOURCE)
