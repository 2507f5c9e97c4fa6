"""Folders of FHIR: Lists of code `folder`, which either door writes and both read."""

from typing import Any

import httpx
import pytest

from services.dmp.fhir.bundle import LIST_TYPES
from services.dmp.fhir.folders import DESIGNATION
from socle.idgen import oid_from_uuid, random_uuid

from .conftest import FHIR, FHIR_JSON, Dmp, rules
from .samples import ANNE, LEO, document, resource
from .test_folders import (
    ASSOCIATIONS,
    CODE,
    GET_FOLDERS,
    SET_CONTENTS,
    FolderLot,
    ask,
    contents,
    provide,
    stored,
)
from .test_patch import MASKED, patch, replaces
from .test_patient_side import play
from .test_patients import set_record
from .test_rights import OTHER
from .test_sets import lists, members, search
from .xds import NS

DIABETES = {"system": "http://snomed.info/sct", "code": "80146002", "display": "Appendectomy"}
FOLDER = ("code", "folder")


def with_folder(bundle: dict[str, Any], *registered: str, **changes: Any) -> dict[str, Any]:
    """The bundle and a folder that holds its document, and `registered` ones by id."""
    new = next(
        one["fullUrl"]
        for one in bundle["entry"]
        if one["resource"]["resourceType"] == "DocumentReference"
    )
    references = [new, *(f"DocumentReference/{one}" for one in registered)]
    folder = {
        "resourceType": "List",
        "extension": [{"url": DESIGNATION, "valueCodeableConcept": {"coding": [DIABETES]}}],
        "identifier": [
            {"use": "usual", "system": "urn:ietf:rfc:3986",
             "value": f"urn:oid:{oid_from_uuid(random_uuid())}"}
        ],
        "status": "current",
        "mode": "working",
        "title": "Suivi",
        "code": {"coding": [{"system": LIST_TYPES, "code": "folder"}]},
        "subject": resource(bundle, "List")["subject"],
        "date": "2026-03-01T10:00:00+01:00",
        "note": [{"text": "Un classeur"}],
        "entry": [{"item": {"reference": one}} for one in references],
        **changes,
    }  # fmt: skip
    url = f"urn:uuid:{random_uuid()}"
    bundle["entry"].append(
        {"fullUrl": url, "resource": folder, "request": {"method": "POST", "url": "List"}}
    )
    resource(bundle, "List")["entry"].append({"item": {"reference": url}})
    return bundle


def location(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    kind, folder, _, version = response.json()["entry"][-1]["response"]["location"].split("/")
    assert (kind, version) == ("List", "1")
    return str(folder)


async def folders(dmp: Dmp, *parameters: tuple[str, str]) -> list[dict[str, Any]]:
    whose = ("patient.identifier", f"urn:oid:{ANNE.oid}|{ANNE.with_key}")
    return lists(await search(dmp, whose, *parameters))


class TestProvide:
    async def test_is_given_back_as_it_was_sent(self, dmp: Dmp) -> None:
        bundle = with_folder(document().bundle)
        folder = location(await dmp.provide(bundle))
        [found] = await folders(dmp, FOLDER)
        sent = bundle["entry"][-1]["resource"]
        kept = ("title", "note", "subject", "code", "status", "mode")
        assert {name: found[name] for name in kept} == {name: sent[name] for name in kept}
        assert found["id"] == folder
        assert found["extension"][0] == sent["extension"][0]
        assert found["identifier"][0] == sent["identifier"][0]
        assert len(members(found)) == 1
        response = await dmp.get(f"/List/{folder}")
        assert response.json() == found
        assert response.headers["etag"] == 'W/"1"'

    @pytest.mark.parametrize("identifier", [[{"value": "urn:oid:1.2.3.4"}], []])
    async def test_the_same_bundle_twice_is_one_folder(
        self, dmp: Dmp, identifier: list[dict[str, str]]
    ) -> None:
        bundle = with_folder(document().bundle, identifier=identifier)
        assert location(await dmp.provide(bundle)) == location(await dmp.provide(bundle))
        assert len(await folders(dmp, FOLDER)) == 1

    async def test_soap_reads_it(self, dmp: Dmp) -> None:
        first = await dmp.deposit(document())
        given = document(seed=1)
        folder = location(await dmp.provide(with_folder(given.bundle, first)))
        assert len(await contents(dmp, f"urn:uuid:{folder}")) == 2
        slot = ("$XDSFolderEntryUUID", f"('urn:uuid:{folder}')")
        answer = await ask(dmp, GET_FOLDERS, slot)
        codes = answer.root.iterfind(".//rim:Classification[@nodeRepresentation]", NS)
        assert [one.get("nodeRepresentation") for one in codes] == [DIABETES["code"]]

    @pytest.mark.parametrize(
        ("changes", "rule"),
        [
            ({"entry": [{"item": {"reference": "Patient/1"}}]}, "MHD-FOLDER-ENTRY"),
            ({"entry": [{"item": {"reference": "DocumentReference/1"}}]},
             "XDSRegistryMetadataError"),
            ({"entry": [{"item": {"reference": "DocumentReference/a\0b"}}]}, "MHD-FOLDER-ENTRY"),
            ({"subject": {"identifier": LEO.fhir_identifier}}, "XDSPatientIdDoesNotMatch"),
            ({"extension": "x"}, "FHIR-SHAPE"),
            ({"note": ["x"]}, "FHIR-SHAPE"),
            ({"title": "a\0b"}, "FHIR-STRING"),
            ({"identifier": [{"value": "1." * 80 + "1"}]}, "XDSRepositoryMetadataError"),
        ],
    )  # fmt: skip
    async def test_stores_nothing_where_the_folder_is_wrong(
        self, dmp: Dmp, changes: dict[str, Any], rule: str
    ) -> None:
        response = await dmp.provide(with_folder(document().bundle, **changes))
        assert rule in rules(response), response.text
        assert await folders(dmp) == []

    async def test_bounds_how_many_documents_it_names(self, dmp: Dmp) -> None:
        bundle = with_folder(document().bundle, *(str(number) for number in range(1001)))
        assert rules(await dmp.provide(bundle)).keys() == {"DMP-SUBMISSION-SIZE"}

    async def test_names_what_the_profile_asks_for(self, dmp: Dmp) -> None:
        bundle = with_folder(document().bundle, extension=[], date="")
        headers = {**dmp.headers, **FHIR_JSON, "Prefer": "handling=strict"}
        response = await dmp.http.post(FHIR, json=bundle, headers=headers)
        assert {"PDSM-FOLDER-DESIGNATIONTYPE", "PDSM-FOLDER-DATE"} <= {*rules(response)}

    async def test_the_set_names_the_folder(self, dmp: Dmp) -> None:
        bundle = with_folder(document().bundle)
        resource(bundle, "List")["entry"].pop()
        assert "MHD-LIST-ENTRY" in rules(await dmp.provide(bundle))

    async def test_takes_no_document_that_its_sender_may_not_see(
        self, dmp: Dmp, colleague: Dmp
    ) -> None:
        entry = await dmp.deposit(document())
        await patch(dmp, entry, replaces("/securityLabel/0", MASKED))
        response = await colleague.provide(with_folder(document(seed=1).bundle, entry))
        assert "XDSRegistryMetadataError" in rules(response)


class TestFind:
    async def test_shows_what_soap_made(self, dmp: Dmp) -> None:
        lot = FolderLot()
        folder = await stored(dmp, lot)
        [found] = await folders(dmp, FOLDER)
        assert f"urn:uuid:{found['id']}" == folder
        assert found["title"] == "Grossesse 2026"
        assert found["identifier"][0]["value"] == f"urn:oid:{lot.folder_unique_id}"
        assert found["subject"]["identifier"]["value"] == ANNE.with_key
        [coding] = found["extension"][0]["valueCodeableConcept"]["coding"]
        assert (coding["code"], coding["display"]) == (CODE.code, CODE.display)

    async def test_what_is_added_makes_a_new_version(self, dmp: Dmp) -> None:
        folder = await stored(dmp, FolderLot())
        await provide(dmp, FolderLot(documents=[document(seed=1)], into=folder))
        [found] = await folders(dmp, FOLDER)
        assert found["meta"]["versionId"] == "2"
        assert len(members(found)) == 2

    @pytest.mark.parametrize(
        ("parameters", "kinds"),
        [
            ((), ["folder", "submissionset"]),
            ((("code", "submissionset"),), ["submissionset"]),
            ((("code", f"{LIST_TYPES}|folder,{LIST_TYPES}|submissionset"),),
             ["folder", "submissionset"]),
            ((("designationType", CODE.code),), ["folder"]),
            ((("title", "gross"),), ["folder"]),
            ((FOLDER, ("date", "ge2000")), ["folder"]),
            ((FOLDER, ("date", "lt2000")), []),
            ((FOLDER, ("status", "retired")), []),
            ((FOLDER, ("source.family", "DOC")), []),
        ],
    )  # fmt: skip
    async def test_narrows_by_each_parameter(
        self, dmp: Dmp, parameters: tuple[tuple[str, str], ...], kinds: list[str]
    ) -> None:
        await stored(dmp, FolderLot())
        found = await folders(dmp, *parameters)
        assert sorted(one["code"]["coding"][0]["code"] for one in found) == kinds

    async def test_is_found_by_its_identifier(self, dmp: Dmp) -> None:
        lot = FolderLot()
        await stored(dmp, lot)
        found = lists(await search(dmp, ("identifier", f"urn:oid:{lot.folder_unique_id}")))
        assert len(found) == 1

    async def test_shows_no_masked_document_to_others(self, dmp: Dmp, colleague: Dmp) -> None:
        bundle = with_folder(document().bundle)
        response = await dmp.provide(bundle)
        folder = location(response)
        [entry] = members((await dmp.get(f"/List/{folder}")).json())
        await patch(dmp, entry.partition("/")[2], replaces("/securityLabel/0", MASKED))
        assert members((await colleague.get(f"/List/{folder}")).json()) == []
        assert members((await dmp.get(f"/List/{folder}")).json()) == [entry]


class TestRecord:
    """What is not open to a reader gives neither its documents away nor what groups them."""

    async def seen(self, dmp: Dmp, lot: FolderLot, folder: str) -> list[int]:
        """How much is found of the lot and its folder, by each way that names no patient."""
        listed = lists(await search(dmp, ("identifier", f"urn:oid:{lot.unique_id}")))
        read = await dmp.get(f"/List/{folder.removeprefix('urn:uuid:')}")
        by_soap = [
            await ask(dmp, query_id, slot)
            for query_id, slot in (
                (GET_FOLDERS, ("$XDSFolderEntryUUID", f"('{folder}')")),
                (SET_CONTENTS, ("$XDSSubmissionSetUniqueId", f"'{lot.unique_id}'")),
                (ASSOCIATIONS, ("$uuid", f"('{folder}')")),
            )
        ]
        found = [len(one.ids("RegistryPackage")) + len(one.ids("Association")) for one in by_soap]
        return [len(listed), int(read.status_code == 200), *found]

    async def test_shows_no_list_to_whom_its_patient_blocked(
        self, dmp: Dmp, colleague: Dmp
    ) -> None:
        lot = FolderLot()
        folder = await stored(dmp, lot)
        assert await self.seen(colleague, lot, folder) == [1, 1, 1, 5, 2]
        await play(dmp, "blocked", professional=OTHER)
        assert await self.seen(colleague, lot, folder) == [0, 0, 0, 0, 0]
        assert await self.seen(dmp, lot, folder) == [1, 1, 1, 5, 2]

    async def test_shows_no_list_of_a_closed_record(self, dmp: Dmp) -> None:
        lot = FolderLot()
        folder = await stored(dmp, lot)
        await set_record(dmp, status="terminated")
        assert await self.seen(dmp, lot, folder) == [0, 0, 0, 0, 0]
