"""FHIR resources between their JSON and their XML form (FHIR R4 §2.6).

Types, cardinalities and the order of elements are those of fhir.resources (R4B, which differs from R4
in no resource that is served here). It validates on the way, so what is no FHIR is named by its path.
"""

import re
from typing import Any, Final

import orjson
from lxml import etree
from pydantic import ValidationError

from socle.errors import Category, DomainError
from socle.problems import Problem
from socle.xml_reasons import place_and_reason

FHIR_XML: Final = "application/fhir+xml"
NAMESPACE: Final = "http://hl7.org/fhir"
MAX_DEPTH: Final = 128
SOURCE: Final = "FHIR R4 §2.6.1 (XML)"
_KIND: Final = re.compile(r"[A-Z][A-Za-z]{1,60}")
# What the library raises, beside its own errors, on input that nobody would write on purpose.
_CONFUSED: Final = (
    ValueError, LookupError, TypeError, AttributeError, NotImplementedError, AssertionError,
    RecursionError,
)  # fmt: skip
_MAX_FINDINGS: Final = 50


def json_of_xml(body: bytes) -> bytes:
    """Raises a DomainError of 400 that names what is wrong."""
    root = _parsed(body)
    name = etree.QName(root)
    if name.namespace != NAMESPACE:
        raise _refused("FHIR-XML-NAMESPACE", "/", f"the root is {name.text[:80]}", NAMESPACE)
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
        model = _class_of(name.localname).model_validate_xml(etree.tostring(root), xmlparser=parser)
        return str(model.model_dump_json()).encode()
    except ValidationError as error:
        raise _invalid(name.localname, error) from None
    except _CONFUSED:
        expected = "the elements of this resource, in their order"
        raise _refused(
            "FHIR-XML", name.localname[:60], "it is no FHIR R4 resource", expected
        ) from None


def xml_of_json(body: bytes) -> bytes | None:
    """None for what cannot be written in XML: a resource that was kept although it is no FHIR."""
    try:
        resource: dict[str, Any] = orjson.loads(body)
        model = _class_of(resource["resourceType"]).model_validate(resource)
        written: bytes | str = model.model_dump_xml()
    except _CONFUSED:  # ValidationError is a ValueError
        return None
    return written if isinstance(written, bytes) else written.encode()


def _class_of(kind: str) -> Any:
    # Late: the library takes a quarter of a second, which JSON does not need.
    from fhir.resources.R4B import get_fhir_model_class

    if not _KIND.fullmatch(kind):
        raise ValueError("no name of a resource")
    return get_fhir_model_class(kind)


def _parsed(body: bytes) -> etree._Element:
    # Before it is parsed: a document in an attribute may be long, so libxml2's own limits are off.
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body or body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _refused("FHIR-XML-DTD", "/", "the body has a DOCTYPE", "UTF-8, no DTD, no entity")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _refused("FHIR-XML-SYNTAX", *place_and_reason(error)) from None
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            raise _refused("FHIR-DEPTH", "/", "the elements are nested too deeply", "fewer levels")
    return root


def _invalid(kind: str, error: ValidationError) -> DomainError:
    problems = [
        Problem(
            "FHIR-XML",
            ".".join([kind, *(str(part) for part in one["loc"])])[:200],
            one["msg"][:200],
            source=SOURCE,
        )
        for one in error.errors(include_input=False, include_url=False)[:_MAX_FINDINGS]
    ]
    return _error(problems)


def _refused(rule: str, path: str, message: str, expected: str) -> DomainError:
    return _error([Problem(rule, path, message, expected, source=SOURCE)])


def _error(problems: list[Problem]) -> DomainError:
    return DomainError(
        Category.INCORRECT,
        "malformed_xml",
        "The body is no FHIR R4 resource in XML.",
        problems=problems,
    )
