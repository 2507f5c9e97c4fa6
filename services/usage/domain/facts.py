"""The facts that counters are made of, each with the key that makes it count once.

Facts are only ever added, and where two of them claim the same key the one of the smallest event id
(the oldest: UUIDv7) holds, so that the order in which they are heard changes nothing.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.usage.domain.declarations import Attestation, Listed, Totals

SENT, RECEIVED = "mss.professional-to-patient", "mss.patient-to-professional"


class Version(NamedTuple):
    """One registration in the DMP. A chain of them is one logical document (spec: usage.md R4)."""

    space: str
    chain_id: str
    logical_id: str
    """UUID in lower case: as text they are read and written in bulk, and sort as they do."""
    event_id: UUID
    unique_id: str
    structure: str
    """A FINESS; `siren:…` and the like for other registers; empty when the author has none."""
    professional: str
    """National identifier (PS_IdNat), or empty."""
    patient: str
    type_code: str
    level: str
    qualified: bool
    act_at: datetime
    registered_at: datetime


class Withdrawal(NamedTuple):
    """A deletion; with the last document of a chain goes the chain."""

    space: str
    chain_id: str
    at: datetime


class ActKey(NamedTuple):
    space: str
    kind: str
    owner: str
    act_id: str


class Act(NamedTuple):
    """A declared act: what the DMP and the mail cannot know (spec: usage.md §12)."""

    space: str
    kind: str
    act_id: str
    """The vendor's own; with the owner and the kind it makes the declaration idempotent."""
    event_id: UUID
    structure: str
    professional: str
    domain: str
    patient: str
    act_at: datetime
    flags: str
    """Sorted words of ACT_FLAGS, between spaces."""

    @property
    def owner(self) -> str:
        """Whose numbering `act_id` is of: the structure's, or that of a professional without one."""
        return owner_of(self.structure, self.professional)

    @property
    def key(self) -> ActKey:
        return ActKey(self.space, self.kind, self.owner, self.act_id)


ACT_FLAGS = ("apcv", "degraded", "eprescription")


def owner_of(structure: str, professional: str) -> str:
    return structure or f"ps:{professional}"


class Cancellation(NamedTuple):
    key: ActKey
    at: datetime


class Link(NamedTuple):
    """A document (its uniqueId) or a message (`message:<uuid>`) belongs to an act."""

    space: str
    reference: str
    act_id: str


class Occurrence(NamedTuple):
    """Something that is only counted by day: a refusal, a session, a message."""

    space: str
    kind: str
    key: str
    at: datetime
    professional: str = ""
    structure: str = ""
    detail: str = ""
    quantity: int = 1


@dataclass
class Facts:
    """What a batch of events says."""

    versions: list[Version] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    cancellations: list[Cancellation] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    occurrences: list[Occurrence] = field(default_factory=list)
    listed: list[Listed] = field(default_factory=list)
    totals: list[Totals] = field(default_factory=list)
    attestations: list[Attestation] = field(default_factory=list)

    @property
    def lists(self) -> tuple[list[Any], ...]:
        return (
            self.versions, self.withdrawals, self.acts, self.cancellations, self.links,
            self.occurrences, self.listed, self.totals, self.attestations,
        )  # fmt: skip

    @property
    def spaces(self) -> set[str]:
        return {
            *(fact.space for fact in self.versions),
            *(fact.space for fact in self.withdrawals),
            *(fact.space for fact in self.acts),
            *(fact.key.space for fact in self.cancellations),
            *(fact.space for fact in self.links),
            *(fact.space for fact in self.occurrences),
            *(fact.space for fact in self.listed),
            *(fact.space for fact in self.totals),
            *(fact.space for fact in self.attestations),
        }


class Chain:
    """The versions of one logical document, and its deletion."""

    __slots__ = ("versions", "withdrawn_at")

    def __init__(self) -> None:
        self.versions: dict[str, Version] = {}
        self.withdrawn_at: datetime | None = None

    @property
    def ordered(self) -> list[Version]:
        if len(self.versions) == 1:
            return list(self.versions.values())
        return sorted(self.versions.values(), key=lambda it: (it.registered_at, it.logical_id))


ChainKey = tuple[str, str]


@dataclass
class Known:
    """The facts about whatever a batch may touch, as they are before it or after it."""

    chains: dict[ChainKey, Chain] = field(default_factory=dict)
    acts: dict[ActKey, Act] = field(default_factory=dict)
    cancelled: dict[ActKey, datetime] = field(default_factory=dict)
    messages: dict[tuple[str, str], Occurrence] = field(default_factory=dict)
    links: set[Link] = field(default_factory=set)

    def add(self, facts: Facts) -> Facts:
        """Takes the facts in; gives back those that change something, to be stored."""
        new = Facts(
            occurrences=facts.occurrences,
            listed=facts.listed,
            totals=facts.totals,
            attestations=facts.attestations,
        )
        new.acts = self._add_acts(facts.acts)
        new.versions = [it for it in self._oldest(facts.versions) if self._add_version(it)]
        for withdrawal in facts.withdrawals:
            chain = self.chains.setdefault((withdrawal.space, withdrawal.chain_id), Chain())
            if chain.withdrawn_at is None or withdrawal.at < chain.withdrawn_at:
                chain.withdrawn_at = withdrawal.at
                new.withdrawals.append(withdrawal)
        for cancellation in facts.cancellations:
            at = self.cancelled.get(cancellation.key)
            if at is None or cancellation.at < at:
                self.cancelled[cancellation.key] = cancellation.at
                new.cancellations.append(cancellation)
        new.links = list(dict.fromkeys(it for it in facts.links if it not in self.links))
        self.links.update(new.links)
        for occurrence in facts.occurrences:
            if occurrence.kind in (SENT, RECEIVED):
                self.messages.setdefault((occurrence.space, occurrence.key), occurrence)
        return new

    def _add_acts(self, acts: list[Act]) -> list[Act]:
        new: dict[ActKey, Act] = {}
        for act in acts:
            key = act.key
            there = self.acts.get(key)
            if there is None or act.event_id < there.event_id:
                self.acts[key] = new[key] = act
        return list(new.values())

    @staticmethod
    def _oldest(versions: list[Version]) -> list[Version]:
        """Of those of one batch that claim the same key, the one that holds."""
        held: dict[tuple[str, str, str], Version] = {}
        for it in versions:
            key = (it.space, it.chain_id, it.logical_id)
            there = held.get(key)
            if there is None or it.event_id < there.event_id:
                held[key] = it
        return list(held.values())

    def _add_version(self, version: Version) -> bool:
        key = (version.space, version.chain_id)
        chain = self.chains.get(key)
        if chain is None:
            chain = self.chains[key] = Chain()
        there = chain.versions.get(version.logical_id)
        if there is not None and there.event_id <= version.event_id:
            return False
        chain.versions[version.logical_id] = version
        return True

    @property
    def size(self) -> int:
        """Versions and acts."""
        return len(self.acts) + sum(len(chain.versions) for chain in self.chains.values())

    def links_by_reference(self) -> dict[tuple[str, str], set[str]]:
        """(space, reference) → act ids."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for link in self.links:
            found[link.space, link.reference].add(link.act_id)
        return found
