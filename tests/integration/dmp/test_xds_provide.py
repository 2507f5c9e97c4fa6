"""ITI-41: a lot comes in whole or not at all, and everything that is wrong is told at once."""

import asyncio
import base64
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from socle.xds.document_entry import Coded, DocumentEntry
from socle.xds.names import XDSB

from .conftest import NOTHING, ONE, Dmp, Start, rules
from .samples import ANNE, LEO, Document, document, resource, together, with_content
from .xds import Answer, Lot, entry_for, envelope, mtom, post

PROVIDE = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"


async def provide(dmp: Dmp, lot: Lot) -> Answer:
    return await post(dmp.http, "repository", lot.message(), dmp.headers)


class TestLot:
    async def test_is_stored_and_answered_in_multipart(self, dmp: Dmp) -> None:
        lot = Lot()
        answer = await provide(dmp, lot)
        assert answer.response.status_code == 200
        assert answer.response.headers["content-type"].startswith("multipart/related")
        assert (answer.status, answer.errors, answer.warnings) == ("Success", {}, set())
        assert await dmp.stored() == ONE

    async def test_is_found_and_read_through_the_other_door(self, dmp: Dmp) -> None:
        lot = Lot()
        await provide(dmp, lot)
        found = (await dmp.find(("status", "current"))).json()
        [entry] = found["entry"]
        resource = entry["resource"]
        assert resource["masterIdentifier"]["value"].endswith(lot.documents[0].unique_id)
        assert resource["type"]["coding"][0] == {
            "system": "http://loinc.org", "code": "11502-2",
            "display": "CR d'examens biologiques",
        }  # fmt: skip
        assert resource["subject"]["identifier"]["value"] == ANNE.with_key
        assert resource["date"] == "2022-03-15T08:00:00.000Z"
        url = resource["content"][0]["attachment"]["url"]
        binary = await dmp.get(f"/Binary/{url.rpartition('/')[2]}")
        assert binary.content == lot.documents[0].content

    async def test_stores_all_its_documents_in_one_set(self, dmp: Dmp) -> None:
        answer = await provide(dmp, Lot([document(), document()]))
        assert answer.status == "Success"
        assert await dmp.stored() == {"document": 2, "body": 2, "submission_set": 1, "outbox": 2}

    async def test_is_the_same_when_it_comes_again_or_by_the_other_door(self, dmp: Dmp) -> None:
        lot = Lot()
        for _ in range(2):
            assert (await provide(dmp, lot)).status == "Success"
        assert (await dmp.provide(lot.documents[0].bundle)).status_code == 200
        assert await dmp.stored() == ONE

    async def test_is_stored_once_when_it_comes_many_times_together(self, dmp: Dmp) -> None:
        lot = Lot()
        answers = await asyncio.gather(*(provide(dmp, lot) for _ in range(6)))
        assert {answer.status for answer in answers} == {"Success"}
        assert await dmp.stored() == ONE

    @pytest.mark.parametrize("end", ["\r\n", "\n"])
    async def test_is_read_whatever_the_line_ends_of_the_multipart(
        self, dmp: Dmp, end: str
    ) -> None:
        lot = Lot()
        parts = {f"{name}@client": content for name, content in lot.contents().items()}
        message = mtom(envelope(PROVIDE, lot.body()), parts, end=end)
        answer = await post(dmp.http, "repository", message, dmp.headers)
        assert answer.status == "Success"

    async def test_warns_of_a_lot_without_signature_or_refuses_it(self, start: Start) -> None:
        lenient, strict = await start(), await start(dmp_lot_signature="enforce")
        await lenient.say(ANNE)
        told = await provide(lenient, Lot(signed=False))
        assert (told.status, told.warnings) == ("Success", {"RegistryPackage[SubmissionSet01]"})
        refused = await provide(strict, Lot(signed=False))
        assert refused.errors == {"RegistryPackage[SubmissionSet01]": "XDSMissingDocument"}


DOCUMENT = "ExtrinsicObject[Document01]"


class TestRefusal:
    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"unique_id": ""}, "uniqueId"),
            ({"title": ""}, "title"),
            ({"language": ""}, "languageCode"),
            ({"class_code": Coded("", "")}, "classCode"),
            ({"practice_setting": Coded("", "")}, "practiceSettingCode"),
            ({"confidentiality": ()}, "confidentialityCode"),
            ({"authors": ()}, "author"),
            ({"creation_time": "hier"}, "creationTime"),
            ({"mime_type": "application/pdf"}, "mimeType"),
            ({"size": 12}, "size"),
            ({"hash": "0" * 40}, "hash"),
            ({"type_code": Coded("34112-3", "2.16.840.1.113883.6.1", "CR")}, "typeCode"),
            ({"unique_id": "1.2.3.4"}, "uniqueId"),
        ],
    )
    async def test_names_the_attribute_that_is_wrong(
        self, dmp: Dmp, changes: dict[str, Any], where: str
    ) -> None:
        answer = await provide(dmp, Lot(changes=changes))
        assert (answer.response.status_code, answer.status) == (200, "Failure")
        assert answer.errors == {f"{DOCUMENT}/{where}": "XDSRepositoryMetadataError"}
        assert await dmp.stored() == NOTHING

    async def test_tells_everything_at_once(self, dmp: Dmp) -> None:
        lot = Lot([document(), document()], changes={"size": 1, "hash": "", "title": ""})
        answer = await provide(dmp, lot)
        assert set(answer.errors) == {f"{DOCUMENT}/{name}" for name in ("size", "hash", "title")}
        context = answer.root.xpath("string(//@codeContext[contains(., 'declared')])")
        assert f"{len(lot.documents[0].content)} received" in str(context)

    async def test_tells_which_document_is_wrong_inside(self, dmp: Dmp) -> None:
        """By either door, where a submission has several."""
        good = document()
        wrong = document(seed=1)
        broken = replace(wrong, content=wrong.changed("<custodian>", "<custodian nullFlavor='UNK'>"
                         ).replace(b"representedCustodianOrganization", b"x"))  # fmt: skip
        entries = [entry_for(good), _entry_of(wrong, broken)]
        answer = await provide(dmp, Lot([good, broken], entries=entries))
        [path] = answer.errors
        assert path.startswith("ExtrinsicObject[Document02]/ClinicalDocument/custodian")
        bundle = together([good.bundle, with_content(wrong.bundle, broken.content)])
        [path] = rules(await dmp.provide(bundle)).values()
        assert path.startswith("Bundle.entry[3].resource/ClinicalDocument/custodian")

    @pytest.mark.parametrize("code", ["MASQUE_PSS", "Z", "MASQUE_PT"])
    async def test_refuses_a_confidentiality_outside_the_value_set(
        self, dmp: Dmp, code: str
    ) -> None:
        """A misspelt one would leave in sight what was to be hidden."""
        normal = Coded("N", "2.16.840.1.113883.5.25")
        changes = {"confidentiality": (normal, Coded(code, "1.2.250.1.213.1.1.4.13"))}
        answer = await provide(dmp, Lot(changes=changes))
        assert answer.errors == {f"{DOCUMENT}/confidentialityCode": "XDSRepositoryMetadataError"}
        bundle = document().bundle
        label = {"coding": [{"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": code}]}
        resource(bundle, "DocumentReference")["securityLabel"].append(label)
        refused = rules(await dmp.provide(bundle))
        path = "Bundle.entry[1].resource.securityLabel[1]"
        assert refused == {"PDSM-SECURITYLABEL-CODE": path}

    @pytest.mark.parametrize("value", ["20221399", "20220230", "2022031525", "202203150860"])
    async def test_refuses_a_time_of_no_calendar(self, dmp: Dmp, value: str) -> None:
        answer = await provide(dmp, Lot(changes={"service_start": value}))
        assert answer.errors == {f"{DOCUMENT}/serviceStartTime": "XDSRepositoryMetadataError"}

    async def test_says_that_an_attachment_arrived_empty(self, dmp: Dmp) -> None:
        lot = Lot()
        parts = {f"{name}@client": content for name, content in lot.contents().items()}
        parts["Document01@client"] = b""
        answer = await post(
            dmp.http, "repository", mtom(envelope(PROVIDE, lot.body()), parts), dmp.headers
        )
        assert answer.errors == {DOCUMENT: "XDSRepositoryMetadataError"}
        assert "arrived empty" in answer.response.text

    async def test_misses_the_document_whose_part_is_not_there(self, dmp: Dmp) -> None:
        lot = Lot()
        parts = {"Signature01@client": lot.contents()["Signature01"]}
        answer = await post(
            dmp.http, "repository", mtom(envelope(PROVIDE, lot.body()), parts), dmp.headers
        )
        assert set(answer.errors.values()) == {"XDSMissingDocument"}

    async def test_says_what_is_wrong_with_the_document_itself(self, dmp: Dmp) -> None:
        given = document()
        broken = replace(given, content=given.changed("</ClinicalDocument>", ""))
        answer = await provide(dmp, Lot([broken], entries=[_entry_of(given, broken)]))
        assert "InvalidDocumentContent" in answer.errors.values()

    async def test_refuses_other_bytes_under_a_registered_identifier(self, dmp: Dmp) -> None:
        first = document()
        await provide(dmp, Lot([first]))
        other = document(unique_id=first.unique_id, seed=9)
        answer = await provide(dmp, Lot([other]))
        assert set(answer.errors.values()) == {"XDSNonIdenticalHash"}

    async def test_refuses_a_patient_who_is_not_qualified(self, start: Start, ins_url: str) -> None:
        dmp = await start(ins_url=ins_url)
        answer = await provide(dmp, Lot([document(LEO)], patient_id=LEO.cx))
        assert set(answer.errors.values()) == {"XDSUnknownPatientId"}
        assert await dmp.stored() == NOTHING

    async def test_asks_to_come_again_when_nobody_can_say_who_is_qualified(self, dmp: Dmp) -> None:
        answer = await provide(dmp, Lot([document(LEO)], patient_id=LEO.cx))
        assert answer.errors == {"/": "XDSRegistryNotAvailable"}

    async def test_refuses_a_set_of_another_patient(self, dmp: Dmp) -> None:
        answer = await provide(dmp, Lot(patient_id=LEO.cx))
        assert set(answer.errors.values()) == {"XDSPatientIdDoesNotMatch"}

    @pytest.mark.parametrize("identifier", ["abc", "urn:oid:1.2.3", "1.2." + "3" * 70, "1.02", "1"])
    async def test_refuses_a_set_whose_identifier_is_no_oid(
        self, dmp: Dmp, identifier: str
    ) -> None:
        answer = await provide(dmp, Lot(unique_id=identifier))
        path = "RegistryPackage[SubmissionSet01]/uniqueId"
        assert answer.errors == {path: "XDSRepositoryMetadataError"}
        message = Lot(unique_id=identifier).message()
        lenient = {**dmp.headers, "Prefer": "handling=lenient"}
        taken = await post(dmp.http, "repository", message, lenient)
        assert (taken.status, taken.warnings) == ("Success", {path})

    async def test_takes_a_large_document_in_base64_without_mtom(self, dmp: Dmp) -> None:
        lot = Lot([document(pdf_bytes=6_500_000)])
        request = lot.body()
        for element in request.iterchildren(f"{{{XDSB}}}Document"):
            [include] = element
            element.remove(include)
            content = lot.contents()[element.get("id", "")]
            element.text = base64.encodebytes(content).decode()
        message = envelope(PROVIDE, request)
        assert (await post(dmp.http, "repository", message, dmp.headers)).status == "Success"

    async def test_refuses_a_document_that_is_no_member_of_the_set(self, dmp: Dmp) -> None:
        answer = await provide(dmp, Lot(members=False))
        assert answer.errors[DOCUMENT] == "XDSRepositoryMetadataError"

    async def test_warns_when_metadata_and_document_describe_it_otherwise(self, dmp: Dmp) -> None:
        pdf = Coded("urn:ihe:iti:xds-sd:pdf:2008", "1.2.3", "PDF")
        answer = await provide(dmp, Lot(changes={"format_code": pdf}))
        assert (answer.status, answer.warnings) == ("Success", {f"{DOCUMENT}/formatCode"})


def _entry_of(good: Document, broken: Document) -> DocumentEntry:
    digest = hashlib.sha1(broken.content, usedforsecurity=False).hexdigest()
    return replace(entry_for(good), size=len(broken.content), hash=digest)
