"""What is to be done in the DMP for one message: kept whole, so that nothing of it is asked twice."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final
from uuid import UUID, uuid5

from services.mss.hl7v2.order import Order
from services.mss.hl7v2.participants import Requester
from socle.ids import oids
from socle.ids.ins import Ins
from socle.xdm import SourceDocument
from socle.xdm.layout import Action
from socle.xds.document_entry import Coded

HIDDEN_FROM_REPRESENTATIVES: Final = "INVISIBLE_REPRESENTANTS_LEGAUX"
"""The one code of JDV_J64: the restriction of a VIHF in a secret connection."""
_SETS: Final = UUID("8f7f3a52-6a53-5a0e-8ad9-4c0f6a1f3d27")
"""The namespace of the identifiers of lots: the same message makes the same lot at each attempt."""


@dataclass(frozen=True, slots=True)
class HeldDocument:
    content: bytes = field(repr=False)
    confidentiality: tuple[Coded, ...]


@dataclass(frozen=True, slots=True)
class Deposit:
    """`action` is "" for a new document, "C" for one that replaces, "D" for one to be deleted; all
    documents of a message have the same."""

    action: Action
    patient: Ins = field(repr=False)
    requester: Requester = field(repr=False)
    documents: tuple[HeldDocument, ...]
    content_type: str = ""
    is_secret: bool = False

    def as_json(self) -> dict[str, Any]:
        """Without the documents' bytes, which are kept beside it."""
        return {
            "action": self.action,
            "oid": self.patient.oid,
            "matricule": self.patient.matricule,
            "requester": self.requester.as_json(),
            "content_type": self.content_type,
            "is_secret": self.is_secret,
            "confidentiality": [
                [asdict(code) for code in it.confidentiality] for it in self.documents
            ],
        }

    @classmethod
    def of_json(cls, stored: Mapping[str, Any], contents: list[bytes]) -> "Deposit":
        return cls(
            stored["action"],
            Ins(stored["oid"], stored["matricule"]),
            Requester(**stored["requester"]),
            tuple(
                HeldDocument(content, tuple(Coded(**code) for code in codes))
                for content, codes in zip(contents, stored["confidentiality"], strict=True)
            ),
            stored["content_type"],
            stored["is_secret"],
        )

    def read(self) -> list[SourceDocument]:
        """They were read once, when the message came in."""
        return [
            SourceDocument.of(it.content, self.action, it.confidentiality) for it in self.documents
        ]


def deposit_of(order: Order) -> Deposit | None:
    """None where the message asks nothing of the DMP."""
    if not order.flags["DESTDMP"] or order.requester is None or not order.documents:
        return None
    first = order.documents[0]
    secret = order.flags["CONNEXION_SECRETE"]
    return Deposit(
        first.action,
        first.patient,
        order.requester,
        tuple(HeldDocument(it.content, _codes(it, secret=secret)) for it in order.documents),
        order.content_type,
        secret,
    )


def _codes(document: SourceDocument, *, secret: bool) -> tuple[Coded, ...]:
    """In a secret connection the document is hidden from the legal representatives, from whom the
    connection itself is (spec: dmp.md §2)."""
    codes = document.confidentiality
    if secret and all(code.code != HIDDEN_FROM_REPRESENTATIVES for code in codes):
        codes = (
            *codes,
            Coded(
                HIDDEN_FROM_REPRESENTATIVES,
                oids.VISIBILITY,
                "Non visible par les représentants légaux",
            ),
        )
    return codes


def set_id(space: str, application: str, facility: str, control_id: str) -> UUID:
    return uuid5(_SETS, "\n".join((space, application, facility, control_id)))
