"""Reads the parameters of ITI-67 into a registry query.

Source: IHE MHD 4.2 §3.67.4.1.2, PDSm4DMP TD3.1. Unknown parameters are ignored, as FHIR says,
and named in the answer so that a typing error shows.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from services.dmp.conditions import EntryQuery, Order
from services.dmp.fhir.dates import read_period
from services.dmp.fhir.identifiers import ins_of_token, unique_id_of
from services.dmp.fhir.parameters import canonical, is_met, unsupported_modifier
from services.dmp.fhir.relations import reference_id
from services.dmp.fhir.resources import XDS_STATUSES
from socle.fhir.search import page_size
from socle.ids.ins import Ins
from socle.problems import Problem

DEFAULT_COUNT = 50
MAX_COUNT = 200
SOURCE = "IHE MHD 4.2 §3.67.4.1.2"
_SORTED_BY: dict[str, Literal["created_at", "registered_at"]] = {
    "date": "created_at",
    "creation": "created_at",
    "_lastUpdated": "registered_at",
}
Pseudonymise = Callable[[Ins], str]


@dataclass(slots=True)
class Search:
    query: EntryQuery = field(default_factory=lambda: EntryQuery(latest_only=True))
    count: int = DEFAULT_COUNT
    only_count: bool = False
    archived: tuple[str, ...] | None = None
    ignored: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_search(
    parameters: Sequence[tuple[str, str]], pseudonymise: Pseudonymise, *, despite_key: bool = False
) -> Search:
    """`despite_key` takes an INS whose key is wrong, as a lenient registry does."""
    search = Search()
    for name, value in parameters:
        known = canonical(name, _READERS)
        reader = _READERS.get(known)
        if "\0" in value:  # which PostgreSQL cannot hold, hence cannot compare
            search.problems.append(_problem(name[:40], "a NUL character", "text without it"))
        elif known == "patient.identifier":
            _read_patient(search, value, pseudonymise, despite_key)
        elif reader is not None:
            reader(search, value)
        elif modifier := unsupported_modifier(known, "DocumentReference", _READERS, SOURCE):
            search.problems.append(modifier)
        elif name == "_summary" and value == "count":
            search.only_count = True
        elif not is_met(name, value):
            search.ignored.append(name)
    query = search.query
    if search.archived is not None:
        asked = query.statuses or search.archived
        both = tuple(status for status in asked if status in search.archived)
        query = search.query = replace(query, statuses=both or ("",))
    if not (query.patient or query.identifiers or query.ids or search.problems):
        search.problems.append(
            _problem(
                "patient.identifier",
                "no patient is named",
                "patient.identifier=urn:oid:1.2.250.1.213.1.4.8|<INS>, or identifier=…",
            )
        )
    return search


def _read_patient(
    search: Search, value: str, pseudonymise: Pseudonymise, despite_key: bool
) -> None:
    ins, faults = ins_of_token(value, despite_key=despite_key)
    if ins is None:
        search.problems += [
            _problem("patient.identifier", fault, "urn:oid:<OID>|<INS>") for fault in faults
        ]
        return
    _want_patient(search, pseudonymise(ins))


def _want_patient(search: Search, pseudonym: str) -> None:
    """A parameter that is there twice asks for both (FHIR R4 §3.1.1.4.2): no document is of two."""
    if search.query.patient not in (None, pseudonym):
        search.query = replace(search.query, ids=(*search.query.ids, ()))
    else:
        search.query = replace(search.query, patient=pseudonym)


def _read_status(search: Search, value: str) -> None:
    codes = [token.rpartition("|")[2] for token in value.split(",") if token]
    if not codes:
        return
    if not set(codes) <= XDS_STATUSES.keys():
        search.problems.append(
            _problem("status", f"unknown status {value[:40]}", ", ".join(XDS_STATUSES))
        )
        return
    statuses = tuple(status for code in codes for status in XDS_STATUSES[code])
    if search.query.statuses:  # both parameters must hold, and "" is no status
        statuses = tuple(one for one in statuses if one in search.query.statuses) or ("",)
    search.query = replace(search.query, statuses=statuses)


def _read_archived(search: Search, value: str) -> None:
    statuses = {"true": ("Archived",), "false": ("Approved", "Deprecated", "Deleted")}.get(value)
    if statuses is None:
        search.problems.append(_problem("PDSm_isArchived", f"it is {value[:20]}", "true or false"))
        return
    search.archived = statuses


def _coded(attribute: str) -> Callable[[Search, str], None]:
    def read(search: Search, value: str) -> None:
        if wanted := _codes(value):  # a parameter without a value says nothing (FHIR R4 §3.1.1.1)
            search.query = replace(search.query, codes=(*search.query.codes, (attribute, wanted)))

    return read


def _period_of(attribute: str) -> Callable[[Search, str], None]:
    def read(search: Search, value: str) -> None:
        period = read_period(value)
        if period is None:
            search.problems.append(
                _problem("period", f"{value[:40]} is no date with a prefix", "ge2022-03-01, 2022…")
            )
            return
        search.query = replace(search.query, stamps=(*search.query.stamps, (attribute, *period)))

    return read


def _read_author(search: Search, value: str) -> None:
    """By identifier, in the forms that a reference parameter takes."""
    numbers = (token.rpartition("|")[2].rpartition("/")[2] for token in value.split(","))
    _want_author(search, [f"{escaped(number)}^%" for number in numbers if number])


def _author_name(pattern: str) -> Callable[[Search, str], None]:
    """A name of an author from its beginning, whatever the case (FHIR R4 §3.1.1.4.8)."""

    def read(search: Search, value: str) -> None:
        names = [name for name in value.split(",") if name]
        _want_author(search, [pattern.format(escaped(name)) for name in names])

    return read


def _want_author(search: Search, patterns: list[str]) -> None:
    if patterns:
        authors = (*search.query.authors, tuple(patterns))
        search.query = replace(search.query, authors=authors)


def escaped(text: str) -> str:
    """For LIKE, whose signs are of no meaning in a name."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _read_relates_to(search: Search, value: str) -> None:
    found = tuple(
        reference_id(token) or unique_id_of({"value": token.rpartition("|")[2]})
        for token in value.split(",")
    )
    search.query = replace(search.query, relates_to=(*search.query.relates_to, found))


def _read_related(search: Search, value: str) -> None:
    if wanted := _codes(value):
        search.query = replace(search.query, references=(*search.query.references, wanted))


def _read_patient_reference(search: Search, value: str) -> None:
    """The id of a Patient of this server is the patient's pseudonym."""
    _want_patient(search, value.rpartition("/")[2])


def _read_type(search: Search, value: str) -> None:
    """The first has a column of its own; what else is asked for is looked for in the metadata."""
    if search.query.type_codes:
        _coded("type_code")(search, value)
    else:
        search.query = replace(search.query, type_codes=_codes(value))


def _read_category(search: Search, value: str) -> None:
    if search.query.class_codes:
        _coded("class_code")(search, value)
    else:
        search.query = replace(search.query, class_codes=_codes(value))


def _codes(value: str) -> tuple[str, ...]:
    """A token is `code` or `system|code`; the registry's codes are unique across systems."""
    return tuple(token.rpartition("|")[2] for token in value.split(",") if token)


def _read_identifier(search: Search, value: str) -> None:
    found = []
    for token in value.split(","):
        system, _, number = token.rpartition("|")
        found.append(unique_id_of({"system": system, "value": number}))
    search.query = replace(search.query, identifiers=(*search.query.identifiers, tuple(found)))


def _read_id(search: Search, value: str) -> None:
    try:
        ids = tuple(UUID(one) for one in value.split(","))
        search.query = replace(search.query, ids=(*search.query.ids, ids))
    except ValueError:
        search.problems.append(_problem("_id", "not an identifier of an entry", "a UUID"))


def _read_date(search: Search, value: str) -> None:
    period = read_period(value)
    if period is None:
        search.problems.append(
            _problem("date", f"{value} is no date with a prefix", "ge2022-03-01, le2022-03, 2022…")
        )
        return
    search.query = replace(search.query, created=(*search.query.created, period))


def _read_count(search: Search, value: str) -> None:
    size = page_size(value, MAX_COUNT)
    if value == "0":  # the same as _summary=count (FHIR R4 §3.1.1.5.5)
        search.only_count = True
        return
    if size is None:
        search.problems.append(
            _problem("_count", f"{value[:20]} is no page size", f"1 to {MAX_COUNT}")
        )
        return
    search.count = size


def _read_cursor(search: Search, value: str) -> None:
    try:
        at, _, entry_id = base64.urlsafe_b64decode(value).decode().partition("|")
        instant = datetime.fromisoformat(at).astimezone(UTC)
        search.query = replace(search.query, after=(instant, UUID(entry_id)))
    except (binascii.Error, ValueError, OverflowError):
        search.problems.append(_problem("_cursor", "not a page of ours", "the url of `next`"))


def cursor(at: datetime, entry_id: UUID) -> str:
    """The place in the listing after which the next page begins; `at` is what the listing is sorted by."""
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{entry_id}".encode()).decode()


def _read_sort(search: Search, value: str) -> None:
    """By one parameter (FHIR R4 §3.1.1.5.1); another wish is left out, and told as unused."""
    order = _ORDERS.get(value)
    if order is None:
        search.ignored.append("_sort")
    else:
        search.query = replace(search.query, order=order)


_ORDERS: dict[str, Order] = {
    f"{sign}{name}": Order(by, newest_first=sign == "-")
    for sign in ("", "-")
    for name, by in _SORTED_BY.items()
}
_READERS: dict[str, Callable[[Search, str], None]] = {
    "status": _read_status,
    "type": _read_type,
    "category": _read_category,
    "identifier": _read_identifier,
    "_id": _read_id,
    "date": _read_date,
    "creation": _read_date,
    "period": _period_of("service_start"),
    "period-start": _period_of("service_start"),
    "period-end": _period_of("service_stop"),
    "patient": _read_patient_reference,
    "author": _read_author,
    "author:identifier": _read_author,
    "author.identifier": _read_author,
    "author.family": _author_name("%^{}%^%"),
    "author.given": _author_name("%^%^{}%"),
    "relatesto": _read_relates_to,
    "related": _read_related,
    "related:identifier": _read_related,
    "related.identifier": _read_related,
    "setting": _coded("practice_setting"),
    "facility": _coded("facility_type"),
    "format": _coded("format_code"),
    "event": _coded("event_codes"),
    "security-label": _coded("confidentiality"),
    "PDSm_isArchived": _read_archived,
    "isArchived": _read_archived,
    "_count": _read_count,
    "_sort": _read_sort,
    "_cursor": _read_cursor,
}


def _problem(name: str, message: str, expected: str) -> Problem:
    return Problem(
        f"MHD-SEARCH-{name.strip('_').upper()}", f"DocumentReference?{name}", message, expected,
        source=SOURCE,
    )  # fmt: skip


PARAMETERS = tuple(name for name in _READERS if not name.startswith("_") and ":" not in name)
"""Those that a CapabilityStatement names."""
