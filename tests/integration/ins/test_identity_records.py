"""The life of an identity record by JSON, and the events that it leaves in the outbox."""

import asyncio

import httpx
import orjson

from socle.db.database import Database
from socle.testing.tokens import TokenMint

from .records import ZOE, ZOE_INS, create, outbox, qualify


class TestCreate:
    async def test_gives_the_same_record_when_the_reference_comes_again(
        self, api: httpx.AsyncClient
    ) -> None:
        first = await api.post("/ins/identities", json={**ZOE, "external_id": "IPP-1"})
        again = await api.post("/ins/identities", json=ZOE, headers={"Idempotency-Key": "IPP-1"})
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert first.json()["status"] == "provisoire"

    async def test_gives_one_record_when_requests_come_together(
        self, api: httpx.AsyncClient
    ) -> None:
        answers = await asyncio.gather(
            *(api.post("/ins/identities", json={**ZOE, "external_id": "IPP-2"}) for _ in range(8))
        )
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]

    async def test_refuses_when_the_reference_is_somebody_else_s(
        self, api: httpx.AsyncClient
    ) -> None:
        await create(api, external_id="IPP-3")
        other = {**ZOE, "family_name": "AUTRE", "external_id": "IPP-3"}
        response = await api.post("/ins/identities", json=other)
        assert (response.status_code, response.json()["error"]) == (409, "reference_taken")

    async def test_names_every_problem_when_traits_are_refused(
        self, api: httpx.AsyncClient
    ) -> None:
        bad = {"family_name": "Zoé", "given_names": "A--B", "sex": "X", "birth_date": "1/1/2000"}
        response = await api.post("/ins/identities", json=bad)
        assert response.status_code == 422
        found = {problem["rule"]: problem["path"] for problem in response.json()["problems"]}
        assert found == {
            "INS-LEX-NOM-CARACTERE": "/family_name",
            "INS-LEX-PRENOM-TIRET": "/given_names",
            "INS-LEX-SEXE": "/sex",
            "INS-LEX-DATE": "/birth_date",
        }

    async def test_refuses_when_there_is_no_token(self, http: httpx.AsyncClient) -> None:
        response = await http.post("/ins/identities", json=ZOE)
        assert response.status_code == 401


class TestQualify:
    async def test_tells_the_log_once_when_insi_and_a_document_agree(
        self, api: httpx.AsyncClient, database: Database, space: str
    ) -> None:
        identity = await qualify(api)
        await api.post(f"/ins/identities/{identity}/evidence", json={"code": "CN"})
        await api.post(f"/ins/identities/{identity}/search")
        [event] = await outbox(database, space)
        assert event["type"] == "ins.identity.qualified.v1"
        assert event["subject"] == event["data"]["patient"]
        assert event["data"]["status"] == "QUAL"
        raw = orjson.dumps(event).decode()
        assert not any(secret in raw for secret in ("ADRUN", "ZOE", "2751263220749", "1975"))

    async def test_keeps_the_history_when_the_status_moves(self, api: httpx.AsyncClient) -> None:
        identity = await qualify(api)
        history = (await api.get(f"/ins/identities/{identity}/history")).json()
        assert [(entry["from"], entry["to"]) for entry in history] == [
            ("provisoire", "provisoire"),
            ("provisoire", "recuperee"),
            ("recuperee", "qualifiee"),
        ]

    async def test_takes_the_traits_of_insi_when_it_answers(self, api: httpx.AsyncClient) -> None:
        identity = await create(
            api,
            family_name="TCHITCHI",
            given_names="OLA CATARINA BELLA",
            birth_date="1936-06-21",
        )
        body = (await api.post(f"/ins/identities/{identity}/search")).json()
        assert body["identity"]["traits"]["given_names"] == "CATARINA BELLA"
        assert body["identity"]["ins"]["matricule"] == "2360663220836"
        assert body["identity"]["transmissible"] is False

    async def test_changes_nothing_when_insi_finds_nobody(self, api: httpx.AsyncClient) -> None:
        identity = await create(api, family_name="HOUILLES")
        body = (await api.post(f"/ins/identities/{identity}/search")).json()
        assert body["result"]["code"] == "01"
        assert body["identity"]["status"] == "provisoire"
        assert body["identity"]["ins"] is None

    async def test_uses_the_birth_place_when_there_are_homonyms(
        self, api: httpx.AsyncClient
    ) -> None:
        twin = {
            "family_name": "DE VINCI",
            "given_names": "LEONARDO",
            "sex": "M",
            "birth_date": "2014-02-01",
        }
        unknown = await create(api, **twin)
        known = await create(api, **twin, birth_place="63220")
        first = await api.post(f"/ins/identities/{unknown}/search")
        second = await api.post(f"/ins/identities/{known}/search")
        assert first.json()["result"]["code"] == "02"
        assert second.json()["result"]["code"] == "00"

    async def test_refuses_when_another_record_holds_the_ins(self, api: httpx.AsyncClient) -> None:
        await qualify(api)
        double = await create(api)
        response = await api.post(f"/ins/identities/{double}/search")
        assert (response.status_code, response.json()["error"]) == (409, "ins_already_held")

    async def test_refuses_when_the_evidence_is_not_high_trust(
        self, api: httpx.AsyncClient
    ) -> None:
        identity = await create(api)
        response = await api.post(f"/ins/identities/{identity}/evidence", json={"code": "XX"})
        assert (response.status_code, response.json()["error"]) == (422, "evidence_unknown")


class TestDoubt:
    async def test_disqualifies_and_tells_the_log_when_an_identity_is_doubted(
        self, api: httpx.AsyncClient, database: Database, space: str
    ) -> None:
        identity = await qualify(api)
        doubted = await api.post(f"/ins/identities/{identity}/doubt", json={"reason": "usurpation"})
        assert doubted.json()["status"] == "provisoire"
        assert doubted.json()["ins"] is None
        qualified, disqualified = await outbox(database, space)
        assert disqualified["type"] == "ins.identity.disqualified.v1"
        assert disqualified["subject"] == qualified["subject"]
        status = (await api.post("/ins/identities/status", json=ZOE_INS)).json()
        assert (status["known"], status["qualified"]) == (True, False)

    async def test_forbids_insi_and_evidence_when_an_identity_is_doubtful(
        self, api: httpx.AsyncClient
    ) -> None:
        identity = await create(api)
        await api.post(f"/ins/identities/{identity}/doubt", json={"reason": "doute"})
        search = await api.post(f"/ins/identities/{identity}/search")
        evidence = await api.post(f"/ins/identities/{identity}/evidence", json={"code": "CN"})
        assert {search.status_code, evidence.status_code} == {422}
        assert search.json()["error"] == "identity_doubtful"

    async def test_refuses_a_reason_when_it_cannot_be_stored(self, api: httpx.AsyncClient) -> None:
        identity = await create(api)
        response = await api.post(f"/ins/identities/{identity}/doubt", json={"reason": "a\x00b"})
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request_body")


class TestStatus:
    async def test_says_qualified_with_fingerprints_when_the_ins_is(
        self, api: httpx.AsyncClient, database: Database, space: str
    ) -> None:
        await qualify(api)
        body = (await api.post("/ins/identities/status", json=ZOE_INS)).json()
        [event] = await outbox(database, space)
        assert body == {
            "known": True,
            "status": "qualifiee",
            "qualified": True,
            "trait_fingerprints": event["data"]["fingerprints"],
        }

    async def test_knows_nobody_when_the_oid_or_the_space_is_another(
        self, api: httpx.AsyncClient, mint: TokenMint
    ) -> None:
        identity = await qualify(api)
        other_oid = {**ZOE_INS, "oid": "1.2.250.1.213.1.4.10"}
        assert (await api.post("/ins/identities/status", json=other_oid)).json()["known"] is False
        stranger = mint.headers("un-autre-espace")
        there = await api.post("/ins/identities/status", json=ZOE_INS, headers=stranger)
        assert there.json()["known"] is False
        read = await api.get(f"/ins/identities/{identity}", headers=stranger)
        assert read.status_code == 404

    async def test_names_the_problem_when_the_key_is_wrong(self, api: httpx.AsyncClient) -> None:
        wrong = {**ZOE_INS, "matricule": "275126322074975"}
        response = await api.post("/ins/identities/status", json=wrong)
        assert response.status_code == 422
        assert [problem["rule"] for problem in response.json()["problems"]] == ["INS-MATRICULE"]

    async def test_takes_a_wrong_key_when_it_is_printed_by_an_official_source(
        self, api: httpx.AsyncClient
    ) -> None:
        hermann = {"oid": "1.2.250.1.213.1.4.8", "matricule": "181036322045660"}
        assert (await api.post("/ins/identities/status", json=hermann)).status_code == 200
