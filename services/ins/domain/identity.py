"""An identity record: traits, INS if INSi gave one, and the state that decides its use."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.ins.domain.person import Person, RegisteredIns
from socle.ids.identity_status import EVIDENCE, IdentityState, Transition
from socle.ids.traits import Traits, check_family_name, check_given_name, starts_list
from socle.problems import Problem

COLLECTION: Final = {
    "SM": "saisie manuelle",
    "CV": "carte Vitale",
    "INSI": "téléservice INSi",
    "CB": "code à barres (datamatrix INS)",
    "RFID": "puce RFID",
    "AV": "application carte Vitale",
}
"""How the traits were obtained: ZFD-5 of PAM France 2.11.2 and FR Core (spec: ins.md §3.4)."""


@dataclass(frozen=True, slots=True)
class LocalNames:
    """What INSi never gives and never fills (EXI ID 08, EXI PP 18); empty where it is not known."""

    first_given_name: str = field(default="", repr=False)
    used_family_name: str = field(default="", repr=False)
    used_given_name: str = field(default="", repr=False)

    def check(
        self, traits: Traits, path_of: Callable[[str], str] = lambda name: f"/{name}"
    ) -> list[Problem]:
        problems = []
        if self.first_given_name:
            problems += check_given_name(self.first_given_name, path_of("first_given_name"))
            problems += self.incoherence(traits, path_of("first_given_name"))
        if self.used_family_name:
            problems += check_family_name(self.used_family_name, path_of("used_family_name"))
        if self.used_given_name:
            problems += check_given_name(self.used_given_name, path_of("used_given_name"))
        return problems

    def incoherence(self, traits: Traits, path: str = "/first_given_name") -> list[Problem]:
        """The first given name begins the list, hyphen and apostrophe being a space (EXI ID 10)."""
        if not self.first_given_name or starts_list(self.first_given_name, traits.given_names):
            return []
        return [
            Problem(
                "INS-PREMIER-PRENOM",
                path,
                "the first given name is not the beginning of the list of given names",
                "the first name or names of the list, in order",
                source="RNIV EXI ID 10; spec: ins.md §1.1",
            )
        ]


UNNAMED: Final = LocalNames()


@dataclass(frozen=True, slots=True)
class Provenance:
    """How the identity was made sure: ZFD-5 to ZFD-8. `evidence_expires` is a date, or empty."""

    collected_by: str = "SM"
    insi_at: datetime | None = None
    evidence: str = ""
    evidence_at: datetime | None = None
    evidence_expires: str = ""

    @property
    def evidence_label(self) -> str:
        return EVIDENCE.get(self.evidence, "")


@dataclass(frozen=True, slots=True)
class Identity:
    """`ins` outlives a doubt in the record, so that whoever used it can be told; it is shown
    and sent only while `state` says that INSi still vouches for it. `former` is INSHISTO, kept as
    INSi gave it (EXI REC 08). A merged record names its survivor and moves no more.
    """

    id: UUID
    traits: Traits
    state: IdentityState
    created_at: datetime
    updated_at: datetime
    external_id: str | None = None
    ins: RegisteredIns | None = field(default=None, repr=False)
    former: tuple[RegisteredIns, ...] = field(default=(), repr=False)
    names: LocalNames = UNNAMED
    provenance: Provenance = Provenance()
    merged_into: UUID | None = None

    @property
    def valid_ins(self) -> RegisteredIns | None:
        return self.ins if self.state.retrieved else None

    def agrees_with(self, person: Person) -> bool:
        return self.ins == person.active and self.traits == person.traits

    def moved(self, transition: Transition, at: datetime) -> "Identity":
        return replace(self, state=transition.after, updated_at=at)

    def given_by(self, person: Person, at: datetime) -> "Identity":
        """INSi's traits replace the local ones (they are the reference once accepted)."""
        provenance = replace(self.provenance, collected_by="INSI", insi_at=at)
        return replace(
            self,
            traits=person.traits,
            ins=person.active,
            former=person.history,
            provenance=provenance,
        )

    def confirmed(self, at: datetime) -> "Identity":
        """INSi was asked and still says the same."""
        return replace(self, provenance=replace(self.provenance, insi_at=at))

    def shown(self, evidence: str, at: datetime, expires: str) -> "Identity":
        """A document was seen: which, when, and until when it is good."""
        provenance = replace(
            self.provenance, evidence=evidence, evidence_at=at, evidence_expires=expires
        )
        return replace(self, provenance=provenance)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    step: str
    from_status: str
    to_status: str
    reason: str
    at: datetime
