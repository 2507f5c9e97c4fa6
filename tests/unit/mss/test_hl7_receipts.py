"""Read receipts, and what is told of them; answers in the form of the guide's examples."""

import hl7
import pytest

from services.mss.domain.integration_notice import ERRORS, Notice, Received, Result, write_notice
from services.mss.hl7v2 import answers
from services.mss.hl7v2.answers import Accepted, Parties, ReadError
from services.mss.hl7v2.er7 import escaped, parse
from services.mss.hl7v2.order import Fault
from services.mss.hl7v2.participants import Addressee
from services.mss.hl7v2.receipts import read_receipt
from socle.testing.hl7_orders import order

from .mails import AT, COLLEAGUE, SENDER, written

ACCEPTED = Accepted(Parties("SIL-Y", "labo", "PFI-X", "Organisation-X"), "015")


def notice(result: Result) -> bytes:
    asked = Notice(result, "<n@socle.mssante.fr>", AT)
    return write_notice(Received(written(), COLLEAGUE, SENDER), asked)[1]


class TestReceipts:
    def test_say_who_read_it(self) -> None:
        said = read_receipt(notice(Result()))
        assert said is not None
        assert (said.message_id, said.reader, said.error) == (
            "<1@socle.mssante.fr>",
            COLLEAGUE,
            None,
        )

    def test_say_why_it_was_not_integrated(self) -> None:
        said = read_receipt(notice(Result(904)))
        assert said is not None
        assert said.error == ReadError(904, ERRORS[904])

    @pytest.mark.parametrize(
        ("disposition", "code"),
        [
            ("automatic-action/MDN-sent-automatically; processed/Error: 902^Identifiant de patient inconnu"
             "^messageErrorCondition| E^Error^errorSeverity", 902),
            ("manual-action/MDN-sent-manually; displayed/error: panne", 906),
            ("automatic-action/MDN-sent-automatically; processed/failure: 123^x", 906),
        ],
    )  # fmt: skip
    def test_are_read_as_others_write_them(self, disposition: str, code: int) -> None:
        mail = (
            "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n--b\r\n"
            "Content-Type: text/plain\r\n\r\nx\r\n--b\r\nContent-Type: message/disposition-notification"
            f"\r\n\r\nOriginal-Message-ID: <a@b>\r\nFinal-Recipient: rfc822; X@Y.fr\r\nDisposition: {disposition}"
            "\r\n\r\n--b--\r\n"
        )
        said = read_receipt(mail.encode())
        assert said is not None
        assert said.reader == "x@y.fr"
        assert said.error is not None
        assert said.error.code == code

    @pytest.mark.parametrize("content", [b"", b"Subject: x\r\n\r\ny", written()])
    def test_are_no_other_mails(self, content: bytes) -> None:
        assert read_receipt(content) is None


class TestAnswers:
    """Read by a library that is not ours."""

    def test_an_acknowledgement_turns_the_parties(self) -> None:
        asked = parse(order().encode())
        faults = [Fault(203, "MSH^1^12", "Une version | inconnue"), Fault(101, "OBX^^5", "x")]
        found = hl7.parse(answers.acknowledge(asked, "AE", faults, "16", AT).decode())
        assert [str(found.segment("MSH")[n]) for n in (3, 4, 5, 6)] == [
            "PFI-X",
            "Organisation-X",
            "SIL-Y",
            "labo",
        ]
        assert str(found.segment("MSH")[9]) == "ACK^R01^ACK"
        assert [str(it) for it in found.segment("MSA")[1:]] == ["AE", "015"]
        errors = found.segments("ERR")
        assert str(errors[0][3]) == "203^Unsupported version^messageErrorCondition"
        assert str(errors[0][2]) == "MSH^1^12"
        assert found.unescape(str(errors[0][8])) == "Une version | inconnue"
        assert len(errors) == 2

    def test_reception_names_the_addressee_and_the_reason(self) -> None:
        whom = Addressee(COLLEAGUE, "801234567897")
        good = hl7.parse(answers.reception_by_mail(ACCEPTED, whom, None, "18", AT).decode())
        assert str(good.segment("MSH")[9]) == "ZAM^Z02^ZAM_Z01"
        assert str(good.segment("MSH")[21]) == "2.1^CISIS_CDA_HL7_V2"
        first, second = good.segments("OBX")
        assert str(first[3]).startswith("ACK_RECEPTION_MSS^")
        assert (str(first[4]), str(first[5]), str(first[11])) == (
            "015",
            "Y^^expandedYes-NoIndicator",
            "F",
        )
        assert (str(second[4]), str(second[5])) == ("801234567897", f"^^X.400^{COLLEAGUE}")
        bad = hl7.parse(answers.reception_by_mail(ACCEPTED, whom, 599, "18", AT).decode())
        assert str(bad.segments("OBX")[0][5]).startswith("N^")
        assert str(bad.segment("ERR")[5]).startswith("554^")
        assert str(bad.segment("ERR")[5]).endswith("^SMTPERRORCODE")

    def test_reading_carries_the_code_of_the_integration(self) -> None:
        error = ReadError.of("902", "")
        found = hl7.parse(answers.reading(ACCEPTED, Addressee(COLLEAGUE), error, "19", AT).decode())
        assert str(found.segment("MSH")[9]) == "ZAM^Z03^ZAM_Z01"
        assert (
            str(found.segment("ERR")[5])
            == "902^Identifiant patient inconnu^applicationErrorCondition"
        )

    def test_nothing_can_break_out_of_a_field(self) -> None:
        assert escaped("a|b^c&d~e\\f\rPID|1\x1c\x0b") == "a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f PID\\F\\1"
