"""Asks the INS service whether a patient's identity is qualified, for the services that carry an INS:
with the caller's own token, or as one service asks another where the caller has none."""

from types import TracebackType

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from socle.auth.service_key import SERVICE_KEY, service_key
from socle.errors import Category, DomainError
from socle.http.outgoing import inner_client
from socle.settings import Settings


class IdentityStatus(BaseModel):
    """The answer of POST /ins/identities/status, as far as its callers need it."""

    model_config = ConfigDict(extra="ignore")

    known: bool
    status: str | None = None
    qualified: bool = False
    trait_fingerprints: dict[str, str] = Field({}, repr=False)


class InsClient:
    def __init__(self, settings: Settings, timeout_seconds: float) -> None:
        self._service_key = service_key(settings)
        self._http = inner_client(settings.ins_url, timeout=timeout_seconds)

    async def __aenter__(self) -> "InsClient":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    @property
    def asks_as_service(self) -> bool:
        """Whether it needs no caller's token, which may have expired in a long session."""
        return self._service_key is not None

    async def status(
        self, space: str, oid: str, matricule: str, token: str
    ) -> IdentityStatus | None:
        """None when INS knows no such identity, or when it cannot be asked for want of a token and of
        a shared key. A silent INS is a 503, never a refusal."""
        if token:
            headers = {"Authorization": f"Bearer {token}"}
        elif self._service_key:
            headers = {SERVICE_KEY: self._service_key}
        else:
            return None
        try:
            response = await self._http.post(
                f"/s/{space}/ins/identities/status",
                json={"oid": oid, "matricule": matricule},
                headers=headers,
            )
            if response.status_code == httpx.codes.NOT_FOUND:
                return None
            response.raise_for_status()
            answer = IdentityStatus.model_validate_json(response.content)
        except (httpx.HTTPError, ValidationError) as error:
            raise DomainError(
                Category.UNAVAILABLE,
                "ins_unavailable",
                "The INS service, which says whether this identity is qualified, does not answer; "
                "send again in a moment.",
                headers={"Retry-After": "2"},
            ) from error
        return answer if answer.known else None
