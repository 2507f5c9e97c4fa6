"""The documents that the ANS publishes for tests, where SOCLE_SAMPLES names their folder.

They state no licence and are therefore never part of the repository.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from socle.cda import check_header, metadata_of, read_header

# Errors that published documents really contain. The key 65 of one test person should be 83, the
# key 01 of another 14; those of children and maternity follow an older volet without birth given
# name and birth place.
EXPLAINED = {
    "CDA-HDR-recordTarget-id-ins",
    "CDA-HDR-patient-givens",
    "CDA-HDR-patient-birth-given",
    "CDA-HDR-patient-birthplace",
}

pytestmark = pytest.mark.samples


@pytest.fixture
def samples() -> list[Path]:
    folder = os.environ.get("SOCLE_SAMPLES")
    if not folder:
        pytest.skip("SOCLE_SAMPLES names no folder of CDA documents")
    found = sorted(Path(folder).glob("*.xml"))
    assert found, "SOCLE_SAMPLES names a folder without documents"
    return found


def errors_of(samples: list[Path]) -> Iterator[tuple[str, str, set[str]]]:
    for path in samples:
        header = read_header(path.read_bytes())
        errors = {it.rule for it in check_header(header) if it.severity == "error"}
        yield path.name, header.code.code if header.code else "", errors


class TestPublishedSamples:
    def test_give_header_and_metadata_when_they_are_read(self, samples: list[Path]) -> None:
        for path in samples:
            body = path.read_bytes()
            built = metadata_of(read_header(body), body)
            assert built.practice_setting is not None, path.name
            assert built.facility_type is not None, path.name
            assert built.authors, path.name

    def test_have_no_error_when_they_are_biology_reports(self, samples: list[Path]) -> None:
        reports = [(name, errors) for name, code, errors in errors_of(samples) if code == "11502-2"]
        assert reports
        assert [it for it in reports if it[1]] == []

    def test_have_only_explained_errors_when_they_are_anything_else(
        self, samples: list[Path]
    ) -> None:
        unexplained = {name: errors - EXPLAINED for name, _, errors in errors_of(samples)}
        assert {name: errors for name, errors in unexplained.items() if errors} == {}
