"""Synthetic people, and one valid document that the tests break in one place each."""

from datetime import UTC, date, datetime

import pytest

from socle.cda.samples import SampleAuthor, SamplePatient, biology_report
from socle.ids.ins import NIR_TEST, Ins
from socle.ids.structures import StructureId

CREATED = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


@pytest.fixture
def patient() -> SamplePatient:
    return SamplePatient(
        ins=Ins(NIR_TEST, "2790351215189"),
        family_name="PAT-TROIS",
        given_names=("DOMINIQUE", "MARIE-LOUISE"),
        birth_date=date(1979, 3, 28),
        sex="F",
        birth_place="51215",
    )


@pytest.fixture
def author() -> SampleAuthor:
    return SampleAuthor(
        rpps="99700427885",
        family_name="DOC0042788",
        given_name="KIT",
        structure=StructureId("finess", "0B0193488"),
        structure_name="Laboratoire Dupont & Fils <Est>",
    )


@pytest.fixture
def report(patient: SamplePatient, author: SampleAuthor) -> bytes:
    return biology_report(patient, author, created_at=CREATED)


@pytest.fixture
def encapsulated(patient: SamplePatient, author: SampleAuthor) -> bytes:
    return biology_report(patient, author, created_at=CREATED, level="N1")
