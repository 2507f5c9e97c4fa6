"""The document of the demo: a generated biology report, or the user's own CDA."""

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from socle.cda.header import read_header
from socle.cda.metadata import DocumentMetadata, metadata_of
from socle.cda.model import CdaHeader
from socle.cda.samples import SampleAuthor, SamplePatient, biology_report
from socle.cda.xml import MalformedCdaError
from socle.demo.errors import DemoError
from socle.demo.identity import Patient
from socle.idgen import oid_from_uuid, random_uuid
from socle.ids.structures import StructureId
from socle.ids.traits import transliterate
from socle.problems import Problem

# In the first period of SUN-ES (1 January to 30 June 2022): the clock of the demo's space is set
# there, since the programme that is counted is over.
DEMO_INSTANT = datetime(2022, 3, 15, 9, 0, tzinfo=ZoneInfo("Europe/Paris"))
DEMO_STRUCTURE = StructureId("finess", "1B0064166")
DEMO_STRUCTURE_NAME = "Centre hospitalier de démonstration"


@dataclass(frozen=True)
class DemoDocument:
    content: bytes = field(repr=False)
    metadata: DocumentMetadata = field(repr=False)
    patient: Patient = field(repr=False)
    structure: StructureId
    structure_name: str
    is_own: bool

    @property
    def semester(self) -> tuple[date, date]:
        """The half year of the act: the period that the demo counts over."""
        day = self.metadata.creation_time.astimezone(ZoneInfo("Europe/Paris")).date()
        if day.month <= 6:
            return date(day.year, 1, 1), date(day.year, 7, 1)
        return date(day.year, 7, 1), date(day.year + 1, 1, 1)


def generated() -> DemoDocument:
    content = laboratory_report()
    metadata = metadata_of(read_header(content), content)
    return DemoDocument(content, metadata, Patient(), DEMO_STRUCTURE, DEMO_STRUCTURE_NAME, False)


def laboratory_report(
    *,
    document_id: str | None = None,
    target_bytes: int = 12_000,
    created_at: datetime = DEMO_INSTANT,
    level: Literal["N1", "N3"] = "N3",
) -> bytes:
    """A new report on the demo's patient, by the demo's establishment, within its period.

    No registry has seen it unless `document_id` names one that was used before.
    """
    patient = Patient()
    return biology_report(
        SamplePatient(
            ins=patient.ins,
            family_name=patient.family_name,
            given_names=tuple(patient.given_names.split()),
            birth_date=patient.birth_date,
            sex="F",
            birth_place=patient.birth_place,
        ),
        SampleAuthor(
            rpps="99700427885",
            family_name="DOC0042788",
            given_name="KIT",
            structure=DEMO_STRUCTURE,
            structure_name=DEMO_STRUCTURE_NAME,
        ),
        created_at=created_at,
        level=level,
        document_id=document_id or oid_from_uuid(random_uuid()),
        target_bytes=target_bytes,
    )


def from_file(path: Path) -> DemoDocument:
    try:
        content = path.read_bytes()
        header = read_header(content)
        metadata = metadata_of(header, content)
    except OSError as error:
        raise DemoError(f"{path} cannot be read: {error.strerror}") from error
    except MalformedCdaError as error:
        raise DemoError(f"{path.name} is no CDA document:\n{_lines(error.problems)}") from error
    if metadata.patient is None or header.patient is None:
        raise DemoError(f"{path.name} names no patient by a well-formed INS (recordTarget/id).")
    structure = metadata.author.structure if metadata.author else None
    if structure is None:
        raise DemoError(
            f"{path.name}: the author's organisation has no Struct_IdNat, "
            "so that no establishment would be credited."
        )
    organisation = header.authors[0].entity.organization
    name = organisation.name if organisation and organisation.name else structure.number
    return DemoDocument(content, metadata, _patient(header, metadata), structure, name, True)


def _patient(header: CdaHeader, metadata: DocumentMetadata) -> Patient:
    assert header.patient is not None
    assert metadata.patient is not None
    patient, name = header.patient, header.patient.name
    if name is None or len(patient.birth_time) < 8:
        raise DemoError("The document lacks the patient's name or whole date of birth.")
    return Patient(
        ins=metadata.patient,
        family_name=transliterate(name.family),
        given_names=transliterate(name.all_givens or name.given),
        sex=patient.gender.code if patient.gender else "",
        birth_date=date.fromisoformat(patient.birth_time[:8]),
        birth_place=patient.birth_county,
    )


def _lines(problems: list[Problem]) -> str:
    return "\n".join(f"  {p.rule} {p.path}: {p.message}" for p in problems)
