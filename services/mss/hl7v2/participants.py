"""Who a message names: who asks (PRT SB), whom the mails go to (RCT), who is answered (REPLY)."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from services.mss.domain.lint.mail import is_patient
from services.mss.domain.mailboxes import normalised
from services.mss.hl7v2.er7 import Message, Segment
from socle.ids.professionals import parse_idnat
from socle.ids.structures import parse_struct_idnat

MAX_LENGTH: Final = 200
"""Of an identifier or a name that is kept, or given back."""
_X400: Final = "X.400"
_FINESS_TYPES: Final = frozenset({"FINEG", "FINEJ"})


@dataclass(frozen=True, slots=True)
class Addressee:
    """`identifier` is that of PRT-5.1, which acknowledgements give back."""

    address: str = field(repr=False)
    identifier: str = field(default="", repr=False)

    @property
    def is_patient(self) -> bool:
        return is_patient(self.address)


@dataclass(frozen=True, slots=True)
class Requester:
    """The professional or the device that asks, and its structure: what the VIHF and the author of the
    submission set are made of (guide, mapping; SC.DMP/CONF.12).

    `person` is a PS_IdNat, `structure` a Struct_IdNat; both as they came where they are neither.
    """

    software: str
    person: str = field(default="", repr=False)
    family: str = field(default="", repr=False)
    given: str = field(default="", repr=False)
    device: str = ""
    structure: str = ""
    structure_name: str = ""

    @property
    def name_id(self) -> str:
        """Of a machine: whoever answers for it, named inside the structure as employees are."""
        return self.person or f"{self.structure}/{self.device}"

    @property
    def shown(self) -> str:
        """A person's name, else the software and the device."""
        name = " ".join(part for part in (self.family, self.given) if part)
        return (
            name if self.person and name else ", ".join(filter(None, (self.software, self.device)))
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def kept(text: str) -> str:
    """Without what no identifier or name holds, and no longer than is kept."""
    return "".join(char for char in text if char.isprintable())[:MAX_LENGTH]


def participations(message: Message, role: str) -> Iterator[Segment]:
    return (segment for segment in message.all("PRT") if segment(4).upper() == role)


def address_of(segment: Segment) -> str:
    """PRT-15.4; examples of the guide have it a field earlier or later."""
    for position in (15, 14, 16):
        if segment(position, 3) == _X400 and segment(position, 4):
            return normalised(segment(position, 4))
    return normalised(segment(15, 4))


def requester_of(message: Message) -> Requester | None:
    """The first PRT whose role is SB; None where there is none."""
    segment = next(participations(message, "SB"), None)
    if segment is None:
        return None
    return Requester(
        software=kept(message.msh(3)),
        person=_person(kept(segment(5))),
        family=kept(segment(5, 2)),
        given=kept(segment(5, 3)),
        device=kept(segment(10)),
        structure=_structure(kept(segment(8, 10)), segment(8, 7)),
        structure_name=kept(segment(8)),
    )


def _person(identifier: str) -> str:
    """An RPPS without its type digit is given one: examples have both forms."""
    if parse_idnat(identifier) is None and re.fullmatch(r"[0-9]{11}", identifier):
        return f"8{identifier}"
    return identifier


def _structure(identifier: str, kind: str) -> str:
    """A FINESS without its type digit is given one: examples have both forms."""
    if kind in _FINESS_TYPES and len(identifier) == 9 and parse_struct_idnat(f"1{identifier}"):
        return f"1{identifier}"
    return identifier
