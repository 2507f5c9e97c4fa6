"""Sample documents of every family that the counters of SUN-ES and the forfait structure look at.

All of it is invented, and valid against our own header rules. Types: JDV_J07; models: ASS-A11, as far
as the value sets beside this module know them (spec: dmp.md §4.3, §4.4).
"""

import base64
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID
from xml.sax.saxutils import escape

from socle.cda import samples_templates as templates
from socle.cda.samples import (
    BIOLOGY,
    Family,
    SampleAuthor,
    SamplePatient,
    biology_report,
    header_of,
)
from socle.cda.samples_pdf import page_of
from socle.idgen import oid_from_uuid
from socle.ids.hl7_datetime import format_ts

Level = Literal["N1", "N3"]
_BEFORE: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Sample:
    """A family at a level. `sections` are code, title and lines; `has_copy` embeds a PDF (level 3)."""

    family: Family
    level: Level
    sections: Sequence[tuple[str, str, Sequence[str]]] = ()
    has_copy: bool = False


_HOSPITAL: Final = ("IMP", "hospitalisation")

_DISCHARGE: Final = Family(
    "11490-0",
    "Lettre de liaison à la sortie d'un établissement de soins",
    "Lettre de liaison à la sortie",
    ("1.2.250.1.213.1.1.1.29",),
    encounter=_HOSPITAL,
)
_PRESCRIPTION: Final = Family(
    "57833-6",
    "Prescription de produits de santé",
    "Ordonnance de sortie",
    ("1.2.250.1.213.1.1.1.39",),
    encounter=_HOSPITAL,
)
_OPERATIVE: Final = Family(
    "34874-8", "CR opératoire", "Compte rendu opératoire", (), encounter=_HOSPITAL
)
_IMAGING: Final = Family(
    "18748-4",
    "CR d'imagerie médicale",
    "Compte rendu d'imagerie médicale",
    ("1.2.250.1.213.1.1.1.45",),
)
_SUMMARY: Final = Family(
    "60591-5", "Synthèse médicale", "Volet de synthèse médicale", ("1.2.250.1.213.1.1.1.13",)
)
_CONSULTATION: Final = Family(
    "11488-4", "CR ou fiche de consultation ou de visite", "Compte rendu de consultation", ()
)

_SUMMARY_SECTIONS: Final = (
    ("11450-4", "Problèmes actifs", ("Asthme léger, traité.",)),
    ("48765-2", "Allergies et intolérances", ("Pollens de graminées.",)),
    ("10160-0", "Traitements au long cours", ("Salbutamol, à la demande.",)),
    ("11348-0", "Antécédents médicaux", ("Appendicectomie.",)),
)

SAMPLES: Final[Mapping[str, Sample]] = {
    "biology": Sample(BIOLOGY, "N3"),
    "biology-plain": Sample(BIOLOGY, "N1"),
    "imaging": Sample(
        _IMAGING,
        "N3",
        (
            ("55115-0", "Demande d'examen", ("Douleur du genou droit.",)),
            ("18782-3", "Résultats", ("Aucune lésion osseuse. Épanchement discret.",)),
            ("19005-8", "Conclusion", ("Examen sans particularité.",)),
        ),
        has_copy=True,
    ),
    "discharge-letter": Sample(
        _DISCHARGE,
        "N3",
        (
            ("46241-6", "Motif de l'hospitalisation", ("Surveillance après une chute.",)),
            (
                "8648-8",
                "Synthèse médicale du séjour",
                ("Séjour de deux jours, sans complication.",),
            ),
            ("18776-5", "Suite à donner", ("Consultation dans un mois.",)),
        ),
    ),
    "discharge-prescription": Sample(_PRESCRIPTION, "N1"),
    "operative-report": Sample(_OPERATIVE, "N1"),
    "summary": Sample(_SUMMARY, "N3", _SUMMARY_SECTIONS),
    "summary-plain": Sample(_SUMMARY, "N1"),
    "consultation": Sample(_CONSULTATION, "N1"),
}
"""By name, as the control plane and the command line take them."""


def sample_document(
    name: str,
    patient: SamplePatient,
    author: SampleAuthor,
    *,
    created_at: datetime,
    document_id: str | None = None,
    seed: int = 0,
) -> bytes:
    """The same arguments give the same bytes. Raises KeyError for a name that is none of SAMPLES."""
    sample = SAMPLES[name]
    if sample.family is BIOLOGY:
        return biology_report(
            patient, author, created_at=created_at, level=sample.level, document_id=document_id,
            seed=seed,
        )  # fmt: skip
    draw = random.Random(f"{name} {seed}")  # noqa: S311 — invented documents, not secrets
    identifier = document_id or oid_from_uuid(UUID(int=draw.getrandbits(128), version=4))
    header = header_of(
        sample.family, sample.level, patient, author, identifier, created_at,
        format_ts(created_at - _BEFORE),
    )  # fmt: skip
    lines = [sample.family.title, author.structure_name, "Données synthétiques"]
    pdf = base64.b64encode(page_of(lines)).decode()
    if sample.level == "N1":
        return header + templates.N1_BODY.format(pdf=pdf).encode()
    return header + _body(sample, pdf).encode()


def _body(sample: Sample, pdf: str) -> str:
    sections = [
        templates.NARRATIVE.format(
            code=code,
            label=escape(label),
            lines="".join(f"<item>{escape(line)}</item>" for line in lines),
            entry=templates.COPY.format(pdf=pdf) if sample.has_copy and place == 0 else "",
        )
        for place, (code, label, lines) in enumerate(sample.sections)
    ]
    return templates.N3_START + "".join(sections) + templates.N3_END
