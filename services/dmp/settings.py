"""Settings of the DMP service (docs/environment.md)."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from services.dmp.domain.validation import Policy, Validation
from socle.settings import Settings

Check = Literal["off", "warn", "enforce"]


class DmpSettings(Settings):
    """What the DMP can be told at its start."""

    dmp_port: int = 8083
    dmp_batch_size: int = Field(256, ge=1, description="submissions committed together at most")
    dmp_batch_bytes: int = Field(8 * 1024 * 1024, ge=1, description="bytes committed together")
    dmp_flushes: int = Field(2, ge=1, description="commits under way at once")
    dmp_queue_bytes: int = Field(256 * 1024 * 1024, ge=1, description="bodies held in memory")
    dmp_ins_timeout_seconds: float = Field(5.0, gt=0)
    dmp_unknown_types: Literal["refuse", "warn"] = "refuse"
    """What becomes of a document whose type is not in the sandbox's value set.

    The set is an extract of JDV_J07 (socle/cda/valuesets), so the header rule only warns; the DMP
    itself knows the whole set and refuses. `warn` is for whoever works with a real type that the
    extract lacks.
    """
    dmp_validation: Validation = "standard"
    """How strictly submissions are judged (domain/validation.py); `Prefer: handling=` overrides it."""
    dmp_records: Literal["implicit", "explicit"] = "implicit"
    """Whether every qualified patient has a record, as the opt-out of Mon espace santé gives them, or
    only those whose record was opened (TD1.1, or the control plane)."""
    dmp_fhir_delete_status: Literal["entered-in-error", "superseded"] = "entered-in-error"
    """The status by which a PATCH deletes (TD3.3c): the guide's page and its index disagree.

    `superseded` makes that status delete as well as `entered-in-error`.
    """
    dmp_authentication: Check = "enforce"
    """Whether a SOAP call needs a live PSC token, or a VIHF that a trusted certificate signed."""
    dmp_vihf: Check = "warn"
    """Whether a VIHF that is sent must hold everything that the DMP asks of it."""
    dmp_traits: Literal["off", "enforce"] = "enforce"
    """Whether name, birth date and sex of a document must be those of the qualified identity."""
    dmp_authorizations: Check = "warn"
    """Whether reading needs an authorization of the patient (TD0.3)."""
    dmp_xsd: Path | None = None
    """CDA.xsd of the user's, for deep validation after the registration (services/dmp/deep)."""
    dmp_schematrons: Path | None = None
    """A folder of schematrons compiled to XSLT (*.xsl, giving SVRL); needs the extra `deep`."""
    dmp_deep_timeout_seconds: float = Field(60.0, gt=0)
    dmp_rights: Check = "warn"
    """Whether the functional rights matrix decides who may call what (domain/functional_rights.yaml)."""
    dmp_habilitation: Literal["off", "enforce"] = "off"
    """Whether a profession is not shown the classes of documents that are hidden from it."""
    dmp_habilitation_file: Path | None = None
    """A matrix of the user's own; the sandbox's is not the legal one (domain/habilitation.yaml)."""
    dmp_vihf_ca: Path | None = None
    """PEM of further authorities whose certificates may sign a VIHF."""
    dmp_addressing: Check = "enforce"
    """Whether every header of WS-Addressing must be there, once."""
    dmp_lot_signature: Check = "warn"
    """Whether a lot needs its XAdES signature, which is not verified yet."""

    @property
    def dmp_policy(self) -> Policy:
        return Policy(
            self.dmp_validation, self.dmp_unknown_types == "refuse", self.dmp_traits == "enforce"
        )
