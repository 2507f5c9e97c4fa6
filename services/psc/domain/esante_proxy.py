"""The contract of the Proxy e-Santé: what is asked, what is traced (spec: psc.md §7)."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, cast
from uuid import UUID

from services.psc.domain.session import Channel
from socle.errors import Category, DomainError
from socle.problems import Problem

CHANNELS: Final = ("CARD", "MOBILE")
_FIELDS: Final = {
    "nationalId": re.compile(r"[\x21-\x7e]{1,64}"),
    "bindingMessage": re.compile(r"[0-9]{2}"),
    "clientId": re.compile(r"[\x21-\x7e]{1,128}"),
    "channel": re.compile("|".join(CHANNELS)),
}
_EXPECTED: Final = {
    "nationalId": "a national identifier, such as 899700427885",
    "bindingMessage": "two digits, 00 to 99",
    "clientId": "a client of Pro Santé Connect",
    "channel": " or ".join(CHANNELS),
}
TraceType = Literal[
    "CONNECT_SUCCESS", "CONNECT_REPLAY", "CONNECT_FAILURE", "SEND", "DISCONNECT"
]  # fmt: skip


class ProxyError(DomainError):
    """`{code, message, metadata}`, or no body at all where the contract gives none."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        metadata: dict[str, Any] | None = None,
        problems: tuple[Problem, ...] = (),
    ) -> None:
        category = {400: Category.INCORRECT, 401: Category.UNAUTHENTICATED}.get(
            status,
            Category.NOT_FOUND if status == 404 else Category.UNAVAILABLE,
        )
        super().__init__(category, "proxy_refused", message, status=status, problems=list(problems))
        self.metadata = metadata


@dataclass(frozen=True, slots=True)
class Connection:
    national_id: str = field(repr=False)
    number: str
    client_id: str
    channel: Channel

    @classmethod
    def read(cls, body: Any) -> "Connection":
        """Every field that is missing or wrong is told at once."""
        given = body if isinstance(body, dict) else {}
        problems = tuple(
            Problem("PROXY-CONNECT", f"/{name}", "missing or wrong", _EXPECTED[name])
            for name, form in _FIELDS.items()
            if not (isinstance(given.get(name), str) and form.fullmatch(given[name]))
        )
        if problems:
            names = ", ".join(problem.path[1:] for problem in problems)
            shown = {name: given.get(name) for name in ("nationalId", "clientId")}
            raise ProxyError(
                400, f"Missing or invalid: {names}.", metadata=shown, problems=problems
            )
        return cls(
            given["nationalId"],
            given["bindingMessage"],
            given["clientId"],
            cast(Channel, given["channel"]),
        )

    @property
    def metadata(self) -> dict[str, Any]:
        return {"nationalId": self.national_id, "clientId": self.client_id}


@dataclass(frozen=True, slots=True)
class ProxySession:
    """`id` is the cookie's value; `session_id` the PSC session's, `session_state` outside."""

    space: str
    id: UUID
    client_id: str
    national_id: str = field(repr=False)
    session_id: UUID
    api_token: UUID
    started_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, as far as it can be told behind the gateway."""

    address: str
    ports: tuple[int, ...]
    dn: str | None


def trace(
    type_: TraceType,
    origin: Origin,
    now: datetime,
    *,
    client_id: str,
    national_id: str,
    session: ProxySession | None = None,
    api_request: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The members are those of the ANS's proxy, irregular spelling included."""
    document: dict[str, Any] = {
        "type": type_,
        "clientId": client_id,
        "IdRPPS": national_id,
        "ipAddress": origin.address,
        "ports": list(origin.ports),
        "proxy_id_session": str(session.id) if session else None,
        "session_state": str(session.session_id) if session else None,
        "dn": origin.dn,
        "timestamp": now.isoformat(),
    }
    if api_request is not None:
        document["apiRequest"] = api_request
    return document
