"""The rules between operators of the trust space: whose certificate may bring whose mail."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from cryptography import x509

from socle.problems import Problem

Mode = Literal["off", "warn", "enforce"]

RULES: Mapping[str, str] = {
    "TRUST-CERTIFICATE": "the peer presents a certificate of the trust space's authority",
    "TRUST-EXPIRY": "the certificate is within its dates (ECO.1.1.5)",
    "TRUST-REVOCATION": "the certificate is not revoked (ECO.1.1.6)",
    "TRUST-DOMAIN": "the sender's domain is in the whitelist",
    "TRUST-DN": "the certificate's subject is a DNCertificatOperateur of the sender's domain",
    "TRUST-RECEIVER": "before it sends, an operator looks for the receiver's certificate: a"
    " DNCertificatOperateur of the recipient's domain, within its dates and not revoked",
}
RECEIVER: Final = "TRUST-RECEIVER"
_KEY = re.compile(r"(?:^|\s*(?<!\\),)\s*[A-Za-z]+=")
"""A key of a name written by hand: in lower case, with blanks around its comma."""

_SOURCE = "Référentiel socle MSSanté; shape of the whitelist (spec: mss.md §1.5)"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the rules look at."""

    subject: str
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None = None


def judge(
    presented: Certificate | None, domain: str, listed: Iterable[str], now: datetime
) -> list[Problem]:
    """Every rule that is broken. `listed` holds the DNs of the sender's domain: one domain may
    have several entries, one a certificate."""
    dns = [comparable(dn) for dn in listed]
    problems = []
    if not dns:
        problems.append(
            _problem("TRUST-DOMAIN", f"{domain} is not in the whitelist", "a listed domain")
        )
    if presented is None:
        problems.append(_problem("TRUST-CERTIFICATE", "no certificate was presented", "mutual TLS"))
        return problems
    problems += validity(presented, now)
    if dns and comparable(presented.subject) not in dns:
        problems.append(
            _problem(
                "TRUST-DN",
                f"the certificate's subject is none of those listed for {domain}",
                "the DNCertificatOperateur of one of the domain's entries",
            )
        )
    return problems


def judge_receiver(
    presented: Certificate | None, domain: str, listed: Iterable[str], now: datetime
) -> list[Problem]:
    """As `judge`, of the operator that mail of a sender is handed to: one rule, with all its reasons."""
    return [replace(problem, rule=RECEIVER) for problem in judge(presented, domain, listed, now)]


def validity(presented: Certificate, now: datetime) -> list[Problem]:
    """Dates and revocation, which hold for every certificate, an application's too."""
    problems = []
    if not presented.not_before <= now <= presented.not_after:
        problems.append(
            _problem("TRUST-EXPIRY", "the certificate is outside its dates", "a current one")
        )
    if presented.revoked_at is not None and presented.revoked_at <= now:
        problems.append(
            _problem("TRUST-REVOCATION", "the certificate is revoked", "one that is not")
        )
    return problems


def comparable(dn: str) -> tuple[tuple[str, str], ...] | str:
    """Names are equal whatever the case and the blanks (RFC 5280 §7.1); a text that is no DN
    equals itself alone."""
    try:
        name = x509.Name.from_rfc4514_string(_KEY.sub(_tidy, dn))
    except ValueError:
        return dn
    return tuple(
        (part.oid.dotted_string, " ".join(str(part.value).split()).casefold()) for part in name
    )


def _tidy(key: "re.Match[str]") -> str:
    return "".join(key[0].split()).upper()


def is_dn(text: str) -> bool:
    return not isinstance(comparable(text), str)


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _problem(rule: str, message: str, expected: str) -> Problem:
    return Problem(rule, "certificate", message, expected, source=_SOURCE)
