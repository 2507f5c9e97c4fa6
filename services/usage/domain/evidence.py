"""Why a document counts for an indicator, or does not: the events behind a figure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.usage.domain.measures import ActsWith, CountingPolicy, Documents, Measure
from services.usage.domain.period import Period


@dataclass(frozen=True, slots=True)
class Registration:
    """One version of a document, as the DMP told it."""

    logical_id: UUID
    event_id: UUID
    unique_id: str
    structure: str
    professional: str
    type_code: str
    level: str
    qualified: bool
    act_at: datetime
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class LogicalDocument:
    """A chain of versions, the oldest first; the author and the day are those of the first."""

    chain_id: UUID
    versions: tuple[Registration, ...]
    withdrawn_at: datetime | None
    acts: frozenset[str]
    """Kinds of the declared acts of its author that it belongs to."""

    @property
    def origin(self) -> Registration:
        return self.versions[0]

    def deciding(self, policy: CountingPolicy, closes: datetime | None) -> Registration | None:
        """The version that decides, of those known when the period closed."""
        known = [it for it in self.versions if closes is None or it.registered_at < closes]
        if not known:
            return None
        return known[-1] if policy.version == "latest" else known[0]


def reason_against(
    document: LogicalDocument,
    measure: Measure | None,
    policy: CountingPolicy,
    period: Period,
    closes: datetime | None,
) -> str | None:
    """Why it does not count; None where it does. `closes` is None for the restated figure."""
    if document.origin.act_at not in period:
        return "period"
    version = document.deciding(policy, closes)
    if version is None:
        return "late"
    withdrawn = document.withdrawn_at
    if withdrawn is not None and (closes is None or withdrawn < closes):
        return "deleted"
    match measure:
        case Documents():
            return _against(document, version, measure)
        case ActsWith(what="document"):
            if measure.types != "any" and version.type_code not in measure.types:
                return "type"
            return None if measure.activity in document.acts else "act"
        case _:
            return "not_of_documents"


def _against(document: LogicalDocument, version: Registration, measure: Documents) -> str | None:
    if measure.types != "any" and version.type_code not in measure.types:
        return "type"
    if version.level not in measure.levels:
        return "level"
    if measure.ins == "qualified" and not version.qualified:
        return "ins"
    if measure.linked_to is not None and measure.linked_to not in document.acts:
        return "act"
    return None
