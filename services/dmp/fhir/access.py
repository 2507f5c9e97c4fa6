"""Reading JSON of which nothing is known: a wrong shape is an absent value, never an exception."""

from typing import Any


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def first(value: Any) -> dict[str, Any]:
    found = items(value)
    return mapping(found[0]) if found else {}


def codings(concept: Any) -> list[tuple[str, str]]:
    """(system, code) of a CodeableConcept."""
    return [
        (text(mapping(coding).get("system")), text(mapping(coding).get("code")))
        for coding in items(mapping(concept).get("coding"))
    ]
