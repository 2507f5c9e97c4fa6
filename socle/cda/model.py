"""The header of a CDA document as it was written: nothing corrected, nothing refused.

Values stay text so that a rule can show what it found. Parts that name a person are kept out of
`repr`, so that no log line or traceback shows them.
"""

from dataclasses import dataclass, field
from typing import Literal

BodyKind = Literal["N1", "N3", ""]


@dataclass(frozen=True, slots=True)
class Id:
    root: str = ""
    extension: str = field(default="", repr=False)
    null_flavor: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    code: str = ""
    system: str = ""
    display: str = ""
    null_flavor: str = ""


@dataclass(frozen=True, slots=True)
class NamePart:
    qualifier: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PersonName:
    """CI-SIS qualifies the birth name BR, the used name CL (older: SP)."""

    families: tuple[NamePart, ...] = ()
    givens: tuple[NamePart, ...] = ()

    @property
    def birth_family(self) -> str:
        return _first(self.families, "BR")

    @property
    def used_family(self) -> str:
        return _first(self.families, "CL") or _first(self.families, "SP")

    @property
    def family(self) -> str:
        """The name to show: professionals carry no qualifier."""
        return self.birth_family or (self.families[0].text if self.families else "")

    @property
    def birth_given(self) -> str:
        return _first(self.givens, "BR")

    @property
    def all_givens(self) -> str:
        """The list of birth given names, which has no qualifier."""
        return _first(self.givens, "")

    @property
    def given(self) -> str:
        return self.birth_given or (self.givens[0].text if self.givens else "")


def _first(parts: tuple[NamePart, ...], qualifier: str) -> str:
    return next((part.text for part in parts if part.qualifier == qualifier and part.text), "")


@dataclass(frozen=True, slots=True)
class Organization:
    ids: tuple[Id, ...] = ()
    name: str = ""
    industry: Code | None = None


@dataclass(frozen=True, slots=True)
class Entity:
    """An assigned author or entity: who, in which role, for which organisation."""

    ids: tuple[Id, ...] = ()
    code: Code | None = None
    name: PersonName | None = field(default=None, repr=False)
    device: str = ""
    organization: Organization | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    ids: tuple[Id, ...] = ()
    name: PersonName | None = field(default=None, repr=False)
    gender: Code | None = field(default=None, repr=False)
    birth_time: str = field(default="", repr=False)
    birth_county: str = field(default="", repr=False)
    birth_city: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Author:
    time: str
    entity: Entity


@dataclass(frozen=True, slots=True)
class LegalAuthenticator:
    time: str
    signature: str
    entity: Entity


@dataclass(frozen=True, slots=True)
class Interval:
    """IVL_TS; a single `value` is read as its low bound."""

    low: str = ""
    high: str = ""
    null_flavor: str = ""


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    code: Code | None
    time: Interval | None
    performers: tuple[Entity, ...]


@dataclass(frozen=True, slots=True)
class Encounter:
    code: Code | None
    time: Interval | None
    facility: Code | None
    ids: tuple[Id, ...] = ()


@dataclass(frozen=True, slots=True)
class RelatedDocument:
    type_code: str
    ids: tuple[Id, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """N1 encapsulates a file (nonXMLBody), N3 holds sections and entries (structuredBody)."""

    kind: BodyKind
    media_type: str = ""
    representation: str = ""
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class CdaHeader:
    """`counts` says how often each child of ClinicalDocument occurs, for cardinality rules."""

    counts: dict[str, int]
    realm: str
    type_id: Id | None
    template_ids: tuple[Id, ...]
    id: Id | None
    code: Code | None
    title: str = field(repr=False)
    effective_time: str
    confidentiality: Code | None
    language: str
    set_id: Id | None
    version_number: str
    patient: Patient | None
    authors: tuple[Author, ...]
    custodian: Organization | None
    legal_authenticator: LegalAuthenticator | None
    orders: tuple[Id, ...]
    service_events: tuple[ServiceEvent, ...]
    related_documents: tuple[RelatedDocument, ...]
    encounter: Encounter | None
    body: Body
    # (element's path, flavor) of every nullFlavor of the header.
    null_flavors: tuple[tuple[str, str], ...] = ()
