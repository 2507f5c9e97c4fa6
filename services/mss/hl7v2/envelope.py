"""MSH: which message it is, of which version and profile (guide 2.1.2, volume 2)."""

from typing import Final

from services.mss.hl7v2.er7 import Segment
from services.mss.hl7v2.order import Order
from services.mss.hl7v2.participants import MAX_LENGTH

EVENTS: Final = {"R01": "ORU", "T02": "MDM", "T10": "MDM", "T04": "MDM"}
PROFILE: Final = ("2.1", "CISIS_CDA_HL7_V2")
"""MSH-21.1 and 21.2: the version of the guide, and its profile."""
_VERSIONS: Final = {"ORU": "2.5", "MDM": "2.6"}


def read_envelope(order: Order, msh: Segment, *, enforce_profile: bool) -> str | None:
    """ORU or MDM; None where it is neither, or none of its events."""
    for position in (3, 4, 5, 6, 10):
        if not msh(position).isprintable() or len(msh(position)) > MAX_LENGTH:
            order.fault(102, msh.location(position), "It holds control characters, or is too long.")
    kind = _kind(order, msh)
    if kind is not None and enforce_profile:
        _check_profile(order, msh)
    return kind


def _kind(order: Order, msh: Segment) -> str | None:
    kind, event = msh(9, 1), msh(9, 2)
    if not order.control_id:
        order.fault(101, msh.location(10), "MSH-10, the identifier of the message, is missing.")
    if kind not in _VERSIONS:
        order.fault(200, msh.location(9), "The type is ORU or MDM.")
        return None
    if EVENTS.get(event) != kind:
        known = [name for name, of in EVENTS.items() if of == kind]
        order.fault(201, msh.location(9), f"The event of {kind} is {', '.join(known)}.")
        return None
    if msh(12) != _VERSIONS[kind]:
        order.fault(203, msh.location(12), f"{kind} is sent in version {_VERSIONS[kind]}.")
    if msh(11) not in ("P", "T", "D"):
        order.fault(202, msh.location(11), "MSH-11 is P, T or D.")
    return kind


def _check_profile(order: Order, msh: Segment) -> None:
    """MSH-21 is required, and may be repeated: one of them is the guide's. The guide names no code for
    a wrong one: its version is told as a version, its profile as a value of no table."""
    given = [(msh.of(one, 1), msh.of(one, 2)) for one in msh.repetitions(21)]
    expected = "^".join(PROFILE)
    if not any(version or profile for version, profile in given):
        order.fault(101, msh.location(21), f"MSH-21, the profile, is missing: {expected}.")
    elif PROFILE[1] not in {profile for _, profile in given}:
        order.fault(103, msh.location(21), f"MSH-21 names another profile than {expected}.")
    elif PROFILE not in given:
        order.fault(203, msh.location(21), f"MSH-21 names another version of it than {expected}.")
