"""Reads the registry objects of an ebRIM 3.0 message, judging nothing (ITI TF-3 §4.2.1)."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from lxml import etree

from socle.xds.names import RIM

Slots = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Classified:
    """A classification: a code (`node` and the slot codingScheme), or an author, which has none."""

    scheme: str
    node: str
    slots: Slots = field(repr=False)
    name: str = field(repr=False)

    @property
    def coding_scheme(self) -> str:
        return first(self.slots, "codingScheme")


@dataclass(frozen=True, slots=True)
class RegistryObject:
    """`path` names the object in messages: its kind and the id that it carries."""

    kind: str
    id: str
    logical_id: str
    object_type: str
    mime_type: str
    status: str
    version: str
    slots: Slots = field(repr=False)
    name: str = field(repr=False)
    description: str = field(repr=False)
    classifications: tuple[Classified, ...] = field(repr=False)
    external_ids: Mapping[str, str] = field(repr=False)

    @property
    def path(self) -> str:
        return f"{self.kind}[{self.id[:64]}]"

    def slot(self, name: str) -> str:
        return first(self.slots, name)

    def other_slots(self, known: Container[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The slots whose names are not known, in their order."""
        return tuple((name, values) for name, values in self.slots.items() if name not in known)

    def classified(self, scheme: str) -> list[Classified]:
        return [one for one in self.classifications if one.scheme == scheme]

    def code(self, scheme: str) -> Classified | None:
        found = self.classified(scheme)
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Association:
    id: str
    kind: str
    source: str
    target: str
    slots: Slots = field(repr=False)


@dataclass(frozen=True, slots=True)
class RegistryObjects:
    packages: tuple[RegistryObject, ...]
    documents: tuple[RegistryObject, ...]
    associations: tuple[Association, ...]
    nodes: Mapping[str, str]
    """What a package is, by its id: the classification node of a submission set or a folder."""


def read_objects(parent: etree._Element) -> RegistryObjects:
    """`parent` is the rim:RegistryObjectList. A classification may stand inside its object, beside
    it, or be only a node."""
    loose = list(parent.iterchildren(_rim("Classification")))
    nodes = {
        one.get("classifiedObject", ""): one.get("classificationNode", "")
        for one in (*loose, *parent.iterfind(f"{_rim('RegistryPackage')}/{_rim('Classification')}"))
        if one.get("classificationNode")
    }
    return RegistryObjects(
        tuple(_objects(parent, "RegistryPackage", loose)),
        tuple(_objects(parent, "ExtrinsicObject", loose)),
        tuple(_associations(parent)),
        nodes,
    )


def slots_of(element: etree._Element) -> dict[str, tuple[str, ...]]:
    """Names to values; a slot that is written twice has the values of both."""
    found: dict[str, tuple[str, ...]] = {}
    for slot in element.iterchildren(_rim("Slot")):
        name = slot.get("name", "")
        found[name] = (*found.get(name, ()), *values_of(slot))
    return found


def values_of(slot: etree._Element) -> tuple[str, ...]:
    return tuple(
        (value.text or "").strip()
        for value in slot.iterfind(f"{_rim('ValueList')}/{_rim('Value')}")
    )


def first(slots: Slots, name: str) -> str:
    return next(iter(slots.get(name, ())), "")


def read_uuid(identifier: str) -> UUID | None:
    """Of `urn:uuid:…`; a symbolic id is none, and names nothing in the registry."""
    if not identifier.startswith("urn:uuid:"):
        return None
    try:
        return UUID(identifier.removeprefix("urn:uuid:"))
    except ValueError:
        return None


def _objects(
    parent: etree._Element, kind: str, loose: Sequence[etree._Element]
) -> Iterator[RegistryObject]:
    for element in parent.iterchildren(_rim(kind)):
        identifier = element.get("id", "")
        beside = [one for one in loose if one.get("classifiedObject") == identifier]
        version = element.find(_rim("VersionInfo"))
        yield RegistryObject(
            kind=kind,
            id=identifier,
            logical_id=element.get("lid", ""),
            object_type=element.get("objectType", ""),
            mime_type=element.get("mimeType", ""),
            status=element.get("status", ""),
            version="" if version is None else version.get("versionName", ""),
            slots=slots_of(element),
            name=_text(element, "Name"),
            description=_text(element, "Description"),
            classifications=tuple(
                Classified(
                    one.get("classificationScheme", ""),
                    one.get("nodeRepresentation", ""),
                    slots_of(one),
                    _text(one, "Name"),
                )
                for one in (*element.iterchildren(_rim("Classification")), *beside)
                if one.get("classificationScheme")
            ),
            external_ids={
                one.get("identificationScheme", ""): one.get("value", "")
                for one in element.iterchildren(_rim("ExternalIdentifier"))
            },
        )


def _associations(parent: etree._Element) -> Iterator[Association]:
    for element in parent.iterchildren(_rim("Association")):
        yield Association(
            element.get("id", ""),
            element.get("associationType", ""),
            element.get("sourceObject", ""),
            element.get("targetObject", ""),
            slots_of(element),
        )


def _text(element: etree._Element, name: str) -> str:
    found = element.find(f"{_rim(name)}/{_rim('LocalizedString')}")
    return "" if found is None else found.get("value", "")


def _rim(name: str) -> str:
    return f"{{{RIM}}}{name}"
