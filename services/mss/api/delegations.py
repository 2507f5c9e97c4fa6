"""Delegation of a mailbox by its owners."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.mss import access, service
from services.mss.api.fields import AddressInPath
from services.mss.domain.mailboxes import normalised
from socle.auth.dependencies import CallerSpace, Professional
from socle.db.sessions import ReadSession, WriteSession

router = APIRouter(prefix="/mss/mailboxes", tags=["mailboxes"])
NationalId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z/]{3,40}$")]


class DelegationIn(BaseModel):
    """`national_id` is the IDNAT_PS of the professional. `read-write` lets them send as well."""

    model_config = ConfigDict(extra="forbid")

    national_id: NationalId
    rights: Literal["read", "read-write"] = "read"


@router.get("/{address}/delegations")
async def list_delegations(
    address: AddressInPath, caller: Professional, space: CallerSpace, session: ReadSession
) -> list[dict[str, Any]]:
    box = await service.own_mailbox(session, space.name, caller, normalised(address))
    access.require_owner(box)
    return [
        {"national_id": one.national_id, "rights": one.rights, "granted_at": one.granted_at}
        for one in await access.list_delegates(session, space.name, box.address)
    ]


@router.post("/{address}/delegations", status_code=201)
async def delegate(
    address: AddressInPath,
    body: DelegationIn,
    caller: Professional,
    space: CallerSpace,
    session: WriteSession,
) -> dict[str, str]:
    """To read, or to read and write; a second grant replaces the first."""
    box = await service.own_mailbox(session, space.name, caller, normalised(address))
    await access.grant(session, space, box, caller, body.national_id, body.rights)
    return {"national_id": body.national_id, "rights": body.rights}


@router.delete("/{address}/delegations/{national_id}", status_code=204)
async def withdraw(
    address: AddressInPath,
    national_id: Annotated[str, Path(max_length=40, pattern=r"^[0-9A-Za-z/]+$")],
    caller: Professional,
    space: CallerSpace,
    session: WriteSession,
) -> None:
    box = await service.own_mailbox(session, space.name, caller, normalised(address))
    await access.withdraw(session, space.name, box, national_id)
