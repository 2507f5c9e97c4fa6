"""Whose login stands behind what a client presents at the token endpoint."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.domain import secrets
from services.psc.domain.client import Client
from services.psc.domain.parameters import Parameters
from services.psc.repository import grants, requests, sessions


async def person_behind(session: AsyncSession, client: Client, parameters: Parameters) -> str:
    """The national identifier, or "" when nothing of this is known here."""
    if (auth_req_id := parameters.get("auth_req_id")) is not None:
        digest = secrets.digest(auth_req_id)
        request = await requests.find_polled(session, client.space, digest)
        return "" if request is None else request.national_id
    grant = None
    if (code := parameters.get("code")) is not None:
        grant = await grants.of_code(session, client.space, secrets.digest(code))
    elif (refresh_token := parameters.get("refresh_token")) is not None:
        digest = secrets.digest(refresh_token)
        record = await grants.of_refresh(session, client.space, digest)
        if record is not None:
            grant = await grants.find(session, client.space, record.grant_id)
    if grant is None:
        return ""
    found = await sessions.find(session, client.space, grant.session_id)
    return "" if found is None else found.national_id
