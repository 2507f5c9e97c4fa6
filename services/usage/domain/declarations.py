"""What is declared and not counted: lists of patients, totals, attestations. The last word holds."""

from datetime import date
from typing import NamedTuple
from uuid import UUID


class Listed(NamedTuple):
    """A patient (a pseudonym) on a professional's list: `ald`, `patientele`."""

    space: str
    list: str
    professional: str
    patient: str
    since: date
    until: date | None
    """The first day on which the patient is no longer on it."""
    event_id: UUID


class Totals(NamedTuple):
    """Figures of a month, or of another span of days, as a structure tells them (as in oSIS)."""

    space: str
    owner: str
    item: str
    start: date
    end: date
    numerator: int | None
    denominator: int | None
    event_id: UUID


class Attestation(NamedTuple):
    """`sas`, or `coordinated`: takes part in the SAS, practises in a coordinated way."""

    space: str
    professional: str
    kind: str
    form: str
    since: date
    until: date | None
    """The last day, as « du … au … » says; a practice that ends on 31 December counts for the year."""
    structure: str
    evidence: str
    event_id: UUID
