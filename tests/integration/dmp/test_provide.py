"""ITI-65: what is accepted, once, and all of it."""

import asyncio

import httpx
import orjson
import pytest
from sqlalchemy import text

from tests.patience import PATIENCE_SECONDS

from .conftest import NOTHING, ONE, Dmp, Start, rules
from .samples import ANNE, LEO, attachment, document, resource, together, with_content


def statuses(response: httpx.Response) -> list[str]:
    return [entry["response"]["status"] for entry in response.json()["entry"]]


class TestDeposit:
    async def test_answers_each_entry_in_order_when_the_document_is_good(self, dmp: Dmp) -> None:
        bundle = document().bundle
        bundle["entry"].reverse()

        response = await dmp.provide(bundle)

        answer = response.json()
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("application/fhir+json")
        assert (answer["resourceType"], answer["type"]) == ("Bundle", "transaction-response")
        assert statuses(response) == ["201 Created"] * 3
        kinds = [entry["response"]["location"].split("/")[0] for entry in answer["entry"]]
        assert kinds == ["Binary", "DocumentReference", "List"]
        assert await dmp.stored() == ONE

    async def test_takes_json_after_a_byte_order_mark(self, dmp: Dmp) -> None:
        """As writers of .NET put it there by default."""
        body = b"\xef\xbb\xbf" + orjson.dumps(document().bundle)
        assert (await dmp.post(body)).status_code == 200

    async def test_tells_the_log_codes_and_no_person_when_it_stores(self, dmp: Dmp) -> None:
        given = document()
        entry = await dmp.deposit(given)

        async with dmp.database.read() as session:
            result = await session.execute(
                text(
                    "SELECT topic, key, value FROM dmp.outbox"
                    " WHERE convert_from(value, 'UTF8')::jsonb ->> 'space' = :space"
                ),
                {"space": dmp.space},
            )
            row = result.one()
        event = orjson.loads(row.value)
        assert (event["type"], row.topic) == ("dmp.document.registered.v1", "socle.dmp.documents")
        assert event["subject"] == row.key == event["data"]["patient"]
        assert event["data"]["entry_id"] == event["data"]["logical_id"] == entry
        assert event["data"]["unique_id"] == given.unique_id
        assert event["data"]["author"] == {
            "structure": {"kind": "finess", "number": "1B0064166"},
            "professional": "899700427885",
        }
        assert (event["data"]["level"], event["data"]["type_code"]) == ("N3", "11502-2")
        for personal in (ANNE.matricule, "EXEMPLE", "CAMILLE", "DOC0042788"):
            assert personal.encode() not in row.value

    async def test_warns_and_accepts_when_an_element_that_nobody_sends_is_absent(
        self, dmp: Dmp
    ) -> None:
        bundle = document().bundle
        del resource(bundle, "DocumentReference")["custodian"]

        response = await dmp.provide(bundle)

        outcome = response.json()["entry"][1]["response"]["outcome"]
        codes = {issue["details"]["coding"][-1]["code"] for issue in outcome["issue"]}
        assert response.status_code == 200
        assert codes == {"PDSM-CUSTODIAN"}

    async def test_accepts_at_the_space_s_own_path_when_the_token_is_of_it(self, dmp: Dmp) -> None:
        response = await dmp.http.post(
            f"/s/{dmp.space}/dmp/fhir", json=document().bundle, headers=dmp.headers
        )
        assert response.status_code == 200

    async def test_refuses_with_415_when_the_body_is_called_turtle(self, dmp: Dmp) -> None:
        response = await dmp.post(b"[] a fhir:Bundle .", **{"Content-Type": "text/turtle"})

        assert response.status_code == 415
        assert rules(response).keys() == {"media_type"}


class TestAgain:
    async def test_answers_the_same_and_stores_one_when_sent_twice(self, dmp: Dmp) -> None:
        bundle = document().bundle
        first = await dmp.provide(bundle)
        second = await dmp.provide(bundle)

        assert (first.status_code, second.status_code) == (200, 200)
        assert second.content == first.content
        assert await dmp.stored() == ONE

    async def test_answers_the_same_when_other_identifiers_wrap_the_same_document(
        self, dmp: Dmp
    ) -> None:
        given = document()
        first = await dmp.provide(given.bundle)
        second = await dmp.provide(given.bundle)  # fresh fullUrls, as a client that lost its state

        assert second.content == first.content
        assert await dmp.stored() == ONE

    async def test_stores_one_when_twenty_arrive_at_once(self, dmp: Dmp) -> None:
        bundle = document().bundle
        answers = await asyncio.gather(*(dmp.provide(bundle) for _ in range(20)))

        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        assert await dmp.stored() == ONE

    async def test_refuses_and_keeps_the_first_when_the_bytes_differ(self, dmp: Dmp) -> None:
        given = document(seed=1)
        entry = await dmp.deposit(given)
        other = document(seed=2, unique_id=given.unique_id)

        response = await dmp.provide(other.bundle)

        assert response.status_code == 409
        assert rules(response) == {"XDSNonIdenticalHash": "/ClinicalDocument/id"}
        assert (await dmp.get(f"/Binary/{entry}")).content == given.content
        assert await dmp.stored() == ONE

    async def test_stores_one_in_each_space_when_two_spaces_hold_the_same_document(
        self, dmp: Dmp, neighbour: Dmp
    ) -> None:
        given = document()
        first, second = await dmp.deposit(given), await neighbour.deposit(given)

        assert first != second
        assert await dmp.stored() == await neighbour.stored() == ONE


class TestSeveralDocuments:
    async def test_stores_all_in_one_set_when_all_are_good(self, dmp: Dmp) -> None:
        bundle = together([document().bundle, document().bundle])
        response = await dmp.provide(bundle)

        assert statuses(response) == ["201 Created"] * 5
        assert await dmp.stored() == {"document": 2, "body": 2, "submission_set": 1, "outbox": 2}

    async def test_answers_the_same_when_the_whole_submission_is_repeated(self, dmp: Dmp) -> None:
        bundle = together([document().bundle, document().bundle])
        first = await dmp.provide(bundle)
        second = await dmp.provide(bundle)

        assert (second.status_code, second.content) == (200, first.content)
        assert (await dmp.stored())["outbox"] == 2

    async def test_stores_none_when_one_is_bad(self, dmp: Dmp) -> None:
        bad = document().bundle
        attachment(bad)["size"] = 1
        response = await dmp.provide(together([document().bundle, bad]))

        assert response.status_code == 422
        assert rules(response) == {
            "PDSM-SIZE": "Bundle.entry[3].resource.content[0].attachment.size"
        }
        assert await dmp.stored() == NOTHING

    async def test_stores_none_when_some_are_registered_already(self, dmp: Dmp) -> None:
        old = document()
        await dmp.deposit(old)
        response = await dmp.provide(together([document().bundle, old.bundle]))

        assert response.status_code == 409
        assert rules(response) == {"XDSDuplicateUniqueIdInRegistry": "Bundle.entry"}
        assert await dmp.stored() == ONE

    async def test_refuses_when_one_document_comes_twice(self, dmp: Dmp) -> None:
        given = document()
        response = await dmp.provide(together([given.bundle, given.bundle]))

        assert response.status_code == 422
        assert rules(response) == {
            "XDSRegistryDuplicateUniqueIdInMessage": "Bundle.entry[3].resource.masterIdentifier"
        }
        assert await dmp.stored() == NOTHING

    async def test_refuses_when_they_are_of_two_patients(self, dmp: Dmp) -> None:
        await dmp.say(LEO)
        response = await dmp.provide(together([document().bundle, document(LEO).bundle]))

        assert response.status_code == 422
        assert rules(response) == {"XDSPatientIdDoesNotMatch": "Bundle.entry"}
        assert await dmp.stored() == NOTHING


class TestPatient:
    async def test_refuses_when_ins_does_not_know_the_patient(
        self, start: Start, ins_url: str
    ) -> None:
        dmp = await start(ins_url=ins_url)
        response = await dmp.provide(document(LEO).bundle)

        assert response.status_code == 422
        assert rules(response) == {
            "DMP-INS-QUALIFIED": "/ClinicalDocument/recordTarget/patientRole/id"
        }
        assert await dmp.stored() == NOTHING

    async def test_asks_ins_and_accepts_when_the_event_is_still_under_way(
        self, start: Start, ins_url: str
    ) -> None:
        dmp = await start(ins_url=ins_url)
        async with httpx.AsyncClient(base_url=ins_url, timeout=PATIENCE_SECONDS) as ins:
            made = await ins.post(
                f"/s/{dmp.space}/_sandbox/ins/people",
                json={
                    "family_name": "EXEMPLE", "given_names": "CAMILLE", "sex": "F",
                    "birth_date": "1979-03-28", "birth_place": "51215",
                    "oid": ANNE.oid, "matricule": ANNE.with_key, "qualified": True,
                },
            )  # fmt: skip
        assert made.status_code == 201, made.text

        response = await dmp.provide(document().bundle)

        assert response.status_code == 200, response.text
        assert await dmp.stored() == ONE

    async def test_refuses_when_the_patient_is_known_and_not_qualified(
        self, start: Start, ins_url: str
    ) -> None:
        dmp = await start(ins_url=ins_url)
        await dmp.say(qualified=False)
        response = await dmp.provide(document().bundle)

        assert response.status_code == 422
        assert "PROV" in response.json()["issue"][0]["details"]["text"]
        assert await dmp.stored() == NOTHING

    async def test_refuses_new_documents_when_the_patient_is_disqualified_later(
        self, start: Start, ins_url: str
    ) -> None:
        dmp = await start(ins_url=ins_url)
        await dmp.say()
        bundle = document().bundle
        accepted = await dmp.provide(bundle)
        await dmp.say(qualified=False)

        refused = await dmp.provide(document().bundle)
        repeated = await dmp.provide(bundle)

        assert refused.status_code == 422
        # What was registered stays so: a client that lost its answer must get it.
        assert repeated.content == accepted.content
        assert await dmp.stored() == ONE

    async def test_answers_503_when_ins_is_silent(self, start: Start) -> None:
        dmp = await start()
        response = await dmp.provide(document().bundle)

        assert response.status_code == 503
        assert response.headers["retry-after"] == "2"
        assert rules(response).keys() == {"ins_unavailable"}
        assert await dmp.stored() == NOTHING


class TestUnknownType:
    CHANGED = ('code="11502-2"', 'code="99999-9"')

    async def test_refuses_by_default(self, dmp: Dmp) -> None:
        given = document()
        bundle = with_content(given.bundle, given.changed(*self.CHANGED))
        resource(bundle, "DocumentReference")["type"]["coding"][0]["code"] = "99999-9"

        response = await dmp.provide(bundle)

        assert response.status_code == 422
        assert rules(response) == {"CDA-HDR-code-unlisted": "/ClinicalDocument/code/@code"}
        assert await dmp.stored() == NOTHING

    async def test_warns_and_accepts_when_told_to(self, start: Start) -> None:
        dmp = await start(dmp_unknown_types="warn")
        await dmp.say()
        given = document()
        bundle = with_content(given.bundle, given.changed(*self.CHANGED))
        resource(bundle, "DocumentReference")["type"]["coding"][0]["code"] = "99999-9"

        response = await dmp.provide(bundle)

        assert response.status_code == 200, response.text
        issues = response.json()["entry"][1]["response"]["outcome"]["issue"]
        assert {"CDA-HDR-code-unlisted"} == {i["details"]["coding"][-1]["code"] for i in issues}


@pytest.mark.parametrize("address", ["/dmp/fhir", "/dmp/fhir/"])
async def test_serves_the_base_with_and_without_a_slash_when_posted_to(
    dmp: Dmp, address: str
) -> None:
    response = await dmp.http.post(address, json=document().bundle, headers=dmp.headers)
    assert response.status_code == 200
