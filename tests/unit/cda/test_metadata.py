import hashlib
from datetime import UTC, datetime

import pytest

from socle.cda import MalformedCdaError, metadata_of, read_header
from socle.cda.metadata import DocumentMetadata
from socle.ids.ins import NIR_TEST, Ins
from socle.ids.professionals import ProfessionalId
from socle.ids.structures import StructureId


def metadata(body: bytes) -> DocumentMetadata:
    return metadata_of(read_header(body), body)


class TestBuild:
    def test_follows_the_mapping_of_the_specification(self, report: bytes) -> None:
        built = metadata(report)
        assert built.unique_id.startswith("2.25.")
        assert (built.type_code.code, built.type_code.display) == (
            "11502-2",
            "CR d'examens biologiques",
        )
        assert built.class_code is not None
        assert built.class_code.code == "10"
        assert built.format_code.code == "urn:ihe:lab:xd-lab:2008"
        assert built.level == "N3"
        assert built.patient == Ins(NIR_TEST, "2790351215189")
        assert built.creation_time == datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
        assert built.service_start is not None
        assert built.service_start.xds == "20260115033000"
        assert built.practice_setting is not None
        assert built.practice_setting.code == "AMBULATOIRE"
        assert built.facility_type is not None
        assert built.facility_type.code == "SA25"
        assert built.mime_type == "text/xml"
        assert built.source_patient_id == "100001^^^&1.2.250.1.999.1.1&ISO^PI"
        assert built.source_patient_info == (
            "PID-5|PAT-TROIS^DOMINIQUE^^^^^L",
            "PID-7|19790328",
            "PID-8|F",
        )

    def test_describes_the_bytes_when_they_are_hashed(self, report: bytes) -> None:
        built = metadata(report)
        assert built.size == len(report)
        assert built.sha256 == hashlib.sha256(report).hexdigest()
        assert built.sha1 == hashlib.sha1(report).hexdigest()

    def test_names_the_author_as_xds_does(self, report: bytes) -> None:
        author = metadata(report).author
        assert author is not None
        assert author.professional == ProfessionalId("rpps", "99700427885")
        assert author.structure == StructureId("finess", "0B0193488")
        assert author.person == (
            "899700427885^DOC0042788^KIT^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
        )
        assert author.institution == (
            "Laboratoire Dupont \\T\\ Fils <Est>^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^10B0193488"
        )

    def test_takes_the_format_of_the_file_when_it_is_encapsulated(
        self, encapsulated: bytes
    ) -> None:
        built = metadata(encapsulated)
        assert (built.level, built.format_code.code) == ("N1", "urn:ihe:iti:xds-sd:pdf:2008")

    def test_has_no_patient_when_the_key_is_wrong(self, report: bytes) -> None:
        assert metadata(report.replace(b"279035121518989", b"279035121518900")).patient is None

    def test_gives_the_numbers_of_the_encounter(self, report: bytes) -> None:
        numbered = report.replace(
            b"<encompassingEncounter>",
            b'<encompassingEncounter><id root="1.2.3" extension="SEJ-1"/>',
        )
        assert metadata(report).encounter_ids == ()
        assert [it.extension for it in metadata(numbered).encounter_ids] == ["SEJ-1"]

    def test_names_the_replaced_document_when_there_is_one(self, report: bytes) -> None:
        related = (
            b'<relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.3"/></parentDocument>'
            b"</relatedDocument><componentOf>"
        )
        replaced = metadata(report.replace(b"<componentOf>", related)).replaces
        assert replaced is not None
        assert replaced.root == "1.2.3"

    def test_hides_the_people_when_it_is_shown_in_a_log(self, report: bytes) -> None:
        shown = repr(metadata(report))
        for secret in ("2790351215189", "PAT-TROIS", "DOC0042788", "99700427885"):
            assert secret not in shown


class TestRefusal:
    @pytest.mark.parametrize(
        ("old", "new", "rule"),
        [
            (
                b'effectiveTime value="20260115093000+0000"',
                b"effectiveTime",
                "CDA-HDR-effectiveTime",
            ),
            (b'code="11502-2"', b'code=""', "CDA-HDR-code"),
            (b"structuredBody", b"other", "CDA-HDR-body"),
        ],
    )
    def test_lists_the_problems_when_an_entry_cannot_be_made(
        self, report: bytes, old: bytes, new: bytes, rule: str
    ) -> None:
        with pytest.raises(MalformedCdaError) as caught:
            metadata(report.replace(old, new))
        assert rule in [it.rule for it in caught.value.problems]
