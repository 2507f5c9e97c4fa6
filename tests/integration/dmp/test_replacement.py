"""Replacement: a document takes another's place, once, whichever door either came through."""

import asyncio
from typing import Any

import pytest

from socle.xds import names

from .conftest import Dmp, ids_of, rules
from .samples import LEO, Document, document, resource
from .test_xds_read import ask, deposit, find
from .xds import GET_DOCUMENTS, NS, Answer, Lot, post, query

UNKNOWN = "urn:uuid:01936a5c-7a10-7c3e-9b52-4f1d2c3b5a69"
WHERE = "Association[Relation0]"


async def provide(dmp: Dmp, lot: Lot) -> Answer:
    return await post(dmp.http, "repository", lot.message(), dmp.headers)


def replacing(entry: str, **values: Any) -> Lot:
    return Lot(relations=[(names.REPLACES, entry)], **values)


async def status_of(dmp: Dmp, entry: str) -> str:
    answer = await ask(dmp, query(GET_DOCUMENTS, ("$XDSDocumentEntryEntryUUID", f"('{entry}')")))
    [element] = answer.root.iterfind(".//rim:ExtrinsicObject", NS)
    return element.get("status", "").rpartition(":")[2]


class TestBySoap:
    async def test_deprecates_the_old_and_shows_the_new(self, dmp: Dmp) -> None:
        [old] = await deposit(dmp, Lot())
        [new] = await deposit(dmp, replacing(old))
        assert await find(dmp) == [new]
        assert (await status_of(dmp, old), await status_of(dmp, new)) == ("Deprecated", "Approved")

    async def test_is_shown_by_fhir(self, dmp: Dmp) -> None:
        [old] = await deposit(dmp, Lot())
        [new] = await deposit(dmp, replacing(old))
        first = (await dmp.get(f"/DocumentReference/{old.rpartition(':')[2]}")).json()
        second = (await dmp.get(f"/DocumentReference/{new.rpartition(':')[2]}")).json()
        assert (first["status"], second["status"]) == ("superseded", "current")
        [relation] = second["relatesTo"]
        assert relation["code"] == "replaces"
        assert relation["target"]["reference"] == f"DocumentReference/{first['id']}"
        assert first["meta"]["versionId"] == "2"

    async def test_is_told_once_with_the_chain_of_both(self, dmp: Dmp) -> None:
        [old] = await deposit(dmp, Lot())
        [new] = await deposit(dmp, replacing(old))
        first, second, replaced = await dmp.told()
        assert {one["data"]["chain_id"] for one in (first, second, replaced)} == {
            old.rpartition(":")[2]
        }
        assert replaced["type"] == "dmp.document.replaced.v1"
        assert replaced["data"]["replaced_by"]["entry_id"] == new.rpartition(":")[2]

    async def test_is_the_same_when_it_comes_again(self, dmp: Dmp) -> None:
        [old] = await deposit(dmp, Lot())
        lot = replacing(old)
        assert [(await provide(dmp, lot)).status for _ in range(3)] == ["Success"] * 3
        assert len(await dmp.told()) == 3

    async def test_goes_on_along_a_chain(self, dmp: Dmp) -> None:
        [first] = await deposit(dmp, Lot())
        [second] = await deposit(dmp, replacing(first))
        [third] = await deposit(dmp, replacing(second))
        assert await find(dmp) == [third]
        assert len({one["data"]["chain_id"] for one in await dmp.told()}) == 1

    async def test_leaves_the_old_current_when_it_only_adds_to_it(self, dmp: Dmp) -> None:
        [old] = await deposit(dmp, Lot())
        [new] = await deposit(dmp, Lot(relations=[(names.APPENDS, old)]))
        assert sorted(await find(dmp)) == sorted([old, new])

    async def test_is_won_by_one_when_many_race(self, dmp: Dmp) -> None:
        [old] = await deposit(dmp, Lot())
        answers = await asyncio.gather(*(provide(dmp, replacing(old)) for _ in range(6)))
        won = [one for one in answers if one.status == "Success"]
        lost = [one.errors for one in answers if one.status == "Failure"]
        assert (len(won), len(lost)) == (1, 5)
        assert all(one == {WHERE: "XDSRegistryDeprecatedDocumentError"} for one in lost)
        assert len(await find(dmp)) == 1
        assert (await dmp.stored())["document"] == 2

    async def test_refuses_what_was_replaced_already(self, dmp: Dmp) -> None:
        [old] = await deposit(dmp, Lot())
        await deposit(dmp, replacing(old))
        before = await dmp.stored()
        answer = await provide(dmp, replacing(old))
        assert answer.errors == {WHERE: "XDSRegistryDeprecatedDocumentError"}
        assert await dmp.stored() == before

    @pytest.mark.parametrize(
        ("target", "where"),
        [(UNKNOWN, WHERE), ("2.25.1234", f"{WHERE}/@targetObject")],
    )
    async def test_refuses_what_is_not_registered(self, dmp: Dmp, target: str, where: str) -> None:
        answer = await provide(dmp, replacing(target))
        assert answer.errors == {where: "XDSReplaceFailed"}

    async def test_refuses_the_document_of_another_space(self, dmp: Dmp, neighbour: Dmp) -> None:
        [old] = await deposit(neighbour, Lot())
        assert (await provide(dmp, replacing(old))).errors == {WHERE: "XDSReplaceFailed"}

    async def test_refuses_the_document_of_another_patient(self, dmp: Dmp) -> None:
        await dmp.say(LEO)
        [old] = await deposit(dmp, Lot())
        other = replacing(old, documents=[document(LEO)], patient_id=LEO.cx)
        assert (await provide(dmp, other)).errors == {WHERE: "XDSPatientIdDoesNotMatch"}
        assert await status_of(dmp, old) == "Approved"


class TestByFhir:
    def bundle(self, target: dict[str, Any], patched: str = "") -> tuple[Document, dict[str, Any]]:
        given = document()
        bundle = given.bundle
        resource(bundle, "DocumentReference")["relatesTo"] = [
            {"code": "replaces", "target": target}
        ]
        if patched:
            parts = [
                {"name": "type", "valueCode": "replace"},
                {"name": "path", "valueString": "DocumentReference.status"},
                {"name": "value", "valueCode": "superseded"},
            ]
            bundle["entry"].append(
                {
                    "resource": {
                        "resourceType": "Parameters",
                        "parameter": [{"name": "operation", "part": parts}],
                    },
                    "request": {"method": "PATCH", "url": patched},
                }
            )
        return given, bundle

    async def test_replaces_what_came_by_soap(self, dmp: Dmp) -> None:
        given = document()
        [old] = await deposit(dmp, Lot([given]))
        identifier = {"system": "urn:ietf:rfc:3986", "value": f"urn:oid:{given.unique_id}"}
        _, bundle = self.bundle({"identifier": identifier})
        answer = await dmp.provide(bundle)
        assert answer.status_code == 200, answer.text
        assert await status_of(dmp, old) == "Deprecated"

    async def test_takes_the_patch_of_the_guide_with_it(self, dmp: Dmp) -> None:
        """PDSm4DMP TD2.1b sends both."""
        old = await dmp.deposit(document())
        url = f"DocumentReference/{old}"
        _, bundle = self.bundle({"reference": url}, url)
        answer = await dmp.provide(bundle)
        assert [one["response"]["status"] for one in answer.json()["entry"]] == [
            "201 Created", "201 Created", "201 Created", "200 OK",
        ]  # fmt: skip
        current = ids_of((await dmp.find(("status", "current"))).json())
        assert current != [old]
        assert ids_of((await dmp.find(("status", "superseded"))).json()) == [old]

    async def test_refuses_a_patch_of_another_document(self, dmp: Dmp) -> None:
        old, other = await dmp.deposit(document()), await dmp.deposit(document())
        _, bundle = self.bundle(
            {"reference": f"DocumentReference/{old}"}, f"DocumentReference/{other}"
        )
        answer = await dmp.provide(bundle)
        assert rules(answer) == {"MHD-PATCH": "Bundle.entry[3].resource"}
        assert (await dmp.stored())["document"] == 2

    async def test_refuses_a_target_that_is_not_registered(self, dmp: Dmp) -> None:
        _, bundle = self.bundle({"reference": "DocumentReference/42"})
        answer = await dmp.provide(bundle)
        assert answer.status_code == 422
        assert rules(answer) == {"XDSReplaceFailed": "Bundle.entry[1].resource.relatesTo[0]"}
        assert [event["type"] for event in await dmp.told()] == ["dmp.document.refused.v1"]


@pytest.mark.parametrize(
    "target", [{"reference": "DocumentReference/a\0b"}, {"identifier": {"value": "a\0b"}}]
)
async def test_a_target_that_no_registry_can_look_for_is_refused(
    dmp: Dmp, target: dict[str, Any]
) -> None:
    bundle = document().bundle
    resource(bundle, "DocumentReference")["relatesTo"] = [{"code": "replaces", "target": target}]
    response = await dmp.provide(bundle)
    assert response.status_code == 422
    assert "MHD-RELATESTO" in rules(response)
