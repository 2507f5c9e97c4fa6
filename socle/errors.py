"""One error type, one table: every protocol's answer follows from the category.

The statuses follow docs/adr/0002; a service whose real counterpart answers otherwise
overrides its own renderer, never the category.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from socle.problems import Problem


class Category(StrEnum):
    INCORRECT = "incorrect"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    GONE = "gone"
    CONFLICT = "conflict"
    UNPROCESSABLE = "unprocessable"
    TOO_LARGE = "too_large"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Mapped:
    """How one category reads in each protocol."""

    http: int
    outcome: str  # OperationOutcome.issue.code
    oauth: str
    soap: str  # env:Sender or env:Receiver
    smtp: int
    retriable: bool = False


TABLE: Mapping[Category, Mapped] = {
    Category.INCORRECT: Mapped(400, "invalid", "invalid_request", "Sender", 554),
    Category.UNAUTHENTICATED: Mapped(401, "login", "invalid_token", "Sender", 535),
    Category.FORBIDDEN: Mapped(403, "forbidden", "access_denied", "Sender", 550),
    Category.NOT_FOUND: Mapped(404, "not-found", "invalid_request", "Sender", 550),
    Category.METHOD_NOT_ALLOWED: Mapped(405, "not-supported", "invalid_request", "Sender", 502),
    Category.GONE: Mapped(410, "deleted", "invalid_request", "Sender", 550),
    Category.CONFLICT: Mapped(409, "duplicate", "invalid_request", "Sender", 553),
    Category.UNPROCESSABLE: Mapped(422, "business-rule", "invalid_request", "Sender", 554),
    Category.TOO_LARGE: Mapped(413, "too-long", "invalid_request", "Sender", 552),
    Category.BUSY: Mapped(503, "throttled", "temporarily_unavailable", "Receiver", 451, True),
    Category.UNAVAILABLE: Mapped(
        503, "transient", "temporarily_unavailable", "Receiver", 451, True
    ),
    Category.FAULT: Mapped(500, "exception", "server_error", "Receiver", 451),
}


class DomainError(Exception):
    """A refusal that a caller can act on.

    `code` is stable and greppable, `detail` is for a person, `problems` names every finding.
    """

    def __init__(
        self,
        category: Category,
        code: str,
        detail: str,
        *,
        problems: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.category = category
        self.code = code
        self.detail = detail
        self.problems = tuple(problems)
        self.headers = dict(headers or {})
        self._status = status

    @property
    def mapped(self) -> Mapped:
        return TABLE[self.category]

    @property
    def status(self) -> int:
        """The HTTP status: the category's, unless the protocol imposes its own."""
        return self._status or self.mapped.http

    @property
    def retriable(self) -> bool:
        return self.mapped.retriable


def busy(detail: str, *, retry_after: int = 1, code: str = "busy") -> DomainError:
    return DomainError(Category.BUSY, code, detail, headers={"Retry-After": str(retry_after)})


def too_large(limit: int) -> DomainError:
    return DomainError(
        Category.TOO_LARGE,
        "body_too_large",
        f"The body is larger than the {limit} bytes accepted here.",
        problems=[
            Problem(
                "HTTP-SIZE",
                "/",
                f"more than {limit} bytes received",
                f"at most {limit} bytes",
            )
        ],
    )


def unauthenticated(reason: str, detail: str) -> DomainError:
    """A refused bearer token, with the challenge of RFC 6750 §3."""
    error = (
        ""
        if reason == "token_missing"
        else f', error="invalid_token", error_description="{detail}"'
    )
    return DomainError(
        Category.UNAUTHENTICATED,
        reason,
        detail,
        headers={"WWW-Authenticate": f'Bearer realm="socle"{error}'},
    )
