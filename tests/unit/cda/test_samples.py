import base64
import re

import pytest
from lxml import etree

from socle.cda import check_header, metadata_of, read_header
from socle.cda.samples import SampleAuthor, SamplePatient, biology_report

from .conftest import CREATED

NS = {"h": "urn:hl7-org:v3"}


class TestReport:
    @pytest.mark.parametrize(
        ("level", "size"),
        # A level 1 has a PDF/A with its font in it, and is no smaller.
        [*(("N1", size) for size in (20_000, 50_000, 150_000)),
         *(("N3", size) for size in (12_000, 50_000, 150_000))],
    )  # fmt: skip
    def test_is_valid_and_of_the_asked_size(
        self, patient: SamplePatient, author: SampleAuthor, level: str, size: int
    ) -> None:
        body = biology_report(
            patient,
            author,
            created_at=CREATED,
            level="N1" if level == "N1" else "N3",
            target_bytes=size,
        )
        assert abs(len(body) - size) < 1_200
        header = read_header(body)
        assert check_header(header) == []
        assert metadata_of(header, body).level == level

    def test_is_the_same_when_the_arguments_are(
        self, patient: SamplePatient, author: SampleAuthor
    ) -> None:
        first = biology_report(patient, author, created_at=CREATED, seed=7)
        assert first == biology_report(patient, author, created_at=CREATED, seed=7)

    def test_is_another_document_when_the_seed_is_another(
        self, patient: SamplePatient, author: SampleAuthor
    ) -> None:
        bodies = [biology_report(patient, author, created_at=CREATED, seed=it) for it in range(50)]
        assert len({metadata_of(read_header(it), it).unique_id for it in bodies}) == 50

    def test_has_the_identifier_when_one_is_given(
        self, patient: SamplePatient, author: SampleAuthor
    ) -> None:
        body = biology_report(patient, author, created_at=CREATED, document_id="1.2.250.1.999.5")
        assert metadata_of(read_header(body), body).unique_id == "1.2.250.1.999.5"

    def test_links_each_observation_to_its_line_when_it_is_structured(self, report: bytes) -> None:
        root = etree.fromstring(report)
        lines = {it.get("ID") for it in root.iterfind(".//h:content[@ID]", NS)}
        links = [it.get("value", "")[1:] for it in root.iterfind(".//h:reference[@value]", NS)]
        assert len(links) >= 4
        assert set(links) == lines
        assert len(set(links)) == len(links)

    def test_stays_readable_when_it_is_asked_to_be_tiny(
        self, patient: SamplePatient, author: SampleAuthor
    ) -> None:
        for level in ("N1", "N3"):
            body = biology_report(
                patient,
                author,
                created_at=CREATED,
                level="N1" if level == "N1" else "N3",
                target_bytes=1,
            )
            assert check_header(read_header(body)) == []


class TestEncapsulatedFile:
    def test_is_a_pdf_whose_table_points_at_its_objects(self, encapsulated: bytes) -> None:
        text = etree.fromstring(encapsulated).findtext(".//h:nonXMLBody/h:text", namespaces=NS)
        assert text is not None
        pdf = base64.b64decode(text, validate=True)
        assert pdf.startswith(b"%PDF-1.4")
        assert pdf.endswith(b"%%EOF\n")
        start = re.search(rb"startxref\n(\d+)", pdf)
        assert start is not None
        table = pdf[int(start[1]) :]
        assert table.startswith(b"xref\n0 10\n")
        offsets = re.findall(rb"(\d{10}) 00000 n", table)
        for number, offset in enumerate(offsets, start=1):
            assert pdf[int(offset) :].startswith(b"%d 0 obj" % number)
