"""Folders of XDS: what a lot puts into them, and the four stored queries that read them."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest
from lxml import etree

from socle.idgen import oid_from_uuid, random_uuid
from socle.xds import names
from socle.xds.document_entry import Coded
from socle.xds.entry import ObjectWriter, add_slot, add_text, rim

from .conftest import Dmp
from .samples import ANNE, LEO, document
from .xds import NS, Answer, Lot, patient_slot, post, query, status_of, update

FIND_FOLDERS = "958f3006-baad-4929-a4de-ff1114824431"
GET_FOLDERS = "5737b14c-8a1a-4539-b659-e03a34a5e1e4"
CONTENTS = "b909a503-523d-4517-8acf-8e5834dfc4c7"
OF_DOCUMENT = "10cae35a-c7f9-4cf5-b61e-fc3278ffb578"
GET_ALL = "10b545ea-725c-446d-9b95-8aeb444eddf3"
SET_CONTENTS = "e8e3cb2c-e39c-46b9-99e4-c12f57260b83"
ASSOCIATIONS = "a7ae438b-4bc2-4642-93e9-be891f7bb155"
CODE = Coded("GROSSESSE", "1.2.250.1.999.5", "Suivi de grossesse")


@dataclass
class FolderLot(Lot):
    """A lot with a folder that holds its first document, and `files` more by entryUUID."""

    folder_id: str = "Folder01"
    folder_unique_id: str = field(default_factory=lambda: oid_from_uuid(random_uuid()))
    folder_patient: str = ANNE.cx
    in_set: bool = True
    into: str = ""  # a registered folder, instead of one of its own
    files: tuple[str, ...] = ()

    def body(self) -> etree._Element:
        request = super().body()
        (objects,) = request.iterfind(".//rim:RegistryObjectList", NS)
        folder = self.into or self.folder_id
        if not self.into:
            self._folder(objects)
        for number, target in enumerate((self._names()[0], *self.files)):
            rim(
                objects, "Association", id=f"Filed{number}", associationType=names.HAS_MEMBER,
                sourceObject=folder, targetObject=target,
            )  # fmt: skip
        return request

    def _folder(self, objects: etree._Element) -> None:
        package = rim(objects, "RegistryPackage", id=self.folder_id)
        add_text(package, "Name", "Grossesse 2026")
        writer = ObjectWriter(package, self.folder_id)
        writer.node(names.FOLDER_NODE)
        writer.code(names.FOLDER_CODES, CODE)
        if self.folder_patient:
            writer.external(names.FOLDER_PATIENT, self.folder_patient, "XDSFolder.patientId")
        if self.folder_unique_id:
            writer.external(names.FOLDER_UNIQUE_ID, self.folder_unique_id, "XDSFolder.uniqueId")
        if self.in_set:
            member = rim(
                objects, "Association", id="SetToFolder", associationType=names.HAS_MEMBER,
                sourceObject="SubmissionSet01", targetObject=self.folder_id,
            )  # fmt: skip
            add_slot(member, "SubmissionSetStatus", ("Original",))


async def ask(dmp: Dmp, query_id: str, *slots: tuple[str, str], kind: str = "LeafClass") -> Answer:
    answer = await post(dmp.http, "registry", query(query_id, *slots, kind=kind), dmp.headers)
    assert answer.status == "Success", answer.response.text
    return answer


async def provide(dmp: Dmp, lot: Lot) -> Answer:
    return await post(dmp.http, "repository", lot.message(), dmp.headers)


async def stored(dmp: Dmp, lot: FolderLot) -> str:
    """The entryUUID of the folder of a lot that is taken."""
    answer = await provide(dmp, lot)
    assert answer.status == "Success", answer.response.text
    found = await ask(dmp, GET_FOLDERS, ("$XDSFolderUniqueId", f"('{lot.folder_unique_id}')"))
    (folder,) = found.ids("RegistryPackage")
    return folder


async def contents(dmp: Dmp, folder: str, *slots: tuple[str, str]) -> list[str]:
    """The uniqueIds of the documents of a folder."""
    answer = await ask(dmp, CONTENTS, ("$XDSFolderEntryUUID", f"('{folder}')"), *slots)
    assert len(answer.ids("Association")) == len(answer.ids("ExtrinsicObject"))
    path = (
        f".//rim:ExtrinsicObject/rim:ExternalIdentifier[@identificationScheme='{names.UNIQUE_ID}']"
    )
    return sorted(one.get("value", "") for one in answer.root.iterfind(path, NS))


async def entry_uuid(dmp: Dmp, unique_id: str) -> str:
    slot = ("$XDSDocumentEntryUniqueId", f"('{unique_id}')")
    answer = await ask(dmp, "5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4", slot)
    return answer.ids("ExtrinsicObject")[-1]


class TestLotWithFolder:
    async def test_gives_its_metadata_back(self, dmp: Dmp) -> None:
        lot = FolderLot()
        folder = await stored(dmp, lot)
        answer = await ask(dmp, GET_FOLDERS, ("$XDSFolderEntryUUID", f"('{folder}')"))
        (package,) = answer.root.iterfind(".//rim:RegistryPackage", NS)
        assert package.findtext("rim:Slot[@name='lastUpdateTime']//rim:Value", "", NS).isdecimal()
        name = package.find("rim:Name/rim:LocalizedString", NS)
        assert name is not None
        assert name.get("value") == "Grossesse 2026"
        values = {one.get("value") for one in package.iterfind("rim:ExternalIdentifier", NS)}
        assert values == {ANNE.cx, lot.folder_unique_id}
        code = package.find(f"rim:Classification[@classificationScheme='{names.FOLDER_CODES}']", NS)
        assert code is not None
        assert code.get("nodeRepresentation") == CODE.code

    async def test_keeps_the_id_that_the_producer_chose(self, dmp: Dmp) -> None:
        chosen = f"urn:uuid:{random_uuid()}"
        assert await stored(dmp, FolderLot(folder_id=chosen)) == chosen

    async def test_the_same_lot_twice_makes_one_folder(self, dmp: Dmp) -> None:
        lot = FolderLot()
        folder = await stored(dmp, lot)
        assert await stored(dmp, lot) == folder
        assert await contents(dmp, folder) == [lot.documents[0].unique_id]

    async def test_files_into_a_registered_folder_and_files_registered_documents(
        self, dmp: Dmp
    ) -> None:
        alone = Lot(documents=[document()])
        await provide(dmp, alone)
        first = FolderLot(files=(await entry_uuid(dmp, alone.documents[0].unique_id),))
        folder = await stored(dmp, first)
        second = FolderLot(documents=[document()], into=folder)
        assert (await provide(dmp, second)).status == "Success"
        lots = (alone, first, second)
        assert await contents(dmp, folder) == sorted(one.documents[0].unique_id for one in lots)

    async def test_what_replaces_a_document_takes_its_place_in_the_folder(self, dmp: Dmp) -> None:
        lot = FolderLot()
        folder = await stored(dmp, lot)
        old = await entry_uuid(dmp, lot.documents[0].unique_id)
        fresh = Lot(documents=[document()], relations=((names.REPLACES, old),))
        assert (await provide(dmp, fresh)).status == "Success"
        both = sorted(one.documents[0].unique_id for one in (lot, fresh))
        assert await contents(dmp, folder) == both

    @pytest.mark.parametrize(
        ("lot", "location", "code"),
        [
            (FolderLot(folder_unique_id=""), "RegistryPackage[Folder01]/uniqueId",
             "XDSRepositoryMetadataError"),
            (FolderLot(folder_patient=""), "RegistryPackage[Folder01]/patientId",
             "XDSRepositoryMetadataError"),
            (FolderLot(folder_patient=LEO.cx), "RegistryPackage[Folder01]/patientId",
             "XDSPatientIdDoesNotMatch"),
            (FolderLot(folder_unique_id="1." * 80 + "1"), "RegistryPackage[Folder01]",
             "XDSRepositoryMetadataError"),
            (FolderLot(in_set=False), "RegistryPackage[Folder01]", "XDSRepositoryMetadataError"),
            (FolderLot(into="Folder99"), "Association[Filed0]/@sourceObject",
             "XDSRepositoryMetadataError"),
            (FolderLot(files=("Document99",)), "Association[Filed1]/@targetObject",
             "XDSRepositoryMetadataError"),
            (FolderLot(into=f"urn:uuid:{UUID(int=9)}"), "Association[Filed0]/@sourceObject",
             "XDSRegistryMetadataError"),
            (FolderLot(files=(f"urn:uuid:{UUID(int=9)}",)), "Association[Filed1]/@targetObject",
             "XDSRegistryMetadataError"),
        ],
    )  # fmt: skip
    async def test_stores_nothing_where_the_folder_is_wrong(
        self, dmp: Dmp, lot: FolderLot, location: str, code: str
    ) -> None:
        answer = await provide(dmp, lot)
        assert answer.errors.get(location) == code, answer.response.text
        slot = ("$XDSDocumentEntryUniqueId", f"('{lot.documents[0].unique_id}')")
        found = await ask(dmp, "5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4", slot)
        assert found.ids("ExtrinsicObject") == []

    async def test_refuses_the_identifier_of_another_folder(self, dmp: Dmp) -> None:
        lot = FolderLot()
        await stored(dmp, lot)
        again = FolderLot(documents=[document()], folder_unique_id=lot.folder_unique_id)
        answer = await provide(dmp, again)
        assert answer.errors == {"RegistryPackage[Folder01]": "XDSDuplicateUniqueIdInRegistry"}

    async def test_refuses_the_folder_of_another_patient(self, dmp: Dmp) -> None:
        await dmp.say(LEO)
        folder = await stored(dmp, FolderLot())
        other = FolderLot(documents=[document(LEO)], patient_id=LEO.cx, into=folder)
        answer = await provide(dmp, other)
        assert answer.errors == {"Association[Filed0]/@sourceObject": "XDSPatientIdDoesNotMatch"}

    async def test_an_update_changes_no_folder(self, dmp: Dmp) -> None:
        lot = FolderLot()
        await stored(dmp, lot)
        package = etree.Element(f"{{{names.RIM}}}RegistryPackage", id="Folder01")
        ObjectWriter(package, "Folder01").node(names.FOLDER_NODE)
        entry = await entry_uuid(dmp, lot.documents[0].unique_id)
        message = update(package, status_of(entry, "Approved", "Archived"))
        answer = await post(dmp.http, "registry", message, dmp.headers)
        assert answer.errors == {"RegistryPackage[Folder01]": "XDSMetadataUpdateOperationError"}


class TestQueries:
    @pytest.mark.parametrize(
        ("slots", "is_found"),
        [
            ((), True),
            ((("$XDSFolderCodeList", f"('{CODE.code}^^{CODE.system}')"),), True),
            ((("$XDSFolderCodeList", "('AUTRE')"),), False),
            ((("$XDSFolderLastUpdateTimeFrom", "'20000101'"),), True),
            ((("$XDSFolderLastUpdateTimeTo", "'20000101'"),), False),
            ((("$XDSFolderStatus", f"('{names.STATUSES['Deprecated']}')"),), False),
        ],
    )
    async def test_find_folders(
        self, dmp: Dmp, slots: tuple[tuple[str, str], ...], is_found: bool
    ) -> None:
        folder = await stored(dmp, FolderLot())
        patient = ("$XDSFolderPatientId", patient_slot()[1])
        answer = await ask(dmp, FIND_FOLDERS, patient, *slots)
        assert answer.ids("RegistryPackage") == ([folder] if is_found else [])

    async def test_contents_by_format(self, dmp: Dmp) -> None:
        lot = FolderLot()
        folder = await stored(dmp, lot)
        code = lot.entries[0].format_code
        wanted = ("$XDSDocumentEntryFormatCode", f"('{code.code}^^{code.system}')")
        other = ("$XDSDocumentEntryFormatCode", "('urn:other')")
        assert await contents(dmp, folder, wanted) == [lot.documents[0].unique_id]
        assert await contents(dmp, folder, other) == []

    async def test_the_folders_of_a_document(self, dmp: Dmp) -> None:
        lot, alone = FolderLot(), Lot(documents=[document()])
        folder = await stored(dmp, lot)
        await provide(dmp, alone)
        for one, expected in ((lot, [folder]), (alone, [])):
            slot = ("$XDSDocumentEntryUniqueId", f"('{one.documents[0].unique_id}')")
            assert (await ask(dmp, OF_DOCUMENT, slot)).ids("RegistryPackage") == expected

    async def test_everything_and_the_contents_of_a_set_have_the_folder(self, dmp: Dmp) -> None:
        lot = FolderLot()
        folder = await stored(dmp, lot)
        by_set = ("$XDSSubmissionSetUniqueId", f"'{lot.unique_id}'")
        for query_id, slot in (
            (GET_ALL, ("$patientId", patient_slot()[1])), (SET_CONTENTS, by_set),
        ):  # fmt: skip
            answer = await ask(dmp, query_id, slot)
            assert folder in answer.ids("RegistryPackage")
            assert len(answer.ids("RegistryPackage")) == 2
            assert len(answer.ids("Association")) == 3  # two of the set, one of the folder
            references = await ask(dmp, query_id, slot, kind="ObjectRef")
            assert len(references.ids("ObjectRef")) == 6

    async def test_associations_of_either_end(self, dmp: Dmp) -> None:
        lot = FolderLot()
        folder = await stored(dmp, lot)
        entry = await entry_uuid(dmp, lot.documents[0].unique_id)
        for end in (folder, entry):
            answer = await ask(dmp, ASSOCIATIONS, ("$uuid", f"('{end}')"))
            ends = {
                (one.get("sourceObject"), one.get("targetObject"))
                for one in answer.root.iterfind(".//rim:Association", NS)
            }
            assert (folder, entry) in ends
            assert len(ends) == 2

    async def test_of_another_space_are_none(self, dmp: Dmp, neighbour: Dmp) -> None:
        folder = await stored(dmp, FolderLot())
        slot = ("$XDSFolderEntryUUID", f"('{folder}')")
        assert (await ask(neighbour, GET_FOLDERS, slot)).ids("RegistryPackage") == []
