"""What the directory holds, and what all its resources share."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from services.mss.annuaire.domain import systems

SOURCE = "https://annuaire.sante.fr"  # as served (guide v2, test-api); the IG has another
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource of the public directory, without its mailboxes.

    `national_id` is the PS_IdNat of a Practitioner and the Struct_IdNat of an Organization: whose
    mailboxes it shows. `structure` is the Organization of a Practitioner's main situation.
    """

    kind: str
    id: str
    body: Json = field(repr=False)
    national_id: str = ""
    structure: str = ""


# The real ids have three groups of which the first tells the kind: 003-32783-88722.
_PREFIXES = {
    "Organization": "001", "Device": "002", "Practitioner": "003", "HealthcareService": "004",
    "PractitionerRole": "005",
}  # fmt: skip


def id_of(kind: str, key: str) -> str:
    """The same in every space and at every time, so that a client's stored ids stay good."""
    digest = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest())
    return f"{_PREFIXES[kind]}-{digest % 10**8:08d}-{digest // 10**8 % 10**9:09d}"


def resource(
    kind: str, id_: str, profile: list[str], information_system: str, authority: str = ""
) -> Json:
    trace: list[Json] = [{"url": "systeme-information", "valueCode": information_system}]
    if authority:
        code = concept(systems.AUTHORITY, authority)
        trace.insert(0, {"url": "autorite-enregistrement", "valueCodeableConcept": code})
    return {
        "resourceType": kind,
        "id": id_,
        "meta": {
            "extension": [{"url": systems.DATA_TRACE, "extension": trace}],
            "source": SOURCE,
            "profile": profile,
        },
        "language": "fr",
    }


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def identifier(type_code: str, system: str, value: str) -> Json:
    return {
        "use": "official",
        "type": concept(systems.CORE_IDENTIFIERS, type_code),
        "system": system,
        "value": value,
    }


def reference(kind: str, id_: str) -> Json:
    return {"reference": f"{kind}/{id_}"}
