"""The constraints of the PDSm profiles that the guide leaves without an executable expression.

Source: PDSm 3.1.1 (trial use), MHD 4.2 comprehensive profiles (spec: dmp.md §3.2). The guide's own
examples break several of them (§3.6): every finding is a warning, which `strict` makes an error
(domain/validation). What no registry can do without is checked in checks.py, and refused always.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from services.dmp.fhir.access import codings, first, items, mapping, text
from services.dmp.fhir.bundle import Part
from services.dmp.fhir.codes import oid_of_system
from socle.problems import Problem

Resource = dict[str, Any]

SUBMISSION_SET: Final = "PDSm pdsm-submissionset-comprehensive"
FOLDER: Final = "PDSm pdsm-folder-comprehensive"
COMPREHENSIVE: Final = "PDSm pdsm-comprehensive-document-reference"
SIMPLIFIED: Final = "PDSm pdsm-simplified-publish"

_LEVELS: Final = "2.16.840.1.113883.5.25"
_LABELS: Final = {_LEVELS, "1.2.250.1.213.1.1.4.13"}
_AUTHORS: Final = ("Practitioner", "PractitionerRole", "Device", "Patient")
_SOURCES: Final = ("PractitionerRole", "Device", "Patient")
_AUTHOR_ORGANIZATION: Final = "authorOrg"


@dataclass(frozen=True, slots=True)
class _Constraint:
    """`path` is under the resource; `holds` looks at the whole resource."""

    name: str
    path: str
    expected: str
    holds: Callable[[Resource], bool]


def check_submission_set(part: Part) -> list[Problem]:
    return list(_findings(part.resource, part.path, _SET, SUBMISSION_SET))


def check_folder(part: Part) -> list[Problem]:
    return list(_findings(part.resource, part.path, _FOLDER, FOLDER))


def check_comprehensive(part: Part) -> list[Problem]:
    """Of a DocumentReference that came by ITI-65."""
    constraints = (*_DOCUMENT, *_COMPREHENSIVE)
    return list(_findings(part.resource, part.path, constraints, COMPREHENSIVE))


def check_simplified(part: Part) -> list[Problem]:
    """Of a DocumentReference that came by ITI-105."""
    return list(_findings(part.resource, part.path, (*_DOCUMENT, *_SIMPLIFIED), SIMPLIFIED))


def _findings(
    resource: Resource, path: str, constraints: tuple[_Constraint, ...], source: str
) -> Iterator[Problem]:
    for one in constraints:
        if not one.holds(resource):
            yield Problem(
                f"PDSM-{one.name}",
                f"{path}.{one.path}",
                "the guide requires this element in this form",
                one.expected,
                "warning",
                source,
            )


def _has(name: str) -> Callable[[Resource], bool]:
    return lambda resource: bool(resource.get(name))


def _attachment(resource: Resource) -> Resource:
    return mapping(first(resource.get("content")).get("attachment"))


def _attached(name: str) -> Callable[[Resource], bool]:
    return lambda resource: bool(_attachment(resource).get(name))


def _context(resource: Resource) -> Resource:
    return mapping(resource.get("context"))


def _is_coded(concept: Any) -> bool:
    return any(system and code for system, code in codings(concept))


def _is_contained(resource: Resource, reference: Any) -> bool:
    target = text(mapping(reference).get("reference"))
    contained = (mapping(one).get("id") for one in items(resource.get("contained")))
    return target.startswith("#") and target[1:] in contained


def _refers_to(resource: Resource, reference: Any, kinds: tuple[str, ...]) -> bool:
    """Contained, or by a literal reference, or by a type beside an identifier."""
    target = text(mapping(reference).get("reference"))
    if target.startswith("#"):
        return any(
            mapping(one).get("id") == target[1:] and mapping(one).get("resourceType") in kinds
            for one in items(resource.get("contained"))
        )
    if target:
        return any(kind in target.partition("?")[0].split("/") for kind in kinds)
    return text(mapping(reference).get("type")) in kinds


def _labelled(resource: Resource) -> bool:
    labels = [pair for one in items(resource.get("securityLabel")) for pair in codings(one)]
    systems = {oid_of_system(system) for system, _ in labels}
    return bool(labels) and systems <= _LABELS


def _authored(resource: Resource) -> bool:
    authors = items(resource.get("author"))
    return bool(authors) and all(_refers_to(resource, one, _AUTHORS) for one in authors)


def _extension(resource: Resource, name: str) -> Resource:
    found = map(mapping, items(resource.get("extension")))
    return next((one for one in found if text(one.get("url")).endswith(name)), {})


def _sourced(resource: Resource) -> bool:
    source = mapping(resource.get("source"))
    by_organization = bool(_extension(source, _AUTHOR_ORGANIZATION))
    return by_organization or _refers_to(resource, source, _SOURCES)


_DOCUMENT: Final = (
    _Constraint("DATE", "date", "an instant", _has("date")),
    _Constraint("AUTHOR", "author", " or ".join(_AUTHORS), _authored),
    _Constraint(
        "CUSTODIAN", "custodian", "the structure that keeps the document", _has("custodian")
    ),
    _Constraint("TITLE", "content[0].attachment.title", "a title", _attached("title")),
)

_COMPREHENSIVE: Final = (
    _Constraint("CONTAINED", "contained", "the patient as the source knows it", _has("contained")),
    _Constraint(
        "CATEGORY", "category", "one class of JDV_J06",
        lambda it: len(items(it.get("category"))) == 1 and _is_coded(first(it.get("category"))),
    ),
    _Constraint(
        "SECURITYLABEL", "securityLabel",
        "codes of v3-Confidentiality and TRE_A07-StatutVisibiliteDocument (JDV_J08)", _labelled,
    ),
    _Constraint("CONTENT", "content", "one content", lambda it: len(items(it.get("content"))) == 1),
    _Constraint("LANGUAGE", "content[0].attachment.language", "fr-FR", _attached("language")),
    _Constraint("CREATION", "content[0].attachment.creation", "an instant", _attached("creation")),
    _Constraint(
        "DATA", "content[0].attachment.data", "none: the bytes are in a Binary",
        lambda it: "data" not in _attachment(it),
    ),
    _Constraint(
        "FORMAT", "content[0].format", "a code of JDV_J10 with its system",
        lambda it: _is_coded({"coding": [first(it.get("content")).get("format")]}),
    ),
    _Constraint("CONTEXT", "context", "facility, setting, period, patient", _has("context")),
    _Constraint(
        "FACILITYTYPE", "context.facilityType", "a code of JDV_J02",
        lambda it: _is_coded(_context(it).get("facilityType")),
    ),
    _Constraint(
        "PRACTICESETTING", "context.practiceSetting", "a code of JDV_J04",
        lambda it: _is_coded(_context(it).get("practiceSetting")),
    ),
    _Constraint(
        "SOURCEPATIENTINFO", "context.sourcePatientInfo", "a reference to a contained Patient",
        lambda it: _is_contained(it, _context(it).get("sourcePatientInfo")),
    ),
    _Constraint(
        "PERIOD", "context.period.start", "when the act began",
        lambda it: bool(mapping(_context(it).get("period")).get("start")),
    ),
)  # fmt: skip

_SIMPLIFIED: Final = (
    _Constraint(
        "URL", "content[0].attachment.url", "none: the bytes are in attachment.data",
        lambda it: "url" not in _attachment(it),
    ),
    _Constraint(
        "EVENT", "context.event", "one event at most",
        lambda it: len(items(_context(it).get("event"))) <= 1,
    ),
)  # fmt: skip

_FOLDER: Final = (
    _Constraint(
        "FOLDER-DESIGNATIONTYPE", "extension", "one ihe-designationType with a code",
        lambda it: _is_coded(_extension(it, "designationType").get("valueCodeableConcept")),
    ),
    _Constraint("FOLDER-STATUS", "status", "current", lambda it: it.get("status") == "current"),
    _Constraint("FOLDER-MODE", "mode", "working", lambda it: it.get("mode") == "working"),
    _Constraint("FOLDER-DATE", "date", "an instant", _has("date")),
    _Constraint("FOLDER-ENTRY", "entry", "a document at least", _has("entry")),
)  # fmt: skip

_SET: Final = (
    _Constraint("SET-CONTAINED", "contained", "who sends the set", _has("contained")),
    _Constraint(
        "SET-DESIGNATIONTYPE", "extension", "ihe-designationType with a code of JDV_J03",
        lambda it: _is_coded(_extension(it, "designationType").get("valueCodeableConcept")),
    ),
    _Constraint(
        "SET-SOURCEID", "extension", "ihe-sourceId with the OID of the sending software",
        lambda it: bool(mapping(_extension(it, "sourceId").get("valueIdentifier")).get("value")),
    ),
    _Constraint("SET-SOURCE", "source", f"{' or '.join(_SOURCES)}, or authorOrg", _sourced),
    _Constraint("SET-SUBJECT", "subject", "the patient", _has("subject")),
    _Constraint("SET-STATUS", "status", "current", lambda it: it.get("status") == "current"),
    _Constraint("SET-MODE", "mode", "working", lambda it: it.get("mode") == "working"),
    _Constraint("SET-DATE", "date", "an instant", _has("date")),
)  # fmt: skip
