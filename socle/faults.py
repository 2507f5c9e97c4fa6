"""Faults that a vendor asks for, to see its own product survive them."""

import asyncio
import random
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from socle.errors import Category, DomainError


class FaultRule(BaseModel):
    """One rule of a space: where it strikes, how often, and what happens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, max_length=64)
    service: str = Field("*", description="psc, ins, dmp, mss, usage, gateway or * for all")
    method: str = "*"
    path: str = Field("/", description="prefix of the path, without the space")
    probability: float = Field(1.0, ge=0, le=1)
    count: int | None = Field(None, ge=1, description="strikes at most this often per process")
    latency_ms: int = Field(0, ge=0, le=120_000)
    status: int | None = Field(None, ge=400, le=599, description="none: only the latency")

    def matches(self, service: str, method: str, path: str) -> bool:
        return (
            self.service in ("*", service)
            and self.method in ("*", method)
            and path.startswith(self.path)
        )


# The category that renders a given status in each protocol; others fall back by class.
_BY_STATUS = {
    400: Category.INCORRECT, 401: Category.UNAUTHENTICATED, 403: Category.FORBIDDEN,
    404: Category.NOT_FOUND, 409: Category.CONFLICT, 413: Category.TOO_LARGE,
    422: Category.UNPROCESSABLE, 429: Category.BUSY, 503: Category.UNAVAILABLE,
}  # fmt: skip


@dataclass
class FaultInjector:
    """Applies the rules of a space to one request of one service."""

    service: str
    _struck: dict[str, int] = field(default_factory=dict)
    _random: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311

    async def apply(self, rules: tuple[FaultRule, ...], method: str, path: str) -> None:
        for rule in rules:
            if not rule.matches(self.service, method, path) or not self._strikes(rule):
                continue
            if rule.latency_ms:
                await asyncio.sleep(rule.latency_ms / 1000)
            if rule.status is not None:
                fallback = Category.INCORRECT if rule.status < 500 else Category.FAULT
                raise DomainError(
                    _BY_STATUS.get(rule.status, fallback),
                    "injected_fault",
                    f"Fault injected by rule {rule.id} of this space.",
                    status=rule.status,
                    headers={"X-Socle-Fault": rule.id},
                )

    def _strikes(self, rule: FaultRule) -> bool:
        struck = self._struck.get(rule.id, 0)
        if rule.count is not None and struck >= rule.count:
            return False
        if self._random.random() >= rule.probability:
            return False
        self._struck[rule.id] = struck + 1
        return True
