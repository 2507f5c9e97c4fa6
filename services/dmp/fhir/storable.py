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
# In JSON, unless the backslash is itself escaped. jsonb refuses NUL (PostgreSQL §8.14), and XML 1.0 §2.2
# the others: a listing by SOAP could not be written.
_UNWRITABLE = re.compile(
    rb"(?<!\\)(?:\\\\)*(\\(?:u00(?:0[0-8bcef]|1[0-9a-f])|[bf]))|(\xef\xbf[\xbe\xbf])"
)
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
    if found := _UNWRITABLE.search(written):
        character = ord(orjson.loads(b'"%s"' % (found[1] or found[2])))
        problems.append(
            Problem(
                "FHIR-STRING", part.path, f"a text holds the character U+{character:04X}",
                "text whose only control characters are tabs and line ends",
                source="FHIR R4 §2.24.0.1 string",
            )
        )  # fmt: skip
    return problems


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _shape(path: str, expected: str) -> Problem:
    return Problem("FHIR-SHAPE", path, "the element has another JSON type", expected, source=SOURCE)
