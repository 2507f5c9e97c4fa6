"""What is read of each event: its shape, checked as it is decoded; what is added to it later is ignored.

msgspec, because a recount reads years of them: it decodes and checks in one pass, three times as fast
as a model that is filled from a parsed document. The same shapes are asked of an event that is parsed already.
"""

import re
from datetime import date, datetime
from typing import Annotated, Literal, TypeVar, get_type_hints
from uuid import UUID

from msgspec import Meta, Raw, Struct, ValidationError, convert, defstruct

from socle.errors import Category, DomainError
from socle.events.envelope import Event

MAX_NUMBER = 128
Shape = TypeVar("Shape", bound=Struct)

# In lower case, which require_uuids asks for. As text they are read and written in bulk, and sort as they do.
_Uuid = Annotated[str, Meta(min_length=36, max_length=36)]
_DIGITS = bytes.maketrans(b"123456789abcdef", b"0" * 15)
_UUID_FORM = b"00000000-0000-0000-0000-000000000000"
_Instant = Annotated[datetime, Meta(tz=True)]
_Count = Annotated[int, Meta(ge=0)]
_MISSING = re.compile(r"Object missing required field `(\w+)`")


class Read(Struct, gc=False):
    """Holds nothing that could be part of a cycle."""


def require_uuids(**values: str) -> None:
    """By name. For the pattern of a field msgspec asks Python's `re`, which takes five times as long."""
    for name, value in values.items():
        if value.encode().translate(_DIGITS) != _UUID_FORM:
            raise ValueError(f"Expected a UUID in lower case - at `$.{name}`")


class Envelope(Read):
    """As Event.parse wants it; `data` stays as it is written until its shape is known."""

    specversion: Literal["1.0"]
    id: UUID
    type: str
    source: str
    subject: str
    space: str
    time: datetime
    data: Raw


def whole(type_: str, shape: type[Struct]) -> type[Struct]:
    """The envelope of this type of event with its data in shape, to be decoded in one go."""
    others = ("specversion", "id", "source", "subject", "space", "time")
    hints = get_type_hints(Envelope)
    return defstruct(
        f"Whole{shape.__name__}",
        [*((name, hints[name]) for name in others), ("type", Literal[type_]), ("data", shape)],
        gc=False,
    )


class Structure(Read):
    kind: str
    number: str

    @property
    def key(self) -> str:
        """What counters group by: a FINESS as it is; a SIREN, which is nine digits too, apart."""
        key = self.number if self.kind == "finess" else f"{self.kind}:{self.number}"
        return key[:MAX_NUMBER]


def number_of(professional: str | None) -> str:
    """Some employees' numbers have no bound in their form; one that fits into no index is nobody's."""
    return professional if professional and len(professional) <= MAX_NUMBER else ""


class Author(Read):
    structure: Structure | None
    professional: str | None = None  # absent from the events of before it was told


class Ins(Read):
    qualified: bool


class RegisteredDocument(Read):
    """`data` of dmp.document.registered.v1, as far as counting needs it."""

    logical_id: _Uuid
    type_code: Annotated[str, Meta(max_length=MAX_NUMBER)]
    level: Literal["N1", "N3"]
    ins: Ins
    author: Author
    created_at: _Instant
    registered_at: _Instant
    chain_id: _Uuid | None = None  # absent from the events of before there were replacements
    unique_id: str = ""
    patient: str = ""
    acts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_uuids(logical_id=self.logical_id)
        if self.chain_id and self.chain_id != self.logical_id:
            require_uuids(chain_id=self.chain_id)


class DeletedDocument(Read):
    chain_id: _Uuid
    changed_at: _Instant

    def __post_init__(self) -> None:
        require_uuids(chain_id=self.chain_id)


class RefusedDocument(Read):
    unique_ids: list[str]
    type_codes: list[str]
    door: str
    refused_at: _Instant
    # Absent, all of them, from the events of before they were told or read.
    structure: Structure | None = None
    professional: str | None = None
    documents: _Count = 0
    rules: tuple[str, ...] = ()


class RefusedMessage(Read):
    professional: str | None = None
    structure: Structure | None = None
    reason: str = ""


class VerifiedIdentity(Read):
    result: str
    mode: str
    professional: str | None = None


class AcceptedMessage(Read):
    message: UUID
    direction: str
    sender_kind: str
    # Both absent from the events of before they were told.
    professional: str | None = None
    structure: Structure | None = None
    cda_codes: tuple[str, ...] = ()
    ins: str | None = None


class Session(Read):
    rpps: str | None = None
    auth_mode: str = ""


class Anything(Read):
    """Of what is only counted by day, nothing but the envelope is read."""


class DeclaredAct(Read):
    kind: str
    act_id: str
    act_at: _Instant
    structure: str | None = None
    professional: str | None = None
    domain: str | None = None
    patient: str | None = None
    flags: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    messages: tuple[UUID, ...] = ()


class CancelledAct(Read):
    kind: str
    act_id: str
    cancelled_at: _Instant
    structure: str | None = None
    professional: str | None = None


class ListedPatient(Read):
    list: str
    professional: str
    patient: str
    since: date
    until: date | None


class TotalsDeclared(Read):
    item: str
    start: date
    end: date
    numerator: _Count | None
    denominator: _Count | None
    structure: str | None = None
    professional: str | None = None


class PracticeAttested(Read):
    kind: str
    professional: str
    form: str
    structure: str | None
    since: date
    until: date | None
    evidence: str


def shaped(shape: type[Shape], event: Event) -> Shape:
    """The event's data; an event of the right type in the wrong shape can never be handled."""
    try:
        return convert(event.data, shape)
    except ValidationError as error:
        raise misshapen(event.type, error) from error


def misshapen(type_: str, error: ValidationError) -> DomainError:
    """Names the place alone: what msgspec says of a value may quote it."""
    said = str(error)
    _, found, place = said.rpartition(" - at `$.")
    missing = _MISSING.match(said)
    places = [place.removesuffix("`") if found else "", missing[1] if missing else ""]
    where = ".".join(filter(None, places)) or "its data"
    return DomainError(Category.INCORRECT, "event_shape", f"{type_} lacks or misstates {where}")
