"""The facts that INS emits: an INS may be used for a patient, or may no longer be; it was verified."""

from typing import Literal

from services.ins.domain.identity import Identity
from services.ins.domain.verification import Claim, Verdict
from socle.events.envelope import Event
from socle.ids.traits import trait_fingerprints
from socle.kernel import Kernel
from socle.spaces import Space

QUALIFIED = "ins.identity.qualified.v1"
DISQUALIFIED = "ins.identity.disqualified.v1"
VERIFIED = "ins.identity.verified.v1"
SOURCE = "/ins"


def fingerprints_of(kernel: Kernel, identity: Identity) -> dict[str, str]:
    """What DMP compares with the traits of a document."""
    return trait_fingerprints(
        kernel.settings.require_pseudonym_key(),
        family_name=identity.traits.family_name,
        birth_date=identity.traits.birth_date,
        sex=identity.traits.sex,
    )


def qualification_changed(kernel: Kernel, space: Space, identity: Identity) -> Event:
    """No trait and no matricule: the patient by pseudonym, the traits by keyed hash."""
    assert identity.ins is not None
    qualified = identity.state.may_carry_ins
    patient = kernel.pseudonym(space.name, identity.ins.oid, identity.ins.matricule)
    return Event.new(
        QUALIFIED if qualified else DISQUALIFIED,
        source=SOURCE,
        subject=patient,
        space=space.name,
        time=space.now(),
        data={
            "patient": patient,
            "oid": identity.ins.oid,
            "status": identity.state.status.code,
            "qualified": qualified,
            "fingerprints": fingerprints_of(kernel, identity),
        },
    )


def identity_verified(
    kernel: Kernel,
    space: Space,
    claim: Claim,
    verdict: Verdict,
    mode: Literal["single", "record", "batch"],
    professional: str | None,
) -> Event:
    """Of the number that was asked about, whoever holds it; `professional` is a PS_IdNat, None for the
    worker of batches. Names of traits that differ, never their values."""
    patient, now = kernel.pseudonym(space.name, claim.oid, claim.matricule), space.now()
    return Event.new(
        VERIFIED,
        source=SOURCE,
        subject=patient,
        space=space.name,
        time=now,
        data={
            "patient": patient,
            "oid": claim.oid,
            "result": verdict.code,
            "differs": list(verdict.differs),
            "mode": mode,
            "professional": professional,
            "verified_at": now.isoformat(),
        },
    )
