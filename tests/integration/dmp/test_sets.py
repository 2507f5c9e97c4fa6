"""ITI-66: submission sets as Lists, whichever door they came through."""

from typing import Any

import httpx
import pytest

from socle.ids.ins import Ins

from .conftest import FHIR, Dmp, rules
from .samples import ANNE, LEO, document, together
from .test_patch import MASKED, patch, replaces
from .xds import Lot, post

SUBMISSION_SET = ("code", "submissionset")
CURRENT = ("status", "current")


async def find(dmp: Dmp, *parameters: tuple[str, str], ins: Ins = ANNE) -> httpx.Response:
    whose = ("patient.identifier", f"urn:oid:{ins.oid}|{ins.with_key}")
    return await search(dmp, whose, SUBMISSION_SET, CURRENT, *parameters)


async def search(dmp: Dmp, *parameters: tuple[str, str]) -> httpx.Response:
    query = httpx.QueryParams(list(parameters))
    return await dmp.http.get(f"{FHIR}/List", params=query, headers=dmp.headers)


def lists(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    return [entry["resource"] for entry in response.json().get("entry", [])]


def members(resource: dict[str, Any]) -> list[str]:
    return [one["item"]["reference"] for one in resource.get("entry", [])]


async def by_soap(dmp: Dmp) -> Lot:
    lot = Lot()
    answer = await post(dmp.http, "repository", lot.message(), dmp.headers)
    assert answer.status == "Success"
    return lot


class TestFind:
    async def test_gives_what_fhir_sent_with_what_the_registry_knows(self, dmp: Dmp) -> None:
        given = [document(seed=seed) for seed in range(2)]
        bundle = together([one.bundle for one in given])
        answer = (await dmp.provide(bundle)).json()["entry"]
        ids = {one["response"]["location"].split("/")[1] for one in answer}
        [found] = lists(await find(dmp))
        sent = bundle["entry"][0]["resource"]
        assert {name: found[name] for name in ("source", "subject", "date", "code")} == {
            name: sent[name] for name in ("source", "subject", "date", "code")
        }
        assert found["id"] in ids
        assert {one.removeprefix("DocumentReference/") for one in members(found)} < ids
        assert len(members(found)) == 2
        assert (await dmp.get(f"/List/{found['id']}")).json() == found

    async def test_gives_what_soap_sent(self, dmp: Dmp) -> None:
        lot = await by_soap(dmp)
        [found] = lists(await find(dmp))
        assert found["title"] == "Lot de test"
        assert found["date"] == "2022-11-15T09:30:00.000Z"
        assert found["identifier"][0]["value"] == f"urn:oid:{lot.unique_id}"
        assert found["subject"]["identifier"]["value"] == ANNE.with_key
        assert found["extension"][1]["valueIdentifier"]["value"] == "urn:oid:1.2.250.1.999.1"
        assert found["contained"][0]["resourceType"] == "Practitioner"
        assert found["source"] == {"reference": "#author0"}
        assert len(members(found)) == 1

    async def test_shows_a_set_made_by_a_patch_with_the_document(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        await patch(dmp, entry, replaces("/securityLabel/0", MASKED))
        found = lists(await find(dmp))
        assert [members(one) for one in found] == [[f"DocumentReference/{entry}"]] * 2

    async def test_shows_no_masked_document_to_others(self, dmp: Dmp, colleague: Dmp) -> None:
        entry = await dmp.deposit(document())
        await patch(dmp, entry, replaces("/securityLabel/0", MASKED))
        assert [members(one) for one in lists(await find(colleague))] == [[], []]

    async def test_is_of_one_patient_and_one_space(self, dmp: Dmp, neighbour: Dmp) -> None:
        await dmp.say(LEO)
        await dmp.deposit(document())
        assert lists(await find(dmp, ins=LEO)) == []
        assert lists(await find(neighbour)) == []

    async def test_follows_pages_to_their_end(self, dmp: Dmp) -> None:
        for seed in range(5):
            await dmp.deposit(document(seed=seed))
        whole = [one["id"] for one in lists(await find(dmp))]
        response = await find(dmp, ("_count", "2"))
        seen = []
        while True:
            body = response.json()
            assert body["total"] == 5
            seen += [entry["resource"]["id"] for entry in body["entry"]]
            links = {link["relation"]: link["url"] for link in body["link"]}
            if "next" not in links:
                break
            path = links["next"].partition("/dmp/fhir")[2]
            response = await dmp.get(path)
        assert seen == whole

    async def test_takes_its_parameters_from_a_form(self, dmp: Dmp) -> None:
        await dmp.deposit(document())
        body = {
            "patient.identifier": f"urn:oid:{ANNE.oid}|{ANNE.with_key}",
            "code": "submissionset",
        }
        response = await dmp.http.post(f"{FHIR}/List/_search", data=body, headers=dmp.headers)
        assert len(lists(response)) == 1


class TestCriteria:
    @pytest.mark.parametrize(
        ("name", "value", "count"),
        [
            ("date", "2022-11-15", 1), ("date", "gt2022-11-15", 0), ("date", "ge2022-11", 1),
            ("sourceId", "urn:oid:1.2.250.1.999.1", 1), ("SourceId", "urn:ietf:rfc:3986|urn:oid:1.2.250.1.999.1", 1),
            ("sourceId", "1.2.3", 0), ("designationType", "03", 1), ("DesignationType", "07", 0),
            ("title", "lot de", 1), ("title", "autre", 0), ("source.family", "doc", 1),
            ("source:PractitionerRole.practitioner.family", "DOC0042788", 1), ("source.family", "x", 0),
            ("source.given", "KIT", 1), ("source", "899700427885", 1), ("source", "8", 1), ("source", "9", 0),
            ("authorOrg", "11B0064166", 1), ("PDSm_authorOrg", "x", 0), ("PDSm_isArchived", "false", 1),
            ("isArchived", "true", 0), ("code", "folder", 0), ("status", "retired", 0), ("unknown", "x", 1),
        ],
    )  # fmt: skip
    async def test_hold_or_not(self, dmp: Dmp, name: str, value: str, count: int) -> None:
        await by_soap(dmp)
        whose = ("patient.identifier", f"urn:oid:{ANNE.oid}|{ANNE.with_key}")
        assert len(lists(await search(dmp, whose, (name, value)))) == count

    async def test_name_a_set_by_each_identifier(self, dmp: Dmp) -> None:
        lot = await by_soap(dmp)
        [found] = lists(await find(dmp))
        for value in (f"urn:oid:{lot.unique_id}", f"urn:uuid:{found['id']}"):
            assert lists(await search(dmp, ("identifier", value))) == [found]
            assert lists(await find(dmp, ("identifier", value))) == [found]
        assert lists(await find(dmp, ("identifier", "urn:oid:1.2.3"))) == []

    @pytest.mark.parametrize(
        ("name", "value", "rule"),
        [
            ("date", "hier", "MHD-SEARCH-DATE"), ("_count", "-1", "MHD-SEARCH-COUNT"),
            ("_cursor", "x", "MHD-SEARCH-CURSOR"), ("isArchived", "1", "MHD-SEARCH-PDSM_ISARCHIVED"),
            ("title", "a\0", "MHD-SEARCH-TITLE"), ("patient.identifier", "x", "MHD-SEARCH-PATIENT.IDENTIFIER"),
        ],
    )  # fmt: skip
    async def test_are_refused_by_name(self, dmp: Dmp, name: str, value: str, rule: str) -> None:
        response = await find(dmp, (name, value))
        assert response.status_code == 400
        assert set(rules(response)) == {rule}

    async def test_need_a_patient_or_an_identifier(self, dmp: Dmp) -> None:
        assert set(rules(await search(dmp, SUBMISSION_SET))) == {"MHD-SEARCH-PATIENT.IDENTIFIER"}


@pytest.mark.parametrize("name", ["x", "01a226b6-9ef3-7001-a605-832f85b89187", "%00"])
async def test_does_not_know_another_list(dmp: Dmp, name: str) -> None:
    assert (await dmp.get(f"/List/{name}")).status_code == 404
