"""A mailbox as an element of `telecom`, and back (spec: mss.md §3; profile as-mailbox-mss)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.mss.annuaire.domain import systems
from services.mss.annuaire.domain.entries import Json, concept

PLACES = {
    "Practitioner": ("PER", "CAB"),
    "PractitionerRole": ("PER", "CAB"),
    "Organization": ("ORG", "APP"),
}
"""Which types of mailbox stand in which resource. CAB in PractitionerRole: the guide of the Annuaire
has it, the one of the API MSS has not."""

DESCRIBED = ("ORG", "APP", "CAB")
ATTACHED = ("ORG", "APP")
ANSWERED_FOR = ("ORG", "APP", "CAB")
"""Types that may have a description, a service, and a responsible (CAB: the OpenAPI document only)."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A mailbox in the directory. `kind` is PER, ORG, APP or CAB; rank 1 is the preferred one."""

    address: str = field(repr=False)
    kind: str
    label: str = field(default="", repr=False)
    description: str = field(default="", repr=False)
    service: str = field(default="", repr=False)
    responsible: str = field(default="", repr=False)
    red_listed: bool = False
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class NewMailbox:
    """`owner` is a PS_IdNat, `structure` the Struct_IdNat of the one that answers for it."""

    address: str = field(repr=False)
    kind: str
    label: str = field(repr=False)
    owner: str = field(repr=False)
    structure: str = ""
    red_listed: bool = False


def contact_point(mailbox: Listed, *, restricted: bool) -> Json:
    """`restricted` shows what the profiles of free access leave out: listeRouge and responsible."""
    metadata: list[Json] = [
        {
            "url": "type",
            "valueCodeableConcept": concept(systems.MAILBOX_TYPE, mailbox.kind),
        }
    ]
    # The label is what the mailbox's mails bear (ECO.2.2.7): all that is known of most of them.
    description = mailbox.description or (mailbox.label if mailbox.kind in DESCRIBED else "")
    texts = [("description", description), ("service", mailbox.service)]
    if restricted:
        texts.append(("responsible", mailbox.responsible))
    metadata += [{"url": name, "valueString": text} for name, text in texts if text]
    if restricted:
        metadata.append({"url": "listeRouge", "valueBoolean": mailbox.red_listed})
    point: Json = {
        "extension": [
            {
                "url": systems.EMAIL_TYPE,
                "valueCoding": {"system": systems.MESSAGING, "code": "MSSANTE"},
            },
            {"url": systems.MAILBOX_METADATA, "extension": metadata},
        ],
        "system": "email",
        "value": mailbox.address,
    }
    if mailbox.rank is not None:
        point["rank"] = mailbox.rank
    return point


def with_mailboxes(body: Json, mailboxes: Sequence[Listed], *, restricted: bool) -> Json:
    """The resource with its mailboxes; in free access, without those on the red list."""
    shown = [
        contact_point(mailbox, restricted=restricted)
        for mailbox in ranked(mailboxes)
        if restricted or not mailbox.red_listed
    ]
    if not shown:
        return body
    telecom: list[Any] = [*body.get("telecom", ()), *shown]
    # In the order of FHIR's elements: a reader looks for it after the name.
    whole: Json = {}
    for name, value in body.items():
        if name in ("address", "qualification", "partOf") and "telecom" not in whole:
            whole["telecom"] = telecom
        if name != "telecom":
            whole[name] = value
    whole.setdefault("telecom", telecom)
    return whole


def ranked(mailboxes: Sequence[Listed]) -> list[Listed]:
    return sorted(mailboxes, key=lambda one: (one.rank or 1 << 31, one.address))
