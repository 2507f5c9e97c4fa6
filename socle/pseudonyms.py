"""Patients in events: a keyed hash, so that an event names the same person without naming them."""

import hashlib
import hmac
from typing import NewType

Pseudonym = NewType("Pseudonym", str)


def pseudonym(key: bytes, space: str, oid: str, matricule: str) -> Pseudonym:
    """HMAC-SHA-256 of space, OID and matricule; 128 bits are kept (32 hexadecimal digits).

    The OID is part of it: the same digits under the test and the production OID are two people
    (spec: ins.md §2, "key patients on (OID, matricule), never on matricule alone").
    """
    message = "\x1f".join((space, oid, matricule)).encode()
    return Pseudonym(hmac.new(key, message, hashlib.sha256).hexdigest()[:32])
