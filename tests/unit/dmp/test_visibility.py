"""What confidentiality codes make of a document."""

from dataclasses import replace

import pytest

from services.dmp.domain.visibility import confidentiality_of, is_masked, owners_of
from socle.cda.header import read_header
from socle.cda.metadata import metadata_of
from socle.xds.document_entry import Author, entry_of
from tests.integration.dmp.samples import document

GIVEN = document()
ENTRY = entry_of(metadata_of(read_header(GIVEN.content), GIVEN.content), GIVEN.ins)


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ([], ["N"]),
        (["MASQUE_PS"], ["N", "MASQUE_PS"]),
        (["MASQUE_PS", "N", "N"], ["N", "MASQUE_PS"]),
        (["R", "INVISIBLE_PATIENT"], ["R", "INVISIBLE_PATIENT"]),
        (["unknown"], ["N"]),
    ],
)
def test_normal_is_there_unless_something_stronger_is(given: list[str], codes: list[str]) -> None:
    assert [one.code for one in confidentiality_of(given)] == codes


@pytest.mark.parametrize(
    ("codes", "masked"), [(["N"], False), (["INVISIBLE_PATIENT"], False), (["MASQUE_PS"], True)]
)
def test_only_one_code_hides_from_professionals(codes: list[str], masked: bool) -> None:
    assert is_masked(replace(ENTRY, confidentiality=confidentiality_of(codes))) is masked


def test_who_sent_and_who_wrote_a_document_own_it_once() -> None:
    authors = (Author("1^A^B", ()), Author("2^C", ()), Author("", ("Hôpital",)))
    assert owners_of(replace(ENTRY, authors=authors), "1") == ["1", "2"]


def test_nobody_owns_a_document_under_a_name_with_a_space() -> None:
    """Owners are kept in one text, apart by spaces."""
    authors = (Author("a b^A^B", ()),)
    assert owners_of(replace(ENTRY, authors=authors), "") == []
