import re

import pytest
from lxml import etree

from socle.cda import check_header, read_header
from socle.problems import Problem


def found(body: bytes) -> dict[str, Problem]:
    return {it.rule.removeprefix("CDA-HDR-"): it for it in check_header(read_header(body))}


def without(body: bytes, element: str) -> bytes:
    root = etree.fromstring(body)
    removed = next(root.iter(f"{{urn:hl7-org:v3}}{element}"))
    parent = removed.getparent()
    assert parent is not None
    parent.remove(removed)
    return etree.tostring(root)


class TestOwnDocuments:
    def test_have_no_problem_when_they_are_structured(self, report: bytes) -> None:
        assert check_header(read_header(report)) == []

    def test_have_no_problem_when_they_encapsulate_a_file(self, encapsulated: bytes) -> None:
        assert check_header(read_header(encapsulated)) == []


# (rule, what is replaced, by what, severity)
CHANGES = [
    ("realmCode", 'realmCode code="FR"', 'realmCode code="BE"', "error"),
    ("typeId", "POCD_HD000040", "POCD_HD000041", "error"),
    ("templateId", "2.16.840.1.113883.2.8.2.1", "2.16.840.1.113883.2.8.2.9", "error"),
    ("code-unknown", 'code="11502-2"', 'code="18726-0"', "error"),
    ("code-unlisted", 'code="11502-2"', 'code="99999-9"', "warning"),
    ("code-system", '2.16.840.1.113883.6.1"/>\n  <title', '1.2"/>\n  <title', "error"),
    ("effectiveTime", 'effectiveTime value="20260115093000+0000"', 'effectiveTime value="20261515"', "error"),
    ("effectiveTime-precision", 'effectiveTime value="20260115093000+0000"', 'effectiveTime value="202601150930"', "warning"),
    ("confidentialityCode", 'confidentialityCode code="N"', 'confidentialityCode code="MASQUE_PS"', "error"),
    ("languageCode", "fr-FR", "en-GB", "error"),
    ("versionNumber", 'versionNumber value="1"', 'versionNumber value="0"', "error"),
    ("recordTarget-id", 'root="1.2.250.1.213.1.4.10"', 'root="1.2.250.1.999.7"', "error"),
    ("recordTarget-id-oid", 'root="1.2.250.1.213.1.4.10"', 'root="1.2.250.1.213.1.4.12"', "error"),
    ("recordTarget-id-ins", 'extension="279035121518989"', 'extension="279035121518900"', "error"),
    ("recordTarget-id-key", 'extension="279035121518989"', 'extension="2790351215189"', "warning"),
    ("patient-birth-family", '<family qualifier="BR">', '<family qualifier="CL">', "error"),
    ("patient-birth-given", '<given qualifier="BR">', '<given qualifier="CL">', "error"),
    ("patient-gender", 'administrativeGenderCode code="F"', 'administrativeGenderCode code="UN"', "error"),
    ("patient-birthTime", 'birthTime value="19790328"', 'birthTime value="1979"', "error"),
    ("patient-birthplace", "<county>51215</county>", "<county>DOMPREMY</county>", "error"),
    ("author-id", "1.2.250.1.71.4.2.1", "1.2.250.1.71.4.2.9", "error"),
    ("author-id-rpps", "899700427885", "899700427884", "warning"),
    ("author-id-form", "899700427885", "8997004278", "warning"),
    ("author-organization-form", "10B0193488", "101238887", "warning"),
    ("legalAuthenticator-signatureCode", 'signatureCode code="S"', 'signatureCode code="X"', "error"),
    ("documentationOf-low", 'effectiveTime><low value="20260115033000+0000"/><high', "effectiveTime><high", "error"),
    ("documentationOf-high", 'high value="20260115093000+0000"', 'high value="20250115093000+0000"', "error"),
    ("practiceSetting", 'code="AMBULATOIRE"', 'code="PLAGE"', "warning"),
    ("healthCareFacility", 'code="SA25"', 'code="SA99"', "error"),
    ("nullFlavor", 'nullFlavor="NASK"', 'nullFlavor="NA"', "warning"),
]  # fmt: skip

MISSING = {
    "title": "title",
    "code": "code",
    "effectiveTime": "effectiveTime",
    "confidentialityCode": "confidentialityCode",
    "setId": "setId",
    "recordTarget": "recordTarget",
    "author": "author",
    "custodian": "custodian",
    "legalAuthenticator": "legalAuthenticator",
    "documentationOf": "documentationOf",
    "componentOf": "componentOf",
    "birthTime": "patient-birthTime",
    "birthplace": "patient-birthplace",
    "administrativeGenderCode": "patient-gender",
    "healthCareFacility": "healthCareFacility",
}


class TestRules:
    @pytest.mark.parametrize(("rule", "old", "new", "severity"), CHANGES)
    def test_name_what_would_have_been_right_when_one_value_is_wrong(
        self, report: bytes, rule: str, old: str, new: str, severity: str
    ) -> None:
        assert old.encode() in report
        problem = found(report.replace(old.encode(), new.encode()))[rule]
        assert problem.severity == severity
        assert problem.path.startswith("/ClinicalDocument/")
        assert problem.expected
        assert "CI-SIS" in problem.source

    @pytest.mark.parametrize(("element", "rule"), MISSING.items())
    def test_report_the_element_when_it_is_missing(
        self, report: bytes, element: str, rule: str
    ) -> None:
        problem = found(without(report, element))[rule]
        assert problem.severity == "error"

    def test_report_the_setting_when_no_performer_has_one(self, report: bytes) -> None:
        assert "practiceSetting" in found(report.replace(b"standardIndustryClassCode", b"other"))

    def test_come_all_at_once_when_several_parts_are_wrong(self, report: bytes) -> None:
        broken = without(without(report, "title"), "custodian").replace(b"fr-FR", b"en")
        assert {"title", "custodian", "languageCode"} <= found(broken).keys()

    def test_come_all_at_once_when_the_document_is_empty(self) -> None:
        problems = found(b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>')
        assert {*MISSING.values()} - set(problems) == {
            "patient-birthTime",
            "patient-birthplace",
            "patient-gender",
            "healthCareFacility",
        }
        assert "body" in problems

    def test_count_the_characters_when_the_title_is_long(self, report: bytes) -> None:
        long = re.sub(rb"<title>Compte[^<]*", b"<title>" + b"x" * 129, report, count=1)
        assert "129" in found(long)["title"].message

    def test_refuse_a_second_patient_when_the_document_has_two(self, report: bytes) -> None:
        twice = report.replace(b"<author>", b"<recordTarget/><author>", 1)
        assert "2 fois" in found(twice)["recordTarget"].message

    def test_stay_few_when_a_hostile_document_repeats_an_element(self, report: bytes) -> None:
        flood = b"<author><assignedAuthor/></author>" * 20_000
        problems = check_header(read_header(report.replace(b"<author>", flood + b"<author>", 1)))
        assert len(problems) < 1_000
        assert "20001 fois" in next(it for it in problems if it.rule.endswith("repetition")).message


class TestDocumentIdentifier:
    @pytest.mark.parametrize(
        ("root", "rule", "severity"),
        [
            ("F6278F5E-092B-4139-AD8B-7760DEE62654", "id-guid", "warning"),
            ("not-an-oid", "id-oid", "error"),
            ("1.2.03", "id-oid", "error"),
            ("1." + "2" * 64, "id-oid", "error"),
        ],
    )
    def test_is_judged_by_its_form(
        self, report: bytes, root: str, rule: str, severity: str
    ) -> None:
        broken = re.sub(rb'<id root="2\.25\.\d+"/>', f'<id root="{root}"/>'.encode(), report)
        assert found(broken)[rule].severity == severity

    def test_warns_when_it_has_an_extension(self, report: bytes) -> None:
        broken = re.sub(rb'<id root="2\.25\.\d+"', rb'\g<0> extension="1"', report)
        assert found(broken)["id-extension"].severity == "warning"


class TestBody:
    @pytest.mark.parametrize(
        ("rule", "old", "new", "severity"),
        [
            ("body-mediaType", "application/pdf", "application/msword", "error"),
            ("body-representation", "B64", "TXT", "error"),
            ("body-template", "1.3.6.1.4.1.19376.1.2.20", "1.3.6.1.4.1.19376.1.3.3", "warning"),
        ],
    )
    def test_is_checked_when_a_file_is_encapsulated(
        self, encapsulated: bytes, rule: str, old: str, new: str, severity: str
    ) -> None:
        broken = encapsulated.replace(old.encode(), new.encode())
        assert found(broken)[rule].severity == severity

    def test_is_empty_when_the_file_is_not_there(self, encapsulated: bytes) -> None:
        broken = re.sub(rb"(<text [^>]*>)[^<]*", rb"\1", encapsulated)
        assert found(broken)["body-empty"].severity == "error"

    def test_contradicts_its_template_when_it_is_structured(self, report: bytes) -> None:
        broken = report.replace(b"1.3.6.1.4.1.19376.1.3.3", b"1.3.6.1.4.1.19376.1.2.20", 1)
        assert found(broken)["body-template"].severity == "error"

    def test_is_missing_when_there_is_no_component(self, report: bytes) -> None:
        assert "body" in found(report.replace(b"structuredBody", b"other"))


class TestRelatedDocument:
    def test_needs_a_known_relation_and_an_identifier(self, report: bytes) -> None:
        wrong = b'<relatedDocument typeCode="APND"><parentDocument/></relatedDocument><componentOf>'
        problems = found(report.replace(b"<componentOf>", wrong))
        assert {"relatedDocument", "relatedDocument-id"} <= problems.keys()

    def test_is_fine_when_it_replaces_a_named_document(self, report: bytes) -> None:
        right = (
            b'<relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.3"/></parentDocument>'
            b"</relatedDocument><componentOf>"
        )
        assert found(report.replace(b"<componentOf>", right)) == {}
