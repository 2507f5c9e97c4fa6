"""The value sets that the header rules and the metadata use: dated data files beside this module."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from socle.cda.model import Code

ValueSetName = Literal[
    "document_types", "document_classes", "formats", "practice_settings", "facility_types"
]


@dataclass(frozen=True, slots=True)
class Concept:
    code: str
    system: str
    display: str
    confidence: str = "confirmed"
    # What only one value set knows: class of a type, templates of a format.
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def as_code(self) -> Code:
        return Code(self.code, self.system, self.display)


@dataclass(frozen=True, slots=True)
class ValueSet:
    """`complete` is False for an extract: a rule may then warn about a stranger, not refuse it."""

    name: str
    oid: str
    revision: str
    source: str
    complete: bool
    concepts: Mapping[str, Concept]
    # Codes known not to be in the set, with what to use instead.
    absent: Mapping[str, str]

    def __contains__(self, code: str) -> bool:
        return code in self.concepts

    def get(self, code: str) -> Concept | None:
        return self.concepts.get(code)


@lru_cache
def value_set(name: ValueSetName) -> ValueSet:
    text = files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    concepts = [_concept(entry) for entry in data["concepts"]]
    return ValueSet(
        name=data["name"],
        oid=data["oid"],
        revision=str(data["revision"]),
        source=data["source"],
        complete=data["complete"],
        concepts={concept.code: concept for concept in concepts},
        absent={entry["code"]: entry["use"] for entry in data.get("absent", [])},
    )


def display_of(name: ValueSetName, code: str) -> str:
    concept = value_set(name).get(code)
    return concept.display if concept else ""


def class_of(type_code: str) -> Concept | None:
    """The class that ASS-X16 gives to a document type; None where it is not established."""
    concept = value_set("document_types").get(type_code)
    class_code = concept.extra.get("class") if concept else None
    return value_set("document_classes").get(class_code) if class_code else None


@lru_cache
def formats_by_media_type() -> Mapping[str, Concept]:
    formats = value_set("formats").concepts.values()
    return {str(it.extra["media_type"]): it for it in formats if "media_type" in it.extra}


@lru_cache
def formats_by_template() -> Mapping[str, Concept]:
    return {
        template: concept
        for concept in value_set("formats").concepts.values()
        for template in concept.extra.get("templates", ())
    }


@lru_cache
def fallback_format() -> Concept:
    """For a structured document whose model has no format of its own in the extract."""
    return next(it for it in value_set("formats").concepts.values() if it.extra.get("fallback"))


def _concept(entry: dict[str, Any]) -> Concept:
    known = ("code", "system", "display", "confidence")
    return Concept(
        code=str(entry["code"]),
        system=str(entry.get("system", "")),
        display=entry["display"],
        confidence=entry.get("confidence", "confirmed"),
        extra={key: value for key, value in entry.items() if key not in known},
    )
