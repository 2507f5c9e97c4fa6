"""The DMP by clients that we did not write: IPF over XDS.b, HAPI over FHIR."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from socle.cda.header import read_header
from socle.cda.metadata import DocumentMetadata, metadata_of
from socle.demo.bundle import provide_bundle
from socle.demo.document import laboratory_report
from socle.demo.identity import Patient, make_known
from socle.demo.login import log_in
from socle.xds.document_entry import Coded, DocumentEntry, entry_of

from .conftest import GENERALIST, Vendor

pytestmark = [pytest.mark.stack, pytest.mark.postgres, pytest.mark.java]
CONTROL = httpx.Timeout(60)


@dataclass(frozen=True)
class Given:
    """One new document of a qualified patient, and the token of its author."""

    path: Path
    metadata: DocumentMetadata
    token: str

    @property
    def entry(self) -> DocumentEntry:
        assert self.metadata.patient is not None
        return entry_of(self.metadata, self.metadata.patient)


@pytest.fixture
def given(vendor: Vendor, tmp_path: Path) -> Given:
    content = laboratory_report()
    path = tmp_path / "document.xml"
    path.write_bytes(content)
    with httpx.Client(base_url=vendor.stack.url, timeout=CONTROL) as http:
        make_known(http, f"/s/{vendor.space}", Patient())
        token = log_in(http, f"/s/{vendor.space}", GENERALIST).access_token
    return Given(path, metadata_of(read_header(content), content), token)


def run(java: list[str], name: str, vendor: Vendor, setting: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [*java, f"fr.socle.clients.{name}"],
        env=vendor.setting(**setting),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return dict(json.loads(done.stdout))


def test_ipf_deposits_finds_retrieves_and_masks(
    java: list[str], vendor: Vendor, given: Given
) -> None:
    """ITI-41, 18, 43 and 57: MTOM without action parameter, chunked, h2c offered."""
    entry, metadata = given.entry, given.metadata
    assert metadata.patient is not None
    codes = {
        "class": entry.class_code, "type": entry.type_code, "format": entry.format_code,
        "facility": entry.facility_type, "practice": entry.practice_setting,
        "confidentiality": entry.confidentiality[0],
    }  # fmt: skip
    told = run(
        java,
        "XdsClient",
        vendor,
        {
            "host": vendor.stack.url.removeprefix("http://"),
            "path": f"s/{vendor.space}/si-dmp-server/v2/services",
            "token": given.token,
            "document": str(given.path),
            "uniqueId": entry.unique_id,
            "ins": metadata.patient.with_key,
            "insOid": metadata.patient.oid,
            "person": GENERALIST,
            "title": entry.title,
            "creationTime": entry.creation_time,
            "serviceStartTime": entry.service_start,
            "size": entry.size,
            "hash": entry.hash,
            **{name: _code(code) for name, code in codes.items()},
        },
    )
    assert told["provided"] == "SUCCESS"
    assert (told["uniqueId"], told["title"]) == (entry.unique_id, entry.title)
    assert told["author"] == GENERALIST
    assert (told["retrieved"], told["sha256"]) == ("SUCCESS", metadata.sha256)
    assert told["updated"] == "SUCCESS"
    assert told["maskedUuid"] != told["logicalUuid"] == told["entryUuid"]
    assert told["codes"] == ["N", "MASQUE_PS"]
    assert told["again"] == ["METADATA_VERSION_ERROR"]


def test_hapi_deposits_finds_and_retrieves(
    java: list[str], vendor: Vendor, given: Given, tmp_path: Path
) -> None:
    """ITI-65, 67 and 68; the client reads the CapabilityStatement first."""
    metadata = given.metadata
    assert metadata.patient is not None
    bundle = tmp_path / "bundle.json"
    bundle.write_text(json.dumps(provide_bundle(given.path.read_bytes(), metadata, GENERALIST)))
    told = run(
        java,
        "FhirClient",
        vendor,
        {
            "base": f"{vendor.url}/dmp/fhir",
            "token": given.token,
            "bundle": str(bundle),
            "patient": f"urn:oid:{metadata.patient.oid}|{metadata.patient.with_key}",
        },
    )
    assert told["entries"] == ["201 Created"] * 3
    assert (told["total"], told["type"]) == (1, metadata.type_code.code)
    assert told["sha256"] == metadata.sha256
    assert "MHD-SUBMISSIONSET" in told["refused"]


def _code(code: Coded) -> dict[str, str]:
    return {"code": code.code, "system": code.system, "display": code.display or code.code}
