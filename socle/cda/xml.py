"""Reading a CDA document's XML: one pass in C, nothing expanded, nothing fetched.

The whole tree is built by libxml2 (about 200 MB/s) rather than streamed through Python events:
the body has to be proved well-formed anyway, and one Python call per body element costs more
than building it. Only the header is then visited.
"""

import re
from typing import Final

from lxml import etree

from socle.problems import Problem

HL7: Final = "urn:hl7-org:v3"
XML_SOURCE: Final = "XML 1.0; CDA R2 §1.3.1"

_BOM: Final = b"\xef\xbb\xbf"
_WIDE_BOMS: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_DECLARED: Final = re.compile(rb"""<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_MAX_FINDINGS: Final = 20


class MalformedCdaError(Exception):
    """The bytes are no CDA document that can be read; `problems` says everything that is wrong."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.rule for problem in problems))
        self.problems = problems


def parse_document(body: bytes) -> etree._Element:
    """The root `ClinicalDocument`. Raises MalformedCdaError."""
    if problems := _refused_before_parsing(body):
        raise MalformedCdaError(problems)
    # The encoding is forced, so that what was scanned above is what libxml2 reads.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        # A PDF in base64 is one text, and may pass the 10 MB at which libxml2 stops by itself. The
        # bodies are bounded before; without a DTD nothing grows while it is parsed.
        huge_tree=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as failure:
        raise MalformedCdaError(_syntax_problems(parser, failure)) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise MalformedCdaError([_doctype_problem()])
    if root.tag != f"{{{HL7}}}ClinicalDocument":
        raise MalformedCdaError([_root_problem(root)])
    return root


def _refused_before_parsing(body: bytes) -> list[Problem]:
    if not body.strip():
        return [_xml_problem("CDA-XML-empty", "le document est vide", "un document CDA R2 complet")]
    if problem := _encoding_problem(body):
        return [problem]
    return [_doctype_problem()] if _has_doctype(body) else []


def _encoding_problem(body: bytes) -> Problem | None:
    declared = _DECLARED.match(body.removeprefix(_BOM).lstrip())
    name = declared[1].decode().lower() if declared else "utf-8"
    if body.startswith(_WIDE_BOMS):
        name = "utf-16 ou utf-32"
    if name in ("utf-8", "utf8", "us-ascii"):
        return None
    return _xml_problem(
        "CDA-XML-encoding", f"le document est codé en {name}", 'UTF-8 (encoding="UTF-8")'
    )


def _has_doctype(body: bytes) -> bool:
    """Walks the prolog; in UTF-8 nothing else can spell `<!DOCTYPE` there."""
    position = len(_BOM) if body.startswith(_BOM) else 0
    while True:
        while body[position : position + 1].isspace():
            position += 1
        if body.startswith(b"<?", position):
            end, mark = body.find(b"?>", position), 2
        elif body.startswith(b"<!--", position):
            end, mark = body.find(b"-->", position + 4), 3
        else:
            return body.startswith(b"<!DOCTYPE", position)
        if end < 0:
            return False  # cut inside the prolog: the parser says so better
        position = end + mark


def _doctype_problem() -> Problem:
    return _xml_problem(
        "CDA-XML-doctype",
        "le document porte une déclaration DOCTYPE, refusée car elle permet des entités",
        "aucune DTD : un document CDA n'en a pas besoin",
    )


def _syntax_problems(parser: etree.XMLParser, failure: etree.XMLSyntaxError) -> list[Problem]:
    found = [
        _syntax_problem(f"ligne {entry.line}, colonne {entry.column} : {entry.message}")
        for entry in list(parser.error_log)[:_MAX_FINDINGS]
    ]
    return found or [_syntax_problem(str(failure))]


def _syntax_problem(message: str) -> Problem:
    if "XML_PARSE_HUGE" in message:
        # libxml2's guards against documents made to exhaust their reader.
        message = message.split(", try XML_PARSE_HUGE")[0].split(", use XML_PARSE_HUGE")[0]
        expected = "2048 niveaux d'éléments au plus"
        return _xml_problem("CDA-XML-limit", message, expected)
    return _xml_problem("CDA-XML-wellformed", message, "un XML bien formé, entier, en UTF-8")


def _root_problem(root: etree._Element) -> Problem:
    name = etree.QName(root)
    hint = (
        " ; un document auto-présentable (feuille XSLT) doit être déposé sans sa feuille de style"
        if name.localname in ("stylesheet", "transform")
        else ""
    )
    return Problem(
        rule="CDA-XML-root",
        path=f"/{name.localname}",
        message=f"la racine est « {name.localname} » dans « {name.namespace or ''} »{hint}",
        expected=f"ClinicalDocument dans l'espace de noms {HL7}",
        source="CDA R2 §4.1",
    )


def _xml_problem(rule: str, message: str, expected: str) -> Problem:
    return Problem(rule=rule, path="/", message=message, expected=expected, source=XML_SOURCE)
