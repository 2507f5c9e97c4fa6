"""What the counters are told of a registration: its author, and the act that it is of."""

from dataclasses import replace
from typing import Any

import pytest

from services.dmp.events import document_registered
from socle.cda.header import read_header
from socle.cda.metadata import DocumentMetadata, metadata_of
from socle.cda.model import Id
from socle.clock import wall
from socle.demo.document import laboratory_report
from socle.idgen import uuid7


@pytest.fixture(scope="module")
def metadata() -> DocumentMetadata:
    content = laboratory_report()
    return metadata_of(read_header(content), content)


def told(metadata: DocumentMetadata) -> dict[str, Any]:
    assert metadata.patient is not None
    number = uuid7()
    return document_registered(
        "demo", "0" * 32, metadata.patient, metadata, entry_id=number, logical_id=number,
        chain_id=number, confidentiality=["N"], at=wall(), traceparent="",
    ).data  # fmt: skip


def test_names_the_professional_beside_the_structure(metadata: DocumentMetadata) -> None:
    author = told(metadata)["author"]
    assert author["professional"] == "899700427885"
    assert author["structure"]["kind"] == "finess"


def test_gives_no_professional_when_the_author_is_a_device(metadata: DocumentMetadata) -> None:
    assert metadata.author is not None
    device = replace(metadata, authors=(replace(metadata.author, professional=None),))
    assert told(device)["author"]["professional"] is None


def test_tells_the_numbers_of_the_encounter_each_once(metadata: DocumentMetadata) -> None:
    ids = (Id("1.2.3", "SEJ-1"), Id("1.2.4", "SEJ-1"), Id("1.2.3.4"))
    assert told(replace(metadata, encounter_ids=ids))["acts"] == ["SEJ-1", "1.2.3.4"]


def test_leaves_out_what_is_no_number_of_an_act(metadata: DocumentMetadata) -> None:
    assert metadata.patient is not None
    matricule = metadata.patient.matricule
    ids = (Id("", ""), Id("1.2", "x" * 201), Id("1.2", "a\x85b"), Id("1.2", f"p{matricule}"))
    assert told(replace(metadata, encounter_ids=ids))["acts"] == []
