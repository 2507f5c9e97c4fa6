"""ITI-18 and ITI-43: what either door took in is found and comes back byte for byte."""

import pytest

from socle.xds import names
from socle.xds.document_entry import Coded

from .conftest import Dmp
from .samples import ANNE, LEO, Document, document
from .xds import (
    APPROVED,
    FIND_DOCUMENTS,
    GET_DOCUMENTS,
    NS,
    Answer,
    Lot,
    patient_slot,
    post,
    query,
    retrieval,
)

REFERENCE = "20221115-1^^^&1.2.250.1.999.2&ISO^urn:ihe:iti:xds:2013:accession"


async def ask(dmp: Dmp, message: bytes) -> Answer:
    return await post(dmp.http, "registry", message, dmp.headers)


async def find(dmp: Dmp, *slots: tuple[str, str], kind: str = "LeafClass") -> list[str]:
    """The entryUUIDs of FindDocuments."""
    answer = await ask(dmp, query(FIND_DOCUMENTS, patient_slot(), *APPROVED, *slots, kind=kind))
    assert answer.status == "Success", answer.response.text
    ids = answer.ids("ExtrinsicObject" if kind == "LeafClass" else "ObjectRef")
    assert answer.root.xpath("string(//@totalResultCount)") == str(len(ids))
    return ids


async def deposit(dmp: Dmp, lot: Lot) -> list[str]:
    """The entryUUIDs under which the registry took the documents."""
    answer = await post(dmp.http, "repository", lot.message(), dmp.headers)
    assert answer.status == "Success", answer.response.text
    found = []
    for one in lot.documents:
        got = await ask(
            dmp, query(GET_DOCUMENTS, ("$XDSDocumentEntryUniqueId", f"('{one.unique_id}')"))
        )
        found += got.ids("ExtrinsicObject")
    assert len(found) == len(lot.documents)
    return found


class TestFindDocuments:
    async def test_gives_the_metadata_that_were_sent(self, dmp: Dmp) -> None:
        lot = Lot(
            changes={
                "reference_ids": (REFERENCE,),
                "event_codes": (Coded("MR", "1.2.250.1.213.1.1.5.618", "IRM"),),
                "confidentiality": (
                    Coded("N", "2.16.840.1.113883.5.25", "Normal"),
                    Coded("INVISIBLE_PATIENT", "1.2.250.1.213.1.1.4.13", "Invisible"),
                ),
            }
        )
        await deposit(dmp, lot)
        answer = await ask(dmp, query(FIND_DOCUMENTS, patient_slot(), *APPROVED))
        [element] = answer.root.iterfind(".//rim:ExtrinsicObject", NS)
        slots = {
            str(slot.get("name")): [value.text for value in slot.iterfind(".//rim:Value", NS)]
            for slot in element.findall("rim:Slot", NS)
        }
        given = lot.entries[0]
        assert slots["hash"] == [given.hash]
        assert slots["size"] == [str(len(lot.documents[0].content))]
        assert slots["repositoryUniqueId"] == [names.REPOSITORY_ID]
        assert slots[names.REFERENCE_IDS] == [REFERENCE]
        assert slots["creationTime"] == [given.creation_time]
        codes = {
            (str(one.get("classificationScheme")), str(one.get("nodeRepresentation")))
            for one in element.findall("rim:Classification", NS)
        }
        assert {
            (names.TYPE_CODE, "11502-2"), (names.EVENT_CODE, "MR"), (names.CONFIDENTIALITY, "N"),
            (names.CONFIDENTIALITY, "INVISIBLE_PATIENT"), (names.AUTHOR, ""),
        } <= codes  # fmt: skip
        external = {
            str(one.get("identificationScheme")): str(one.get("value"))
            for one in element.findall("rim:ExternalIdentifier", NS)
        }
        assert external == {
            names.UNIQUE_ID: lot.documents[0].unique_id, names.PATIENT: ANNE.cx,
        }  # fmt: skip
        assert element.get("status") == names.STATUSES["Approved"]
        assert element.get("lid", "").startswith("urn:uuid:")

    async def test_finds_what_came_by_the_other_door(self, dmp: Dmp) -> None:
        given = document()
        entry = await dmp.deposit(given)
        assert await find(dmp) == [f"urn:uuid:{entry}"]
        answer = await ask(dmp, query(FIND_DOCUMENTS, patient_slot(), *APPROVED))
        person = answer.root.xpath(
            "string(//rim:Slot[@name='authorPerson']//rim:Value)", namespaces=NS
        )
        assert str(person).startswith("899700427885^DOC0042788^KIT")

    @pytest.mark.parametrize(
        ("name", "value", "found"),
        [
            ("$XDSDocumentEntryTypeCode", "('11502-2^^2.16.840.1.113883.6.1')", True),
            ("$XDSDocumentEntryTypeCode", "('34112-3','11502-2')", True),
            ("$XDSDocumentEntryTypeCode", "('11502-2^^1.2.3')", False),
            ("$XDSDocumentEntryClassCode", "('31^^1.2.250.1.213.1.1.4.1')", False),
            ("$XDSDocumentEntryCreationTimeFrom", "20220315080000", True),
            ("$XDSDocumentEntryCreationTimeFrom", "'2022'", True),
            ("$XDSDocumentEntryCreationTimeTo", "20220315080000", False),
            ("$XDSDocumentEntryCreationTimeTo", "20220316", True),
            ("$XDSDocumentEntryAuthorPerson", "('%DOC0042788%')", True),
            ("$XDSDocumentEntryAuthorPerson", "('%d''ARTAGNAN%')", False),
            ("$XDSDocumentEntryConfidentialityCode", "('N')", True),
            ("$XDSDocumentEntryEventCodeList", "('MR^^1.2.250.1.213.1.1.5.618')", False),
            ("$XDSDocumentEntryStatus",
             "('urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated')", True),
            ("$XDSDocumentEntryType", "('urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1')", True),
            ("$XDSDocumentEntryType", "('urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248')", False),
        ],
    )  # fmt: skip
    async def test_narrows_by_each_parameter(
        self, dmp: Dmp, name: str, value: str, found: bool
    ) -> None:
        await deposit(dmp, Lot())
        assert bool(await find(dmp, (name, value))) is found

    async def test_joins_slots_by_and_and_their_values_by_or(self, dmp: Dmp) -> None:
        await deposit(dmp, Lot())
        conf = "$XDSDocumentEntryConfidentialityCode"
        assert await find(dmp, (conf, "('N','R')"))
        assert not await find(dmp, (conf, "('N')"), (conf, "('R')"))

    async def test_gives_only_references_when_they_are_asked_for(self, dmp: Dmp) -> None:
        [entry] = await deposit(dmp, Lot())
        assert await find(dmp, kind="ObjectRef") == [entry]

    async def test_takes_approved_where_no_status_is_asked_for(self, dmp: Dmp) -> None:
        await deposit(dmp, Lot())
        answer = await ask(dmp, query(FIND_DOCUMENTS, patient_slot()))
        assert len(answer.ids("ExtrinsicObject")) == 1

    async def test_finds_nothing_of_another_patient_or_space(
        self, dmp: Dmp, neighbour: Dmp
    ) -> None:
        await deposit(dmp, Lot())
        other = await ask(dmp, query(FIND_DOCUMENTS, patient_slot(LEO), *APPROVED))
        assert (other.status, other.ids("ExtrinsicObject")) == ("Success", [])
        assert await find(neighbour) == []

    @pytest.mark.parametrize(
        ("slots", "code"),
        [
            ([], "XDSStoredQueryMissingParam"),
            ([("$XDSDocumentEntryPatientId", "'x'")], "XDSUnknownPatientId"),
            ([("$XDSDocumentEntryPatientId", "sans guillemets")], "XDSStoredQueryParamNumber"),
            ([patient_slot(), ("$XDSDocumentEntryStatus", "('Approved')")],
             "XDSStoredQueryParamNumber"),
            ([patient_slot(), patient_slot(LEO)], "XDSStoredQueryParamNumber"),
            ([patient_slot(), ("$XDSDocumentEntryCreationTimeFrom", "'2022-03-15'")],
             "XDSStoredQueryParamNumber"),
            ([patient_slot(), ("$XDSDocumentEntryServiceStopTimeTo", "'15/03/2022'")],
             "XDSStoredQueryParamNumber"),
        ],
    )  # fmt: skip
    async def test_names_the_parameter_that_is_wrong(
        self, dmp: Dmp, slots: list[tuple[str, str]], code: str
    ) -> None:
        answer = await ask(dmp, query(FIND_DOCUMENTS, *slots))
        assert (answer.response.status_code, answer.status) == (200, "Failure")
        assert code in answer.errors.values()

    async def test_does_not_know_a_query_of_another_profile(self, dmp: Dmp) -> None:
        answer = await ask(dmp, query("00000000-0000-0000-0000-000000000000", patient_slot()))
        assert set(answer.errors.values()) == {"XDSUnknownStoredQuery"}


class TestOtherQueries:
    async def test_documents_by_logical_id(self, dmp: Dmp) -> None:
        """How a client finds what has become of an entry (spec: dmp.md §1.5, same logicalId)."""
        [entry] = await deposit(dmp, Lot())
        by_logical_id = query(GET_DOCUMENTS, ("$XDSDocumentEntryLogicalID", f"('{entry}')"))
        assert (await ask(dmp, by_logical_id)).ids("ExtrinsicObject") == [entry]

    async def test_tells_entries_of_several_patients_by_reference_only(self, dmp: Dmp) -> None:
        await dmp.say(LEO)
        mine, other = document(), document(LEO)
        await deposit(dmp, Lot([mine]))
        await deposit(dmp, Lot([other], patient_id=LEO.cx))
        named = ("$XDSDocumentEntryUniqueId", f"('{mine.unique_id}','{other.unique_id}')")
        refused = await ask(dmp, query(GET_DOCUMENTS, named))
        assert set(refused.errors.values()) == {"XDSResultNotSinglePatient"}
        references = await ask(dmp, query(GET_DOCUMENTS, named, kind="ObjectRef"))
        assert len(references.ids("ObjectRef")) == 2

    @pytest.mark.parametrize(
        ("name", "value", "found"),
        [
            ("$XDSDocumentEntryFormatCode", "('urn:ihe:lab:xd-lab:2008')", 1),
            ("$XDSDocumentEntryFormatCode", "('urn:ihe:iti:xds-sd:pdf:2008')", 0),
            ("$XDSDocumentEntryConfidentialityCode", "('N')", 1),
            ("$XDSDocumentEntryConfidentialityCode", "('R')", 0),
        ],
    )
    async def test_contents_of_a_set_or_record_by_code(
        self, dmp: Dmp, name: str, value: str, found: int
    ) -> None:
        lot = Lot()
        await deposit(dmp, lot)
        of_set = ("$XDSSubmissionSetUniqueId", f"'{lot.unique_id}'")
        for query_id, which in (
            ("e8e3cb2c-e39c-46b9-99e4-c12f57260b83", of_set),
            ("10b545ea-725c-446d-9b95-8aeb444eddf3", ("$patientId", patient_slot()[1])),
        ):
            answer = await ask(dmp, query(query_id, which, (name, value)))
            assert len(answer.ids("ExtrinsicObject")) == found
            assert len(answer.ids("Association")) == found
            assert len(answer.ids("RegistryPackage")) == 1

    async def test_no_submission_set_was_ever_deprecated(self, dmp: Dmp) -> None:
        await deposit(dmp, Lot())
        status = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated')"
        answer = await ask(
            dmp,
            query(
                "f26abbcb-ac74-4422-8a30-edb644bbc1a9",
                ("$XDSSubmissionSetPatientId", patient_slot()[1]),
                ("$XDSSubmissionSetStatus", status),
            ),
        )
        assert (answer.status, answer.ids("RegistryPackage")) == ("Success", [])

    async def test_find_by_reference(self, dmp: Dmp) -> None:
        [entry] = await deposit(dmp, Lot(changes={"reference_ids": (REFERENCE,)}))
        await deposit(dmp, Lot())
        answer = await ask(
            dmp,
            query(
                "12941a89-e02e-4be5-967c-ce4bfc8fe492", patient_slot(), *APPROVED,
                ("$XDSDocumentEntryReferenceIdList", f"('{REFERENCE}')"),
            ),
        )  # fmt: skip
        assert answer.ids("ExtrinsicObject") == [entry]

    async def test_new_documents_since_a_date(self, dmp: Dmp) -> None:
        """The DMP's own way: submission sets, then their members, then the documents (§1.5)."""
        [entry] = await deposit(dmp, Lot())
        since = ("$XDSSubmissionSetSubmissionTimeFrom", "20220101")
        sets = await ask(
            dmp,
            query(
                "f26abbcb-ac74-4422-8a30-edb644bbc1a9",
                ("$XDSSubmissionSetPatientId", f"'{ANNE.cx}'"),
                ("$XDSSubmissionSetStatus", "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"),
                since,
            ),
        )  # fmt: skip
        [set_id] = sets.ids("RegistryPackage")
        members = await ask(
            dmp, query("a7ae438b-4bc2-4642-93e9-be891f7bb155", ("$uuid", f"('{set_id}')"))
        )
        targets = [
            one.get("targetObject") for one in members.root.iterfind(".//rim:Association", NS)
        ]
        assert targets == [entry]
        got = await ask(
            dmp,
            query(
                "bab9529a-4a10-40b3-a01f-f68a615d247a",
                ("$XDSDocumentEntryEntryUUID", f"('{entry}')"),
            ),
        )
        assert (got.ids("ExtrinsicObject"), len(got.ids("Association"))) == ([entry], 1)

    async def test_sets_of_documents_and_contents_of_sets(self, dmp: Dmp) -> None:
        lot = Lot([document(), document()])
        entries = await deposit(dmp, lot)
        sets = await ask(
            dmp, query("51224314-5390-4169-9b91-b1980040715a", ("$uuid", f"('{entries[0]}')"))
        )
        [set_id] = sets.ids("RegistryPackage")
        for slot in (
            ("$XDSSubmissionSetUniqueId", f"'{lot.unique_id}'"),
            ("$XDSSubmissionSetEntryUUID", f"'{set_id}'"),
        ):
            whole = await ask(dmp, query("e8e3cb2c-e39c-46b9-99e4-c12f57260b83", slot))
            assert whole.ids("RegistryPackage") == [set_id]
            assert sorted(whole.ids("ExtrinsicObject")) == sorted(entries)
            assert len(whole.ids("Association")) == 2

    async def test_everything_of_a_patient(self, dmp: Dmp) -> None:
        await deposit(dmp, Lot())
        await dmp.deposit(document())
        answer = await ask(
            dmp, query("10b545ea-725c-446d-9b95-8aeb444eddf3", ("$patientId", f"'{ANNE.cx}'"))
        )
        kinds = ("RegistryPackage", "ExtrinsicObject", "Association")
        assert [len(answer.ids(kind)) for kind in kinds] == [2, 2, 2]

    @pytest.mark.parametrize(("kind", "found"), [(names.APPENDS, 2), (names.REPLACES, 0)])
    async def test_related_documents_and_how(self, dmp: Dmp, kind: str, found: int) -> None:
        [entry] = await deposit(dmp, Lot())
        await deposit(dmp, Lot(relations=[(names.APPENDS, entry)]))
        answer = await ask(
            dmp,
            query(
                "d90e5407-b356-4d91-a89f-873917b4b0e6",
                ("$XDSDocumentEntryEntryUUID", f"'{entry}'"),
                ("$AssociationTypes", f"('{kind}')"),
            ),
        )
        assert (answer.status, len(answer.ids("ExtrinsicObject"))) == ("Success", found)
        assert len(answer.ids("Association")) == found // 2


class TestRetrieve:
    async def get(self, dmp: Dmp, *given: Document) -> Answer:
        message = retrieval(*(one.unique_id for one in given))
        return await post(dmp.http, "repository", message, dmp.headers)

    async def test_gives_the_bytes_back_in_parts_of_their_own(self, dmp: Dmp) -> None:
        first, second = document(), document()
        await deposit(dmp, Lot([first]))
        await dmp.deposit(second)
        answer = await self.get(dmp, first, second)
        assert answer.status == "Success"
        hrefs = [one.get("href", "") for one in answer.root.iterfind(".//xop:Include", NS)]
        contents = [answer.parts[href.removeprefix("cid:")] for href in hrefs]
        assert contents == [first.content, second.content]

    async def test_gives_what_there_is_and_names_the_rest(self, dmp: Dmp) -> None:
        first = document()
        await deposit(dmp, Lot([first]))
        answer = await self.get(dmp, document(), first)
        assert (answer.status, len(answer.parts)) == ("PartialSuccess", 1)
        assert answer.errors == {"DocumentRequest[1]/DocumentUniqueId": "XDSDocumentUniqueIdError"}

    async def test_knows_no_other_repository_and_no_other_space(
        self, dmp: Dmp, neighbour: Dmp
    ) -> None:
        first = document()
        await deposit(dmp, Lot([first]))
        other = await post(
            dmp.http, "repository", retrieval(first.unique_id, repository="1.2.3"), dmp.headers
        )
        assert set(other.errors.values()) == {"XDSUnknownRepositoryId"}
        assert (await self.get(neighbour, first)).status == "Failure"

    async def test_answers_an_entry_uuid_by_a_fault_in_multipart(self, dmp: Dmp) -> None:
        [entry] = await deposit(dmp, Lot())
        answer = await post(dmp.http, "repository", retrieval(entry), dmp.headers)
        assert answer.response.status_code == 500
        assert answer.response.headers["content-type"].startswith("multipart/related")
        assert answer.fault == "soap:XDSDocumentUniqueIdError"
