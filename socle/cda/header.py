"""From the bytes of a CDA document to its header: the part every transaction needs.

Order and names follow spec: CI-SIS structuration minimale v1.16.7. Reading never judges; the
rules do (`socle.cda.rules`).
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final, cast

from lxml import etree

from socle.cda.model import (
    Author,
    Body,
    CdaHeader,
    Code,
    Encounter,
    Entity,
    Id,
    Interval,
    LegalAuthenticator,
    NamePart,
    Organization,
    Patient,
    PersonName,
    RelatedDocument,
    ServiceEvent,
)
from socle.cda.xml import HL7, MalformedCdaError, parse_document

__all__ = ["MalformedCdaError", "read_header"]

_NS: Final = f"{{{HL7}}}"
# A real header repeats an element some ten times at most. Beyond the bound nothing more is read,
# and a rule refuses the document, so that a hostile one costs no more than its parse.
MAX_REPEATED: Final = 100
_MAX_NULL_FLAVORS: Final = 500
_NULL_FLAVORS: Final = etree.XPath(
    "/h:ClinicalDocument/*[not(self::h:component)]/descendant-or-self::*[@nullFlavor]",
    namespaces={"h": HL7},
)


def read_header(body: bytes) -> CdaHeader:
    """Raises MalformedCdaError when the bytes are no well-formed CDA document, body included."""
    root = parse_document(body)
    counts: Counter[str] = Counter()
    parts: dict[str, list[etree._Element]] = {}
    for child in root.iterchildren(_NS + "*"):
        name = child.tag[len(_NS) :]
        counts[name] += 1
        if counts[name] <= MAX_REPEATED:
            parts.setdefault(name, []).append(child)

    def first(name: str) -> etree._Element | None:
        return parts[name][0] if name in parts else None

    return CdaHeader(
        counts=counts,
        realm=_attribute(first("realmCode"), "code"),
        type_id=_id(first("typeId")),
        template_ids=_ids(parts.get("templateId", [])),
        id=_id(first("id")),
        code=_code(first("code")),
        title=_text(first("title")),
        effective_time=_attribute(first("effectiveTime"), "value"),
        confidentiality=_code(first("confidentialityCode")),
        language=_attribute(first("languageCode"), "code"),
        set_id=_id(first("setId")),
        version_number=_attribute(first("versionNumber"), "value"),
        patient=_patient(first("recordTarget")),
        authors=tuple(_author(element) for element in parts.get("author", [])),
        custodian=_custodian(first("custodian")),
        legal_authenticator=_legal_authenticator(first("legalAuthenticator")),
        orders=_ids(
            found
            for order in parts.get("inFulfillmentOf", [])
            for found in order.iterfind(f"{_NS}order/{_NS}id")
        ),
        service_events=tuple(
            _service_event(event)
            for element in parts.get("documentationOf", [])
            for event in element.iterchildren(_NS + "serviceEvent")
        ),
        related_documents=tuple(_related(element) for element in parts.get("relatedDocument", [])),
        encounter=_encounter(first("componentOf")),
        body=_body(parts.get("component", [])),
        null_flavors=_null_flavors(root),
    )


def _find(element: etree._Element | None, *names: str) -> etree._Element | None:
    for name in names:
        if element is None:
            return None
        element = next(element.iterchildren(_NS + name), None)
    return element


def _attribute(element: etree._Element | None, name: str) -> str:
    return "" if element is None else (element.get(name) or "").strip()


def _text(element: etree._Element | None) -> str:
    return "" if element is None else " ".join(str(element.xpath("string()")).split())


def _id(element: etree._Element | None) -> Id | None:
    if element is None:
        return None
    return Id(
        _attribute(element, "root"),
        _attribute(element, "extension"),
        _attribute(element, "nullFlavor"),
    )


def _ids(elements: "list[etree._Element] | Iterator[etree._Element]") -> tuple[Id, ...]:
    return tuple(found for element in elements if (found := _id(element)) is not None)


def _child_ids(element: etree._Element | None) -> tuple[Id, ...]:
    return () if element is None else _ids(element.iterchildren(_NS + "id"))


def _code(element: etree._Element | None) -> Code | None:
    if element is None:
        return None
    return Code(
        _attribute(element, "code"),
        _attribute(element, "codeSystem"),
        _attribute(element, "displayName"),
        _attribute(element, "nullFlavor"),
    )


def _name(element: etree._Element | None) -> PersonName | None:
    if element is None:
        return None

    def parts(tag: str) -> tuple[NamePart, ...]:
        return tuple(
            NamePart(_attribute(part, "qualifier"), _text(part))
            for part in element.iterchildren(_NS + tag)
        )

    return PersonName(families=parts("family"), givens=parts("given"))


def _patient(record_target: etree._Element | None) -> Patient | None:
    role = _find(record_target, "patientRole")
    if role is None:
        return None
    person = _find(role, "patient")
    address = _find(person, "birthplace", "place", "addr")
    return Patient(
        ids=_child_ids(role),
        name=_name(_find(person, "name")),
        gender=_code(_find(person, "administrativeGenderCode")),
        birth_time=_attribute(_find(person, "birthTime"), "value"),
        birth_county=_text(_find(address, "county")),
        birth_city=_text(_find(address, "city")),
    )


def _organization(element: etree._Element | None) -> Organization | None:
    if element is None:
        return None
    return Organization(
        ids=_child_ids(element),
        name=_text(_find(element, "name")),
        industry=_code(_find(element, "standardIndustryClassCode")),
    )


def _entity(element: etree._Element | None) -> Entity:
    if element is None:
        return Entity()
    return Entity(
        ids=_child_ids(element),
        code=_code(_find(element, "code")),
        name=_name(_find(element, "assignedPerson", "name")),
        device=_text(_find(element, "assignedAuthoringDevice", "softwareName")),
        organization=_organization(_find(element, "representedOrganization")),
    )


def _author(element: etree._Element) -> Author:
    return Author(
        time=_attribute(_find(element, "time"), "value"),
        entity=_entity(_find(element, "assignedAuthor")),
    )


def _custodian(element: etree._Element | None) -> Organization | None:
    return _organization(_find(element, "assignedCustodian", "representedCustodianOrganization"))


def _legal_authenticator(element: etree._Element | None) -> LegalAuthenticator | None:
    if element is None:
        return None
    return LegalAuthenticator(
        time=_attribute(_find(element, "time"), "value"),
        signature=_attribute(_find(element, "signatureCode"), "code"),
        entity=_entity(_find(element, "assignedEntity")),
    )


def _interval(element: etree._Element | None) -> Interval | None:
    if element is None:
        return None
    return Interval(
        low=_attribute(_find(element, "low"), "value") or _attribute(element, "value"),
        high=_attribute(_find(element, "high"), "value"),
        null_flavor=_attribute(element, "nullFlavor"),
    )


def _service_event(element: etree._Element) -> ServiceEvent:
    return ServiceEvent(
        code=_code(_find(element, "code")),
        time=_interval(_find(element, "effectiveTime")),
        performers=tuple(
            _entity(_find(performer, "assignedEntity"))
            for performer in element.iterchildren(_NS + "performer")
        ),
    )


def _encounter(component_of: etree._Element | None) -> Encounter | None:
    element = _find(component_of, "encompassingEncounter")
    if element is None:
        return None
    return Encounter(
        code=_code(_find(element, "code")),
        time=_interval(_find(element, "effectiveTime")),
        facility=_code(_find(element, "location", "healthCareFacility", "code")),
        ids=_child_ids(element),
    )


def _related(element: etree._Element) -> RelatedDocument:
    return RelatedDocument(
        type_code=_attribute(element, "typeCode"),
        ids=_child_ids(_find(element, "parentDocument")),
    )


def _body(components: list[etree._Element]) -> Body:
    for component in components:
        structured = _find(component, "structuredBody")
        if structured is not None:
            return Body("N3", is_empty=_find(structured, "component") is None)
        if _find(component, "nonXMLBody") is not None:
            text = _find(component, "nonXMLBody", "text")
            return Body(
                "N1",
                media_type=_attribute(text, "mediaType"),
                representation=_attribute(text, "representation"),
                is_empty=text is None or not (text.text or "").strip(),
            )
    return Body("")


def _null_flavors(root: etree._Element) -> tuple[tuple[str, str], ...]:
    elements = cast("list[etree._Element]", _NULL_FLAVORS(root))
    return tuple(
        (_path(element), _attribute(element, "nullFlavor"))
        for element in elements[:_MAX_NULL_FLAVORS]
    )


def _path(element: etree._Element) -> str:
    names = [etree.QName(step).localname for step in (element, *element.iterancestors())]
    return "/" + "/".join(reversed(names))
