"""Deposits ready to be sent, each of a document that no registry has seen."""

from dataclasses import dataclass, field

import orjson

from socle.cda.header import read_header
from socle.cda.metadata import metadata_of
from socle.demo.bundle import provide_bundle
from socle.demo.document import laboratory_report
from socle.demo.walk import AUTHOR


@dataclass(frozen=True)
class Deposit:
    """One ITI-65 request body around a document of `document_bytes`."""

    body: bytes = field(repr=False)
    document_bytes: int


def new_deposit(target_bytes: int) -> Deposit:
    content = laboratory_report(target_bytes=target_bytes)
    bundle = provide_bundle(content, metadata_of(read_header(content), content), AUTHOR)
    return Deposit(orjson.dumps(bundle), len(content))
