"""Patients by FHIR: read, searched and matched."""

from typing import Any

import httpx
import pytest

from .records import ZOE, create, qualify

FHIR = {"Content-Type": "application/fhir+json"}
ZOE_NUMBER = "urn:oid:1.2.250.1.213.1.4.8|275126322074974"


async def search(api: httpx.AsyncClient, **parameters: str) -> dict[str, Any]:
    answer = await api.get("/ins/fhir/Patient", params=parameters)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def ids(api: httpx.AsyncClient, **parameters: str) -> list[str]:
    bundle = await search(api, **parameters)
    return [entry["resource"]["id"] for entry in bundle.get("entry", [])]


async def match(api: httpx.AsyncClient, patient: Any, **parameters: Any) -> dict[str, Any]:
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "resource", "resource": {"resourceType": "Patient", **patient}},
            *({"name": name, **value} for name, value in parameters.items()),
        ],
    }
    answer = await api.post("/ins/fhir/Patient/$match", json=body, headers=FHIR)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def grades(bundle: dict[str, Any]) -> dict[str, str]:
    return {
        entry["resource"]["id"]: entry["search"]["extension"][0]["valueCode"]
        for entry in bundle.get("entry", [])
    }


class TestRead:
    async def test_gives_the_patient_with_the_ins_of_a_qualified_identity(
        self, api: httpx.AsyncClient
    ) -> None:
        answer = await api.get(f"/ins/fhir/Patient/{await qualify(api)}")
        assert answer.headers["content-type"].startswith("application/fhir+json")
        assert answer.json()["identifier"][0]["value"] == "275126322074974"

    @pytest.mark.parametrize("name", ["nobody", "01936b3c-0000-7000-8000-000000000001"])
    async def test_answers_an_outcome_when_there_is_nobody(
        self, api: httpx.AsyncClient, name: str
    ) -> None:
        answer = await api.get(f"/ins/fhir/Patient/{name}")
        assert (answer.status_code, answer.json()["resourceType"]) == (404, "OperationOutcome")

    async def test_tells_its_capabilities_without_a_token(self, http: httpx.AsyncClient) -> None:
        answer = await http.get("/ins/fhir/metadata")
        [resource] = answer.json()["rest"][0]["resource"]
        assert resource["operation"][0]["name"] == "match"


class TestSearch:
    async def test_finds_by_ins_only_who_is_qualified(self, api: httpx.AsyncClient) -> None:
        identity = await create(api)
        await api.post(f"/ins/identities/{identity}/search")
        assert await ids(api, identifier=ZOE_NUMBER) == []
        await api.post(f"/ins/identities/{identity}/evidence", json={"code": "CN"})
        assert await ids(api, identifier=ZOE_NUMBER) == [identity]

    async def test_narrows_with_every_parameter(self, api: httpx.AsyncClient) -> None:
        zoe = await create(api, external_id="IPP-77", given_names="ZOE MARIE")
        other = await create(api, family_name="ADRUNE", birth_date="1980-01-01", sex="M")
        assert await ids(api, family="adrun") == [zoe, other]
        assert await ids(api, **{"family:exact": "ADRUN"}) == [zoe]
        assert await ids(api, family="Adrún", given="mar") == [zoe]
        assert await ids(api, given="arie") == []
        assert await ids(api, birthdate="1980") == [other]
        assert await ids(api, birthdate="eq1975-12-31", gender="female") == [zoe]
        assert await ids(api, family="ADRUN", gender="unknown") == []
        assert await ids(api, identifier="IPP-77") == [zoe]
        assert await ids(api, _id=f"{zoe},{other}") == [zoe, other]
        assert await ids(api, family="A%") == []

    async def test_pages_to_the_end_and_says_how_many_there_are(
        self, api: httpx.AsyncClient
    ) -> None:
        made = [await create(api) for _ in range(5)]
        bundle = await search(api, family="ADRUN", _count="2", typo="x")
        seen = []
        while True:
            assert bundle["total"] == 5
            seen += [entry["resource"]["id"] for entry in bundle["entry"]]
            links = {link["relation"]: link["url"] for link in bundle["link"]}
            assert "typo" not in links["self"]
            if "next" not in links:
                break
            bundle = (await api.get(links["next"])).json()
        assert seen == made

    async def test_takes_the_parameters_in_a_form_so_that_no_url_shows_a_trait(
        self, api: httpx.AsyncClient
    ) -> None:
        zoe = await create(api)
        answer = await api.post("/ins/fhir/Patient/_search", data={"family": "ADRUN"})
        assert [entry["resource"]["id"] for entry in answer.json()["entry"]] == [zoe]

    async def test_leaves_merged_records_out_when_only_active_ones_are_asked(
        self, api: httpx.AsyncClient
    ) -> None:
        kept, gone = await create(api), await create(api)
        await api.post(f"/ins/identities/{gone}/merge", json={"into": kept, "reason": "doublon"})
        assert await ids(api, family="ADRUN", active="true") == [kept]
        assert await ids(api, family="ADRUN") == [kept, gone]

    @pytest.mark.parametrize(
        "parameters",
        [
            {},
            {"birthdate": "hier"},
            {"gender": "F"},
            {"_count": "0"},
            {"_id": "x"},
            {"identifier": "urn:oid:1.2.250.1.213.1.4.8|12"},
            {"identifier": "http://ailleurs|1"},
            {"family": "a\0b"},
            {"family": ""},
        ],
    )
    async def test_names_the_parameter_that_cannot_be_used(
        self, api: httpx.AsyncClient, parameters: dict[str, str]
    ) -> None:
        answer = await api.get("/ins/fhir/Patient", params=parameters)
        assert answer.status_code == 400
        [issue] = answer.json()["issue"]
        assert "Expected" in issue["diagnostics"]


class TestMatch:
    ASKED = {  # noqa: RUF012 - only read
        "name": [{"use": "official", "family": "Adrun", "given": ["Zoé"]}],
        "birthDate": "1975-12-31",
        "gender": "female",
    }

    async def test_is_certain_when_the_ins_is_the_same(self, api: httpx.AsyncClient) -> None:
        zoe = await qualify(api)
        system, value = ZOE_NUMBER.split("|")
        asked = {"identifier": [{"system": system, "value": value}]}
        assert grades(await match(api, asked)) == {zoe: "certain"}

    async def test_grades_by_the_traits_that_agree_best_first(self, api: httpx.AsyncClient) -> None:
        homonym = await create(api, birth_date="1976-01-01")
        zoe = await create(api)
        await create(api, family_name="AUTRE", birth_date="2000-01-01")
        bundle = await match(api, self.ASKED)
        assert grades(bundle) == {zoe: "probable", homonym: "possible"}
        assert [entry["resource"]["id"] for entry in bundle["entry"]] == [zoe, homonym]
        scores = [entry["search"]["score"] for entry in bundle["entry"]]
        assert scores == sorted(scores, reverse=True)

    async def test_gives_nobody_when_only_certain_matches_are_wanted_and_two_are(
        self, api: httpx.AsyncClient
    ) -> None:
        place = {
            "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
            "valueAddress": {
                "extension": [
                    {
                        "url": "https://hl7.fr/ig/fhir/core/StructureDefinition/"
                        "fr-core-address-insee-code",
                        "valueCoding": {"code": "63220"},
                    }
                ]
            },
        }
        asked = {**self.ASKED, "extension": [place]}
        only = {"onlyCertainMatches": {"valueBoolean": True}}
        zoe = await create(api, birth_place="63220")
        assert grades(await match(api, asked, **only)) == {zoe: "certain"}
        await create(api, birth_place="63220")
        assert grades(await match(api, asked, **only)) == {}

    async def test_gives_no_more_than_was_asked_for(self, api: httpx.AsyncClient) -> None:
        for _ in range(3):
            await create(api)
        bundle = await match(api, self.ASKED, count={"valueInteger": 2})
        assert (len(bundle["entry"]), bundle["total"]) == (2, 3)

    @pytest.mark.parametrize(
        "body",
        [
            {"resourceType": "Parameters"},
            {"resourceType": "Patient"},
            {"resourceType": "Patient", "name": "Zoé", "identifier": [3], "birthDate": 7},
            {"resourceType": "Parameters", "parameter": [{"name": "count", "valueInteger": "x"}]},
            [],
            None,
        ],
    )
    async def test_says_what_is_missing_when_nobody_can_be_looked_for(
        self, api: httpx.AsyncClient, body: Any
    ) -> None:
        answer = await api.post("/ins/fhir/Patient/$match", json=body, headers=FHIR)
        assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome")


class TestRepresentations:
    async def test_are_given_side_by_side(self, api: httpx.AsyncClient) -> None:
        path = f"/ins/identities/{await qualify(api)}/representations"
        body = (await api.get(path)).json()
        assert body["xds_patient_id"] == "275126322074974^^^&1.2.250.1.213.1.4.8&ISO^NH"
        assert body["citizen_address"] == "275126322074974@patient.mssante.fr"
        assert body["hl7v2"]["PID"].endswith("|VALI")
        assert "275126322074974" in body["cda"]
        assert body["fhir"]["resourceType"] == "Patient"

    async def test_hold_no_ins_before_it_is_qualified(self, api: httpx.AsyncClient) -> None:
        body = (await api.get(f"/ins/identities/{await create(api, **ZOE)}/representations")).json()
        assert (body["xds_patient_id"], body["citizen_address"]) == (None, None)
