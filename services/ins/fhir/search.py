"""Reads the parameters of a Patient search (IHE PDQm 3.2.0, ITI-78) into a query.

Parameters that are not known are ignored, as FHIR says, and left out of the `self` link so that a
typing error shows. Telecom and address are not kept by this service, hence not known.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from services.ins.fhir.patient import LOCAL_SYSTEM
from socle.fhir.search import page_size
from socle.ids.traits import fold, transliterate
from socle.problems import Problem

DEFAULT_COUNT = 20
MAX_COUNT = 200
SOURCE = "IHE PDQm 3.2.0 §3.78.4.1.2; FHIR R4 §3.1.1"
_DATE = re.compile(r"(eq)?([0-9]{4}(?:-[0-9]{2}){0,2})")
_INS = re.compile(r"[0-9A-B]{13}(?:[0-9]{2})?")
_SEXES = {"male": "M", "female": "F"}


@dataclass(frozen=True, slots=True)
class NamePart:
    """`value` is upper case without diacritics, as traits are; `exact` or else the beginning."""

    value: str = field(repr=False)
    exact: bool = False


@dataclass(frozen=True, slots=True)
class PatientQuery:
    """Everything that is given must hold; alternatives stand in one tuple."""

    ids: tuple[UUID, ...] = ()
    ins: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    locals: tuple[str, ...] = ()
    families: tuple[tuple[NamePart, ...], ...] = ()
    givens: tuple[tuple[NamePart, ...], ...] = ()
    birth_dates: tuple[str, ...] = field(default=(), repr=False)
    sexes: tuple[str, ...] | None = None
    active: bool | None = None
    after: UUID | None = None

    @property
    def is_empty(self) -> bool:
        return self == PatientQuery(after=self.after, active=self.active)


@dataclass(slots=True)
class Search:
    query: PatientQuery = PatientQuery()
    count: int = DEFAULT_COUNT
    ignored: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_search(parameters: Sequence[tuple[str, str]]) -> Search:
    search = Search()
    for name, value in parameters:
        reader = _READERS.get(name)
        if "\0" in value:  # which PostgreSQL cannot hold, hence cannot compare
            search.problems.append(_problem(name[:40], "a NUL character", "text without it"))
        elif reader is not None:
            reader(search, value)
        elif name not in ("_format", "_pretty"):
            search.ignored.append(name)
    if search.query.is_empty and not search.problems:
        search.problems.append(
            _problem("", "no criterion is given", "one of " + ", ".join(sorted(_READERS)))
        )
    return search


def _read_id(search: Search, value: str) -> None:
    try:
        search.query = replace(search.query, ids=tuple(UUID(one) for one in value.split(",")))
    except ValueError:
        search.problems.append(_problem("_id", "not an identifier of ours", "a UUID"))


def _read_identifier(search: Search, value: str) -> None:
    for token in value.split(","):
        system, bar, number = token.rpartition("|")
        oid = system.removeprefix("urn:oid:")
        if not number:
            search.problems.append(
                _problem("identifier", "it has no value", "urn:oid:<OID>|<INS>, or a local number")
            )
        elif system.startswith("urn:oid:"):
            if _INS.fullmatch(number.upper()):
                found = (oid, number.upper()[:13])
                search.query = replace(search.query, ins=(*search.query.ins, found))
            else:
                search.problems.append(
                    _problem("identifier", "no INS", "13 characters, or 15 with the key")
                )
        elif system == LOCAL_SYSTEM or not bar:
            search.query = replace(search.query, locals=(*search.query.locals, number))
        else:
            search.problems.append(
                _problem(
                    "identifier",
                    "the system is not known here",
                    f"urn:oid:<OID of an INS>, {LOCAL_SYSTEM}, or none",
                )
            )


def _family(exact: bool) -> Callable[[Search, str], None]:
    def read(search: Search, value: str) -> None:
        parts = _name_parts(search, "family", value, exact)
        search.query = replace(search.query, families=(*search.query.families, parts))

    return read


def _given(exact: bool) -> Callable[[Search, str], None]:
    def read(search: Search, value: str) -> None:
        parts = _name_parts(search, "given", value, exact)
        search.query = replace(search.query, givens=(*search.query.givens, parts))

    return read


def _name_parts(search: Search, name: str, value: str, exact: bool) -> tuple[NamePart, ...]:
    """Case and diacritics do not count (FHIR R4 §3.1.1.4.8), unless `:exact` is asked."""
    given = [part for part in value.split(",") if fold(part)]
    if not given:
        search.problems.append(_problem(name, "it is empty", "the beginning of a name"))
    return tuple(NamePart(part if exact else transliterate(part).strip(), exact) for part in given)


def _read_birth_date(search: Search, value: str) -> None:
    match = _DATE.fullmatch(value)
    if match is None:
        search.problems.append(_problem("birthdate", "no date", "YYYY-MM-DD, YYYY-MM or YYYY"))
        return
    search.query = replace(search.query, birth_dates=(*search.query.birth_dates, match[2]))


def _read_gender(search: Search, value: str) -> None:
    codes = value.split(",")
    if not all(code in ("male", "female", "other", "unknown") for code in codes):
        search.problems.append(_problem("gender", "no gender of FHIR", "male, female, unknown"))
        return
    search.query = replace(search.query, sexes=tuple(_SEXES[c] for c in codes if c in _SEXES))


def _read_active(search: Search, value: str) -> None:
    if value not in ("true", "false"):
        search.problems.append(_problem("active", "no boolean", "true or false"))
        return
    search.query = replace(search.query, active=value == "true")


def _read_count(search: Search, value: str) -> None:
    size = page_size(value, MAX_COUNT)
    if size is None:
        search.problems.append(_problem("_count", "no page size", f"1 to {MAX_COUNT}"))
        return
    search.count = size


def _read_cursor(search: Search, value: str) -> None:
    try:
        search.query = replace(search.query, after=UUID(value))
    except ValueError:
        search.problems.append(_problem("_cursor", "no page of ours", "the url of `next`"))


_READERS: dict[str, Callable[[Search, str], None]] = {
    "_id": _read_id,
    "identifier": _read_identifier,
    "family": _family(exact=False),
    "family:exact": _family(exact=True),
    "given": _given(exact=False),
    "given:exact": _given(exact=True),
    "birthdate": _read_birth_date,
    "gender": _read_gender,
    "active": _read_active,
    "_count": _read_count,
    "_cursor": _read_cursor,
}


def _problem(name: str, message: str, expected: str) -> Problem:
    return Problem("FHIR-SEARCH", f"?{name}", message, expected, source=SOURCE)
