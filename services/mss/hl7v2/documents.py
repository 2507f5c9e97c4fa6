"""The documents of a message, and whether everything about them says the same."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Final

from services.mss.hl7v2.er7 import Message, Segment
from services.mss.hl7v2.flags import SYSTEM
from services.mss.hl7v2.order import Order
from socle.cda.metadata import patient_ins
from socle.cda.xml import MalformedCdaError
from socle.ids import oids
from socle.ids.ins import INS_OIDS, Ins
from socle.xdm import SourceDocument
from socle.xdm.layout import Action
from socle.xds.document_entry import NORMAL, Coded

_MAX_DOCUMENTS: Final = {"ORU": 2, "MDM": 1}
_ACTIONS: Final[dict[str, Action]] = {"F": "", "C": "C", "D": "D"}
_ORDER_CONTROL: Final = {"F": "NW", "C": "RO", "D": "CA"}
_EVENT_OF_STATUS: Final = {"F": "T02", "C": "T10", "D": "T04"}
_RESTRICTIONS: Final = {
    "MASQUE_PS": ("MASQUE_PS", "Masqué aux professionnels de santé"),
    "INVISIBLE_PATIENT": ("INVISIBLE_PATIENT", "Document non visible par le patient"),
    "INVISIBLE_REP_LEGAUX": (
        "INVISIBLE_REPRESENTANTS_LEGAUX", "Non visible par les représentants légaux",
    ),
}  # fmt: skip
"""Flag to the confidentiality code that metadata carry beside the document's own (JDV_J58)."""


def read_documents(
    order: Order, found: Sequence[Segment], message: Message, kind: str
) -> Iterator[SourceDocument]:
    if not 1 <= len(found) <= _MAX_DOCUMENTS[kind]:
        order.fault(
            198, "OBX", f"{len(found)} documents: {kind} carries 1 to {_MAX_DOCUMENTS[kind]}."
        )
    for segment in found[: _MAX_DOCUMENTS[kind]]:
        status = segment(11)
        if status not in _ACTIONS:
            order.fault(103, segment.location(11), "OBX-11 is F, C or D.")
            continue
        _check_coherence(order, segment, message, kind, status)
        content = _content(order, segment)
        if content is None:
            continue
        try:
            read = SourceDocument.of(content, _ACTIONS[status])
        except MalformedCdaError as error:
            for problem in error.problems[:10]:
                order.fault(207, segment.location(5), f"{problem.rule}: {problem.message}")
            continue
        restrictions = _confidentiality(order, read)
        yield SourceDocument(
            read.content, read.header, read.metadata, read.patient, read.action, restrictions
        )


def _check_coherence(
    order: Order, segment: Segment, message: Message, kind: str, status: str
) -> None:
    """ORC-1, OBX-11 and the event say the same, or the PFI rejects the message."""
    orc = message.first("ORC")
    if orc is not None and orc(1) != _ORDER_CONTROL[status]:
        order.fault(
            207, orc.location(1), f"ORC-1 is {_ORDER_CONTROL[status]} where OBX-11 is {status}."
        )
    event = message.msh(9, 2)
    if kind == "MDM" and event != _EVENT_OF_STATUS[status]:
        order.fault(
            207, message.msh.location(9),
            f"The event is {_EVENT_OF_STATUS[status]} where OBX-11 is {status}.",
        )  # fmt: skip


def _content(order: Order, segment: Segment) -> bytes | None:
    if segment(2) != "ED" or segment(5, 4).lower() != "base64":
        order.fault(102, segment.location(5), "A document is ED: ^TEXT^XML^Base64^<data>.")
        return None
    return decoded(order, segment)


def _confidentiality(order: Order, document: SourceDocument) -> tuple[Coded, ...]:
    """Masked and hidden documents stay so in the archive."""
    own = Coded(document.metadata.confidentiality or "N", NORMAL)
    asked = (
        Coded(code, oids.VISIBILITY, label)
        for flag, (code, label) in _RESTRICTIONS.items()
        if order.flags[flag]
    )
    return (own, *asked)


def check_patient(order: Order, message: Message) -> None:
    """The patient of PID and of each document is one, and so is the one who is written to."""
    pid = message.first("PID")
    named = _ins_of(pid) if pid is not None else None
    for document in order.documents:
        if named is not None and patient_ins(document.header) != named:
            order.fault(207, "PID^1^3", "The INS of PID-3 is not that of the document.")
    patients = {document.patient for document in order.documents}
    if len(patients) > 1:
        order.fault(207, "OBX^^5", "The documents are about several patients.")
    for addressee in order.to(patients=True):
        if patients and addressee.address not in {it.citizen_address.lower() for it in patients}:
            order.fault(207, "PRT^^15", "The patient written to is not that of the document.")


def _ins_of(pid: Segment) -> Ins | None:
    for repetition in pid.repetitions(3):
        oid = pid.of(repetition, 4, 2)
        if oid in INS_OIDS:
            return Ins.check(oid, pid.of(repetition, 1))[0]
    return None


def decoded(order: Order, segment: Segment) -> bytes | None:
    """The padding may be missing, as in examples of the guide; of one text there, half an octet is."""
    data = "".join(segment(5, 5).split()).rstrip("=")
    whole = data[: len(data) - 1] if len(data) % 4 == 1 and segment(3, 3) == SYSTEM else data
    try:
        return base64.b64decode(whole + "=" * (-len(whole) % 4), validate=True)
    except (binascii.Error, ValueError):
        order.fault(102, segment.location(5), "OBX-5.5 is no base64.")
        return None
