"""Our own biology reports (CR-BIO), synthetic and deterministic, for seeds, tests and load.

The documents that the ANS publishes state no licence, therefore none is shipped: these are
written from the specification, and are valid against our own header rules.
"""

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from uuid import UUID
from xml.sax.saxutils import escape

from socle.cda import samples_templates as templates
from socle.cda.samples_data import BLOOD_COUNT, CHEMISTRY, Test
from socle.cda.samples_pdf import page_of
from socle.idgen import oid_from_uuid
from socle.ids import oids
from socle.ids.hl7_datetime import format_ts
from socle.ids.ins import Ins
from socle.ids.structures import StructureId

_SECTIONS = (("18719-5", "Chimie", CHEMISTRY), ("18723-7", "Hématologie", BLOOD_COUNT))
_FRAME_BYTES = 1_050  # a chapter without its results
_BETWEEN_SAMPLING_AND_REPORT = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class SamplePatient:
    ins: Ins
    family_name: str = field(repr=False)
    given_names: tuple[str, ...] = field(repr=False)
    birth_date: date = field(repr=False)
    sex: Literal["M", "F"] = field(repr=False)
    birth_place: str = field(repr=False)  # official geographic code (COG)
    local_id: str = field(default="100001", repr=False)
    local_root: str = "1.2.250.1.999.1.1"


@dataclass(frozen=True, slots=True)
class SampleAuthor:
    rpps: str = field(repr=False)
    family_name: str = field(repr=False)
    given_name: str = field(repr=False)
    structure: StructureId
    structure_name: str
    specialty: str = "G15_10/SM03"
    specialty_name: str = "Médecin - Biologie médicale (SM)"
    practice_setting: tuple[str, str] = ("AMBULATOIRE", "Ambulatoire")
    facility_type: tuple[str, str] = ("SA25", "Laboratoire de biologie médicale")


@dataclass(frozen=True, slots=True)
class Family:
    """What a kind of document is: its type in JDV_J07, its model, and how its header says the act.

    `templates` are those of level 3; a level 1 has that of every unstructured document.
    """

    code: str
    name: str
    title: str
    templates: tuple[str, ...]
    system: str = oids.LOINC
    act: str = '      <code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/>'
    encounter: tuple[str, str] = ("AMB", "ambulatoire")


BIOLOGY = Family(
    "11502-2",
    "CR d'examens biologiques",
    "Compte rendu d'examens biologiques",
    ("1.3.6.1.4.1.19376.1.3.3", oids.TEMPLATE_CR_BIO),
    act=templates.BIOLOGY_ACT,
)


def biology_report(
    patient: SamplePatient,
    author: SampleAuthor,
    *,
    created_at: datetime,
    level: Literal["N1", "N3"] = "N3",
    document_id: str | None = None,
    target_bytes: int = 12_000,
    seed: int = 0,
) -> bytes:
    """A whole document of about `target_bytes` (below some 7,000, or 15,000 with a PDF in it,
    it stays at that size).

    The same arguments give the same bytes. Without `document_id` the seed decides it: whoever
    deposits many documents gives each its own seed or identifier.
    """
    draw = random.Random(seed)  # noqa: S311 — invented measurements, not secrets
    identifier = document_id or oid_from_uuid(UUID(int=draw.getrandbits(128), version=4))
    sampled = format_ts(created_at - _BETWEEN_SAMPLING_AND_REPORT)
    header = header_of(
        BIOLOGY, level, patient, author, identifier, created_at, sampled, draw.randrange(10**9)
    )
    room = target_bytes - len(header)
    if level == "N1":
        return header + _encapsulated(author.structure_name, room, draw)
    return header + _sections(sampled, room, draw).encode()


def header_of(
    family: Family,
    level: str,
    patient: SamplePatient,
    author: SampleAuthor,
    document_id: str,
    created_at: datetime,
    began: str,
    order: int | None = None,
) -> bytes:
    """Everything before the body. `began` is when the act did, as a stamp of HL7."""
    numbered = {"local_root": patient.local_root, "order": order}
    return templates.HEADER.format(
        templates="\n  ".join(
            f'<templateId root="{root}"/>'
            for root in ((oids.TEMPLATE_UNSTRUCTURED,) if level == "N1" else family.templates)
        ),
        type_code=family.code,
        type_name=_xml(family.name),
        type_system=family.system,
        title=_xml(family.title),
        act=family.act,
        encounter=family.encounter[0],
        encounter_name=_xml(family.encounter[1]),
        orders="" if order is None else templates.ORDER.format(**numbered),
        document_id=_xml(document_id),
        created=format_ts(created_at),
        sampled=began,
        ins_oid=patient.ins.oid,
        ins=patient.ins.with_key,
        citizen=patient.ins.citizen_address,
        local_root=patient.local_root,
        local_id=_xml(patient.local_id),
        family=_xml(patient.family_name),
        givens=_xml(" ".join(patient.given_names)),
        given=_xml(patient.given_names[0]),
        sex=patient.sex,
        birth=patient.birth_date.strftime("%Y%m%d"),
        birthplace=_xml(patient.birth_place),
        entity=_entity(author),
        structure=author.structure.idnat,
        structure_name=_xml(author.structure_name),
        facility=author.facility_type[0],
        facility_name=_xml(author.facility_type[1]),
    ).encode()


@lru_cache(maxsize=4096)
def _entity(author: SampleAuthor) -> str:
    """Three elements repeat it, and one author signs many reports."""
    return templates.ENTITY.format(
        rpps=author.rpps,
        specialty=_xml(author.specialty),
        specialty_name=_xml(author.specialty_name),
        family=_xml(author.family_name),
        given=_xml(author.given_name),
        structure=author.structure.idnat,
        structure_name=_xml(author.structure_name),
        setting=author.practice_setting[0],
        setting_name=_xml(author.practice_setting[1]),
    )


def _sections(sampled: str, room: int, draw: random.Random) -> str:
    """Two chapters; each gets half of the room, and at least two results."""
    chapters = []
    for chapter, (loinc, label, tests) in enumerate(_SECTIONS):
        frame = {"loinc": loinc, "label": label}
        rows, observations = [], []
        left, cost = room // len(_SECTIONS) - _FRAME_BYTES, 0
        for rank, values in enumerate(_results(tests, sampled, draw)):
            if left < cost // 2 and rank >= 2:
                break
            values["ref"] = f"r{chapter}-{rank}"
            rows.append(templates.ROW.format_map(values))
            observations.append(templates.OBSERVATION.format_map(values))
            cost = len(rows[-1]) + len(observations[-1])
            left -= cost
        chapters += [
            templates.SECTION_START.format_map(frame),
            *rows,
            templates.ENTRY_START.format_map(frame),
            *observations,
            templates.SECTION_END,
        ]
    return templates.N3_START + "".join(chapters) + templates.N3_END


def _results(
    tests: tuple[Test, ...], sampled: str, draw: random.Random
) -> Iterator[dict[str, str]]:
    """Endless: a long report repeats its tests, as the follow-up of a hospital patient does."""
    while True:
        for test in tests:
            spread = (test.high - test.low) * 0.2
            value = draw.uniform(max(0.0, test.low - spread), test.high + spread)
            yield {
                "loinc": test.loinc,
                "label": test.label,
                "unit": test.unit,
                "low": f"{test.low:g}",
                "high": f"{test.high:g}",
                "value": f"{value:.{test.decimals}f}",
                "sampled": sampled,
            }


def _encapsulated(structure_name: str, room: int, draw: random.Random) -> bytes:
    results = _results(CHEMISTRY, "", draw)
    lines = ["Compte rendu d'examens biologiques", structure_name, "Données synthétiques", ""]
    lines += [
        f"{it['label']} : {it['value']} {it['unit']}"
        for it, _ in zip(results, CHEMISTRY, strict=False)
    ]
    pdf = page_of(lines, size=(room - len(templates.N1_BODY)) * 3 // 4)
    return templates.N1_BODY.format(pdf=base64.b64encode(pdf).decode()).encode()


def _xml(text: str) -> str:
    return escape(text, {'"': "&quot;"})
