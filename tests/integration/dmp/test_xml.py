"""FHIR in XML: what fhir.resources writes, this server reads, and the other way round."""

from typing import Any

import httpx
import pytest
from fhir.resources.R4B import get_fhir_model_class
from lxml import etree

from .conftest import FHIR, Dmp, Start, ids_of
from .samples import ANNE, document, resource
from .test_patch import fhirpath

XML = {"Content-Type": "application/fhir+xml", "Accept": "application/fhir+xml"}
WHOSE = f"urn:oid:{ANNE.oid}|{ANNE.with_key}"


def written(value: dict[str, Any]) -> bytes:
    model: Any = get_fhir_model_class(value["resourceType"]).model_validate(value)
    body: bytes = model.model_dump_xml()
    return body


def read(response: httpx.Response) -> Any:
    """The resource of an answer in XML."""
    assert response.headers["content-type"] == "application/fhir+xml; charset=utf-8", response.text
    assert int(response.headers["content-length"]) == len(response.content)
    kind = etree.QName(etree.fromstring(response.content)).localname
    return get_fhir_model_class(kind).model_validate_xml(response.content)


async def send(dmp: Dmp, body: bytes, **headers: str) -> httpx.Response:
    return await dmp.http.post(FHIR, content=body, headers={**dmp.headers, **XML, **headers})


class TestDeposit:
    async def test_of_a_bundle_is_the_same_as_in_json(self, dmp: Dmp) -> None:
        given = document()
        bundle = given.bundle
        response = await send(dmp, written(bundle))
        assert response.status_code == 200
        answer = read(response)
        assert [entry.response.status for entry in answer.entry] == ["201 Created"] * 3
        again = await dmp.provide(bundle)
        location = again.json()["entry"][1]["response"]["location"]
        assert answer.entry[1].response.location == location
        assert (await dmp.stored())["document"] == 1
        assert (await dmp.get(f"/Binary/{location.split('/')[1]}")).content == given.content

    async def test_is_refused_in_xml_with_every_problem(self, dmp: Dmp) -> None:
        bundle = document().bundle
        attachment = resource(bundle, "DocumentReference")["content"][0]["attachment"]
        attachment.update(size=1, hash="AAAA")
        response = await send(dmp, written(bundle))
        assert response.status_code == 422
        codes = {issue.details.coding[-1].code for issue in read(response).issue}
        assert codes == {"PDSM-SIZE", "PDSM-HASH"}

    @pytest.mark.parametrize(
        "body",
        [
            b"", b"<", b"<Bundle/>", b'<Bundle xmlns="urn:x"/>', b'<Nothing xmlns="http://hl7.org/fhir"/>',
            b'<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/><colour value="red"/></Bundle>',
            b'<Bundle xmlns="http://hl7.org/fhir"><type/></Bundle>',
            b'<Bundle xmlns="http://hl7.org/fhir"><entry>x</entry></Bundle>',
            b'<Bundle xmlns="http://hl7.org/fhir"><entry><resource/></entry></Bundle>',
            b'<Bundle xmlns="http://hl7.org/fhir"><entry><resource><Bundle/><Bundle/></resource></entry></Bundle>',
            b'<!DOCTYPE x [<!ENTITY a "b">]><Bundle xmlns="http://hl7.org/fhir"/>',
            b'<Bundle xmlns="http://hl7.org/fhir">' + b"<entry>" * 500 + b"</entry>" * 500 + b"</Bundle>",
            b'<Bundle xmlns="http://hl7.org/fhir">' + b"<entry>" * 9000 + b"</entry>" * 9000 + b"</Bundle>",
            '<Bundle xmlns="http://hl7.org/fhir"/>'.encode("utf-16"), b"\xff" * 40, b"{}",
            b'<List xmlns="http://hl7.org/fhir"><id value="a"/><id value="b"/></List>',
        ],
    )  # fmt: skip
    async def test_of_something_else_is_refused(self, dmp: Dmp, body: bytes) -> None:
        response = await send(dmp, body)
        assert response.status_code in (400, 422), response.text
        assert read(response).issue[0].severity == "error"

    async def test_of_one_reference_is_taken(self, dmp: Dmp) -> None:
        given = document()
        described = resource(given.bundle, "DocumentReference")
        attachment = described["content"][0]["attachment"]
        attachment["data"] = resource(given.bundle, "Binary")["data"]
        del attachment["url"]
        response = await dmp.http.post(
            f"{FHIR}/DocumentReference", content=written(described), headers={**dmp.headers, **XML}
        )
        assert response.status_code == 201
        assert read(response).content[0].attachment.size == len(given.content)

    async def test_of_a_large_document_comes_back_identical(self, start: Start) -> None:
        dmp = await start()
        await dmp.say()
        given = document(pdf_bytes=11_000_000)
        assert len(given.content) > 14_000_000
        response = await send(dmp, written(given.bundle))
        assert response.status_code == 200, response.text
        location = read(response).entry[1].response.location
        binary = await dmp.get(f"/Binary/{location.split('/')[1]}")
        assert binary.content == given.content


class TestAnswers:
    @pytest.mark.parametrize(
        ("query", "accept", "is_xml"),
        [
            ("", "application/fhir+xml", True), ("", "text/xml", True), ("", "application/xml, */*", True),
            ("_format=xml", "*/*", True), ("_format=application/fhir%2Bxml", "application/json", True),
            ("_format=application/fhir+xml", "", True), ("_format=json", "application/fhir+xml", False),
            ("", "application/fhir+json, application/fhir+xml", False), ("", "*/*", False), ("", "", False),
            ("", "application/fhir+json;q=0.5, application/fhir+xml", True),
            ("", "application/fhir+xml;q=0.1, application/fhir+json", False),
        ],
    )  # fmt: skip
    async def test_have_the_form_that_is_asked_for(
        self, dmp: Dmp, query: str, accept: str, is_xml: bool
    ) -> None:
        entry = await dmp.deposit(document())
        response = await dmp.get(f"/DocumentReference/{entry}?{query}", Accept=accept)
        in_json = (await dmp.get(f"/DocumentReference/{entry}")).json()
        if is_xml:
            assert read(response).model_dump_json() == in_json_of(in_json)
        else:
            assert response.json() == in_json

    async def test_of_searches_are_in_xml(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        for kind, count in (("DocumentReference", 1), ("List", 1)):
            path = f"{FHIR}/{kind}?patient.identifier={WHOSE}"
            response = await dmp.http.get(path, headers={**dmp.headers, "Accept": XML["Accept"]})
            assert read(response).total == count
        assert ids_of((await dmp.find()).json()) == [entry]

    async def test_of_the_capabilities_are_valid(self, dmp: Dmp) -> None:
        statement = read(await dmp.get("/metadata", Accept="application/fhir+xml"))
        assert statement.format == ["json", "xml"]
        assert {one.type for one in statement.rest[0].resource} == {
            "DocumentReference",
            "List",
            "Binary",
            "Patient",
        }

    async def test_of_a_binary_are_the_document_unless_fhir_is_named(self, dmp: Dmp) -> None:
        given = document()
        entry = await dmp.deposit(given)
        assert (
            await dmp.get(f"/Binary/{entry}", Accept="application/xml")
        ).content == given.content
        binary = read(await dmp.get(f"/Binary/{entry}", Accept="application/fhir+xml"))
        assert binary.contentType == "text/xml"

    async def test_of_patches_are_in_xml(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        body = fhirpath(
            {
                "type": ("Code", "replace"),
                "path": ("String", "DocumentReference.status"),
                "value": ("Code", "entered-in-error"),
            }
        )
        response = await dmp.http.patch(
            f"{FHIR}/DocumentReference/{entry}",
            content=written(body),
            headers={**dmp.headers, **XML},
        )
        assert read(response).status == "entered-in-error"

    async def test_of_refusals_before_the_routes_are_in_xml(self, dmp: Dmp) -> None:
        response = await dmp.http.get(f"{FHIR}/List/x", headers={"Accept": "application/fhir+xml"})
        assert response.status_code == 401
        assert read(response).issue[0].code == "login"

    async def test_stay_json_where_xml_cannot_say_it(self, dmp: Dmp) -> None:
        bundle = document().bundle
        resource(bundle, "DocumentReference")["colour"] = "red"
        location = (await dmp.provide(bundle)).json()["entry"][1]["response"]["location"]
        response = await dmp.get(f"/DocumentReference/{location.split('/')[1]}", Accept="text/xml")
        assert response.json()["colour"] == "red"


def in_json_of(value: dict[str, Any]) -> str:
    """The same through the library, which writes elements in their order."""
    model: Any = get_fhir_model_class(value["resourceType"]).model_validate(value)
    return str(model.model_dump_json())
