"""How many calls a key makes in a second, as the gateway of the real directory counts them."""

from dataclasses import dataclass, field

from socle.clock import monotonic
from socle.errors import Category, DomainError

RATE_EXCEEDED = "annuaire_rate"
_KEPT = 10_000


@dataclass(slots=True)
class CallRate:
    """Of one process. The limit of the real gateway is 17 (guide v2, get-api-key.md)."""

    limit: int
    _counted: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The second that is being counted, and the calls in it, by key."""

    def count(self, caller: str) -> None:
        """Raises the refusal of a call beyond the limit; 0 is none."""
        if not self.limit:
            return
        second = int(monotonic())
        counted, calls = self._counted.get(caller, (second, 0))
        calls = calls + 1 if counted == second else 1
        if len(self._counted) > _KEPT:
            self._counted = {k: v for k, v in self._counted.items() if v[0] == second}
        self._counted[caller] = (second, calls)
        if calls > self.limit:
            raise DomainError(
                Category.BUSY,
                RATE_EXCEEDED,
                f"Rate limit exceeded ! You reach the limit of {self.limit} requests per 1 seconds",
                status=429,
                headers={
                    "X-Rate-Limit-Limit": str(self.limit),
                    "X-Rate-Limit-Remaining": "0",
                    "X-Rate-Limit-Reset": "1000",
                    "Retry-After": "1",
                },
            )
