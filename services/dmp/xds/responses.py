"""The bodies of XDS.b answers (ITI TF-3 §4.2.4; spec: dmp.md §1.4)."""

from collections.abc import Sequence

from lxml import etree

from socle.problems import Problem
from socle.xds import names
from socle.xds.names import QUERY, RIM, RS, XDSB

_CODES = ("UnmodifiableMetadataError", "LocalPolicyRestrictionError", "InvalidDocumentContent")
_INVALID_CONTENT = ("CDA-",)
_UNKNOWN_PATIENT = ("INS-", "DMP-INS-")


def error_code(problem: Problem, default: str) -> str:
    """The code of ITI TF-3; a rule that is one already stands for itself."""
    if problem.rule.startswith("XDS") or problem.rule in _CODES:
        return problem.rule
    if problem.rule.startswith(_INVALID_CONTENT):
        return "InvalidDocumentContent"
    if problem.rule == "DMP-INS-TRAITS":
        return "XDSPatientIdDoesNotMatch"
    if problem.rule.startswith(_UNKNOWN_PATIENT):
        return "XDSUnknownPatientId"
    return default


def registry_response(
    status: str, problems: Sequence[Problem] = (), default: str = "XDSRepositoryMetadataError"
) -> etree._Element:
    root = etree.Element(f"{{{RS}}}RegistryResponse", nsmap={"rs": RS, "rim": RIM})
    root.set("status", status)
    add_errors(root, problems, default)
    return root


def add_errors(root: etree._Element, problems: Sequence[Problem], default: str) -> None:
    if not problems:
        return
    worst = any(problem.severity == "error" for problem in problems)
    errors = etree.SubElement(root, f"{{{RS}}}RegistryErrorList")
    errors.set("highestSeverity", names.ERROR if worst else names.WARNING)
    for problem in problems:
        error = etree.SubElement(errors, f"{{{RS}}}RegistryError")
        error.set("errorCode", error_code(problem, default))
        error.set("codeContext", context_of(problem))
        error.set("severity", names.ERROR if problem.severity == "error" else names.WARNING)
        error.set("location", problem.path)


def context_of(problem: Problem) -> str:
    """For a person: what is wrong, what would have been right, which rule says so."""
    expected = f" Expected: {problem.expected}." if problem.expected else ""
    source = f" ({problem.source})" if problem.source else ""
    return f"{problem.message}.{expected} [{problem.rule}]{source}"


def query_response(
    status: str, count: int | None, problems: Sequence[Problem] = ()
) -> tuple[etree._Element, etree._Element]:
    """The answer and its rim:RegistryObjectList, to be filled; errors stand before the list."""
    root = etree.Element(
        f"{{{QUERY}}}AdhocQueryResponse", nsmap={"query": QUERY, "rim": RIM, "rs": RS}
    )
    root.set("status", status)
    if count is not None:
        root.set("totalResultCount", str(count))
    add_errors(root, problems, "XDSRegistryError")
    return root, etree.SubElement(root, f"{{{RIM}}}RegistryObjectList")


def retrieve_response(status: str, problems: Sequence[Problem] = ()) -> etree._Element:
    root = etree.Element(f"{{{XDSB}}}RetrieveDocumentSetResponse", nsmap={"xdsb": XDSB, "rs": RS})
    root.append(registry_response(status, problems, "XDSRepositoryError"))
    return root
