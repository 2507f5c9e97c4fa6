"""What a mail with documents is called: its subject, its PDF copies (spec: mss.md §4.1)."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from socle.cda.metadata import DocumentMetadata
from socle.cda.model import CdaHeader, PersonName
from socle.ids.traits import transliterate

PREFIX: Final = "XDM/1.0/DDM+"
LABEL_LENGTH: Final = 40
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9]+")
_LIGATURES: Final = str.maketrans({"Æ": "AE", "Œ": "OE", "æ": "ae", "œ": "oe", "’": "'"})


def subject_of(headers: Sequence[CdaHeader]) -> str:
    """ECO.2.1.3: `XDM/1.0/DDM+<libellé> <NOM> <prénom> <JJ/MM/AAAA>`, of the patient's birth names."""
    patient = headers[0].patient
    name = (patient.name if patient else None) or PersonName()
    parts = (
        label_of(headers),
        transliterate(name.family),
        without_accents(name.given),
        date_shown(patient.birth_time if patient else ""),
    )
    return PREFIX + " ".join(part for part in parts if part)


def label_of(headers: Sequence[CdaHeader]) -> str:
    """The name of the type, cut; the number of documents where there are several."""
    if len(headers) > 1:
        return f"{len(headers)} documents"
    code = headers[0].code if headers else None
    return code.display[:LABEL_LENGTH].strip() if code else ""


def pdf_name(header: CdaHeader, metadata: DocumentMetadata, number: int = 1) -> str:
    """ECO.2.1.6: `<date de l'acte>_<type document>_<NOM>_<prenom>.pdf`.

    `number` above 1 tells copies apart whose names are the same; it stands where the number of the
    record may stand.
    """
    name = (header.patient.name if header.patient else None) or PersonName()
    parts = [
        act_day(metadata),
        file_part(metadata.type_code.display),
        file_part(transliterate(name.family)),
        file_part(name.given),
        *([str(number)] if number > 1 else []),
    ]
    return "_".join(part for part in parts if part) + ".pdf"


def act_day(metadata: DocumentMetadata) -> str:
    """AAAAMMJJ of the act's beginning as it was written, else of the document's creation in UTC."""
    began = metadata.service_start
    return f"{(began.value if began else metadata.creation_time):%Y%m%d}"


def file_part(text: str) -> str:
    return _UNSAFE.sub("_", without_accents(text)).strip("_")


def without_accents(text: str) -> str:
    """Case is kept; a letter without a plain equivalent stays."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_LIGATURES))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def date_shown(birth_time: str) -> str:
    """JJ/MM/AAAA of an HL7 stamp; nothing where the day is not known."""
    day = birth_time[:8]
    return f"{day[6:8]}/{day[4:6]}/{day[:4]}" if len(day) == 8 and day.isdecimal() else ""
