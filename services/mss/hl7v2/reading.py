"""From an ORU^R01 (v2.5) or MDM (v2.6, T02, T10, T04) to what is to be done: every fault at once."""

from collections.abc import Iterator, Sequence
from typing import Final

from services.mss.domain.mailboxes import ADDRESS
from services.mss.hl7v2.documents import check_patient, decoded, read_documents
from services.mss.hl7v2.envelope import read_envelope
from services.mss.hl7v2.er7 import Message, Segment
from services.mss.hl7v2.flags import ALIASES, OPTIONAL, REQUIRED, SYSTEM, TEXTS, Flags, allowed
from services.mss.hl7v2.order import Order
from services.mss.hl7v2.participants import (
    Addressee,
    address_of,
    kept,
    participations,
    requester_of,
)

_SEGMENTS: Final = {
    "ORU": ("PID", "PV1", "ORC", "OBR", "OBX"),
    "MDM": ("EVN", "PID", "PV1", "ORC", "OBR", "TXA", "OBX"),
}
_CONTENT_TYPES: Final = {"I": "03", "O": "07", "R": "19", "N": "97", "E": "07"}
"""PV1-2 to contentTypeCode (guide, mapping)."""


def read_order(
    message: Message, *, enforce_combinations: bool = True, enforce_profile: bool = True
) -> Order:
    msh = message.msh
    order = Order(msh(10), msh(3), msh(4))
    kind = read_envelope(order, msh, enforce_profile=enforce_profile)
    if kind is None:
        return order
    missing = [name for name in _SEGMENTS[kind] if message.first(name) is None]
    for name in missing:
        order.fault(100, name, f"The segment {name} is missing.")
    documents, coded = _observations(message)
    _read_flags(order, coded, message)
    if enforce_combinations and not order.flags.is_allowed and _has_all_flags(order, coded):
        order.fault(
            207,
            "OBX",
            f"This combination is none of MSSanté's: {order.flags.shown()}. Known: {allowed()}.",
        )
    _read_participations(order, message)
    order.documents = tuple(read_documents(order, documents, message, kind))
    check_patient(order, message)
    _read_for_dmp(order, message)
    return order


def _observations(message: Message) -> tuple[list[Segment], list[Segment]]:
    """Documents, and what is asked for them."""
    documents: list[Segment] = []
    coded: list[Segment] = []
    for segment in message.all("OBX"):
        (coded if segment(3, 3) == SYSTEM else documents).append(segment)
    return documents, coded


def _has_all_flags(order: Order, coded: Sequence[Segment]) -> bool:
    return all(name in order.flags.values for name in REQUIRED)


def _read_flags(order: Order, coded: Sequence[Segment], message: Message) -> None:
    values: dict[str, bool] = {}
    for segment in coded:
        name = ALIASES.get(segment(3), segment(3))
        if name in TEXTS:
            text = _body(order, segment)
            if name == "CORPSMAIL_PS":
                order.text_for_professionals = text
            else:
                order.text_for_patient = text
        elif name not in (*REQUIRED, *OPTIONAL):
            order.fault(103, segment.location(3), f"{SYSTEM} has no such code.")
        elif name in values:
            order.fault(198, segment.location(3), f"{name} stands twice.")
        elif segment(5) not in ("Y", "N"):
            order.fault(103, segment.location(5), f"{name} is Y or N.")
        else:
            values[name] = segment(5) == "Y"
    order.flags = Flags(values)
    for name in REQUIRED:
        if name not in values and not any(it(3) == name for it in coded):
            order.fault(101, "OBX^^5", f"{name} is missing.")
    order.is_final = any(it(4) == "FIN" for it in _notes_of(message, "DESTMSSANTEPAT"))


def _notes_of(message: Message, flag: str) -> Iterator[Segment]:
    """NTE that follow the OBX of this flag."""
    inside = False
    for segment in message.segments:
        if segment.name == "OBX":
            inside = segment(3) == flag and segment(3, 3) == SYSTEM
        elif segment.name == "NTE" and inside:
            yield segment


def _body(order: Order, segment: Segment) -> str:
    """OBX-5 is ED in base64; a plain text is taken too."""
    if segment(5, 4).lower() == "base64":
        content = decoded(order, segment)
        text = "" if content is None else content.decode("utf-8", "replace")
    else:
        text = segment(5, 5) or segment(5)
    return "".join(char for char in text if char.isprintable() or char in "\r\n\t")


def _read_participations(order: Order, message: Message) -> None:
    addressees: dict[str, Addressee] = {}
    for role in ("RCT", "REPLY"):
        for segment in participations(message, role):
            address = address_of(segment)
            if not ADDRESS.fullmatch(address):
                order.fault(
                    102 if address else 101,
                    segment.location(15),
                    "PRT-15.4 is an address of MSSanté.",
                )
            elif role == "REPLY":
                order.reply_to = address
            else:
                addressees.setdefault(address, Addressee(address, kept(segment(5))))
    order.addressees = tuple(addressees.values())
    for flag, patients in (("DESTMSSANTEPS", False), ("DESTMSSANTEPAT", True)):
        if order.flags[flag] and not order.to(patients=patients):
            whom = "a patient" if patients else "a professional"
            order.fault(
                101, "PRT^^15", f"{flag} is Y, and no PRT (RCT) names the address of {whom}."
            )


def _read_for_dmp(order: Order, message: Message) -> None:
    """What the VIHF and the submission set need, where the document goes to the DMP."""
    order.requester = requester_of(message)
    pv1 = message.first("PV1")
    order.content_type = _CONTENT_TYPES.get(pv1(2), "") if pv1 else ""
    if not order.flags["DESTDMP"]:
        return
    asks = order.requester
    if asks is None:
        order.fault(101, "PRT", "DESTDMP is Y, and no PRT (SB) says who asks.")
    else:
        if not asks.structure:
            order.fault(101, "PRT^^8", "PRT-8.10 of SB, the structure that asks, is missing.")
        if not (asks.person or asks.device):
            order.fault(101, "PRT^^5", "SB has neither PRT-5.1 (a person) nor PRT-10.1 (a device).")
    for document in order.documents:
        if document.action == "C" and document.metadata.replaces is None:
            order.fault(
                207, "OBX^^5",
                "The document says not what it replaces (relatedDocument RPLC): the DMP must be told.",
            )  # fmt: skip
