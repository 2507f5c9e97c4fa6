"""ITI-57: masked, shown again, archived, deleted, by those who may (TD3.3)."""

import asyncio

import pytest
from lxml import etree

from socle.xds import names

from .conftest import Dmp, ids_of
from .samples import LEO, Document, document
from .test_xds_read import ask, deposit, find
from .xds import (
    GET_DOCUMENTS,
    NS,
    Answer,
    Lot,
    post,
    query,
    retrieval,
    status_of,
    update,
    version_of,
)

N = ("N", "2.16.840.1.113883.5.25")
MASKED = ("MASQUE_PS", "1.2.250.1.213.1.1.4.13")
HIDDEN = ("INVISIBLE_PATIENT", "1.2.250.1.213.1.1.4.13")


@pytest.fixture
def given() -> Document:
    return document()


@pytest.fixture
async def entry(dmp: Dmp, given: Document) -> str:
    [found] = await deposit(dmp, Lot([given]))
    return found


async def shown(dmp: Dmp, entry: str) -> etree._Element:
    answer = await ask(dmp, query(GET_DOCUMENTS, ("$XDSDocumentEntryEntryUUID", f"('{entry}')")))
    [element] = answer.root.iterfind(".//rim:ExtrinsicObject", NS)
    return element


async def send(dmp: Dmp, *parts: etree._Element) -> Answer:
    return await post(dmp.http, "registry", update(*parts), dmp.headers)


def slot(element: etree._Element, name: str) -> etree._Element:
    return next(one for one in element.iterfind("rim:Slot", NS) if one.get("name") == name)


def classification(element: etree._Element, scheme: str) -> etree._Element:
    found = element.iterfind("rim:Classification", NS)
    return next(one for one in found if one.get("classificationScheme") == scheme)


async def mask(dmp: Dmp, entry: str) -> str:
    """The entryUUID of the masked version."""
    answer = await send(dmp, *version_of(await shown(dmp, entry), N, MASKED))
    assert answer.status == "Success", answer.response.text
    [found] = await find(dmp)
    return found


async def retrieved(dmp: Dmp, given: Document) -> str:
    message = retrieval(given.unique_id)
    return (await post(dmp.http, "repository", message, dmp.headers)).status


class TestVisibility:
    async def test_makes_a_version_with_the_same_document(
        self, dmp: Dmp, entry: str, given: Document
    ) -> None:
        before = await shown(dmp, entry)
        after = await shown(dmp, await mask(dmp, entry))
        assert after.get("id") != before.get("id")
        assert after.get("lid") == before.get("lid") == entry
        assert after.xpath("string(rim:VersionInfo/@versionName)", namespaces=NS) == "2"
        assert (await shown(dmp, entry)).get("status", "").endswith(":Deprecated")
        assert await retrieved(dmp, given) == "Success"

    async def test_is_told_with_its_codes(self, dmp: Dmp, entry: str) -> None:
        await mask(dmp, entry)
        _, changed = await dmp.told()
        assert changed["type"] == "dmp.document.visibility_changed.v1"
        assert changed["data"]["confidentiality"] == ["N", "MASQUE_PS"]
        assert changed["data"]["version"] == 2

    async def test_hides_every_version_from_others_by_both_doors(
        self, dmp: Dmp, colleague: Dmp, entry: str, given: Document
    ) -> None:
        assert await find(colleague) == [entry]
        masked = await mask(dmp, entry)
        name = entry.rpartition(":")[2]
        assert await find(colleague) == []
        for one in (entry, masked):
            got = await ask(
                colleague, query(GET_DOCUMENTS, ("$XDSDocumentEntryEntryUUID", f"('{one}')"))
            )
            assert got.ids("ExtrinsicObject") == []
        assert await retrieved(colleague, given) == "Failure"
        assert ids_of((await colleague.find()).json()) == []
        assert (await colleague.get(f"/DocumentReference/{name}")).status_code == 404
        assert (await colleague.get(f"/Binary/{name}")).status_code == 404
        assert await retrieved(dmp, given) == "Success"

    async def test_is_undone_by_its_author_only(self, dmp: Dmp, colleague: Dmp, entry: str) -> None:
        masked = await mask(dmp, entry)
        parts = version_of(await shown(dmp, masked), N)
        unknown = await send(colleague, *parts)
        assert set(unknown.errors.values()) == {"XDSMetadataIdentifierError"}
        assert (await send(dmp, *parts)).status == "Success"
        assert len(await find(colleague)) == 1

    async def test_anyone_may_hide_a_document_they_see(self, colleague: Dmp, entry: str) -> None:
        """Matrix §1.9: every professional who may read may mask (TD3.3a)."""
        parts = version_of(await shown(colleague, entry), N, HIDDEN)
        assert (await send(colleague, *parts)).status == "Success"

    async def test_is_seen_by_fhir(self, dmp: Dmp, entry: str) -> None:
        masked = await mask(dmp, entry)
        [found] = (await dmp.find()).json()["entry"]
        resource = found["resource"]
        codes = [one["coding"][0]["code"] for one in resource["securityLabel"]]
        assert codes == ["MASQUE_PS", "N"]
        assert resource["id"] == entry.rpartition(":")[2]
        assert masked in {one["value"] for one in resource["identifier"]}
        assert resource["meta"]["versionId"] == "2"

    async def test_is_won_by_one_when_two_race(self, dmp: Dmp, entry: str) -> None:
        messages = [update(*version_of(await shown(dmp, entry), N, HIDDEN)) for _ in range(4)]
        answers = await asyncio.gather(
            *(post(dmp.http, "registry", message, dmp.headers) for message in messages)
        )
        assert sorted(one.status for one in answers) == ["Failure"] * 3 + ["Success"]
        lost = [code for one in answers for code in one.errors.values()]
        assert set(lost) == {"XDSMetadataVersionError"}

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda e: e.set("lid", "urn:uuid:01936a5c-7a10-7c3e-9b52-4f1d2c3b5a69"),
             "XDSMetadataIdentifierError"),
            (lambda e: e.set("lid", "Document01"), "XDSMetadataIdentifierError"),
            (lambda e: e.find("rim:Name/rim:LocalizedString", NS).set("value", "Autre titre"),
             "UnmodifiableMetadataError"),
            (lambda e: slot(e, "serviceStartTime").set("name", "serviceStopTime"),
             "UnmodifiableMetadataError"),
            (lambda e: classification(e, names.PRACTICE_SETTING).set("nodeRepresentation", "HAD"),
             "UnmodifiableMetadataError"),
        ],
    )  # fmt: skip
    async def test_refuses_another_document_than_the_registered(
        self, dmp: Dmp, entry: str, change: object, code: str
    ) -> None:
        element, member = version_of(await shown(dmp, entry), N, MASKED)
        change(element)  # type: ignore[operator]
        answer = await send(dmp, element, member)
        assert (answer.status, set(answer.errors.values())) == ("Failure", {code})
        assert len(await dmp.told()) == 1

    @pytest.mark.parametrize("previous", ["2", "", "un", "²"])
    async def test_refuses_another_previous_version(
        self, dmp: Dmp, entry: str, previous: str
    ) -> None:
        parts = version_of(await shown(dmp, entry), N, MASKED, previous=previous)
        assert set((await send(dmp, *parts)).errors.values()) == {"XDSMetadataVersionError"}

    async def test_refuses_a_code_outside_the_value_set(self, dmp: Dmp, entry: str) -> None:
        parts = version_of(await shown(dmp, entry), ("SECRET", "1.2.3"))
        answer = await send(dmp, *parts)
        assert set(answer.errors.values()) == {"XDSMetadataUpdateError"}
        assert "MASQUE_PS" in answer.response.text

    async def test_refuses_what_changes_nothing(self, dmp: Dmp) -> None:
        answer = await send(dmp)
        assert set(answer.errors.values()) == {"XDSMetadataUpdateOperationError"}


class TestStatus:
    async def test_archives_and_back(self, dmp: Dmp, entry: str) -> None:
        assert (await send(dmp, status_of(entry, "Approved", "Archived"))).status == "Success"
        assert await find(dmp) == []
        archived = (await dmp.find(("PDSm_isArchived", "true"))).json()
        assert len(archived["entry"]) == 1
        assert (await send(dmp, status_of(entry, "Archived", "Approved"))).status == "Success"
        assert await find(dmp) == [entry]
        kinds = [one["type"] for one in await dmp.told()]
        assert kinds[1:] == ["dmp.document.archived.v1", "dmp.document.unarchived.v1"]

    async def test_deletes_for_good(self, dmp: Dmp, entry: str, given: Document) -> None:
        name = entry.rpartition(":")[2]
        assert (await send(dmp, status_of(entry, "Approved", "Deleted"))).status == "Success"
        assert await find(dmp) == []
        assert await retrieved(dmp, given) == "Failure"
        assert (await dmp.get(f"/Binary/{name}")).status_code == 410
        read = await dmp.get(f"/DocumentReference/{name}")
        assert read.json()["status"] == "entered-in-error"
        back = await send(dmp, status_of(entry, "Deleted", "Approved"))
        assert set(back.errors.values()) == {"XDSMetadataUpdateOperationError"}

    async def test_is_refused_to_who_does_not_own_the_document(
        self, dmp: Dmp, colleague: Dmp, entry: str
    ) -> None:
        for status in ("Archived", "Deleted"):
            answer = await send(colleague, status_of(entry, "Approved", status))
            assert answer.errors == {"Association[Status01]": "LocalPolicyRestrictionError"}
        assert await find(dmp) == [entry]

    async def test_is_refused_when_the_status_is_another_by_now(self, dmp: Dmp, entry: str) -> None:
        answer = await send(dmp, status_of(entry, "Archived", "Approved"))
        assert set(answer.errors.values()) == {"XDSMetadataUpdateOperationError"}

    async def test_is_refused_in_a_set_of_another_patient(self, dmp: Dmp, entry: str) -> None:
        for part in (
            [status_of(entry, "Approved", "Archived")],
            version_of(await shown(dmp, entry), N, MASKED),
        ):
            message = update(*part, patient_id=LEO.cx)
            answer = await post(dmp.http, "registry", message, dmp.headers)
            assert set(answer.errors.values()) == {"XDSPatientIdDoesNotMatch"}
        assert len(await dmp.told()) == 1

    async def test_changes_all_or_nothing(self, dmp: Dmp, entry: str) -> None:
        [other] = await deposit(dmp, Lot())
        wrong = status_of(other, "Archived", "Approved")
        answer = await send(dmp, status_of(entry, "Approved", "Archived"), wrong)
        assert answer.status == "Failure"
        assert sorted(await find(dmp)) == sorted([entry, other])

    async def test_knows_no_document_of_another_space(self, neighbour: Dmp, entry: str) -> None:
        answer = await send(neighbour, status_of(entry, "Approved", "Archived"))
        assert set(answer.errors.values()) == {"XDSMetadataIdentifierError"}


class TestIdentifiers:
    ID = "urn:uuid:3f6c1f0e-6f2b-4f6e-8f4a-6a1f8d0c2b11"

    async def test_keeps_the_uuid_that_the_client_chose_in_each_space(
        self, dmp: Dmp, neighbour: Dmp
    ) -> None:
        for one in (dmp, neighbour):
            assert await deposit(one, Lot(ids=[self.ID])) == [self.ID]

    async def test_refuses_a_uuid_that_is_taken(self, dmp: Dmp) -> None:
        await deposit(dmp, Lot(ids=[self.ID]))
        answer = await post(dmp.http, "repository", Lot(ids=[self.ID]).message(), dmp.headers)
        assert set(answer.errors.values()) == {"XDSRegistryMetadataError"}
