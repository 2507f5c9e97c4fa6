"""Reads XML of a stranger: no DTD, no entity, no network, no more levels than a message has."""

from lxml import etree

from socle.problems import Problem

MAX_DEPTH = 32
SOURCE = "SOAP 1.2 Part 1 §5; XML 1.0"


class UnreadableXmlError(ValueError):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.rule)
        self.problem = problem


def parse_xml(body: bytes, rules: str, max_depth: int = MAX_DEPTH) -> etree._Element:
    """The root. `rules` is the beginning of the rule ids: `INS` makes INS-XML-SYNTAX."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True,
        remove_comments=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        # The parser's own message may quote the content, so only its position is told.
        line = getattr(error, "lineno", None)
        raise _unreadable(
            f"{rules}-XML-SYNTAX", f"line {line}", "the message is not well-formed XML", "XML 1.0"
        ) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _unreadable(
            f"{rules}-XML-DTD", "/", "the message has a DOCTYPE", "no DTD and no entity"
        )
    if _depth(root) > max_depth:
        raise _unreadable(
            f"{rules}-XML-DEPTH", "/", f"more than {max_depth} levels", f"at most {max_depth}"
        )
    return root


def text_of(element: etree._Element) -> str:
    """All of its text, without the white space around it."""
    return "".join(str(text) for text in element.itertext()).strip()


def _depth(root: etree._Element) -> int:
    deepest = level = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        level += 1 if event == "start" else -1
        deepest = max(deepest, level)
    return deepest


def _unreadable(rule: str, path: str, message: str, expected: str) -> UnreadableXmlError:
    return UnreadableXmlError(Problem(rule, path, message, expected, source=SOURCE))
