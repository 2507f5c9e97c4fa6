"""The patient's side of a record: seeing, hiding, adding, blocking, consenting, closing."""

import base64
from typing import Any

import httpx
import pytest

from .conftest import Dmp, ids_of, rules
from .samples import ANNE, document, with_content
from .test_documents import page
from .test_patch import HIDDEN, MASKED, NORMAL, patch, replaces
from .test_patients import authorize
from .test_rights import OTHER, by_soap
from .xds import post, retrieval

PDF = b"%PDF-1.4 mon document"


async def play(dmp: Dmp, what: str, **values: Any) -> httpx.Response:
    body = {"oid": ANNE.oid, "matricule": ANNE.with_key, **values}
    return await dmp.http.post(f"/s/{dmp.space}/_sandbox/dmp/patient/{what}", json=body)


async def seen(dmp: Dmp, **values: Any) -> list[dict[str, Any]]:
    response = await play(dmp, "documents", **values)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()
    return found


async def upload(dmp: Dmp, **changes: Any) -> httpx.Response:
    values = {"type": "DOCPAT03", "title": "Mes notes", "mime": "application/pdf",
              "data": base64.b64encode(PDF).decode(), **changes}  # fmt: skip
    return await play(dmp, "documents/add", **values)


async def actions(dmp: Dmp) -> list[tuple[str, str]]:
    traces = (await play(dmp, "history")).json()["traces"]
    return [(one["actor"], one["action"]) for one in traces]


class TestSeeing:
    async def test_shows_what_professionals_deposited(self, dmp: Dmp) -> None:
        given = document()
        entry = await dmp.deposit(given)
        [found] = await seen(dmp)
        assert (found["id"], found["type"], found["confidentiality"]) == (entry, "11502-2", ["N"])
        assert (found["canOwnerDelete"], found["canUpdateConfidentialityOnly"]) == (False, True)
        read = (await play(dmp, "documents/read", id=entry)).json()
        assert base64.b64decode(read["data"]) == given.content

    async def test_waits_for_what_has_to_be_announced(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        await patch(dmp, entry, replaces("/securityLabel/0", HIDDEN))
        assert await seen(dmp) == []
        assert (await play(dmp, "documents/read", id=entry)).status_code == 404
        assert ids_of((await dmp.find()).json()) == [entry]  # professionals read it (§1.9)
        await patch(dmp, entry, replaces("/securityLabel/0", NORMAL))
        assert len(await seen(dmp)) == 1

    async def test_hides_from_the_representatives_of_a_minor(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        codes = ["INVISIBLE_REPRESENTANTS_LEGAUX"]
        assert (await play(dmp, "documents/visibility", id=entry, codes=codes)).status_code == 200
        assert await seen(dmp, representative=True) == []
        refused = await play(dmp, "documents/read", id=entry, representative=True)
        assert refused.status_code == 404
        assert len(await seen(dmp)) == 1

    async def test_leaves_out_what_was_deleted_or_replaced(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        await patch(dmp, entry, replaces("/status", "entered-in-error"))
        assert await seen(dmp) == []


class TestHiding:
    async def test_masks_for_professionals_and_shows_again(self, dmp: Dmp, colleague: Dmp) -> None:
        entry = await dmp.deposit(document())
        masked = await play(dmp, "documents/visibility", id=entry, codes=["MASQUE_PS"])
        assert masked.json()[0]["confidentiality"] == ["N", "MASQUE_PS"]
        assert ids_of((await colleague.find()).json()) == []
        assert ids_of((await dmp.find()).json()) == [entry]  # its author
        await play(dmp, "documents/visibility", id=entry, codes=["N"])
        assert ids_of((await colleague.find()).json()) == [entry]
        kinds = [event["type"].split(".")[2] for event in await dmp.told()]
        assert kinds == ["registered", "visibility_changed", "visibility_changed"]

    @pytest.mark.parametrize("code", ["INVISIBLE_PATIENT", "R", "x"])
    async def test_is_not_about_other_codes(self, dmp: Dmp, code: str) -> None:
        entry = await dmp.deposit(document())
        assert (await play(dmp, "documents/visibility", id=entry, codes=[code])).status_code == 400


class TestAdding:
    async def test_gives_professionals_a_document_of_the_patients(
        self, dmp: Dmp, colleague: Dmp
    ) -> None:
        response = await upload(dmp)
        assert response.status_code == 201, response.text
        entry = response.json()["id"]
        [found] = await seen(dmp)
        assert (found["id"], found["title"], found["canOwnerDelete"]) == (entry, "Mes notes", True)
        listed = (await colleague.find(("category", "90"))).json()
        assert ids_of(listed) == [entry]
        assert listed["entry"][0]["resource"]["type"]["coding"][0]["code"] == "DOCPAT03"
        shown = await dmp.http.get(page(dmp, entry))
        assert base64.b64encode(PDF).decode() in shown.text
        answer = await by_soap(colleague)
        assert len(answer.ids("ExtrinsicObject")) == 1

    async def test_is_changed_by_the_patient_and_the_treating_doctor_only(
        self, dmp: Dmp, colleague: Dmp
    ) -> None:
        entry = (await upload(dmp)).json()["id"]
        mask = replaces("/securityLabel/0", MASKED)
        assert (await patch(dmp, entry, mask)).status_code == 403
        gone = await patch(dmp, entry, replaces("/status", "entered-in-error"))
        assert gone.status_code == 403
        await authorize(colleague, role="MEDECIN_TRAITANT")
        assert (await patch(colleague, entry, mask)).status_code == 200

    async def test_is_deleted_by_the_patient_and_nothing_else_is(self, dmp: Dmp) -> None:
        theirs = await dmp.deposit(document())
        own = (await upload(dmp)).json()["id"]
        refused = await play(dmp, "documents/delete", ids=[own, theirs])
        assert refused.status_code == 403
        assert len(await seen(dmp)) == 2
        assert (await play(dmp, "documents/delete", ids=[own])).status_code == 204
        assert [one["id"] for one in await seen(dmp)] == [theirs]
        assert (await play(dmp, "documents/delete", ids=[own] * 11)).status_code == 400

    @pytest.mark.parametrize(
        ("changes", "status"),
        [({"type": "11502-2"}, 400), ({"mime": "text/html"}, 400), ({"data": "?"}, 400), ({"data": ""}, 400),
         ({"title": ""}, 400), ({"title": "a\x01"}, 400), ({"codes": ["INVISIBLE_PATIENT"]}, 400),
         ({"data": base64.b64encode(b"x" * 5_000_001).decode()}, 413),
         ({"title": '<b>"&', "mime": "text/plain"}, 201)],
    )  # fmt: skip
    async def test_has_the_limits_of_the_application(
        self, dmp: Dmp, changes: dict[str, Any], status: int
    ) -> None:
        assert (await upload(dmp, **changes)).status_code == status


class TestDeciding:
    async def test_blocks_and_unblocks_a_professional(self, dmp: Dmp, colleague: Dmp) -> None:
        await dmp.deposit(document())
        assert (await play(dmp, "blocked", professional=OTHER)).status_code == 204
        assert rules(await colleague.find()) == {"DMP-ACCESS-BLOCKED": "patient"}
        await play(dmp, "blocked", professional=OTHER, blocked=False)
        assert (await colleague.find()).status_code == 200
        assert (await play(dmp, "blocked", professional=OTHER, blocked=False)).status_code == 204

    async def test_consents_to_emergencies_one_by_one(self, dmp: Dmp, colleague: Dmp) -> None:
        entry = await dmp.deposit(document())
        await play(dmp, "documents/visibility", id=entry, codes=["MASQUE_PS"])
        denied = (await play(dmp, "consents", ETREAT="deny")).json()
        assert (denied["opposes_emergency"], denied["opposes_break_glass"]) == (True, False)
        assert (await by_soap(colleague, "centre_15")).rules == {"DMP-ACCESS-OPPOSED"}
        await play(dmp, "consents", MASKED="permit")
        assert len((await by_soap(colleague, "bris_de_glace")).ids("ExtrinsicObject")) == 1
        await play(dmp, "consents", BTG="deny", ETREAT="permit")
        assert (await by_soap(colleague, "bris_de_glace")).rules == {"DMP-ACCESS-OPPOSED"}
        assert len((await by_soap(colleague, "centre_15")).ids("ExtrinsicObject")) == 1

    async def test_closes_and_reopens_the_record(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        assert (await play(dmp, "close")).json()["status"] == "terminated"
        assert rules(await dmp.find()) == {"DMP-ACCESS-CLOSED": "patient"}
        assert (await play(dmp, "reopen")).json()["status"] == "active"
        assert ids_of((await dmp.find()).json()) == [entry]

    async def test_needs_a_record(self, start: Any, ins_url: str) -> None:
        dmp = await start(ins_url=ins_url)
        for what in ("close", "consents"):
            assert (await play(dmp, what)).status_code == 404


class TestHistory:
    async def test_tells_who_read_and_what_the_patient_did(self, dmp: Dmp, colleague: Dmp) -> None:
        given = document()
        entry = await dmp.deposit(given)
        await authorize(colleague)
        await colleague.get(f"/Binary/{entry}")
        await post(dmp.http, "repository", retrieval(given.unique_id), dmp.headers)
        await play(dmp, "documents/visibility", id=entry, codes=["MASQUE_PS"])
        await play(dmp, "blocked", professional=OTHER)
        await colleague.get(f"/Binary/{entry}")  # not shown to them any more: nothing was read
        assert await actions(dmp) == [
            ("PATIENT", "professional_blocked"),
            ("PATIENT", "visibility_changed"),
            ("899700427885", "consulted"),
            (OTHER, "consulted"),
            (OTHER, "authorized"),
        ]
        told = [event for event in await dmp.told() if event["type"].split(".")[2] == "consulted"]
        assert [one["data"]["door"] for one in told] == ["fhir", "xds"]
        assert OTHER not in str(told)

    async def test_comes_page_by_page(self, dmp: Dmp) -> None:
        for number in range(103):
            await play(dmp, "blocked", professional=str(number))
        first = (await play(dmp, "history")).json()
        assert (len(first["traces"]), first["next"]) == (100, first["traces"][-1]["id"])
        rest = (await play(dmp, "history", before=first["next"])).json()
        assert (len(rest["traces"]), rest["next"]) == (3, None)


class TestRefusals:
    async def test_are_told_as_events(self, dmp: Dmp) -> None:
        given = document()
        bundle = given.bundle
        bundle["entry"][1]["resource"]["content"][0]["attachment"]["size"] = 1
        assert (await dmp.provide(bundle)).status_code == 422
        [event] = await dmp.told()
        assert event["type"] == "dmp.document.refused.v1"
        assert event["data"]["rules"] == ["PDSM-SIZE"]
        assert event["data"]["unique_ids"] == [given.unique_id]
        assert event["data"]["patient"] == event["subject"]
        assert event["data"]["structure"] == {"kind": "finess", "number": "1B0064166"}
        assert event["data"]["documents"] == 1

    async def test_name_the_author_of_a_header_that_is_wrong(self, dmp: Dmp) -> None:
        """Most refusals: nothing could be described of the document, and it has an author."""
        given = document()
        bundle = with_content(
            given.bundle,
            given.content.replace(b"<title>", b"<titel>", 1).replace(b"</title>", b"</titel>", 1),
        )
        assert (await dmp.provide(bundle)).status_code == 422
        [event] = await dmp.told()
        data = event["data"]
        assert data["rules"]
        assert (data["unique_ids"], data["type_codes"]) == ([given.unique_id], ["11502-2"])
        assert data["structure"] == {"kind": "finess", "number": "1B0064166"}
        assert data["professional"].startswith("8")

    async def test_name_who_sent_what_cannot_be_read(self, dmp: Dmp) -> None:
        bundle = with_content(document().bundle, b"<ClinicalDocument")
        assert (await dmp.provide(bundle)).status_code == 422
        [event] = await dmp.told()
        assert (event["data"]["structure"], event["data"]["documents"]) == (None, 1)
        assert event["data"]["professional"].startswith("8")

    async def test_of_what_cannot_be_read_name_nobody(self, dmp: Dmp) -> None:
        assert (await dmp.provide({"resourceType": "Bundle", "type": "x"})).status_code == 400
        [event] = await dmp.told()
        assert (event["subject"], event["data"]["patient"]) == ("unknown", None)
        assert (await dmp.post(b"{")).status_code == 400  # no submission at all
        assert len(await dmp.told()) == 1
