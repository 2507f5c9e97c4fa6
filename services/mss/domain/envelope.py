"""The envelope of a message, with the parameters of delivery reports (RFC 3461)."""

import re
from dataclasses import dataclass, field
from typing import Literal

NOTIFY = frozenset({"NEVER", "SUCCESS", "FAILURE", "DELAY"})
MAX_ENVELOPE_ID = 100  # RFC 3461 §4.4, as printable characters
MAX_ORIGINAL_RECIPIENT = 500  # §4.2, as xtext
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_PRINTABLE = re.compile(r"[ -~]*")

Returned = Literal["FULL", "HDRS", ""]


class ParameterError(ValueError):
    """A parameter is not in the form of RFC 3461; the text says how it should be."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """`notify` is None where the sender did not say; `original` is ORCPT, decoded."""

    address: str = field(repr=False)
    notify: frozenset[str] | None = None
    original: str = field(default="", repr=False)

    @property
    def wants_failure(self) -> bool:
        """Failures are told unless the sender said otherwise (RFC 3461 §4.1)."""
        return self.notify is None or "FAILURE" in self.notify

    @property
    def wants_success(self) -> bool:
        return self.notify is not None and "SUCCESS" in self.notify


@dataclass(frozen=True, slots=True)
class Envelope:
    """`sender` is the reverse path, empty for reports (RFC 5321 §4.5.5)."""

    sender: str = field(repr=False)
    recipients: tuple[Recipient, ...] = field(repr=False)
    returned: Returned = ""
    envelope_id: str = ""


def decode_xtext(text: str, limit: int) -> str:
    """RFC 3461 §4: `+` and two upper-case hexadecimal digits stand for an octet."""
    if not _XTEXT.fullmatch(text):
        raise ParameterError("ENVID and ORCPT are xtext (RFC 3461 section 4)")
    decoded = re.sub(r"\+([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), text)
    if len(decoded) > limit or not _PRINTABLE.fullmatch(decoded):
        raise ParameterError(f"ENVID or ORCPT is longer than {limit}, or unprintable")
    return decoded


def read_returned(value: str) -> Returned:
    if value.upper() == "FULL":
        return "FULL"
    if value.upper() == "HDRS":
        return "HDRS"
    raise ParameterError("RET is FULL or HDRS")


def read_notify(value: str) -> frozenset[str]:
    words = value.upper().split(",")
    said = frozenset(words)
    if not said <= NOTIFY or len(said) != len(words) or ("NEVER" in said and len(said) > 1):
        raise ParameterError("NOTIFY is NEVER, or some of SUCCESS, FAILURE and DELAY")
    return said


def read_original(value: str) -> str:
    """`rfc822;address` with the address decoded."""
    kind, separator, address = value.partition(";")
    if not separator or not re.fullmatch(r"[A-Za-z0-9-]{1,40}", kind):
        raise ParameterError("ORCPT is an address type, a semicolon and an address in xtext")
    return f"{kind.lower()};{decode_xtext(address, MAX_ORIGINAL_RECIPIENT)}"
