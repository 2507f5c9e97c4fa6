import pytest

from socle.cda import MalformedCdaError, read_header

LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<ClinicalDocument xmlns="urn:hl7-org:v3"><title>&c;</title></ClinicalDocument>"""


def refused(body: bytes) -> list[str]:
    with pytest.raises(MalformedCdaError) as caught:
        read_header(body)
    assert all(it.message and it.expected and it.source for it in caught.value.problems)
    return [it.rule for it in caught.value.problems]


class TestRead:
    def test_gives_typed_parts_when_the_document_is_structured(self, report: bytes) -> None:
        header = read_header(report)
        assert header.body.kind == "N3"
        assert header.code is not None
        assert header.code.code == "11502-2"
        assert header.effective_time == "20260115093000+0000"
        assert header.patient is not None
        assert header.patient.ids[0].extension == "279035121518989"
        assert header.patient.name is not None
        assert header.patient.name.birth_family == "PAT-TROIS"
        assert header.patient.name.all_givens == "DOMINIQUE MARIE-LOUISE"
        assert header.patient.birth_county == "51215"
        assert header.authors[0].entity.organization is not None
        assert header.authors[0].entity.organization.name == "Laboratoire Dupont & Fils <Est>"
        assert header.encounter is not None
        assert header.encounter.facility is not None
        assert header.encounter.facility.code == "SA25"

    def test_names_media_type_when_a_file_is_encapsulated(self, encapsulated: bytes) -> None:
        body = read_header(encapsulated).body
        assert (body.kind, body.media_type, body.representation) == ("N1", "application/pdf", "B64")
        assert not body.is_empty

    def test_reads_the_same_when_the_namespace_has_a_prefix(self, report: bytes) -> None:
        prefixed = (
            report.replace(b"</", b"</c:").replace(b"<", b"<c:").replace(b"<c:/c:", b"</c:")
        ).replace(b"<c:?xml", b"<?xml")
        prefixed = prefixed.replace(b'xmlns="urn', b'xmlns:c="urn').replace(b"c:lab:", b"lab:")
        assert read_header(prefixed) == read_header(report)

    def test_ignores_comments_when_they_stand_between_elements(self, report: bytes) -> None:
        commented = report.replace(b"<title>", b"<!-- <title>x</title> --><title>")
        assert read_header(commented) == read_header(report)

    def test_hides_the_people_when_it_is_shown_in_a_log(self, report: bytes) -> None:
        shown = repr(read_header(report))
        for secret in ("279035121518989", "PAT-TROIS", "DOMINIQUE", "DOC0042788", "99700427885"):
            assert secret not in shown

    def test_keeps_the_signs_of_a_name_when_it_holds_an_escaped_one(self, report: bytes) -> None:
        header = read_header(report.replace(b"PAT-TROIS", b"D&apos;A&#69;"))
        assert header.patient is not None
        assert header.patient.name is not None
        assert header.patient.name.birth_family == "D'AE"


class TestRefusal:
    def test_is_the_doctype_when_entities_are_declared(self) -> None:
        assert refused(LAUGHS) == ["CDA-XML-doctype"]

    @pytest.mark.parametrize(
        "prolog",
        [
            b'<!DOCTYPE ClinicalDocument SYSTEM "file:///etc/passwd">',
            b"<!DOCTYPE ClinicalDocument>",
            b'<!-- x --> <?pi y?>\n<!DOCTYPE d [<!ENTITY x SYSTEM "http://127.0.0.1:1/">]>',
        ],
    )
    def test_is_the_doctype_when_it_comes_in_any_form(self, report: bytes, prolog: bytes) -> None:
        declaration, rest = report.split(b"?>", 1)
        assert refused(declaration + b"?>" + prolog + rest) == ["CDA-XML-doctype"]

    def test_is_none_when_the_word_doctype_stands_in_a_comment(self, report: bytes) -> None:
        declaration, rest = report.split(b"?>", 1)
        header = read_header(declaration + b"?><!-- <!DOCTYPE a> -->" + rest)
        assert header == read_header(report)

    @pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.99])
    def test_is_the_form_when_the_document_is_cut(self, report: bytes, kept: float) -> None:
        assert set(refused(report[: int(len(report) * kept)])) == {"CDA-XML-wellformed"}

    def test_is_the_form_when_only_the_body_is_broken(self, report: bytes) -> None:
        # What a reader that stops at `component` would let through.
        assert "CDA-XML-wellformed" in refused(report.replace(b"</act>", b"</acte>", 1))

    def test_names_the_line_when_the_form_is_wrong(self, report: bytes) -> None:
        with pytest.raises(MalformedCdaError) as caught:
            read_header(report.replace(b"</title>", b"", 1))
        assert "ligne" in caught.value.problems[0].message

    @pytest.mark.parametrize(
        "body",
        [
            b"<a/>",
            b"<ClinicalDocument/>",
            b'<ClinicalDocument xmlns="urn:hl7-org:v2"/>',
            b'<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform"/>',
        ],
    )
    def test_is_the_root_when_it_is_no_clinical_document(self, body: bytes) -> None:
        assert refused(body) == ["CDA-XML-root"]

    @pytest.mark.parametrize("body", [b"", b"  \n"])
    def test_is_emptiness_when_there_is_nothing(self, body: bytes) -> None:
        assert refused(body) == ["CDA-XML-empty"]

    @pytest.mark.parametrize("encoding", ["iso-8859-1", "utf-16", "utf-32"])
    def test_is_the_encoding_when_it_is_not_utf_8(self, report: bytes, encoding: str) -> None:
        text = report.decode().replace("UTF-8", encoding)
        assert refused(text.encode(encoding)) == ["CDA-XML-encoding"]

    def test_is_the_form_when_bytes_lie_about_being_utf_8(self, report: bytes) -> None:
        assert "CDA-XML-wellformed" in refused(report.decode().encode("latin-1"))

    @pytest.mark.parametrize("depth", [3_000, 100_000])
    def test_is_a_limit_when_elements_nest_without_end(self, depth: int) -> None:
        body = b'<ClinicalDocument xmlns="urn:hl7-org:v3">' + b"<a>" * depth
        assert "CDA-XML-limit" in refused(body)

    def test_reads_a_file_of_fifteen_megabytes(self, encapsulated: bytes) -> None:
        body = encapsulated.replace(b'"B64">', b'"B64">' + b"A" * 20_000_000)
        assert read_header(body).body.kind == "N1"

    def test_reads_on_when_a_byte_order_mark_comes_first(self, report: bytes) -> None:
        assert read_header(b"\xef\xbb\xbf" + report) == read_header(report)
