"""Bad submissions: a clear answer, every problem with its rule and its place, nothing stored."""

import base64
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from .conftest import NOTHING, Dmp, reference_path, rules
from .samples import ANNE, LEO, Document, attachment, document, resource, with_content

DOCUMENT = "Bundle.entry[1].resource"
BINARY = "Bundle.entry[2].resource"
INS_ID = "/ClinicalDocument/recordTarget/patientRole/id"
Break = Callable[[dict[str, Any]], object]


@pytest.fixture
async def refused(dmp: Dmp) -> Callable[..., Any]:
    """Sends a body or a bundle, and proves that it left nothing behind."""

    async def send(body: Any, status: int) -> dict[str, str]:
        response = await (dmp.post(body) if isinstance(body, bytes) else dmp.provide(body))
        assert response.status_code == status, response.text
        assert await dmp.stored() == NOTHING
        return rules(response)

    return send


class TestBody:
    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"<Bundle/>", b'{"resourceType": "Bundle"', b"\xff\xfe", b'"\\ud800"'],
    )
    async def test_says_that_it_is_no_json_when_malformed(
        self, refused: Callable[..., Any], body: bytes
    ) -> None:
        assert (await refused(body, 400)).keys() == {"malformed_json"}

    async def test_says_that_it_may_be_cut_when_its_end_is_missing(
        self, refused: Callable[..., Any]
    ) -> None:
        whole = orjson.dumps(document().bundle)
        for length in (len(whole) - 1, len(whole) // 2, 1):
            assert (await refused(whole[:length], 400)).keys() == {"malformed_json"}

    @pytest.mark.parametrize(
        "body", [[], None, 42, "Bundle", {}, {"resourceType": "Patient"}, {"resourceType": []}]
    )
    async def test_says_that_it_is_no_bundle_when_it_is_something_else(
        self, refused: Callable[..., Any], body: Any
    ) -> None:
        assert await refused(orjson.dumps(body), 400) == {"MHD-BUNDLE": "Bundle"}

    async def test_names_what_lacks_when_the_bundle_is_empty(
        self, refused: Callable[..., Any]
    ) -> None:
        assert await refused({"resourceType": "Bundle", "type": "batch"}, 400) == {
            "MHD-TYPE": "Bundle.type",
            "MHD-SUBMISSIONSET": "Bundle.entry",
            "MHD-DOCUMENTREFERENCE": "Bundle.entry",
        }

    @pytest.mark.parametrize("entries", [[None], "x", {"a": 1}, [[1]], [{"resource": 1}]])
    async def test_stays_upright_when_entries_have_any_shape(
        self, refused: Callable[..., Any], entries: Any
    ) -> None:
        found = await refused(
            {"resourceType": "Bundle", "type": "transaction", "entry": entries}, 400
        )
        assert "MHD-SUBMISSIONSET" in found


def _second_list(bundle: dict[str, Any]) -> None:
    extra = {**bundle["entry"][0], "fullUrl": "urn:uuid:01936a5c-7a10-7c3e-9b52-4f1d2c3b5a69"}
    bundle["entry"].append(extra)


def _same_full_url(bundle: dict[str, Any]) -> None:
    bundle["entry"][0]["fullUrl"] = bundle["entry"][1]["fullUrl"]


def _nested(bundle: dict[str, Any]) -> None:
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    resource(bundle, "DocumentReference")["extension"] = deep


def _in_reference(**values: Any) -> Break:
    return lambda bundle: resource(bundle, "DocumentReference").update(values)


class TestBundle:
    @pytest.mark.parametrize(
        ("breaking", "status", "rule", "path"),
        [
            (lambda b: b.update(type="batch"), 422, "MHD-TYPE", "Bundle.type"),
            (_second_list, 422, "MHD-SUBMISSIONSET", "Bundle.entry"),
            (_same_full_url, 422, "FHIR-FULLURL", "Bundle.entry[1].fullUrl"),
            (
                lambda b: resource(b, "List")["entry"].clear(),
                422, "MHD-LIST-ENTRY", "Bundle.entry[0].resource.entry",
            ),
            (
                lambda b: attachment(b).update(url="urn:uuid:elsewhere"),
                400, "MHD-ATTACHMENT", f"{DOCUMENT}.content[0].attachment.url",
            ),
            (
                lambda b: b["entry"].pop(2),
                400, "MHD-ATTACHMENT", f"{DOCUMENT}.content[0].attachment.url",
            ),
            (
                lambda b: b["entry"][1]["request"].update(method="PUT"),
                422, "MHD-REQUEST", "Bundle.entry[1].request",
            ),
            (
                lambda b: b["entry"][1]["request"].update(url="Patient"),
                422, "MHD-REQUEST", "Bundle.entry[1].request",
            ),
            (
                lambda b: b["entry"].append({"resource": {"resourceType": "Patient"}}),
                422, "MHD-ENTRY", "Bundle.entry[3].resource",
            ),
            (_in_reference(status="superseded"), 422, "MHD-STATUS", f"{DOCUMENT}.status"),
            (
                _in_reference(relatesTo=[{"code": "replaces"}]),
                422, "MHD-RELATESTO", f"{DOCUMENT}.relatesTo[0].target",
            ),
            (_in_reference(identifier=["x"]), 422, "FHIR-SHAPE", f"{DOCUMENT}.identifier"),
            (_in_reference(meta=[1]), 422, "FHIR-SHAPE", f"{DOCUMENT}.meta"),
            (_in_reference(description="\0"), 422, "FHIR-STRING", DOCUMENT),
            (_nested, 422, "FHIR-DEPTH", DOCUMENT),
        ],
    )  # fmt: skip
    async def test_names_the_element_when_the_bundle_breaks_a_rule(
        self, refused: Callable[..., Any], breaking: Break, status: int, rule: str, path: str
    ) -> None:
        bundle = document().bundle
        breaking(bundle)

        found = await refused(bundle, status)

        assert found[rule] == path

    async def test_takes_no_neighbour_for_a_nul_when_a_text_spells_its_escape(
        self, dmp: Dmp
    ) -> None:
        bundle = document().bundle
        resource(bundle, "DocumentReference")["description"] = "\\u0000"

        assert (await dmp.provide(bundle)).status_code == 200


class TestAttachment:
    @pytest.mark.parametrize(
        ("breaking", "status", "rule", "path"),
        [
            (
                lambda b: resource(b, "Binary").update(data=resource(b, "Binary")["data"][:-3]),
                400, "FHIR-BASE64", f"{BINARY}.data",
            ),
            (
                lambda b: resource(b, "Binary").update(data="été"),
                400, "FHIR-BASE64", f"{BINARY}.data",
            ),
            (
                lambda b: resource(b, "Binary").update(data=""),
                400, "FHIR-BINARY-DATA", f"{BINARY}.data",
            ),
            (
                lambda b: attachment(b).update(hash="AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
                422, "PDSM-HASH", f"{DOCUMENT}.content[0].attachment.hash",
            ),
            (
                lambda b: attachment(b).pop("hash"),
                422, "PDSM-HASH", f"{DOCUMENT}.content[0].attachment.hash",
            ),
            (
                lambda b: attachment(b).update(size=1),
                422, "PDSM-SIZE", f"{DOCUMENT}.content[0].attachment.size",
            ),
            (
                lambda b: attachment(b).update(contentType="application/pdf"),
                422, "DMP-CDA-ONLY", f"{DOCUMENT}.content[0].attachment.contentType",
            ),
            (
                lambda b: resource(b, "Binary").update(contentType="application/pdf"),
                422, "DMP-CDA-ONLY", f"{BINARY}.contentType",
            ),
        ],
    )  # fmt: skip
    async def test_names_the_element_when_bytes_and_description_disagree(
        self, refused: Callable[..., Any], breaking: Break, status: int, rule: str, path: str
    ) -> None:
        bundle = document().bundle
        breaking(bundle)

        assert await refused(bundle, status) == {rule: path}

    async def test_finds_hash_and_size_wrong_when_the_document_was_cut_before_encoding(
        self, refused: Callable[..., Any]
    ) -> None:
        given = document()
        bundle = given.bundle
        resource(bundle, "Binary")["data"] = base64.b64encode(given.content[:-300]).decode()

        found = await refused(bundle, 422)

        assert found.keys() == {"PDSM-HASH", "PDSM-SIZE", "CDA-XML-wellformed"}


_BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(
        b'<!ENTITY %c "%s">' % (name, b"&%c;" % (name - 1) * 10) for name in range(ord("b"), 108)
    )
    + b"]><ClinicalDocument xmlns='urn:hl7-org:v3'>&k;</ClinicalDocument>"
)
_EXTERNAL = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    b"<ClinicalDocument xmlns='urn:hl7-org:v3'>&e;</ClinicalDocument>"
)


class TestXml:
    @pytest.mark.parametrize(
        ("content", "rule", "path"),
        [
            (b"<ClinicalDocument xmlns='urn:hl7-org:v3'><a></b>", "CDA-XML-wellformed", "/"),
            (b"%PDF-1.7", "CDA-XML-wellformed", "/"),
            (_BOMB, "CDA-XML-doctype", "/"),
            (_EXTERNAL, "CDA-XML-doctype", "/"),
            (b"<Patient xmlns='http://hl7.org/fhir'/>", "CDA-XML-root", "/Patient"),
            (b"<ClinicalDocument/>", "CDA-XML-root", "/ClinicalDocument"),
        ],
        ids=["malformed", "pdf", "expansion", "external", "other-root", "no-namespace"],
    )
    async def test_says_what_is_wrong_when_the_bytes_are_no_cda(
        self, refused: Callable[..., Any], content: bytes, rule: str, path: str
    ) -> None:
        assert await refused(with_content(document().bundle, content), 422) == {rule: path}

    async def test_says_what_is_wrong_when_a_good_document_is_cut(
        self, refused: Callable[..., Any]
    ) -> None:
        given = document()
        bundle = with_content(given.bundle, given.content[: len(given.content) // 2])

        assert (await refused(bundle, 422)).keys() == {"CDA-XML-wellformed"}

    async def test_says_nothing_of_a_file_when_an_entity_names_one(self, dmp: Dmp) -> None:
        response = await dmp.provide(with_content(document().bundle, _EXTERNAL))
        assert "root:" not in response.text


class TestHeader:
    async def test_refuses_when_the_ins_has_a_wrong_key(self, refused: Callable[..., Any]) -> None:
        given = document()
        wrong = given.changed(f'extension="{ANNE.with_key}"', f'extension="{ANNE.matricule}00"')

        found = await refused(with_content(given.bundle, wrong), 422)

        assert found == {"CDA-HDR-recordTarget-id-ins": f"{INS_ID}/@extension"}

    async def test_refuses_when_the_oid_is_of_no_ins(self, refused: Callable[..., Any]) -> None:
        given = document()
        wrong = given.changed(f'<id root="{ANNE.oid}"', '<id root="1.2.250.1.213.1.4.99"')

        found = await refused(with_content(given.bundle, wrong), 422)

        assert found["CDA-HDR-recordTarget-id-oid"] == f"{INS_ID}[1]/@root"
        assert found["CDA-HDR-recordTarget-id"] == INS_ID

    async def test_refuses_when_the_identifier_is_longer_than_the_registry_keeps(
        self, refused: Callable[..., Any]
    ) -> None:
        given = document()
        root = f'<id root="{given.unique_id}"'
        long = given.changed(f"{root}/>", f'{root} extension="{"9" * 5000}"/>')

        found = await refused(with_content(given.bundle, long), 422)

        assert found["DMP-UNIQUEID-LENGTH"] == "/ClinicalDocument/id"


class TestAgreement:
    @pytest.mark.parametrize(
        ("breaking", "rule", "path"),
        [
            (
                lambda b: resource(b, "DocumentReference")["masterIdentifier"].update(
                    value="urn:oid:2.25.1"
                ),
                "DMP-UNIQUEID", f"{DOCUMENT}.masterIdentifier",
            ),
            (
                _in_reference(subject={"reference": f"Patient?identifier=urn:oid:{LEO.oid}|{LEO.with_key}"}),
                "DMP-PATIENTID", f"{DOCUMENT}.subject",
            ),
            (
                _in_reference(subject={"reference": f"Patient?identifier=urn:oid:{ANNE.oid}|279035121518900"}),
                "INS-FORM", f"{DOCUMENT}.subject",
            ),
            (_in_reference(subject={"display": "?"}), "PDSM-SUBJECT", f"{DOCUMENT}.subject"),
            (
                _in_reference(type={"coding": [{"system": "http://loinc.org", "code": "34112-3"}]}),
                "DMP-TYPECODE", f"{DOCUMENT}.type",
            ),
            (_in_reference(type={}), "PDSM-TYPE", f"{DOCUMENT}.type"),
            (
                _in_reference(masterIdentifier={}),
                "PDSM-MASTERIDENTIFIER", f"{DOCUMENT}.masterIdentifier",
            ),
        ],
    )  # fmt: skip
    async def test_names_the_element_when_reference_and_document_disagree(
        self, refused: Callable[..., Any], breaking: Break, rule: str, path: str
    ) -> None:
        bundle = document().bundle
        breaking(bundle)

        assert await refused(bundle, 422) == {rule: path}


async def test_lists_every_problem_when_an_input_has_several(
    refused: Callable[..., Any], dmp: Dmp
) -> None:
    given: Document = document()
    wrong = given.changed(f'extension="{ANNE.with_key}"', f'extension="{ANNE.matricule}00"')
    wrong = wrong.replace(b'<languageCode code="fr-FR"/>', b'<languageCode code="en-GB"/>')
    bundle = with_content(given.bundle, wrong)
    bundle["type"] = "batch"
    resource(bundle, "List")["entry"].clear()
    reference = resource(bundle, "DocumentReference")
    reference.update(status="superseded", subject={})
    attachment(bundle).update(size=7, contentType="application/pdf")
    where = reference_path(bundle)

    assert await refused(bundle, 422) == {
        "MHD-TYPE": "Bundle.type",
        "MHD-LIST-ENTRY": "Bundle.entry[0].resource.entry",
        "MHD-STATUS": f"{where}.status",
        "PDSM-SUBJECT": f"{where}.subject",
        "PDSM-SIZE": f"{where}.content[0].attachment.size",
        "DMP-CDA-ONLY": f"{where}.content[0].attachment.contentType",
        "CDA-HDR-recordTarget-id-ins": f"{INS_ID}/@extension",
        "CDA-HDR-languageCode": "/ClinicalDocument/languageCode/@code",
    }


async def test_says_what_would_have_been_right_when_it_refuses(dmp: Dmp) -> None:
    given = document()
    bundle = given.bundle
    attachment(bundle)["size"] = 1

    issue = (await dmp.provide(bundle)).json()["issue"][0]

    assert issue["severity"] == "error"
    assert issue["code"] == "business-rule"
    assert issue["diagnostics"].startswith(f"Expected: {len(given.content)}.")
