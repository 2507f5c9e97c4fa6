"""What a message asks for, and what is wrong with it."""

from dataclasses import dataclass, field
from typing import Final

from services.mss.hl7v2.flags import Flags
from services.mss.hl7v2.participants import Addressee, Requester
from socle.xdm import SourceDocument

LABELS: Final = {
    100: "Segment sequence error", 101: "Required field missing", 102: "Data type error",
    103: "Table value not found", 198: "Non-conformant cardinality", 199: "Other HL7 Error",
    200: "Unsupported message type", 201: "Unsupported event code", 202: "Unsupported processing",
    203: "Unsupported version", 207: "Application error",
}  # fmt: skip
"""HL70357, messageErrorCondition, with the codes that the guide adds."""


@dataclass(frozen=True, slots=True)
class Fault:
    code: int
    location: str
    text: str


@dataclass(slots=True)
class Order:
    """`faults` empty: it can be carried out. Texts are empty where the usual ones are wanted."""

    control_id: str
    application: str
    facility: str
    flags: Flags = field(default_factory=lambda: Flags({}))
    documents: tuple[SourceDocument, ...] = field(default=(), repr=False)
    addressees: tuple[Addressee, ...] = field(default=(), repr=False)
    reply_to: str = field(default="", repr=False)
    text_for_professionals: str = field(default="", repr=False)
    text_for_patient: str = field(default="", repr=False)
    is_final: bool = False
    requester: Requester | None = field(default=None, repr=False)
    content_type: str = ""
    """contentTypeCode of the submission set, empty where PV1-2 says nothing that is mapped."""
    faults: list[Fault] = field(default_factory=list)

    def fault(self, code: int, location: str, text: str) -> None:
        self.faults.append(Fault(code, location, text))

    def to(self, *, patients: bool) -> list[Addressee]:
        wanted = self.flags["DESTMSSANTEPAT" if patients else "DESTMSSANTEPS"]
        return [it for it in self.addressees if wanted and it.is_patient == patients]
