"""The facts that usage reads and emits."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.usage.domain.acts import Act
from socle.events.envelope import Event

DOCUMENT_REGISTERED = "dmp.document.registered.v1"
DOCUMENT_DELETED = "dmp.document.deleted.v1"
ACTIVITY_DECLARED = "usage.activity.declared.v1"
SOURCE = "/usage"


class _Read(BaseModel):
    """What is read of another service's event; what it adds later is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Structure(_Read):
    kind: str
    number: str

    @property
    def key(self) -> str:
        """What counters group by: a FINESS as it is; a SIREN, which is nine digits too, apart."""
        return self.number if self.kind == "finess" else f"{self.kind}:{self.number}"


class _Author(_Read):
    structure: _Structure | None


class _Ins(_Read):
    qualified: bool


class RegisteredDocument(_Read):
    """`data` of dmp.document.registered.v1, as far as counting needs it."""

    logical_id: UUID
    chain_id: UUID | None = None  # absent from the events of before there were replacements
    type_code: str
    level: Literal["N1", "N3"]
    ins: _Ins
    author: _Author
    created_at: AwareDatetime
    registered_at: AwareDatetime
    size: int


class DeletedDocument(_Read):
    """`data` of dmp.document.deleted.v1. Only the last document of a chain can be deleted, and with it
    goes the chain."""

    chain_id: UUID
    changed_at: AwareDatetime


class DeclaredActivity(_Read):
    """`data` of usage.activity.declared.v1."""

    kind: str
    structure: str
    act_id: str
    domain: str
    act_at: AwareDatetime


def activity_declared(space: str, act: Act, time: datetime) -> Event:
    data: dict[str, Any] = {
        "kind": act.kind,
        "structure": act.structure,
        "act_id": act.act_id,
        "domain": act.domain,
        "act_at": act.act_at.isoformat(),
    }
    return Event.new(
        ACTIVITY_DECLARED, source=SOURCE, subject=act.structure, space=space, time=time, data=data
    )
