"""What is read of an ORU or MDM, and what is refused of it."""

import itertools
from collections.abc import Callable

import pytest

from services.mss.hl7v2.er7 import UnreadableMessageError, parse
from services.mss.hl7v2.flags import REQUIRED, Flags
from services.mss.hl7v2.order import Order
from services.mss.hl7v2.reading import read_order
from socle.testing.hl7_orders import BOTH, CDA, COLLEAGUE, PATIENT, PS, REPLACING, encoded, order


def read(text: str, *, enforce: bool = True) -> Order:
    return read_order(parse(text.encode()), enforce_combinations=enforce)


def codes(text: str, *, enforce: bool = True) -> list[int]:
    return sorted({fault.code for fault in read(text, enforce=enforce).faults})


class TestBeforeMsh:
    def test_line_ends_are_left_out(self) -> None:
        assert read("\r\n" + order()).faults == []

    @pytest.mark.parametrize(
        ("before", "named"),
        [
            (b"FHS|^~\\&|\r", "batch"),
            (b"BHS|^~\\&|\r", "batch"),
            (b"\xef\xbb\xbf", "byte order mark"),
        ],
    )
    def test_what_some_software_sends_is_named(self, before: bytes, named: str) -> None:
        with pytest.raises(UnreadableMessageError, match=named) as refused:
            parse(before + order().encode())
        assert refused.value.code == 100


class TestRead:
    @pytest.mark.parametrize("kind", ["ORU", "MDM"])
    def test_a_right_message_has_no_fault(self, kind: str) -> None:
        found = read(order(kind=kind))
        assert found.faults == []
        assert [it.address for it in found.to(patients=False)] == [COLLEAGUE]
        assert [it.address for it in found.to(patients=True)] == [PATIENT.citizen_address]
        assert [it.content for it in found.documents] == [CDA]
        assert found.to(patients=False)[0].identifier == "801234567897"

    @pytest.mark.parametrize(("status", "content"), [("F", CDA), ("C", REPLACING), ("D", CDA)])
    def test_the_status_becomes_the_action(self, status: str, content: bytes) -> None:
        found = read(order(kind="MDM", status=status, documents=[content]))
        assert found.faults == []
        assert found.documents[0].action == status.replace("F", "")

    def test_texts_answers_and_the_end_are_read(self) -> None:
        found = read(
            order(
                flags={**BOTH, "ACK_LECTURE": "Y", "ACK_RECEPTION": "N"},
                more=[
                    "FIN",
                    f"OBX|12|ED|CORPSMAIL_PS^x^MetaDMPMSS||^TEXT^^Base64^{encoded('Cher confrère')}||||||F",
                    f"OBX|13|ED|CORPSMAIL_PATIENT^x^MetaDMPMSS||^TEXT^^Base64^{encoded('Bonjour')}||||||F",
                    f"PRT||UC||REPLY^^participation|||||||||||^^X.400^{COLLEAGUE}",
                ],
            )
        )
        assert found.faults == []
        assert (found.text_for_professionals, found.text_for_patient) == (
            "Cher confrère",
            "Bonjour",
        )
        assert found.reply_to == COLLEAGUE
        assert found.is_final
        assert (found.flags["ACK_LECTURE_MSS"], found.flags["ACK_RECEPTION"]) == (True, False)

    def test_two_documents_come_by_oru_only(self) -> None:
        two = [CDA, CDA.replace(b"2.25.1", b"2.25.2")]
        assert read(order(documents=two)).faults == []
        assert codes(order(documents=two, kind="MDM")) == [198]

    def test_masked_and_hidden_documents_stay_so_in_the_archive(self) -> None:
        found = read(order(flags=PS))
        assert [it.code for it in found.documents[0].entry.confidentiality] == [
            "N",
            "INVISIBLE_PATIENT",
        ]

    def test_both_charsets_of_the_guide_are_read(self) -> None:
        text = order(charset="8859/15").replace("ADRUN^ZOE", "ADRUN^ZOÉ€")
        message = parse(text.encode("iso8859-15"))
        assert message.first("PID")(5, 2) == "ZOÉ€"  # type: ignore[misc]

    def test_an_address_is_found_where_examples_of_the_guide_put_it(self) -> None:
        for shift in (-1, 1):
            text = order(recipients=[COLLEAGUE], flags=PS).replace(
                "|" * (10 + 0) + "^^X.400", "|" * (10 + shift) + "^^X.400"
            )
            assert read(text).faults == []


class TestFaults:
    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (lambda it: it.replace("ORU^R01^ORU_R01", "ADT^A01"), [200]),
            (lambda it: it.replace("ORU^R01^ORU_R01", "ORU^R30"), [201]),
            (lambda it: it.replace("|P|2.5|", "|P|2.3|"), [203]),
            (lambda it: it.replace("|P|2.5|", "|X|2.5|"), [202]),
            (lambda it: it.replace("|015|", "||"), [101]),
            (lambda it: it.replace("PV1|", "PVX|"), [100]),
            (lambda it: it.replace("SIL-Y", "SIL\0Y"), [102]),
            (lambda it: it.replace("SIL-Y", "S" * 201), [102]),
            (lambda it: it.replace("ORC|NW", "ORC|CA"), [207]),
            (lambda it: it.replace("||||||F\rPRT", "||||||D\rPRT"), [207]),
            (lambda it: it.replace("||||||F\rPRT", "||||||X\rPRT"), [103]),
            (lambda it: it.replace("Base64^", "Base64^*", 1), [102]),
            (lambda it: it.replace("OBX|1|ED", "OBX|1|TX"), [102]),
            (lambda it: it.replace("MASQUE_PS^x^MetaDMPMSS||N", "MASQUE_PS^x^MetaDMPMSS||?"), [103]),
            (lambda it: it.replace("OBX|9|CE|MASQUE_PS", "OBX|9|CE|MASQUE"), [101, 103]),
            (lambda it: it + "OBX|9|CE|DESTDMP^x^MetaDMPMSS||N\r", [198]),
            (lambda it: it.replace(COLLEAGUE, "a@exemple.fr"), [101, 102]),
            (lambda it: it.replace(PATIENT.citizen_address, "279035121518989@patient.mssante.fr"), [207]),
            (lambda it: it.replace(f"|||{PATIENT.with_key}^", "|||279035121518989^"), [207]),
        ],
    )  # fmt: skip
    def test_each_is_told_by_its_code(
        self, change: Callable[[str], str], expected: list[int]
    ) -> None:
        assert codes(change(order())) == expected

    @pytest.mark.parametrize(
        ("profile", "expected"),
        [
            ("2.1^CISIS_CDA_HL7_V2", []), ("2.1^ CISIS_CDA_HL7_V2", []),
            ("1^OTHER~2.1^CISIS_CDA_HL7_V2", []), ("", [101]), ("^", [101]), ("2.1^OTHER", [103]),
            ("2.0^CISIS_CDA_HL7_V2", [203]), ("^CISIS_CDA_HL7_V2", [203]),
        ],
    )  # fmt: skip
    def test_the_profile_is_the_guides(self, profile: str, expected: list[int]) -> None:
        text = order().replace("2.1^CISIS_CDA_HL7_V2", profile)
        assert codes(text) == expected
        assert read_order(parse(text.encode()), enforce_profile=False).faults == []

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (lambda it: it, []),
            (lambda it: it.replace("||SB^", "||XX^"), [101]),
            (lambda it: it.replace("899700427885^DOC", "^DOC"), [101]),
            (lambda it: it.replace("^FINEG^^^300017985", ""), [101]),
        ],
    )
    def test_the_dmp_must_be_told_who_asks(
        self, change: Callable[[str], str], expected: list[int]
    ) -> None:
        assert codes(change(order(flags={**BOTH, "DESTDMP": "Y"}))) == expected
        assert codes(change(order(flags=BOTH))) == []

    def test_the_dmp_must_be_told_what_is_replaced(self) -> None:
        flags = {**BOTH, "DESTDMP": "Y"}
        assert codes(order(kind="MDM", status="C", documents=[CDA], flags=flags)) == [207]
        assert codes(order(kind="MDM", status="C", documents=[REPLACING], flags=flags)) == []

    def test_all_are_told_at_once(self) -> None:
        wrong = (
            order()
            .replace("|P|2.5|", "|X|2.3|")
            .replace("ORC|NW", "ORC|CA")
            .replace("PV1|", "PVX|")
        )
        assert codes(wrong) == [100, 202, 203, 207]

    def test_a_document_that_is_no_cda_is_told_by_its_rules(self) -> None:
        (fault,) = read(order(documents=[b"<a/>"])).faults
        assert fault.code == 207
        assert fault.text.startswith("CDA-XML-root")

    @pytest.mark.parametrize(
        ("raw", "code"),
        [
            (b"", 100), (b"\0" * 50, 100), (b"PID|1", 100), (b"MSH", 100), (b"MSH||||||||", 102),
            (b"MSHaaaaaaaaa", 102), (b"MSH|^~\\&|a|b|c|d|e||ORU^R01|1|P|2.5|||||FRA|ASCII", 103),
            (b"MSH|^~\\&|\xff|b", 102), (b"MSH|^~\\&|a\r?|b", 100), (b"MSH|^~\\&|a\r" + b"PID\r" * 6000, 198),
        ],
    )  # fmt: skip
    def test_what_is_no_message_is_told(self, raw: bytes, code: int) -> None:
        with pytest.raises(UnreadableMessageError) as refused:
            parse(raw)
        assert refused.value.code == code


class TestCombinations:
    """regles-gestion-mssante: three for MSSanté, any other is an error."""

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ("N N N N N N Y Y", True), ("N N N Y Y Y Y Y", True),
            ("N Y N N N N Y N", True), ("N Y N Y N Y Y N", True),
            ("Y N Y N Y N N Y", True), ("N N N N N N N Y", True),
            ("N N N N N Y N N", True),  # for the DMP alone
            ("Y N N N N N Y Y", False), ("N Y N N N N Y Y", False), ("N N Y N N N Y Y", False),
            ("N N N N N N Y N", False), ("N Y Y Y N Y Y N", False), ("Y Y N N N N Y N", False),
            ("N N N Y N N N Y", False), ("N N N N N Y N Y", False), ("N Y N N N N N Y", False),
            ("N N N N N N N N", False),
        ],
    )  # fmt: skip
    def test_are_known_or_not(self, values: str, expected: bool) -> None:
        said = {name: value == "Y" for name, value in zip(REQUIRED, values.split(), strict=True)}
        assert Flags(said).is_allowed is expected

    def test_no_document_that_is_hidden_from_the_patient_is_ever_sent_there(self) -> None:
        for values in itertools.product([False, True], repeat=len(REQUIRED)):
            flags = Flags(dict(zip(REQUIRED, values, strict=True)))
            if flags.is_allowed and flags["DESTMSSANTEPAT"]:
                assert not flags["INVISIBLE_PATIENT"]

    def test_an_unknown_one_is_named(self) -> None:
        flags = {**PS, "INVISIBLE_REP_LEGAUX": "Y"}
        (fault,) = read(order(flags=flags)).faults
        assert fault.code == 207
        assert "INVISIBLE_REP_LEGAUX=Y" in fault.text
        assert codes(order(flags=flags), enforce=False) == []
