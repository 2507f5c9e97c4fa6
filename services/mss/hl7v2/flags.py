"""What is asked for a document, and which combinations MSSanté knows (table MetaDMPMSS; guide 2.1.2,
regles-gestion-mssante: "Les cas non représentés génèrent un message d'erreur")."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SYSTEM: Final = "MetaDMPMSS"
REQUIRED: Final = (
    "MASQUE_PS", "INVISIBLE_PATIENT", "INVISIBLE_REP_LEGAUX", "CONNEXION_SECRETE", "MODIF_CONF_CODE",
    "DESTDMP", "DESTMSSANTEPS", "DESTMSSANTEPAT",
)  # fmt: skip
OPTIONAL: Final = ("ACK_RECEPTION", "ACK_LECTURE_MSS")
ALIASES: Final = {"ACK_LECTURE": "ACK_LECTURE_MSS"}
"""Examples of the guide write the former."""
TEXTS: Final = ("CORPSMAIL_PS", "CORPSMAIL_PATIENT")

_ALLOWED: Final[tuple[tuple[str, Mapping[str, bool]], ...]] = (
    (
        "to professionals and to the patient",
        {"MASQUE_PS": False, "INVISIBLE_PATIENT": False, "INVISIBLE_REP_LEGAUX": False,
         "DESTMSSANTEPS": True, "DESTMSSANTEPAT": True},
    ),
    (
        "to professionals, hidden from the patient",
        {"MASQUE_PS": False, "INVISIBLE_PATIENT": True, "INVISIBLE_REP_LEGAUX": False,
         "DESTMSSANTEPS": True, "DESTMSSANTEPAT": False},
    ),
    (
        "to the patient",
        {"INVISIBLE_PATIENT": False, "CONNEXION_SECRETE": False, "DESTDMP": False,
         "DESTMSSANTEPS": False, "DESTMSSANTEPAT": True},
    ),
)  # fmt: skip
"""Each with the flags that it fixes; any other flag may be Y or N."""


@dataclass(frozen=True, slots=True)
class Flags:
    values: Mapping[str, bool]

    def __getitem__(self, name: str) -> bool:
        return self.values.get(name, False)

    @property
    def goes_by_mail(self) -> bool:
        return self["DESTMSSANTEPS"] or self["DESTMSSANTEPAT"]

    @property
    def is_allowed(self) -> bool:
        """A document for the DMP alone is no exchange by MSSanté; one for nobody is an error."""
        if not self.goes_by_mail:
            return self["DESTDMP"]
        return any(
            all(self[name] == value for name, value in fixed.items()) for _, fixed in _ALLOWED
        )

    def shown(self) -> str:
        """MASQUE_PS=N INVISIBLE_PATIENT=Y …: the combination, to name it in an error."""
        return " ".join(f"{name}={'Y' if self[name] else 'N'}" for name in REQUIRED)


def allowed() -> str:
    """The combinations that are known, for whoever sent another."""
    return "; ".join(
        f"{label}: " + " ".join(f"{name}={'Y' if value else 'N'}" for name, value in fixed.items())
        for label, fixed in _ALLOWED
    )
