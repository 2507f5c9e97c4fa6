"""Who sees a document: its confidentiality codes and their effect (spec: dmp.md §1.9, §2)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from socle.xds.document_entry import NORMAL, Coded, DocumentEntry

VISIBILITY: Final = "1.2.250.1.213.1.1.4.13"
"""TRE_A07, the system of the codes below."""

MASKED: Final = "MASQUE_PS"
HIDDEN_FROM_PATIENT: Final = "INVISIBLE_PATIENT"
HIDDEN_FROM_REPRESENTATIVES: Final = "INVISIBLE_REPRESENTANTS_LEGAUX"
CODES: Final = {
    "N": (NORMAL, "Normal"),
    "R": (NORMAL, "Restreint"),
    "V": (NORMAL, "Très restreint"),
    MASKED: (VISIBILITY, "Masqué aux professionnels de santé"),
    HIDDEN_FROM_PATIENT: (VISIBILITY, "Document non visible par le patient"),
    HIDDEN_FROM_REPRESENTATIVES: (VISIBILITY, "Non visible par les représentants légaux"),
}
"""JDV_J58, the value set of the DMP: code to its system and a label."""


Purpose = Literal["normal", "bris_de_glace", "centre_15"]
"""TRE_R248: why a record is read. The other two are emergencies, which need no authorization."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A professional who reads, and why.

    `needs_right` where a reading without an authorization is refused; `sees_everything` is for what
    no caller is shown; `hidden_classes` are those that the profession does not read; `opens` where
    the document itself is read, and not only what is registered of it.
    """

    identifier: str = field(repr=False)
    purpose: Purpose = "normal"
    needs_right: bool = False
    sees_everything: bool = False
    hidden_classes: tuple[str, ...] = ()
    opens: bool = False

    @property
    def is_emergency(self) -> bool:
        return self.purpose != "normal"

    @property
    def finds_own_without_right(self) -> bool:
        """Replacing, masking and deleting begin with TD3.1b on one's own document, and feeding needs no
        authorization (spec: dmp.md §1.3, §1.9); reading the document does."""
        return self.needs_right and not self.opens


def confidentiality_of(codes: Sequence[str]) -> tuple[Coded, ...]:
    """In the order of the value set; N is always there, unless R or V stands in its place."""
    given = set(codes)
    if not given & {"N", "R", "V"}:
        given.add("N")
    return tuple(
        Coded(code, system, display) for code, (system, display) in CODES.items() if code in given
    )


def is_masked(entry: DocumentEntry) -> bool:
    return any(code.code == MASKED for code in entry.confidentiality)


def owners_of(entry: DocumentEntry, submitter: str) -> list[str]:
    """Whose own document it is: whoever sent it, and its authors."""
    named = [submitter, *(author.person.partition("^")[0] for author in entry.authors)]
    return list(dict.fromkeys(one for one in named if one and " " not in one))
