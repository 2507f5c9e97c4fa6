"""Reads the parameters of ITI-66 into criteria for the submission sets and folders of a patient.

Source: IHE MHD 4.2 §3.66.4.1.2, PDSm 3.1.1 (SearchParameters of List; spec: dmp.md §3.3). The guide
names some of them twice, in its text and in its SearchParameter: both are read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.dmp.fhir.dates import read_period
from services.dmp.fhir.identifiers import ins_of_token, unique_id_of
from services.dmp.fhir.parameters import canonical, is_met, unsupported_modifier
from services.dmp.fhir.search import DEFAULT_COUNT, MAX_COUNT, Pseudonymise
from services.dmp.folder_repository import StoredFolder
from socle.fhir.search import page_size
from socle.problems import Problem
from socle.xds.document_entry import Author, Coded
from socle.xds.submission_set import SubmissionSet

SOURCE = "IHE MHD 4.2 §3.66.4.1.2"


@dataclass(frozen=True, slots=True)
class Listed:
    """What ITI-66 looks at of a List; a folder has neither source nor author."""

    kind: str
    unique_id: str
    date: str
    codes: tuple[Coded, ...]
    title: str = field(repr=False)
    source_id: str = ""
    authors: tuple[Author, ...] = ()


def listed_set(found: SubmissionSet) -> Listed:
    return Listed(
        "submissionset",
        found.unique_id,
        found.submission_time,
        (found.content_type,),
        found.title,
        found.source_id,
        found.authors,
    )


def listed_folder(stored: StoredFolder) -> Listed:
    folder = stored.folder
    return Listed("folder", folder.unique_id, stored.updated, folder.codes, folder.title)


Criterion = Callable[[Listed], bool]


@dataclass(slots=True)
class SetSearch:
    """`names` are uniqueIds and entryUUIDs; each criterion must hold."""

    patient: str | None = None
    names: tuple[str, ...] = ()
    criteria: list[Criterion] = field(default_factory=list)
    count: int = DEFAULT_COUNT
    only_count: bool = False
    after: UUID | None = None
    ignored: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, name: str, message: str, expected: str) -> None:
        rule = f"MHD-SEARCH-{name.strip('_').upper()}"
        self.problems.append(Problem(rule, f"List?{name}", message, expected, source=SOURCE))

    def want_patient(self, pseudonym: str) -> None:
        """A parameter that is there twice asks for both: no List is of two patients."""
        if self.patient not in (None, pseudonym):
            self.criteria.append(lambda _: False)
        else:
            self.patient = pseudonym


def read_set_search(
    parameters: Sequence[tuple[str, str]], pseudonymise: Pseudonymise, *, despite_key: bool = False
) -> SetSearch:
    search = SetSearch()
    for name, value in parameters:
        known = canonical(name, _READERS)
        read = _READERS.get(known)
        if "\0" in value:
            search.problem(name[:40], "a NUL character", "text without it")
        elif known == "patient.identifier":
            _read_patient(search, value, pseudonymise, despite_key)
        elif read is not None:
            read(search, value)
        elif modifier := unsupported_modifier(known, "List", _READERS, SOURCE):
            search.problems.append(modifier)
        elif name == "_summary" and value == "count":
            search.only_count = True
        elif not is_met(name, value):
            search.ignored.append(name)
    if not (search.patient or search.names or search.problems):
        search.problem(
            "patient.identifier",
            "no patient is named",
            "patient.identifier=urn:oid:1.2.250.1.213.1.4.8|<INS>, or identifier=…",
        )
    return search


def _read_patient(
    search: SetSearch, value: str, pseudonymise: Pseudonymise, despite_key: bool
) -> None:
    ins, faults = ins_of_token(value, despite_key=despite_key)
    if ins is None:
        for fault in faults:
            search.problem("patient.identifier", fault, "urn:oid:<OID>|<INS>")
        return
    search.want_patient(pseudonymise(ins))


def _read_patient_reference(search: SetSearch, value: str) -> None:
    search.want_patient(value.rpartition("/")[2])


def _read_identifier(search: SetSearch, value: str) -> None:
    found = (token.rpartition("|") for token in value.split(","))
    search.names += tuple(unique_id_of({"system": system, "value": v}) for system, _, v in found)


def _read_date(search: SetSearch, value: str) -> None:
    period = read_period(value)
    if period is None:
        search.problem("date", f"{value[:40]} is no date with a prefix", "ge2022-03-01, 2022…")
        return
    start, end = (bound.strftime("%Y%m%d%H%M%S") if bound else "" for bound in period)
    search.criteria.append(lambda it: start <= it.date and (not end or it.date < end))


def _read_code(search: SetSearch, value: str) -> None:
    """The two kinds of List."""
    wanted = _codes(value)
    search.criteria.append(lambda it: it.kind in wanted)


def _read_status(search: SetSearch, value: str) -> None:
    """Neither a submission set nor a folder is ever withdrawn."""
    if "current" not in _codes(value):
        search.criteria.append(lambda _: False)


def _read_archived(search: SetSearch, value: str) -> None:
    if value not in ("true", "false"):
        search.problem("PDSm_isArchived", f"it is {value[:20]}", "true or false")
    elif value == "true":
        search.criteria.append(lambda _: False)


def _read_designation(search: SetSearch, value: str) -> None:
    wanted = _codes(value)
    search.criteria.append(lambda it: any(code.code in wanted for code in it.codes))


def _read_source_id(search: SetSearch, value: str) -> None:
    wanted = {
        part.removeprefix("urn:oid:")
        for token in value.split(",")
        for part in token.split("|")
        if part
    }
    search.criteria.append(lambda it: it.source_id in wanted)


def _read_title(search: SetSearch, value: str) -> None:
    wanted = [title.casefold() for title in value.split(",")]
    search.criteria.append(lambda it: any(it.title.casefold().startswith(w) for w in wanted))


def _author_part(place: int) -> Callable[[SetSearch, str], None]:
    """A component of XCN (0 identifier, 1 family, 2 given), from its beginning."""

    def read(search: SetSearch, value: str) -> None:
        wanted = [token.rpartition("|")[2].casefold() for token in value.split(",")]
        search.criteria.append(
            lambda it: any(
                [*author.person.split("^"), "", "", ""][place].casefold().startswith(one)
                for author in it.authors
                for one in wanted
                if one
            )
        )

    return read


def _read_organization(search: SetSearch, value: str) -> None:
    """By the identifier of an XON, which is its last component."""
    wanted = [token.rpartition("|")[2].rpartition("/")[2] for token in value.split(",")]
    search.criteria.append(
        lambda it: any(
            institution.rpartition("^")[2] in wanted
            for author in it.authors
            for institution in author.institutions
        )
    )


def _read_count(search: SetSearch, value: str) -> None:
    size = page_size(value, MAX_COUNT)
    if value == "0":  # the same as _summary=count (FHIR R4 §3.1.1.5.5)
        search.only_count = True
        return
    if size is None:
        search.problem("_count", f"{value[:20]} is no page size", f"1 to {MAX_COUNT}")
        return
    search.count = size


def _read_cursor(search: SetSearch, value: str) -> None:
    try:
        search.after = UUID(value)
    except ValueError:
        search.problem("_cursor", "not a page of ours", "the url of `next`")


def _codes(value: str) -> set[str]:
    return {token.rpartition("|")[2] for token in value.split(",")}


_READERS: dict[str, Callable[[SetSearch, str], None]] = {
    "patient": _read_patient_reference,
    "identifier": _read_identifier,
    "_id": _read_identifier,
    "code": _read_code,
    "status": _read_status,
    "date": _read_date,
    "isArchived": _read_archived,
    "PDSm_isArchived": _read_archived,
    "designationType": _read_designation,
    "DesignationType": _read_designation,
    "sourceId": _read_source_id,
    "SourceId": _read_source_id,
    "title": _read_title,
    "source": _author_part(0),
    "source:identifier": _author_part(0),
    "source.identifier": _author_part(0),
    "source.family": _author_part(1),
    "source.given": _author_part(2),
    "source:Patient.family": _author_part(1),
    "source:Patient.given": _author_part(2),
    "source:PractitionerRole.practitioner.family": _author_part(1),
    "source:PractitionerRole.practitioner.given": _author_part(2),
    "authorOrg": _read_organization,
    "PDSm_authorOrg": _read_organization,
    "_count": _read_count,
    "_cursor": _read_cursor,
}

PARAMETERS = tuple(name for name in _READERS if not name.startswith("_") and ":" not in name)
"""Those that a CapabilityStatement names."""
