"""IHE_XDM.ZIP as it is built."""

import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from socle.cda.header import read_header
from socle.cda.metadata import metadata_of
from socle.cda.xml import MalformedCdaError
from socle.demo.document import laboratory_report
from socle.xdm import SourceDocument, build_archive, take_apart
from socle.xds.ebrim import read_objects
from socle.xds.entry import read_entry
from socle.xds.names import LCM, RIM

from .archives import AT, SET, files_of, right


def test_has_the_layout_of_iti_32() -> None:
    one, two = laboratory_report(document_id="2.25.1"), laboratory_report(document_id="2.25.2")
    files = files_of(right(one, two))
    assert list(files) == [
        "INDEX.HTM", "README.TXT", "IHE_XDM/SUBSET01/METADATA.XML",
        "IHE_XDM/SUBSET01/DOC00001.XML", "IHE_XDM/SUBSET01/DOC00002.XML",
    ]  # fmt: skip
    assert files["IHE_XDM/SUBSET01/DOC00001.XML"] == one
    page = etree.fromstring(files["INDEX.HTM"])
    links = [str(it) for it in page.xpath("//*[local-name()='a']/@href")]  # type: ignore[union-attr]
    assert set(links) == files.keys() - {"INDEX.HTM", "IHE_XDM/SUBSET01/METADATA.XML"}


def test_opens_with_a_reader_that_is_not_ours(tmp_path: Path) -> None:
    archive = tmp_path / "IHE_XDM.ZIP"
    archive.write_bytes(right())
    tested = subprocess.run(
        [sys.executable, "-m", "zipfile", "-t", archive], capture_output=True, text=True, check=True
    )
    assert tested.stdout == "Done testing\n"


def test_describes_a_document_as_a_deposit_in_the_dmp_does() -> None:
    content = laboratory_report(document_id="2.25.1")
    request = etree.fromstring(files_of(right(content))["IHE_XDM/SUBSET01/METADATA.XML"])
    assert request.tag == f"{{{LCM}}}SubmitObjectsRequest"
    parent = request.find(f"{{{RIM}}}RegistryObjectList")
    assert parent is not None
    objects = read_objects(parent)
    (described,) = objects.documents
    entry, metadata = read_entry(described), metadata_of(read_header(content), content)
    assert metadata.patient is not None
    assert (entry.unique_id, entry.hash, entry.size) == ("2.25.1", metadata.sha1, len(content))
    assert entry.patient_id == metadata.patient.cx
    assert entry.type_code.code == metadata.type_code.code
    (member,) = objects.associations
    assert (member.source, member.target) == (objects.packages[0].id, described.id)
    assert "repositoryUniqueId" not in described.slots  # no repository has it


def test_is_the_same_bytes_for_the_same_arguments() -> None:
    assert right() == right()


@pytest.mark.parametrize("action", ["C", "D", ""])
def test_carries_what_is_to_happen_with_the_document(action: str) -> None:
    package = take_apart(right(action=action))
    assert package.problems == []
    assert [document.action for document in package.documents] == [action]


def test_refuses_a_document_without_a_patients_ins() -> None:
    content = laboratory_report()
    without = content.replace(b"1.2.250.1.213.1.4.10", b"1.2.250.1.213.1.4.2").replace(
        b"1.2.250.1.213.1.4.8", b"1.2.250.1.213.1.4.2"
    )
    with pytest.raises(MalformedCdaError, match="recordTarget-id"):
        SourceDocument.of(without)


def test_refuses_to_mix_patients_or_to_hold_nothing() -> None:
    mine = SourceDocument.of(laboratory_report())
    other = SourceDocument.of(laboratory_report())
    object.__setattr__(other, "patient", type(mine.patient)(mine.patient.oid, "2" * 13))
    for documents, said in (([mine, other], "one patient"), ([], "1 to")):
        with pytest.raises(ValueError, match=said):
            build_archive(documents, set_id=SET, source_id="1.2", now=AT)
