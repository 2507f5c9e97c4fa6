"""An identity record: traits, INS if INSi gave one, and the state that decides its use."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.ins.domain.person import Person, RegisteredIns
from socle.ids.identity_status import IdentityState, Transition
from socle.ids.traits import Traits


@dataclass(frozen=True, slots=True)
class Identity:
    """`ins` outlives a doubt in the record, so that whoever used it can be told; it is shown
    and sent only while `state` says that INSi still vouches for it."""

    id: UUID
    traits: Traits
    state: IdentityState
    created_at: datetime
    updated_at: datetime
    external_id: str | None = None
    ins: RegisteredIns | None = field(default=None, repr=False)

    @property
    def valid_ins(self) -> RegisteredIns | None:
        return self.ins if self.state.retrieved else None

    def agrees_with(self, person: Person) -> bool:
        return self.ins == person.active and self.traits == person.traits

    def moved(self, transition: Transition, at: datetime) -> "Identity":
        return replace(self, state=transition.after, updated_at=at)

    def given_by(self, person: Person) -> "Identity":
        """INSi's traits replace the local ones (they are the reference once accepted)."""
        return replace(self, traits=person.traits, ins=person.active)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    step: str
    from_status: str
    to_status: str
    reason: str
    at: datetime
