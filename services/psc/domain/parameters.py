"""Parameters of an OAuth request: each at most once, an empty one counts as absent."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Parameters:
    """RFC 6749 §3.1: no parameter more than once, unknown ones ignored, empty ones omitted."""

    values: dict[str, str]
    repeated: frozenset[str] = frozenset()

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "Parameters":
        values: dict[str, str] = {}
        repeated = set()
        for name, value in pairs:
            if name in values:
                repeated.add(name)
            values.setdefault(name, value)
        return cls({name: value for name, value in values.items() if value}, frozenset(repeated))

    def get(self, name: str) -> str | None:
        return self.values.get(name)
