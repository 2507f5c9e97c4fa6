"""A document in base64 inside the envelope, as stacks write it whose MTOM is off."""

import base64

import pytest

from socle.soap.parsing import UnreadableXmlError, parse_xml, text_of

LARGE = base64.b64encode(bytes(9_000_000))


def test_is_read_whole() -> None:
    root = parse_xml(b"<a><!-- c --><b>" + LARGE + b"</b><c/></a>", "X", 3)
    assert [child.tag for child in root] == ["b", "c"]
    assert base64.b64decode(text_of(root[0])) == bytes(9_000_000)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"<a>" * 20 + LARGE + b"</a>" * 20, "X-XML-DEPTH"),
        (b"<a>" * 4_000_000, "X-XML-SYNTAX"),
        (b"<a>" + LARGE, "X-XML-SYNTAX"),
        (b"<a>" + LARGE + b"</b>", "X-XML-SYNTAX"),
        (b"<a>" + LARGE + b"&#0;</a>", "X-XML-SYNTAX"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>' + LARGE + b"&x;</a>", "X-XML-SYNTAX"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>' + b"<b/>" * 3_000_000 + b"</a>", "X-XML-DTD"),
        (f"<?xml version='1.0' encoding='UTF-16'?><a>{'x' * 11_000_000}</a>".encode("utf-16"),
         "X-XML-SYNTAX"),
    ],
    ids=["depth", "unclosed", "cut", "another end", "nul", "doctype", "doctype small texts", "utf-16"],
)  # fmt: skip
def test_keeps_every_other_limit(content: bytes, rule: str) -> None:
    with pytest.raises(UnreadableXmlError) as caught:
        parse_xml(content, "X", 10)
    assert caught.value.problem.rule == rule
