"""Faults that a vendor asks for, to see its own product survive them."""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from socle.errors import Category, DomainError

Effect = Literal[
    # Pro Santé Connect (services/psc/README.md says what each one does)
    "slow_down", "oauth_error", "drop_state", "drop_iss", "wrong_nonce", "drop_acr", "acr",
    "clock_skew", "unknown_kid", "bad_signature", "session_killed", "no_subject_ref_pro",
    "userinfo_jwt",
    # Secure mail, SMTP and IMAP (services/mss/README.md)
    "drop", "refuse_token", "drop_refused_token", "expire_session", "rate_limit", "imap_no",
]  # fmt: skip
Body = Literal["protocol", "html", "empty"]
WITH_VALUE = frozenset({"oauth_error", "acr", "clock_skew", "rate_limit", "imap_no"})
_OF_MAIL = frozenset(
    {"drop", "refuse_token", "drop_refused_token", "expire_session", "rate_limit", "imap_no"}
)
_MAIL = ("SMTP", "IMAP")
METHODS = ("*", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", *_MAIL)
_RATE = re.compile(r"[1-9][0-9]{0,5}/[1-9][0-9]{0,4}")
_AT_LOGIN = frozenset({"refuse_token", "drop_refused_token"})
_SMTP_PLACES = ("/", "/connect", "/auth", "/mail", "/rcpt", "/data")
SMTP_CODES = frozenset(
    {
        101,
        111,
        251,
        252,
        420,
        421,
        422,
        431,
        432,
        441,
        442,
        450,
        451,
        452,
        500,
        501,
        502,
        503,
        504,
        510,
    }
    | {512, 513, 523, 530, 541, 550, 551, 552, 553, 554}
)
"""The table SMTPERRORCODE, whose codes ZAM^Z02 relays (spec: mss.md §1.8)."""


_MAIL_PEER = r"^(\*|[^\s@]*@[^\s@]+)$"


class FaultRule(BaseModel):
    """One rule of a space: where it strikes, how often, and what happens.

    A rule with a client or a person strikes once the service knows them. `effect` makes an answer
    wrong instead of failing it; `status` and `effect` exclude each other.

    Mail has the methods SMTP and IMAP, which no rule for every method means; the path is then the
    operation: /connect, /auth, /mail, /rcpt, /data, and in IMAP /connect, /login or a command's name.
    `sender` and `recipient` are addresses, or `@domain`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")
    service: Literal["psc", "ins", "dmp", "mss", "usage", "*"] = "*"
    method: str = "*"
    path: str = Field("/", description="prefix of the path, without the space")
    client: str = Field("*", description="client_id of the caller")
    person: str = Field("*", description="national identifier of the professional")
    sender: str = Field("*", max_length=320, pattern=_MAIL_PEER)
    recipient: str = Field("*", max_length=320, pattern=_MAIL_PEER)
    probability: float = Field(1.0, ge=0, le=1)
    count: int | None = Field(None, ge=1, description="strikes at most this often per process")
    latency_ms: int = Field(0, ge=0, le=120_000)
    status: int | None = Field(None, ge=100, le=599, description="none: only the latency")
    body: Body = Field("protocol", description="what comes with the status")
    effect: Effect | None = None
    value: str | None = Field(None, max_length=200, pattern=r"^[\x20-\x7e]*$")
    armed_at: datetime | None = Field(None, description="set by Socle; counting starts anew then")

    @field_validator("method")
    @classmethod
    def _upper(cls, method: str) -> str:
        return method.upper()

    @model_validator(mode="after")
    def _is_coherent(self) -> "FaultRule":
        if self.effect is not None and self.status is not None:
            raise ValueError("a rule has a status or an effect, not both")
        if (self.effect in WITH_VALUE) != (self.value is not None):
            raise ValueError(f"value is given with {', '.join(sorted(WITH_VALUE))}, and only then")
        if self.effect == "clock_skew" and not _is_seconds(self.value or ""):
            raise ValueError("the value of clock_skew is a number of seconds, such as -300")
        if self.effect == "rate_limit" and not _RATE.fullmatch(self.value or ""):
            raise ValueError("the value of rate_limit is a number per seconds, such as 10/60")
        check = {"SMTP": self._check_smtp, "IMAP": self._check_imap}.get(
            self.method, self._check_http
        )
        check()
        return self

    def _check_http(self) -> None:
        if self.status is not None and self.status < 400:
            raise ValueError("the status of a failure is 400 to 599")
        if self.effect in _OF_MAIL or self.sender != "*" or self.recipient != "*":
            raise ValueError("sender, recipient and this effect are of the methods SMTP and IMAP")

    def _check_smtp(self) -> None:
        if self.status is not None and self.status not in SMTP_CODES:
            raise ValueError(f"an SMTP status is one of {', '.join(map(str, sorted(SMTP_CODES)))}")
        if self.path not in _SMTP_PLACES:
            raise ValueError(f"the path of an SMTP rule is one of {', '.join(_SMTP_PLACES)}")
        self._check_mail("/auth", {"imap_no"})

    def _check_imap(self) -> None:
        if self.status is not None:
            raise ValueError("IMAP knows no status: the effect imap_no gives the text of a NO")
        self._check_mail("/login", {"rate_limit"})

    def _check_mail(self, login: str, foreign: set[str]) -> None:
        if self.effect is not None and (self.effect not in _OF_MAIL or self.effect in foreign):
            raise ValueError(f"{self.effect} is no effect of {self.method}")
        if self.effect in _AT_LOGIN and self.path != login:
            raise ValueError(f"a token is refused at {login}")

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

    def is_between(self, sender: str, recipients: Iterable[str]) -> bool:
        """Whether the addresses of a message are meant, as far as they are known yet."""
        return _is_meant(self.sender, [sender]) and _is_meant(self.recipient, recipients)

    @property
    def rate(self) -> tuple[int, int]:
        """How many, in how many seconds."""
        number, _, seconds = (self.value or "").partition("/")
        return int(number), int(seconds)


def can_strike(rule: FaultRule) -> FaultRule:
    """A validator of rules that come in: one that nothing ever meets would be waited for in vain."""
    if rule.method not in METHODS:
        raise ValueError(f"the method is one of {', '.join(METHODS)}")
    if not rule.path.startswith("/"):
        raise ValueError("a path begins with /")
    if rule.method in _MAIL and rule.service not in ("mss", "*"):
        raise ValueError(f"{rule.method} is spoken by the service mss alone")
    if rule.method in _MAIL and rule.path != rule.path.lower():
        raise ValueError(f"the path of a rule of {rule.method} is in lower case")
    return rule


def _is_meant(wanted: str, addresses: Iterable[str]) -> bool:
    wanted = wanted.lower()
    if wanted == "*":
        return True
    if wanted.startswith("@"):
        return any(address.endswith(wanted) for address in addresses)
    return wanted in addresses


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
