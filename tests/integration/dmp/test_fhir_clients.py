"""What FHIR libraries write by themselves, as fhir-kit-client, HAPI and Firely were seen to send it."""

import base64

import httpx
import pytest

from .conftest import FHIR, Dmp, ids_of
from .samples import ANNE, attachment, document, resource

pytestmark = pytest.mark.postgres


class TestVersions:
    """HAPI reads the versioned id that a create gave back; fhir-kit-client has `vread`."""

    async def test_every_address_of_an_answer_can_be_read(self, dmp: Dmp) -> None:
        given = document()
        provided = await dmp.provide(given.bundle)
        locations = [entry["response"]["location"] for entry in provided.json()["entry"]]
        answers = [await dmp.get(f"/{where}") for where in locations]
        assert [one.status_code for one in answers] == [200, 200, 200]
        assert [one.headers["etag"] for one in answers] == ['W/"1"'] * 3
        assert answers[2].content == given.content

    async def test_of_a_document_only_the_current_one_is_kept(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        patched = await dmp.http.patch(
            f"{FHIR}/DocumentReference/{entry}",
            json=[{"op": "replace", "path": "/status", "value": "entered-in-error"}],
            headers={**dmp.headers, "Content-Type": "application/json-patch+json"},
        )
        now = patched.json()["meta"]["versionId"]
        assert now != "1"
        current = await dmp.get(f"/DocumentReference/{entry}/_history/{now}")
        assert current.json() == patched.json()
        before = await dmp.get(f"/DocumentReference/{entry}/_history/1")
        assert before.status_code == 404
        [issue] = before.json()["issue"]
        assert issue["details"]["text"] == (
            f"Only the current version is kept as a resource: {now}, not 1."
        )

    async def test_a_reading_of_another_version_leaves_no_trace(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        told = len(await dmp.told())
        assert (await dmp.get(f"/Binary/{entry}/_history/7")).status_code == 404
        assert len(await dmp.told()) == told


@pytest.mark.parametrize("name", ["json", "application/fhir+json", "application/fhir json"])
async def test_a_binary_is_a_resource_where_its_format_is_asked_for(dmp: Dmp, name: str) -> None:
    """`_format` comes before Accept, as it does for XML and for every other resource."""
    given = document()
    entry = await dmp.deposit(given)
    answer = await dmp.http.get(
        f"{FHIR}/Binary/{entry}",
        params={"_format": name},
        headers={**dmp.headers, "Accept": "text/xml"},
    )
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert base64.b64decode(answer.json()["data"]) == given.content


@pytest.mark.parametrize("kind", ["DocumentReference", "List"])
@pytest.mark.parametrize(
    ("parameters", "refused"),
    [
        ({"_pretty": "true", "_format": "json", "_total": "accurate", "_summary": "false"}, set()),
        ({"_sort": "-date"}, set()),
        ({"_summary": "text", "_elements": "id"}, {"_summary", "_elements"}),
    ],
)  # fmt: skip
async def test_a_strict_search_takes_what_it_does_anyway(
    dmp: Dmp, kind: str, parameters: dict[str, str], refused: set[str]
) -> None:
    await dmp.deposit(document())
    answer = await dmp.http.get(
        f"{FHIR}/{kind}",
        params={"patient.identifier": f"urn:oid:{ANNE.oid}|{ANNE.with_key}", **parameters},
        headers={**dmp.headers, "Prefer": "handling=strict"},
    )
    told = {name for one in answer.json().get("issue", []) for name in one["expression"]}
    assert told == refused
    assert len(ids_of(answer.json())) == (0 if refused else 1)


class TestDescription:
    async def test_tells_types_of_parameters_and_what_can_be_patched(self, dmp: Dmp) -> None:
        statement = (await dmp.get("/metadata")).json()
        assert statement["patchFormat"] == ["application/json-patch+json", "application/fhir+json"]
        of = {one["type"]: one for one in statement["rest"][0]["resource"]}
        types = {one["name"]: one["type"] for one in of["DocumentReference"]["searchParam"]}
        assert (types["patient"], types["date"], types["type"], types["author.family"]) == (
            "reference", "date", "token", "string"
        )  # fmt: skip
        assert {"code": "vread"} in of["Binary"]["interaction"]

    async def test_what_is_not_served_says_what_is(self, dmp: Dmp) -> None:
        nowhere = await dmp.get("/.well-known/smart-configuration")
        assert nowhere.status_code == 404
        assert "GET /dmp/fhir/metadata" in nowhere.json()["issue"][0]["details"]["text"]
        other = await dmp.http.put(f"{FHIR}/DocumentReference", headers=dmp.headers)
        assert (other.status_code, other.headers["allow"]) == (405, "GET, PATCH, POST")
        assert "GET, PATCH, POST" in other.json()["issue"][0]["details"]["text"]


class TestPreference:
    """Firely and HAPI say by `Prefer: return=` what they want back."""

    async def publish(self, dmp: Dmp, prefer: str) -> httpx.Response:
        bundle = document().bundle
        reference, binary = (resource(bundle, kind) for kind in ("DocumentReference", "Binary"))
        given = attachment(bundle)
        del given["url"]
        given["data"] = binary["data"]
        return await dmp.http.post(
            f"{FHIR}/DocumentReference", json=reference, headers={**dmp.headers, "Prefer": prefer}
        )

    @pytest.mark.parametrize(
        ("prefer", "kind"),
        [
            ("return=representation", "DocumentReference"),
            ("handling=lenient; return=OperationOutcome", "OperationOutcome"),
            ("return=minimal", None),
        ],
    )
    async def test_is_followed(self, dmp: Dmp, prefer: str, kind: str | None) -> None:
        made = await self.publish(dmp, prefer)
        assert made.status_code == 201, made.text
        assert (made.json()["resourceType"] if made.content else None) == kind
        entry = made.headers["location"].split("/")[-3]
        patched = await dmp.http.patch(
            f"{FHIR}/DocumentReference/{entry}",
            json=[{"op": "replace", "path": "/status", "value": "entered-in-error"}],
            headers={
                **dmp.headers, "Content-Type": "application/json-patch+json", "Prefer": prefer
            },
        )  # fmt: skip
        assert patched.status_code == 200, patched.text
        assert (patched.json()["resourceType"] if patched.content else None) == kind
        assert patched.headers["etag"] != made.headers["etag"]
