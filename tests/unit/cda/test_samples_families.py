import base64

import pytest
from lxml import etree

from socle.cda import check_header, metadata_of, read_header
from socle.cda.samples import SampleAuthor, SamplePatient
from socle.cda.samples_families import SAMPLES, sample_document

from .conftest import CREATED

NS = {"h": "urn:hl7-org:v3"}
EXPECTED = {
    "biology": ("11502-2", "10", "urn:ihe:lab:xd-lab:2008", "N3"),
    "biology-plain": ("11502-2", "10", "urn:ihe:iti:xds-sd:pdf:2008", "N1"),
    "imaging": ("18748-4", "31", "urn:ihe:rad:CDA:ImagingReportStructuredHeadings:2013", "N3"),
    "discharge-letter": ("11490-0", "10", "urn:asip:ci-sis:ldl-ses:2017", "N3"),
    "discharge-prescription": ("57833-6", "42", "urn:ihe:iti:xds-sd:pdf:2008", "N1"),
    "operative-report": ("34874-8", "10", "urn:ihe:iti:xds-sd:pdf:2008", "N1"),
    "summary": ("60591-5", "11", "urn:asip:ci-sis:vsm:2012", "N3"),
    "summary-plain": ("60591-5", "11", "urn:ihe:iti:xds-sd:pdf:2008", "N1"),
    "consultation": ("11488-4", "10", "urn:ihe:iti:xds-sd:pdf:2008", "N1"),
}


def test_every_family_is_expected_somehow() -> None:
    assert set(SAMPLES) == set(EXPECTED)


@pytest.mark.parametrize("name", SAMPLES)
def test_has_no_problem_and_the_metadata_of_its_family(
    name: str, patient: SamplePatient, author: SampleAuthor
) -> None:
    body = sample_document(name, patient, author, created_at=CREATED)
    header = read_header(body)
    assert check_header(header) == []
    built = metadata_of(header, body)
    assert built.class_code is not None
    found = (built.type_code.code, built.class_code.code, built.format_code.code, built.level)
    assert found == EXPECTED[name]
    assert built.patient == patient.ins


@pytest.mark.parametrize("name", SAMPLES)
def test_is_the_same_when_the_arguments_are_and_another_with_another_seed(
    name: str, patient: SamplePatient, author: SampleAuthor
) -> None:
    bodies = [
        sample_document(name, patient, author, created_at=CREATED, seed=seed) for seed in (1, 1, 2)
    ]
    assert bodies[0] == bodies[1] != bodies[2]


def test_embeds_a_pdf_in_an_imaging_report(patient: SamplePatient, author: SampleAuthor) -> None:
    body = sample_document("imaging", patient, author, created_at=CREATED)
    value = etree.fromstring(body).find(".//h:observationMedia/h:value", NS)
    assert value is not None
    assert base64.b64decode(value.text or "").startswith(b"%PDF-")


def test_has_the_identifier_when_one_is_given(patient: SamplePatient, author: SampleAuthor) -> None:
    body = sample_document("summary", patient, author, created_at=CREATED, document_id="1.2.3")
    assert metadata_of(read_header(body), body).unique_id == "1.2.3"
