"""The rules of a conversation between professionals and a patient (spec: mss.md §5)."""

from dataclasses import dataclass, field
from email.message import Message
from typing import Literal

from services.mss.domain.headers import addresses, decoded
from services.mss.domain.mailboxes import normalised
from services.mss.domain.patient_rules import is_patients, is_professionals

END_SUBJECT = "[FIN]"
"""Exactly, with its case: it takes the reply away from everything written before."""

Reply = Literal["REPLY", "REPLY_BLOCKED", "NO_REPLY"]
"""The reply options of the application: open, closed by a later [FIN], never open (mes.md §A.6)."""

Option = Literal["REPLY", "REPLY_TO_ALL"]
"""How the patient of an open message answers it."""

MAX_OTHERS = 99
"""With the contact as many as a server must take (RFC 5321 §4.5.3.1.8)."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a message from a professional means to the patient's conversation.

    `contact` is who may be answered: the Reply-To address where there is one, never the From then.
    """

    contact: str = field(repr=False)
    reply: Reply
    ends_everything: bool
    refuses_answers: bool
    receipt_to: str | None = field(repr=False)


def read_incoming(header: "Message[str, str]", sender: str, *, is_report: bool) -> Incoming:
    """`sender` is the reverse path, which the login has vouched for; From is what is shown.

    No receipt is promised to an address that differs from the return path (RFC 8098 §2.1).
    """
    if is_report or not sender:
        return Incoming(sender, "NO_REPLY", False, False, None)
    ends = decoded(header.get("Subject")).strip() == END_SUBJECT
    refuses = str(header.get("X-MSS-MES", "")).strip() == "FIN"
    asked = addresses_in(header, "Disposition-Notification-To")
    return Incoming(
        contact=next(iter(addresses_in(header, "Reply-To")), sender),
        reply="NO_REPLY" if ends or refuses else "REPLY",
        ends_everything=ends,
        refuses_answers=refuses,
        receipt_to=sender if asked == [sender] else None,
    )


def addresses_in(header: "Message[str, str]", name: str, *, patients: bool = False) -> list[str]:
    """Addresses of the trust space in the fields of this name, those of patients where they are asked
    for; what is no address is left out."""
    found = [normalised(address) for _, address in addresses(header.get_all(name, []))]
    return [
        address
        for address in dict.fromkeys(found)
        if is_professionals(address) or (patients and is_patients(address))
    ]


def others_in(header: "Message[str, str]", contact: str) -> list[str]:
    """The professionals of To and Cc beside the contact; never another patient."""
    found = dict.fromkeys([*addresses_in(header, "To"), *addresses_in(header, "Cc")])
    return [address for address in found if address != contact][:MAX_OTHERS]
