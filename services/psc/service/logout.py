"""RP-initiated logout: who asks, which session ends, and where the browser goes after."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.domain import claims, secrets
from services.psc.domain.client import Client
from services.psc.domain.refusals import OAuthError, PageError
from services.psc.provider import Provider
from services.psc.repository import clients as client_rows
from services.psc.repository import grants
from services.psc.service import sessions
from socle.clock import wall
from socle.db.database import WriteSession
from socle.spaces import Space


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """`space` is where the session is looked for; `session_id` is None without a hint."""

    space: str
    session_id: UUID | None
    redirect_uri: str | None
    state: str | None
    client_id: str = ""


async def read_request(
    provider: Provider,
    session: AsyncSession,
    explicit_space: str | None,
    parameters: dict[str, str],
) -> LogoutRequest:
    """Raises PageError before anything ends: a browser is sent to registered addresses only."""
    space = explicit_space or provider.settings.default_space
    session_id, client = None, None
    hint, client_id = parameters.get("id_token_hint"), parameters.get("client_id")
    if hint is not None:
        space, session_id, client = await _read_hint(provider, session, explicit_space, hint)
        if client_id is not None and client_id != client.client_id:
            raise PageError(
                "invalid_request",
                "Invalid parameter: client_id",
                "client_id doit être le client auquel id_token_hint a été délivré.",
            )
    elif client_id is not None:
        client = await provider.clients.get(explicit_space, client_id)
        space = client.space if client else space
    uri = parameters.get("post_logout_redirect_uri")
    if uri is not None and (client is None or not client.may_log_out_to(uri)):
        raise PageError(
            "invalid_request",
            "Invalid redirect uri",
            "Envoyez id_token_hint (ou client_id) et un post_logout_redirect_uri enregistré pour "
            "ce client.",
        )
    name = client.client_id if client else ""
    return LogoutRequest(space, session_id, uri, parameters.get("state"), name)


async def _read_hint(
    provider: Provider, session: AsyncSession, explicit_space: str | None, hint: str
) -> tuple[str, UUID, Client]:
    """An ID token of this provider, expired or not (OIDC RP-Initiated Logout §2)."""
    read = provider.signer.read(hint)
    if read is not None and read.get("typ") == "ID":
        space = str(read[claims.SPACE])
        client = await client_rows.find(session, space, str(read["azp"]))
        if explicit_space in (None, space) and client is not None:
            return space, UUID(read["sid"]), client
    raise PageError(
        "invalid_request",
        "Invalid parameter: id_token_hint",
        "Envoyez l’id_token que ce fournisseur a délivré au client qui se déconnecte.",
    )


async def end_hinted(session: WriteSession, space: Space, session_id: UUID) -> None:
    """Ending a session twice is no error: the person is logged out, which is what was asked."""
    await sessions.close(session, space, session_id, wall())


async def end_of_browser(
    provider: Provider, session: WriteSession, space: Space, cookie: str | None
) -> None:
    now = wall()
    current = await sessions.of_cookie(provider, session, space, cookie, now)
    if current is not None:
        await sessions.close(session, space, current.id, now)


async def session_of_refresh_token(
    session: AsyncSession, client: Client, refresh_token: str
) -> UUID:
    """For Keycloak's own POST, which thick clients use: a client names its session by its token."""
    digest = secrets.digest(refresh_token)
    record = await grants.of_refresh(session, client.space, digest)
    grant = None if record is None else await grants.find(session, client.space, record.grant_id)
    if grant is None or grant.client_id != client.client_id:
        raise OAuthError(
            "invalid_grant",
            "Invalid refresh token",
            "Send the refresh_token that this client was last given.",
        )
    return grant.session_id
