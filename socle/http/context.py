"""What is known of a request before it reaches its route, kept in `scope["state"]`."""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from starlette.types import Scope

from socle.problems import Problem

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
traceparent: ContextVar[str] = ContextVar("traceparent", default="")


def state_of(scope: Scope) -> dict[str, Any]:
    state: dict[str, Any] = scope.setdefault("state", {})
    return state


def warn(scope: Scope, problems: Sequence[Problem]) -> None:
    """What would be refused under a stricter setting: the journal and a header of the answer tell it."""
    state_of(scope).setdefault("warnings", []).extend(problems)


def header(scope: Scope, name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""
