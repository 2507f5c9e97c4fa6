"""What takes an INS away from a record again: a correction, a verification, a merge."""

import asyncio
from typing import Any

import httpx

from socle.db.database import Database
from socle.testing.tokens import TokenMint

from .records import ZOE, ZOE_INS, create, outbox, qualify

CORRECTED = {**ZOE, "given_names": "ZOE MARIE", "reason": "erreur de saisie"}


async def history(api: httpx.AsyncClient, identity: str) -> list[str]:
    return [step["step"] for step in (await api.get(f"/ins/identities/{identity}/history")).json()]


class TestCorrection:
    async def test_disqualifies_and_tells_the_log_of_the_former_traits(
        self, api: httpx.AsyncClient, database: Database, space: str
    ) -> None:
        identity = await qualify(api)
        answer = await api.put(f"/ins/identities/{identity}/traits", json=CORRECTED)
        body = answer.json()
        assert (body["status"], body["ins"]) == ("provisoire", None)
        assert body["traits"]["given_names"] == "ZOE MARIE"
        qualified, disqualified = await outbox(database, space)
        assert disqualified["type"] == "ins.identity.disqualified.v1"
        assert disqualified["data"]["fingerprints"] == qualified["data"]["fingerprints"]

    async def test_leaves_one_line_when_it_comes_twice(self, api: httpx.AsyncClient) -> None:
        identity = await create(api)
        for _ in range(2):
            await api.put(f"/ins/identities/{identity}/traits", json=CORRECTED)
        assert await history(api, identity) == ["created", "trait_corrected"]

    async def test_bars_insi_while_the_birth_date_is_a_completed_one(
        self, api: httpx.AsyncClient
    ) -> None:
        identity = await create(api)
        path = f"/ins/identities/{identity}"
        completed = {**CORRECTED, "birth_date": "1975-12-01", "birth_date_completed": True}
        assert (await api.put(f"{path}/traits", json=completed)).json()["birth_date_completed"]
        refused = await api.post(f"{path}/search")
        assert (refused.status_code, refused.json()["error"]) == (422, "birth_date_corrected")
        known = {**ZOE, "reason": "date retrouvée"}
        assert not (await api.put(f"{path}/traits", json=known)).json()["birth_date_completed"]
        assert (await api.post(f"{path}/search")).json()["result"]["code"] == "00"

    async def test_names_every_problem_of_the_new_traits(self, api: httpx.AsyncClient) -> None:
        identity = await create(api)
        bad = {**CORRECTED, "family_name": "Zoé", "sex": "X"}
        answer = await api.put(f"/ins/identities/{identity}/traits", json=bad)
        assert answer.status_code == 422
        assert len(answer.json()["problems"]) == 2


class TestLocalNames:
    async def test_are_kept_and_checked_against_the_list_of_given_names(
        self, api: httpx.AsyncClient
    ) -> None:
        names = {"given_names": "JEAN CHRISTOPHE PIERRE", "sex": "M"}
        kept = {"first_given_name": "JEAN-CHRISTOPHE", "used_family_name": "LARUE"}
        identity = await create(api, **names, local_names=kept)
        read = (await api.get(f"/ins/identities/{identity}")).json()
        assert read["local_names"] == {**kept, "used_given_name": ""}
        wrong = {**ZOE, **names, "local_names": {"first_given_name": "PIERRE"}}
        refused = await api.post("/ins/identities", json=wrong)
        [problem] = refused.json()["problems"]
        assert (problem["rule"], problem["path"]) == (
            "INS-PREMIER-PRENOM",
            "/local_names/first_given_name",
        )

    async def test_raise_an_alert_when_insi_gives_another_list(
        self, api: httpx.AsyncClient
    ) -> None:
        tchitchi = {"family_name": "TCHITCHI", "birth_date": "1936-06-21"}
        identity = await create(
            api,
            **tchitchi,
            given_names="OLA CATARINA BELLA",
            local_names={"first_given_name": "OLA"},
        )
        found = (await api.post(f"/ins/identities/{identity}/search")).json()["identity"]
        assert found["local_names"]["first_given_name"] == "OLA"
        assert len(found["alerts"]) == 1


class TestProvenance:
    async def test_says_who_was_asked_and_which_document_was_seen(
        self, api: httpx.AsyncClient
    ) -> None:
        identity = await create(api, collected_by="CB")
        path = f"/ins/identities/{identity}"
        assert (await api.get(path)).json()["provenance"]["collected_by"] == "CB"
        await api.post(f"{path}/search")
        passport = {"code": "PA", "expires": "2031-05-01"}
        found = (await api.post(f"{path}/evidence", json=passport)).json()["provenance"]
        assert (found["collected_by"], found["evidence"]) == ("INSI", "PA")
        assert found["evidence_expires"] == "2031-05-01"
        assert found["insi_at"] < found["evidence_at"]

    async def test_keeps_the_history_that_insi_gave_as_it_was(self, api: httpx.AsyncClient) -> None:
        ecetinsi = {"family_name": "ECETINSI", "given_names": "PIERRE-ALAIN", "sex": "M"}
        identity = await create(api, **ecetinsi, birth_date="2009-07-14")
        found = (await api.post(f"/ins/identities/{identity}/search")).json()["identity"]
        former = {(one["matricule"], one["key"]) for one in found["former_ins"]}
        assert ("2090763220834", "39") in former


class TestVerify:
    async def test_confirms_while_the_register_says_the_same(
        self, api: httpx.AsyncClient, database: Database, space: str
    ) -> None:
        identity = await qualify(api)
        answer = (await api.post(f"/ins/identities/{identity}/verify")).json()
        assert (answer["result"], answer["identity"]["status"]) == ("OK", "qualifiee")
        told = (await outbox(database, space))[-1]
        assert told["type"] == "ins.identity.verified.v1"
        assert (told["data"]["result"], told["data"]["mode"]) == ("OK", "record")
        assert told["data"]["professional"].startswith("8")

    async def test_takes_the_ins_away_when_the_register_has_changed(
        self, api: httpx.AsyncClient, database: Database, space: str
    ) -> None:
        identity = await qualify(api)
        changed = {**ZOE, **ZOE_INS, "family_name": "ADRUNE"}
        await api.post(f"/s/{space}/_sandbox/ins/people", json=changed)
        answer = (await api.post(f"/ins/identities/{identity}/verify")).json()
        assert (answer["result"], answer["identity"]["status"]) == ("KO", "validee")
        verified, last = (await outbox(database, space))[-2:]
        assert verified["data"]["result"] == "KO"
        assert "family_name" in verified["data"]["differs"]
        assert last["type"] == "ins.identity.disqualified.v1"

    async def test_is_refused_where_there_is_no_ins(self, api: httpx.AsyncClient) -> None:
        answer = await api.post(f"/ins/identities/{await create(api)}/verify")
        assert (answer.status_code, answer.json()["error"]) == (422, "identity_without_ins")


class TestMerge:
    async def merge(self, api: httpx.AsyncClient, duplicate: str, into: str) -> httpx.Response:
        body: dict[str, Any] = {"into": into, "reason": "doublon"}
        return await api.post(f"/ins/identities/{duplicate}/merge", json=body)

    async def test_keeps_one_record_and_says_in_the_other_where_it_went(
        self, api: httpx.AsyncClient
    ) -> None:
        kept, duplicate = await qualify(api), await create(api)
        answer = await self.merge(api, duplicate, kept)
        assert (answer.json()["id"], answer.json()["status"]) == (kept, "qualifiee")
        assert (await self.merge(api, duplicate, kept)).json() == answer.json()
        assert (await api.get(f"/ins/identities/{duplicate}")).json()["merged_into"] == kept
        assert (await history(api, kept))[-1] == "merged"
        assert await history(api, duplicate) == ["created", "merged"]

    async def test_lets_nothing_happen_to_the_merged_record(self, api: httpx.AsyncClient) -> None:
        kept, duplicate = await create(api), await create(api)
        await self.merge(api, duplicate, kept)
        answers = [
            await api.post(f"/ins/identities/{duplicate}/search"),
            await api.post(f"/ins/identities/{duplicate}/evidence", json={"code": "CN"}),
            await api.put(f"/ins/identities/{duplicate}/traits", json=CORRECTED),
            await self.merge(api, kept, duplicate),
        ]
        found = {(answer.status_code, answer.json()["error"]) for answer in answers}
        assert found == {(409, "identity_merged")}
        assert kept in answers[0].json()["detail"]

    async def test_frees_the_ins_of_the_duplicate_for_the_record_that_is_kept(
        self, api: httpx.AsyncClient
    ) -> None:
        kept, duplicate = await create(api), await create(api)
        await api.post(f"/ins/identities/{duplicate}/search")
        await api.post(f"/ins/identities/{kept}/evidence", json={"code": "CN"})
        await self.merge(api, duplicate, kept)
        found = (await api.post(f"/ins/identities/{kept}/search")).json()
        assert found["identity"]["status"] == "qualifiee"

    async def test_refuses_to_lose_the_better_known_identity(self, api: httpx.AsyncClient) -> None:
        answer = await self.merge(api, await qualify(api), await create(api))
        assert (answer.status_code, answer.json()["error"]) == (422, "survivor_less_trusted")

    async def test_refuses_when_each_has_an_ins_of_its_own(self, api: httpx.AsyncClient) -> None:
        adrtrois = {"family_name": "ADRTROIS", "given_names": "DOMINIQUE"}
        other = await create(api, **adrtrois, birth_date="1997-02-26")
        await api.post(f"/ins/identities/{other}/search")
        answer = await self.merge(api, other, await qualify(api))
        assert (answer.status_code, answer.json()["error"]) == (409, "two_ins")

    async def test_refuses_itself_a_fiction_and_a_record_of_another_space(
        self, api: httpx.AsyncClient, mint: TokenMint
    ) -> None:
        one, fiction = await create(api), await create(api)
        await api.post(f"/ins/identities/{fiction}/fictive", json={"reason": "test"})
        elsewhere = await api.post(
            "/ins/identities", json=ZOE, headers=mint.headers("un-autre-espace")
        )
        errors = [
            (await self.merge(api, one, into)).json()["error"]
            for into in (one, fiction, elsewhere.json()["id"])
        ]
        assert errors == ["merge_with_itself", "identity_fictive", "identity_unknown"]

    async def test_ends_when_two_merge_into_each_other_at_once(
        self, api: httpx.AsyncClient
    ) -> None:
        one, other = await create(api), await create(api)
        answers = await asyncio.gather(self.merge(api, one, other), self.merge(api, other, one))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
