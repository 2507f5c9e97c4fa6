"""/_sandbox/ins/people: the demo makes the patient of a user's own document known here."""

from typing import Any

import httpx

from services.ins.app import build
from services.ins.settings import InsSettings
from socle.ids.ins import ins_key
from socle.testing.apps import client_of
from socle.testing.tokens import TokenMint

from .conftest import NS, InsiClient

NUMBER = "1850675101902"
PERSON: dict[str, Any] = {
    "family_name": "EXEMPLE",
    "given_names": "PAUL",
    "sex": "M",
    "birth_date": "1985-06-12",
    "birth_place": "75101",
    "oid": "1.2.250.1.213.1.4.10",
    "matricule": NUMBER + ins_key(NUMBER),
}


class TestPeople:
    async def test_lists_the_official_people_when_a_space_is_new(
        self, http: httpx.AsyncClient, space: str
    ) -> None:
        people = (await http.get(f"/s/{space}/_sandbox/ins/people")).json()
        assert len(people) == 16
        assert {"2.05"} in [set(person["cnda_tests"]) for person in people]

    async def test_makes_a_person_whom_insi_finds_when_added(
        self, insi: InsiClient, http: httpx.AsyncClient, space: str
    ) -> None:
        added = await http.post(f"/s/{space}/_sandbox/ins/people", json=PERSON)
        assert added.status_code == 201
        assert "identity" not in added.json()
        answer = await insi.search("EXEMPLE", "PAUL", "M", "1985-06-12")
        assert answer.findtext(".//r:NumIdentifiant", None, NS) == NUMBER

    async def test_makes_one_qualified_identity_when_asked_twice(
        self, http: httpx.AsyncClient, mint: TokenMint, space: str
    ) -> None:
        path = f"/s/{space}/_sandbox/ins/people"
        first = await http.post(path, json={**PERSON, "qualified": True})
        again = await http.post(path, json={**PERSON, "qualified": True})
        assert first.json()["identity"]["status"] == "qualifiee"
        assert first.json()["identity"] == again.json()["identity"]
        asked = {"oid": PERSON["oid"], "matricule": NUMBER}
        status = await http.post("/ins/identities/status", json=asked, headers=mint.headers(space))
        assert status.json()["qualified"] is True

    async def test_follows_the_traits_when_a_qualified_person_is_changed(
        self, http: httpx.AsyncClient, mint: TokenMint, space: str
    ) -> None:
        path = f"/s/{space}/_sandbox/ins/people"
        asked = {"oid": PERSON["oid"], "matricule": NUMBER}
        seen = []
        for family_name in ("EXEMPLE", "NOUVEAU"):
            changed = {**PERSON, "family_name": family_name, "qualified": True}
            assert (await http.post(path, json=changed)).status_code == 201
            status = await http.post(
                "/ins/identities/status", json=asked, headers=mint.headers(space)
            )
            seen.append(status.json())
        assert [body["status"] for body in seen] == ["qualifiee", "qualifiee"]
        before, after = (body["trait_fingerprints"] for body in seen)
        assert before["family_name"] != after["family_name"]
        assert before["birth_date"] == after["birth_date"]

    async def test_names_every_problem_and_stores_nothing_when_refused(
        self, http: httpx.AsyncClient, space: str
    ) -> None:
        path = f"/s/{space}/_sandbox/ins/people"
        bad = {**PERSON, "family_name": "exemple", "oid": "1.2.3", "matricule": NUMBER + "00"}
        response = await http.post(path, json=bad)
        assert response.status_code == 422
        rules = [problem["rule"] for problem in response.json()["problems"]]
        assert rules == ["INS-LEX-NOM-CARACTERE", "INS-MATRICULE", "INS-MATRICULE"]
        assert len((await http.get(path)).json()) == 16

    async def test_keeps_a_wrong_key_only_when_it_is_allowed(
        self, http: httpx.AsyncClient, space: str
    ) -> None:
        path = f"/s/{space}/_sandbox/ins/people"
        wrong = {**PERSON, "matricule": NUMBER + "01"}
        assert (await http.post(path, json=wrong)).status_code == 422
        allowed = await http.post(path, json={**wrong, "allow_wrong_key": True})
        assert allowed.json()["ins"]["key"] == "01"

    async def test_refuses_when_this_is_no_sandbox(self, settings_values: dict[str, Any]) -> None:
        async with client_of(build(InsSettings(**settings_values, sandbox=False))) as client:
            response = await client.post("/_sandbox/ins/people", json=PERSON)
        assert (response.status_code, response.json()["error"]) == (403, "sandbox_off")
