"""A KOS beside its report: stored, found by its references, given back, and never counted as a report."""

import base64
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from socle.xds.document_entry import Coded

from .conftest import Dmp, ids_of, rules
from .samples import Document, attachment, document, resource, with_content
from .xds import Lot, entry_for, post, retrieval

KOS = b"\0" * 128 + b"DICM" + b"\x02\x00\x00\x00UL\x04\x00" + b"\0\xff" * 300
ACCESSION = "20221115-1^^^&1.2.250.1.999.2&ISO^urn:ihe:iti:xds:2013:accession"
UID = "1.2.826.0.1.3680043.8.498.1"


def lot(content: bytes = KOS, **changes: Any) -> Lot:
    """A report and its KOS, whose entry copies what the report says (mes.md §F)."""
    report = document()
    first = entry_for(report)
    kos = replace(
        first,
        unique_id=UID,
        mime_type="application/dicom",
        type_code=Coded("IMG-KOS", "1.2.250.1.213.1.1.4.12", "KOS"),
        class_code=Coded("31", "1.2.250.1.213.1.1.4.1", "Imagerie médicale"),
        format_code=Coded("1.2.840.10008.5.1.4.1.1.88.59", "1.2.840.10008.2.6.1"),
        title="Référence d'objets d'un examen d'imagerie",
        reference_ids=(ACCESSION,),
        size=len(content),
        hash=hashlib.sha1(content, usedforsecurity=False).hexdigest(),
    )
    return Lot([report, Document(content, UID)], [first, replace(kos, **changes)])


async def send(dmp: Dmp, given: Lot) -> Any:
    return await post(dmp.http, "repository", given.message(), dmp.headers)


async def test_is_stored_beside_its_report_and_comes_back(dmp: Dmp) -> None:
    answer = await send(dmp, lot())
    assert answer.status == "Success", answer.errors
    got = await post(dmp.http, "repository", retrieval(UID), dmp.headers)
    assert list(got.parts.values()) == [KOS]
    assert "application/dicom" in got.response.text
    found = (await dmp.find(("related", "20221115-1"))).json()
    [entry] = ids_of(found)
    shown = found["entry"][0]["resource"]
    assert shown["content"][0]["attachment"]["contentType"] == "application/dicom"
    identifier = shown["context"]["related"][0]["identifier"]
    assert identifier["system"] == "urn:oid:1.2.250.1.999.2"
    binary = await dmp.get(f"/Binary/{entry}")
    assert (binary.content, binary.headers["content-type"]) == (KOS, "application/dicom")
    assert (await dmp.get(f"/Binary/{entry}", Accept="application/dicom")).content == KOS
    assert (await dmp.get(f"/Binary/{entry}", Accept="text/xml")).status_code == 406
    page = await dmp.http.get(f"/s/{dmp.space}/_sandbox/dmp/documents/{entry}")
    assert page.status_code == 422


async def test_tells_its_own_type_and_no_structure(dmp: Dmp) -> None:
    await send(dmp, lot())
    kos = next(one["data"] for one in await dmp.told() if one["data"]["unique_id"] == UID)
    assert (kos["type_code"], kos["level"], kos["mime"]) == ("IMG-KOS", "N1", "application/dicom")


@pytest.mark.parametrize(
    ("content", "changes", "location"),
    [
        (KOS, {"type_code": Coded("18748-4", "2.16.840.1.113883.6.1")}, "typeCode"),
        (KOS, {"mime_type": "application/octet-stream"}, "mimeType"),
        (KOS, {"format_code": Coded("urn:x", "y")}, "formatCode"),
        (KOS, {"patient_id": ""}, "patientId"),
        (KOS, {"unique_id": ""}, "uniqueId"),
        (b"<ClinicalDocument/>", {}, ""),
    ],
)
async def test_is_refused_when_it_is_none(
    dmp: Dmp, content: bytes, changes: dict[str, Any], location: str
) -> None:
    answer = await send(dmp, lot(content, **changes))
    assert answer.status == "Failure"
    assert any(place.endswith(location) for place in answer.errors), answer.errors
    assert (await dmp.stored())["document"] == 0


async def test_by_fhir_is_the_same(dmp: Dmp) -> None:
    bundle = with_content(document().bundle, KOS)
    described = resource(bundle, "DocumentReference")
    described["type"]["coding"] = [{"system": "urn:oid:1.2.250.1.213.1.1.4.12", "code": "IMG-KOS"}]
    described["category"][0]["coding"][0]["code"] = "31"
    described["masterIdentifier"]["value"] = f"urn:oid:{UID}"
    described["content"][0]["format"]["code"] = "1.2.840.10008.5.1.4.1.1.88.59"
    attachment(bundle)["contentType"] = "application/dicom"
    described["context"]["related"] = [
        {"identifier": {"system": "urn:oid:1.2.250.1.999.2", "value": "20221115-1"}}
    ]
    response = await dmp.provide(bundle)
    assert response.status_code == 200, response.text
    [entry] = ids_of((await dmp.find(("related", "20221115-1"))).json())
    assert (await dmp.get(f"/Binary/{entry}")).content == KOS
    got = await post(dmp.http, "repository", retrieval(UID), dmp.headers)
    assert list(got.parts.values()) == [KOS]

    attachment(bundle)["hash"] = base64.b64encode(b"x" * 20).decode()
    assert "PDSM-HASH" in rules(await dmp.provide(bundle))
    bundle = with_content(bundle, b"<ClinicalDocument/>")
    assert "DMP-KOS-DICOM" in rules(await dmp.provide(bundle))
