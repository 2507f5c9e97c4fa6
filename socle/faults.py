"""Faults that a vendor asks for, to see its own product survive them."""

import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from socle.errors import Category, DomainError

Effect = Literal[
    # Pro Santé Connect (services/psc/README.md says what each one does)
    "slow_down", "oauth_error", "drop_state", "drop_iss", "wrong_nonce", "drop_acr", "acr",
    "clock_skew", "unknown_kid", "bad_signature", "session_killed", "no_subject_ref_pro",
    "userinfo_jwt",
]  # fmt: skip
Body = Literal["protocol", "html", "empty"]
WITH_VALUE = frozenset({"oauth_error", "acr", "clock_skew"})


class FaultRule(BaseModel):
    """One rule of a space: where it strikes, how often, and what happens.

    A rule with a client or a person strikes once the service knows them. `effect` makes an answer
    wrong instead of failing it; `status` and `effect` exclude each other.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")
    service: Literal["psc", "ins", "dmp", "mss", "usage", "*"] = "*"
    method: str = "*"
    path: str = Field("/", description="prefix of the path, without the space")
    client: str = Field("*", description="client_id of the caller")
    person: str = Field("*", description="national identifier of the professional")
    probability: float = Field(1.0, ge=0, le=1)
    count: int | None = Field(None, ge=1, description="strikes at most this often per process")
    latency_ms: int = Field(0, ge=0, le=120_000)
    status: int | None = Field(None, ge=400, le=599, description="none: only the latency")
    body: Body = Field("protocol", description="what comes with the status")
    effect: Effect | None = None
    value: str | None = Field(None, max_length=200, pattern=r"^[\x20-\x7e]*$")
    armed_at: datetime | None = Field(None, description="set by Socle; counting starts anew then")

    @model_validator(mode="after")
    def _is_coherent(self) -> "FaultRule":
        if self.effect is not None and self.status is not None:
            raise ValueError("a rule has a status or an effect, not both")
        if (self.effect in WITH_VALUE) != (self.value is not None):
            raise ValueError(f"value is given with {', '.join(sorted(WITH_VALUE))}, and only then")
        if self.effect == "clock_skew" and not _is_seconds(self.value or ""):
            raise ValueError("the value of clock_skew is a number of seconds, such as -300")
        return self

    @property
    def is_personal(self) -> bool:
        return self.client != "*" or self.person != "*"

    def matches(self, service: str, method: str, path: str) -> bool:
        return (
            self.service in ("*", service)
            and self.method in ("*", method)
            and path.startswith(self.path)
        )

    def concerns(self, client: str, person: str) -> bool:
        return self.client in ("*", client) and self.person in ("*", person)


def _is_seconds(value: str) -> bool:
    return (
        value.removeprefix("-").isascii() and value.removeprefix("-").isdigit() and len(value) < 9
    )


# The category that renders a given status in each protocol; others fall back by class.
_BY_STATUS = {
    400: Category.INCORRECT, 401: Category.UNAUTHENTICATED, 403: Category.FORBIDDEN,
    404: Category.NOT_FOUND, 409: Category.CONFLICT, 413: Category.TOO_LARGE,
    422: Category.UNPROCESSABLE, 429: Category.BUSY, 503: Category.UNAVAILABLE,
}  # fmt: skip


class InjectedFault(DomainError):
    """`body` other than "protocol" is what a broken proxy in front of the service would send."""

    def __init__(self, rule: FaultRule, status: int) -> None:
        fallback = Category.INCORRECT if status < 500 else Category.FAULT
        super().__init__(
            _BY_STATUS.get(status, fallback),
            "injected_fault",
            f"Fault injected by rule {rule.id} of this space.",
            status=status,
        )
        self.body = rule.body


@dataclass
class FaultInjector:
    """Decides, in one process, whether a rule strikes this time."""

    _struck: dict[tuple[str, str, datetime | None], int] = field(default_factory=dict)
    _random: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311

    def strikes(self, space: str, rule: FaultRule) -> bool:
        key = (space, rule.id, rule.armed_at)
        struck = self._struck.get(key, 0)
        if rule.count is not None and struck >= rule.count:
            return False
        if self._random.random() >= rule.probability:
            return False
        if rule.count is not None:
            self._struck[key] = struck + 1
        return True
