"""What a rule counts: the measures that rule files name and that the counters answer.

A rule file says `numerator: {count: documents, types: [...], levels: [N3], ...}`; counting answers
one whole number for a measure, a beneficiary, a period and a policy. Nothing here counts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from services.usage.domain.period import Period, paris_midnight

Level = Literal["N1", "N3"]
ActivityKind = Literal[
    "stay.closed",
    "prescription.discharge",
    "operation.reported",
    "report.validated",
    "consultation.done",
    "prescription.issued",
    "fse.sent",
]
ActivityDomain = Literal["biology", "imaging"]
_IN_ORDER = PlainSerializer(sorted, return_type=list[str], when_used="json")
LoincCodes = Annotated[
    frozenset[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,20}$")]],
    Field(min_length=1, max_length=100),
    _IN_ORDER,
]
Levels = Annotated[frozenset[Level], Field(min_length=1), _IN_ORDER]


class _Measure(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Documents(_Measure):
    """Documents in the DMP whose author is the beneficiary, by the date of the act.

    `unit: document` counts logical documents (a chain of replacements is one); `unit: act` counts
    at most one for each `act_id` that is known (spec: usage.md §14). `linked_to` keeps the
    documents alone that belong to a declared act of this kind, such as a discharge prescription
    to a stay. `types: any` is every type.
    """

    count: Literal["documents"]
    types: LoincCodes | Literal["any"]
    levels: Levels
    ins: Literal["qualified", "any"]
    unit: Literal["document", "act"] = "document"
    linked_to: ActivityKind | None = None


class Acts(_Measure):
    """Declared acts of a kind, cancelled ones left out; without `paper`, those that were sent."""

    count: Literal["acts"]
    activity: ActivityKind
    domain: ActivityDomain | None = None
    without: Literal["paper"] | None = None


class ActsWith(_Measure):
    """Declared acts of a kind that gave rise to something: each act once.

    `document`: at least one document in the DMP for the act; `message_to_patient`: at least one
    accepted message to the patient's citizen mailbox; `eprescription`, `apcv`: made so.
    """

    count: Literal["acts_with"]
    activity: ActivityKind
    domain: ActivityDomain | None = None
    what: Literal["document", "message_to_patient", "eprescription", "apcv"]
    types: LoincCodes | Literal["any"] = "any"


class Patients(_Measure):
    """Patients on a declared list of the doctor's, at the end of the period."""

    count: Literal["patients"]
    list: Literal["ald", "patientele"]


class PatientsWithDocument(_Measure):
    """Patients of the list with a live document of the doctor's, each patient once.

    `structured: true` asks for level N3 (spec: usage.md §6 and §14).
    """

    count: Literal["patients_with_document"]
    list: Literal["ald", "patientele"]
    types: LoincCodes
    structured: bool = False


Measure = Annotated[
    Documents | Acts | ActsWith | Patients | PatientsWithDocument, Field(discriminator="count")
]


class CountingPolicy(_Measure):
    """Choices where the sources are silent (spec: usage.md §14), as the rule file settles them."""

    version: Literal["latest", "first"] = "latest"
    """Which approved version of a chain decides type, level and INS status."""
    late_delete: Literal["ignored", "kept"] = "ignored"
    """A deletion or replacement after the end of the period is ignored in it, or kept."""
    grace_days: Annotated[int, Field(ge=0, le=366)] = 0
    """Days after the end of the period in which a deposit for it is still accepted."""
    numerator: Literal["observed", "declared"] = "observed"
    """Which figure pays; the other one is shown with its gap."""
    software: Literal["derived", "attested"] = "derived"
    """Which decides where both are known: what the software declared is, or what the dossier says."""
    sas: Literal["attested", "each_week", "mean"] = "attested"
    """Whether open hours decide of the SAS beside the attestation, and by which weeks."""
    direction: Literal["sent", "either"] = "sent"
    """Messages with the patient: sent by the doctor, or in either direction."""

    def closes_at(self, period: Period) -> datetime:
        """From when on nothing more counts for a period."""
        return paris_midnight(period.end + timedelta(days=self.grace_days))


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """Whose acts and documents count: an establishment, a professional, or the whole space."""

    kind: Literal["structure", "professional", "space"]
    number: str = ""
    """FINESS, RPPS, or nothing."""

    @property
    def key(self) -> str:
        """What its dossiers, software and files are kept under."""
        return f"{self.kind}:{self.number}"
