"""The control plane's part of PSC: clients of a space, effective at once."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request

from services.psc.domain.client import Client
from services.psc.domain.enrolment import Enrolment
from services.psc.repository import clients as client_rows
from services.psc.service import clients
from socle.auth.dependencies import RequestSpace, kernel_of
from socle.db.sessions import ReadSession, WriteSession
from socle.errors import Category, DomainError
from socle.http.control import sandbox_only
from socle.spaces import in_force_everywhere

router = APIRouter(prefix="/_sandbox/psc", tags=["control plane"], dependencies=[sandbox_only])


@router.get("/clients")
async def list_clients(session: ReadSession, space: RequestSpace) -> list[dict[str, Any]]:
    return [_shown(client) for client in await client_rows.list_all(session, space.name)]


@router.post("/clients", status_code=201)
async def create_client(
    session: WriteSession, space: RequestSpace, enrolment: Enrolment
) -> dict[str, Any]:
    """The answer is the only one that ever shows the secret."""
    client, secret = await clients.enrol(session, space.name, enrolment)
    return {**_shown(client), "secret": secret}


@router.put("/clients/{client_id}")
async def replace_client(
    request: Request, space: RequestSpace, client_id: str, enrolment: Enrolment
) -> dict[str, Any]:
    """Replaces the client, or makes it. A secret that is left out stays as it was."""
    if enrolment.client_id != client_id:
        raise DomainError(
            Category.INCORRECT,
            "client_id_differs",
            "The address and the body name two clients; client_id cannot be changed.",
        )
    async with kernel_of(request).database.write() as session:
        client, secret = await clients.replace(session, space.name, enrolment)
    await in_force_everywhere()
    return {**_shown(client), "secret": secret}


@router.delete("/clients/{client_id}", status_code=204)
async def delete_client(request: Request, space: RequestSpace, client_id: str) -> None:
    """Its tokens end with it."""
    async with kernel_of(request).database.write() as session:
        await clients.remove(session, space.name, client_id)
    await in_force_everywhere()


def _shown(client: Client) -> dict[str, Any]:
    shown = asdict(client)
    del shown["secret_digest"]
    return {**shown, "public": client.public}
