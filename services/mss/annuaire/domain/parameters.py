"""The search parameters of each resource, and where their values stand in it.

Source: AsServerDPCapabilityStatement of ansforge/IG-fhir-annuaire (names, types, includes); the guide
v2 of ansforge/annuaire-sante-fhir-documentation shows how they are used. `mailbox-mss-type` comes from
the API MSS guide and is not in production (spec: mss.md §2).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from services.mss.annuaire.domain import systems
from services.mss.annuaire.domain.entries import Json


class Type(StrEnum):
    TOKEN = "token"  # noqa: S105 (a type of parameter)
    STRING = "string"
    REFERENCE = "reference"
    DATE = "date"
    URI = "uri"
    MAILBOX = "mailbox"  # a string, searched among the mailboxes and not in the resource
    MAILBOX_TYPE = "mailbox-type"  # a token, likewise

    @property
    def in_fhir(self) -> str:
        return {"mailbox": "string", "mailbox-type": "token"}.get(self.value, self.value)


Values = Callable[[Json], Iterator[tuple[str, str]]]
"""The values of a token: system and code; of a string or a reference: the text, after ""."""


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: Type
    values: Values | None = None
    definition: str = ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value is not None else []


def _codings(element: str) -> Values:
    def read(body: Json) -> Iterator[tuple[str, str]]:
        for one in _list(body.get(element)):
            for coding in one.get("coding", ()):
                yield coding.get("system", ""), coding["code"]

    return read


def _qualifications(body: Json) -> Iterator[tuple[str, str]]:
    for one in body.get("qualification", ()):
        for coding in one["code"]["coding"]:
            yield coding["system"], coding["code"]


def _identifiers(body: Json) -> Iterator[tuple[str, str]]:
    for one in body.get("identifier", ()):
        yield one["system"], one["value"]
        if one["system"] == systems.RPPS_RANG:  # the guide v2 names this other system for them
            yield systems.RPPS, one["value"]


def _identifier_types(body: Json) -> Iterator[tuple[str, str]]:
    for one in body.get("identifier", ()):
        for coding in one.get("type", {}).get("coding", ()):
            yield coding["system"], coding["code"]


def _code(element: str) -> Values:
    def read(body: Json) -> Iterator[tuple[str, str]]:
        value = body.get(element)
        if value is not None:
            yield "", str(value).lower() if isinstance(value, bool) else value

    return read


def _trace(part: str) -> Values:
    def read(body: Json) -> Iterator[tuple[str, str]]:
        for extension in body["meta"].get("extension", ()):
            for one in extension["extension"]:
                if one["url"] == part and "valueCode" in one:
                    yield "", one["valueCode"]
                elif one["url"] == part:
                    for coding in one["valueCodeableConcept"]["coding"]:
                        yield coding["system"], coding["code"]

    return read


def _profile(body: Json) -> Iterator[tuple[str, str]]:
    for profile in body["meta"].get("profile", ()):
        yield "", profile


def _texts(element: str, *parts: str) -> Values:
    """Strings of an element, or of its parts; an element may repeat, and so may a part."""

    def read(body: Json) -> Iterator[tuple[str, str]]:
        for one in _list(body.get(element)):
            for part in parts:
                for text in _list(one.get(part)):
                    yield "", text
            if not parts:
                yield "", one

    return read


def _name(body: Json) -> Iterator[tuple[str, str]]:
    yield from _texts("name")(body)
    yield from _texts("alias")(body)


def _extension(url: str, part: str = "") -> Values:
    def read(body: Json) -> Iterator[tuple[str, str]]:
        for extension in body.get("extension", ()):
            if extension["url"] != url:
                continue
            for one in extension["extension"] if part else [extension]:
                if part and one["url"] != part:
                    continue
                if "valueString" in one:
                    yield "", one["valueString"]
                for coding in one.get("valueCodeableConcept", {}).get("coding", ()):
                    yield coding.get("system", ""), coding["code"]

    return read


def _reference(element: str) -> Values:
    def read(body: Json) -> Iterator[tuple[str, str]]:
        if element in body:
            yield "", body[element]["reference"]

    return read


def _nothing(_body: Json) -> Iterator[tuple[str, str]]:
    """What the profiles of free access leave out (Device.modelNumber)."""
    yield from ()


T = Type
_HL7: Final = "http://hl7.org/fhir/SearchParameter/"
_AS: Final = "https://interop.esante.gouv.fr/ig/fhir/annuaire/SearchParameter/"

_COMMON: Final = (
    Parameter("_id", T.TOKEN, None, f"{_HL7}Resource-id"),
    Parameter("_lastUpdated", T.DATE, None, f"{_HL7}Resource-lastUpdated"),
    Parameter(
        "data-information-system", T.TOKEN, _trace("systeme-information"),
        f"{_AS}as-sp-data-information-system",
    ),
    Parameter(
        "data-registration-authority", T.TOKEN, _trace("autorite-enregistrement"),
        f"{_AS}as-sp-data-registration-authority",
    ),
    Parameter("identifier", T.TOKEN, _identifiers),
)  # fmt: skip
_ACTIVE: Final = Parameter("active", T.TOKEN, _code("active"))
_TYPES: Final = Parameter("identifier-type", T.TOKEN, _identifier_types)
_MAILBOXES: Final = (
    Parameter("mailbox-mss", T.MAILBOX, None, f"{_AS}as-sp-mailbox-mss"),
    Parameter("mailbox-mss-type", T.MAILBOX_TYPE, None, f"{_AS}as-sp-mailbox-mss-type"),
)

_BY_KIND: Final = {
    "Practitioner": (
        _ACTIVE,
        Parameter("family", T.STRING, _texts("name", "family"), f"{_HL7}individual-family"),
        Parameter("given", T.STRING, _texts("name", "given"), f"{_HL7}individual-given"),
        _TYPES,
        *_MAILBOXES,
        Parameter("name", T.STRING, _texts("name", "prefix", "family", "given", "suffix")),
        Parameter("number-smartcard", T.STRING, _extension(systems.SMARTCARD, "number")),
        Parameter("qualification-code", T.TOKEN, _qualifications, f"{_AS}as-sp-qualification-code"),
        Parameter("type-smartcard", T.TOKEN, _extension(systems.SMARTCARD, "type")),
    ),
    "PractitionerRole": (
        _ACTIVE,
        *_MAILBOXES,
        Parameter("organization", T.REFERENCE, _reference("organization")),
        Parameter("practitioner", T.REFERENCE, _reference("practitioner")),
        Parameter("role", T.TOKEN, _codings("code"), f"{_HL7}PractitionerRole-role"),
    ),
    "Organization": (
        _ACTIVE,
        Parameter("address", T.STRING, _texts("address", "line", "city", "postalCode")),
        Parameter("address-city", T.STRING, _texts("address", "city")),
        Parameter("address-line", T.STRING, _texts("address", "line"), f"{_AS}as-sp-address-line"),
        Parameter("address-postalcode", T.STRING, _texts("address", "postalCode")),
        _TYPES,
        *_MAILBOXES,
        Parameter("name", T.STRING, _name, f"{_HL7}Organization-name"),
        Parameter("partof", T.REFERENCE, _reference("partOf")),
        Parameter("pharmacy-licence", T.STRING, _extension(systems.PHARMACY_LICENCE)),
        Parameter("type", T.TOKEN, _codings("type")),
    ),
    "Device": (
        Parameter("manufacturer", T.STRING, _texts("manufacturer")),
        Parameter("model", T.STRING, _nothing),
        Parameter("organization", T.REFERENCE, _reference("owner")),
        Parameter("status", T.TOKEN, _code("status"), f"{_HL7}Device-status"),
        Parameter("type", T.TOKEN, _codings("type"), f"{_HL7}Device-type"),
    ),
    "HealthcareService": (
        Parameter("_profile", T.URI, _profile),
        _ACTIVE,
        Parameter("characteristic", T.TOKEN, _codings("characteristic")),
        Parameter("organization", T.REFERENCE, _reference("providedBy")),
        Parameter("service-category", T.TOKEN, _codings("category")),
        Parameter("service-type", T.TOKEN, _codings("type")),
    ),
}

PARAMETERS: Final[Mapping[str, Mapping[str, Parameter]]] = {
    kind: {one.name: one for one in sorted((*_COMMON, *own), key=lambda one: one.name)}
    for kind, own in _BY_KIND.items()
}

TARGETS: Final = {
    ("PractitionerRole", "organization"): "Organization",
    ("PractitionerRole", "practitioner"): "Practitioner",
    ("Organization", "partof"): "Organization",
    ("Device", "organization"): "Organization",
    ("HealthcareService", "organization"): "Organization",
}
"""The kind to which each reference leads."""

INCLUDES: Final = {
    kind: tuple(f"{of}:{name}" for of, name in TARGETS if of == kind) for kind in systems.KINDS
}
REVERSE_INCLUDES: Final = {
    kind: tuple(f"{of}:{name}" for (of, name), to in TARGETS.items() if to == kind)
    for kind in systems.KINDS
}

# Other spellings of the guide v2: `name:family=MASI`, and one page's name of the first parameter.
ALIASES: Final = {
    ("Practitioner", "name:family"): "family",
    ("Practitioner", "name:given"): "given",
    ("HealthcareService", "as-sp-data-information-system"): "data-information-system",
}
