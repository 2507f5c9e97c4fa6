"""Refusals in the words of the real server, a HAPI FHIR behind a Gravitee gateway.

Of the two, HAPI's texts and numbers are those of its source (RestfulServer, SearchMethodBinding,
IncludeParameter, hapi-messages.properties); that `HAPI-0302` is answered is documented (guide v2,
api-basics.md) and so is `Parameter … not found` (API MSS guide, tests of 12 June 2026).
"""

from collections.abc import Iterable, Sequence

from services.mss.annuaire.domain.systems import KINDS
from socle.errors import Category, DomainError
from socle.problems import Problem

HAPI = "HAPI FHIR, RestfulServer"
SEARCH = "FHIR R4 §3.1.1"
PATCH = "API MSS guide, flux d'alimentation; FHIR R4 §3.2.0.11.2"


def refused(problems: Sequence[Problem], status: int = 400) -> DomainError:
    return DomainError(
        Category.INCORRECT, "annuaire_refused", "The request is refused.",
        problems=problems, status=status,
    )  # fmt: skip


def unknown_type(name: str) -> DomainError:
    known = ", ".join(KINDS)
    return _one(
        Category.NOT_FOUND, "HAPI-0302",
        f"HAPI-0302: Unknown resource type '{name[:80]}' - Server knows how to handle: [{known}]",
    )  # fmt: skip


def unknown_resource(kind: str, id_: str) -> DomainError:
    return _one(
        Category.NOT_FOUND, "HAPI-2001", f"HAPI-2001: Resource {kind}/{id_[:80]} is not known"
    )


def unknown_operation(method: str, path: str, names: Iterable[str] = ()) -> DomainError:
    """PUT, DELETE, create, and whatever else is not offered."""
    parameters = ", ".join(name[:80] for name in list(names)[:20])
    return _one(
        Category.INCORRECT, "HAPI-0303",
        "Invalid request: The FHIR endpoint on this server does not know how to handle"
        f" {method} operation[{path[:200]}] with parameters [[{parameters}]]",
    )  # fmt: skip


def root_request() -> DomainError:
    return _one(
        Category.INCORRECT, "HAPI-0287",
        "HAPI-0287: This is the base URL of FHIR server. Unable to handle this request, as it does"
        " not contain a resource type or operation name.",
    )  # fmt: skip


def page_gone(token: str) -> DomainError:
    return _one(
        Category.GONE, "HAPI-0417",
        f'HAPI-0417: Search ID "{token[:80]}" does not exist and may have expired',
    )  # fmt: skip


def no_match(url: str) -> DomainError:
    return _one(
        Category.NOT_FOUND, "HAPI-MATCH",
        f'Invalid match URL "{url[:200]}" - No resources match this search',
    )  # fmt: skip


def several_matches(url: str, number: int) -> DomainError:
    message = (
        f'Failed to PATCH resource with match URL "{url[:200]}" because this search matched'
        f" {number} resources"
    )
    return refused([Problem("HAPI-MATCH", "", message, source=HAPI)], status=412)


def unknown_parameter(
    name: str, kind: str, valid: Iterable[str], *, as_in_production: bool
) -> Problem:
    if as_in_production:
        message = f"Parameter {name[:80]} not found"
    else:
        message = (
            f'HAPI-0524: Unknown search parameter "{name[:80]}" for resource type "{kind}". Valid'
            f" search parameters for this search are: [{', '.join(valid)}]"
        )
    return Problem("HAPI-0524", name[:80], message, source=HAPI)


def unknown_sort(name: str, kind: str, valid: Iterable[str]) -> Problem:
    message = (
        f'HAPI-1194: Unknown _sort parameter value "{name[:80]}" for resource type "{kind}" (Note:'
        " sort parameters values must use a valid Search Parameter). Valid values for this search"
        f" are: [{', '.join(valid)}]"
    )
    return Problem("HAPI-1194", "_sort", message, source=HAPI)


def invalid_include(name: str, value: str, valid: Iterable[str]) -> Problem:
    message = (
        f'HAPI-0442: Invalid {name} parameter value: "{value[:80]}". Valid values are: '
        f"[{', '.join(valid)}]"
    )
    return Problem("HAPI-0442", name, message, source=HAPI)


def invalid_value(name: str, message: str, expected: str) -> Problem:
    return Problem("FHIR-SEARCH", name[:80], message, expected, source=SEARCH)


def _one(category: Category, rule: str, message: str) -> DomainError:
    return DomainError(
        category, "annuaire_refused", message, problems=[Problem(rule, "", message, source=HAPI)]
    )
