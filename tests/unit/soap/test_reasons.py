"""What French software really sends by mistake, and what it is told."""

import pytest

from services.ins.insi.envelope import parse_envelope
from services.ins.insi.faults import InsiFault
from socle.soap.mtom import UnreadableMultipartError, read_soap_body
from socle.soap.parsing import UnreadableXmlError, parse_xml


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        ("<a>\n<b>Hélène</b></a>".encode("cp1252"), "line 2, column 5", "not of its encoding"),
        (b'\r\n<?xml version="1.0"?><a/>', "line 2, column 6", "before the XML declaration"),
        (b"<a>caf&eacute;</a>", "line 1, column 15", "an entity that XML does not know"),
        (b"<a>Dupont & fils</a>", "line 1, column 12", "a & or < stands alone"),
        (b"<a>&nom</a>", "line 1, column 8", "a & stands alone"),
        (b"<a>\x0b</a>", "line 1, column 4", "a control character"),
        (b"<a>&#1;</a>", "line 1, column 8", "a control character"),
        (b"<a><b></a>", "line 1, column 11", "an end tag is not that of the element"),
        (b"<a><b>", "line 1, column 7", "cut short"),
        (b"<s:a/>", "line 1, column 5", "a prefix has no namespace"),
        (b"<a/>\n<a/>", "line 2, column 1", "follows the root element"),
        (b'{"a": 1}', "line 1, column 1", "does not begin with an element"),
        (b"", "line 1, column 1", "does not begin with an element"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "line 1, column 39", "not known here"),
    ],
)
def test_says_where_and_why_a_message_is_no_xml(content: bytes, place: str, reason: str) -> None:
    with pytest.raises(UnreadableXmlError) as caught:
        parse_xml(content, "X")
    problem = caught.value.problem
    assert (problem.rule, problem.path) == ("X-XML-SYNTAX", place)
    assert reason in problem.message
    assert problem.expected


def test_a_reason_quotes_nothing_of_the_message() -> None:
    with pytest.raises(UnreadableXmlError) as caught:
        parse_xml(b"<a><nom>DUPONT</prenom></a>", "X")
    assert "nom" not in caught.value.problem.message


@pytest.mark.parametrize(
    ("content_type", "told"),
    [
        # As requests-toolbelt names its bodies, some mail libraries theirs, and as it is when forgotten.
        ("multipart/form-data; boundary=b", "multipart/form-data"),
        ("multipart/mixed; boundary=b", "multipart/mixed"),
        ("application/soap+xml; charset=utf-8", "application/soap+xml"),
        ("", "absent"),
    ],
)
def test_a_multipart_body_under_another_name_is_told(content_type: str, told: str) -> None:
    body = b"\r\n--b\r\nContent-Type: application/xop+xml\r\n\r\n<a/>\r\n--b--\r\n"
    with pytest.raises(UnreadableMultipartError) as caught:
        read_soap_body(content_type, body)
    problem = caught.value.problem
    assert problem.message == f"it is multipart, and Content-Type is {told}"
    assert problem.expected.startswith("multipart/related;")


def test_insi_says_that_it_takes_no_mtom() -> None:
    with pytest.raises(InsiFault) as caught:
        parse_envelope(b"--b\r\nContent-Type: application/xop+xml\r\n\r\n<a/>\r\n--b--\r\n")
    assert [one.rule for one in caught.value.problems] == ["INS-SOAP-MULTIPART"]
