"""Reads XML of a stranger: no DTD, no entity, no network, no more levels than a message has."""

from typing import Final

from lxml import etree

from socle.problems import Problem
from socle.xml_reasons import place_and_reason

MAX_DEPTH = 32
_LONGEST_TEXT: Final = 10_000_000
"""Of one node, in libxml2 without huge_tree."""
_PIECE: Final = 65_536
SOURCE = "SOAP 1.2 Part 1 §5; XML 1.0"


class UnreadableXmlError(ValueError):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.rule)
        self.problem = problem


def parse_xml(body: bytes, rules: str, max_depth: int = MAX_DEPTH) -> etree._Element:
    """The root. `rules` is the beginning of the rule ids: `INS` makes INS-XML-SYNTAX."""
    try:
        root = _parsed_large(body, rules, max_depth) if _is_large(body) else _parsed(body)
    except UnreadableXmlError:
        raise
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _unreadable(f"{rules}-XML-SYNTAX", *place_and_reason(error)) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _unreadable(
            f"{rules}-XML-DTD", "/", "the message has a DOCTYPE", "no DTD and no entity"
        )
    if _depth(root) > max_depth:
        raise _too_deep(rules, max_depth)
    return root


def _parsed(body: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True,
        remove_comments=True,
    )  # fmt: skip
    return etree.fromstring(body, parser)


def _is_large(body: bytes) -> bool:
    """Where one text may be longer than the parser allows by itself: a document in base64, without MTOM.

    Only as UTF-8 and without a DTD, since the parser's other limits go with that of the length.
    """
    return len(body) > _LONGEST_TEXT and b"<!DOCTYPE" not in body


def _parsed_large(body: bytes, rules: str, max_depth: int) -> etree._Element:
    """Levels are counted while they open: there is no other limit here."""
    parser = etree.XMLPullParser(
        ("start", "end"), encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False,
        huge_tree=True, remove_pis=True, remove_comments=True,
    )  # fmt: skip
    level = 0
    for at in range(0, len(body), _PIECE):
        parser.feed(body[at : at + _PIECE])
        for event, _ in parser.read_events():
            level += 1 if event == "start" else -1
            if level > max_depth:
                raise _too_deep(rules, max_depth)
    return parser.close()


def text_of(element: etree._Element) -> str:
    """All of its text, without the white space around it."""
    return "".join(str(text) for text in element.itertext()).strip()


def _depth(root: etree._Element) -> int:
    deepest = level = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        level += 1 if event == "start" else -1
        deepest = max(deepest, level)
    return deepest


def _too_deep(rules: str, most: int) -> UnreadableXmlError:
    return _unreadable(f"{rules}-XML-DEPTH", "/", f"more than {most} levels", f"at most {most}")


def _unreadable(rule: str, path: str, message: str, expected: str) -> UnreadableXmlError:
    return UnreadableXmlError(Problem(rule, path, message, expected, source=SOURCE))
