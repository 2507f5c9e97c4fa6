"""What a delivery report (RFC 3464) says of a mail of ours: whose server has it, or refused it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import HeaderParser
from typing import Final

from services.mss.domain.headers import message_ids
from services.mss.domain.lint.reading import decode
from services.mss.domain.mailboxes import normalised
from services.mss.domain.mime import Part, parse

_MAX_RECIPIENTS: Final = 1000
_CODE: Final = re.compile(r"smtp\s*;\s*([1-5]\d\d)\b", re.IGNORECASE)
_STATUS: Final = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
_OF_STATUS: Final = {
    ("1", "1"): 550, ("1", "2"): 512, ("1", "3"): 513, ("1", "10"): 550, ("2", "1"): 550,
    ("2", "2"): 552, ("3", "1"): 452, ("3", "4"): 552, ("4", "1"): 441, ("4", "2"): 442,
    ("4", "4"): 512, ("4", "7"): 441, ("7", "1"): 541, ("7", "8"): 530,
}  # fmt: skip
"""The subject and detail of RFC 3463 to the table SMTPERRORCODE, where no reply was noted."""
_ARRIVED: Final = frozenset({"delivered", "relayed", "expanded"})
_OTHER: Final = 554


@dataclass(frozen=True, slots=True)
class Delivered:
    """`addresses` are what the report calls the recipient, the one that we wrote to first; `code` is
    None where the mail arrived."""

    addresses: tuple[str, ...] = field(repr=False)
    code: int | None


@dataclass(frozen=True, slots=True)
class Notice:
    message_id: str
    recipients: tuple[Delivered, ...] = field(repr=False)


def read_notice(content: bytes) -> Notice | None:
    """None where it is no delivery report, names no message, or only tells of a delay."""
    if not content:
        return None
    root = parse(content)
    if root.headers.get_content_type() != "multipart/report":
        return None
    status = next((it for it in root.children if _is(it, "message", "delivery-status")), None)
    message_id = _reported(root)
    if status is None or not message_id:
        return None
    recipients = tuple(_recipients(decode(status)[0].decode("utf-8", "replace")))
    return Notice(message_id, recipients) if recipients else None


def _reported(root: Part) -> str:
    """The Message-ID of what comes back with the report, or else of what it answers (some leave the
    returned part out)."""
    for part in root.children:
        if _is(part, "message", "rfc822") and part.children:
            found = message_ids(part.children[0].headers, "Message-ID")
        elif _is(part, "text", "rfc822-headers"):
            headers = HeaderParser().parsestr(decode(part)[0].decode("utf-8", "replace").lstrip())
            found = message_ids(headers, "Message-ID")
        else:
            continue
        if found:
            return found[0]
    answered = message_ids(root.headers, "In-Reply-To")
    return answered[0] if answered else ""


def _recipients(text: str) -> Iterator[Delivered]:
    """Groups of fields; the first is about the message (RFC 3464 §2.1)."""
    groups = re.split(r"\r?\n[ \t]*\r?\n", text.strip(), maxsplit=_MAX_RECIPIENTS)
    for group in groups[1:_MAX_RECIPIENTS]:
        fields = HeaderParser().parsestr(group.lstrip())
        action = str(fields.get("Action", "")).strip().lower()
        addresses = tuple(
            normalised(str(fields[name]).partition(";")[2])
            for name in ("Original-Recipient", "Final-Recipient")
            if name in fields
        )
        if action == "failed":
            yield Delivered(addresses, _code(fields))
        elif action in _ARRIVED:
            yield Delivered(addresses, None)


def _code(fields: "Message[str, str]") -> int:
    """Of the reply that the reporting server had, else what its status comes to."""
    replied = _CODE.search(str(fields.get("Diagnostic-Code", "")))
    if replied:
        return int(replied[1])
    status = _STATUS.search(str(fields.get("Status", "")))
    return _OF_STATUS.get((status[2], status[3]), _OTHER) if status else _OTHER


def _is(part: Part, main: str, sub: str) -> bool:
    return part.content_type == (main, sub)
