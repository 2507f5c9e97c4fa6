"""Deposits ready to be sent, each of a document that no registry has seen."""

from dataclasses import dataclass, field

import orjson

from socle.cda.header import read_header
from socle.cda.metadata import metadata_of
from socle.cda.samples import SampleAuthor, SamplePatient, biology_report
from socle.demo.bundle import provide_bundle
from socle.demo.document import DEMO_INSTANT, DEMO_STRUCTURE, DEMO_STRUCTURE_NAME
from socle.demo.identity import Patient
from socle.demo.walk import AUTHOR
from socle.idgen import oid_from_uuid, random_uuid


@dataclass(frozen=True)
class Deposit:
    """One ITI-65 request body around a document of `document_bytes`."""

    body: bytes = field(repr=False)
    document_bytes: int


def new_deposit(target_bytes: int) -> Deposit:
    patient = Patient()
    content = biology_report(
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
        created_at=DEMO_INSTANT,
        document_id=oid_from_uuid(random_uuid()),
        target_bytes=target_bytes,
    )
    bundle = provide_bundle(content, metadata_of(read_header(content), content), AUTHOR)
    return Deposit(orjson.dumps(bundle), len(content))
