"""How the mail came in (ECO.1.x): seen by the server, not in the mail."""

from collections.abc import Iterator
from typing import Final

from services.mss.domain.lint.mail import Mail
from services.mss.domain.lint.rules import Finding, Rule, rule

CIPHERS: Final = (
    "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA256",
)  # fmt: skip
_TLS: Final = ("TLSv1.2", "TLSv1.3")
_MECHANISMS: Final = {"PER": "XOAUTH2", "ORG": "XOAUTH2", "CAB": "XOAUTH2", "APP": "EXTERNAL"}


@rule("MSS-TLS", "STARTTLS with TLS 1.2 at least", eco="ECO.1.1.1", segur="SC.MSS/CONF.01")
def tls(mail: Mail) -> Iterator[Finding] | None:
    return _tls(mail) if mail.passage.protocol == "smtp" else None


def _tls(mail: Mail) -> Iterator[Finding]:
    if mail.passage.tls not in _TLS:
        yield Finding("session:TLS", mail.passage.tls or "no TLS", "TLS 1.2 at least")


@rule("MSS-CIPHER", "a cipher suite of the list", eco="ECO.1.1.3", segur="SC.MSS/CONF.03",
      source="Référentiel #2 v0.1 as quoted; the list of v1.0.1 may differ (spec: mss.md §1.3)")  # fmt: skip
def cipher(mail: Mail) -> Iterator[Finding] | None:
    return _cipher(mail) if mail.passage.tls == "TLSv1.2" else None


def _cipher(mail: Mail) -> Iterator[Finding]:
    if mail.passage.cipher not in CIPHERS:
        yield Finding("session:cipher", mail.passage.cipher[:60], " or ".join(CIPHERS))


@rule("MSS-AUTH", "the mailbox is opened as its kind is",
      eco="ECO.1.2.1", segur="SC.MSS/CONF.07")  # fmt: skip
def authentication(mail: Mail) -> Iterator[Finding] | None:
    known = mail.passage.protocol == "smtp" and mail.passage.sender_kind in _MECHANISMS
    return _authentication(mail) if known else None


def _authentication(mail: Mail) -> Iterator[Finding]:
    expected, used = _MECHANISMS[mail.passage.sender_kind], mail.passage.mechanism
    if used != expected:
        yield Finding("session:AUTH", f"{used or 'none'} for a {mail.passage.sender_kind} mailbox",
                      f"{expected}: what operators are known to take", "warning")  # fmt: skip


RULES: tuple[Rule, ...] = (tls, cipher, authentication)
