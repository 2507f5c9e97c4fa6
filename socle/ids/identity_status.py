"""The life cycle of a patient's identity (RNIV; EXI SI 07, 08, 09; spec: ins.md §3).

Two facts make the status: whether INSi gave the identity, and whether a person checked its
coherence on a high-trust identity document. Three attributes stand beside it; a doubtful or
fictive identity is provisional whatever else is known of it.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from socle.errors import Category, DomainError


class Status(StrEnum):
    PROVISIONAL = "provisoire"
    RETRIEVED = "recuperee"
    VALIDATED = "validee"
    QUALIFIED = "qualifiee"

    @property
    def code(self) -> str:
        """The code of FR Core (fr-core-cs-identity-status), as events carry it."""
        return _CODES[self]


_CODES = {
    Status.PROVISIONAL: "PROV",
    Status.RETRIEVED: "RECUP",
    Status.VALIDATED: "VALI",
    Status.QUALIFIED: "QUAL",
}

# (given by INSi, checked on a high-trust document) -> status: the table of EXI SI 07.
_STATUSES = {
    (False, False): Status.PROVISIONAL,
    (True, False): Status.RETRIEVED,
    (False, True): Status.VALIDATED,
    (True, True): Status.QUALIFIED,
}

# High-trust documents of PAM France 2.11.2, ZFD-7 (spec: ins.md §3.3).
EVIDENCE = {
    "AN": "extrait d'acte de naissance",
    "CC": "carnet de circulation",
    "CE": "carte d'identité européenne",
    "CM": "carte militaire",
    "CN": "carte nationale d'identité",
    "CS": "carte de séjour",
    "LE": "livret de famille",
    "PA": "passeport",
    "PC": "permis de conduire",
    "TC": "tiers de confiance",
    "AV": "application carte Vitale",
    "DC": "document de circulation pour étranger mineur",
    "AC": "acte de naissance et carte Vitale avec photo",
    "IE": "identification électronique eIDAS",
}


class Step(StrEnum):
    """What can happen to an identity."""

    CREATED = "created"
    RETRIEVED = "retrieved"
    EVIDENCE_ACCEPTED = "evidence_accepted"
    DOUBTED = "doubted"
    DOUBT_LIFTED = "doubt_lifted"
    DECLARED_FICTIVE = "declared_fictive"
    DECLARED_HOMONYM = "declared_homonym"
    VERIFICATION_FAILED = "verification_failed"
    TRAIT_CORRECTED = "trait_corrected"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class IdentityState:
    """What decides the status. `birth_date_corrected` bars INSi (PAM France 2.11.2 §6.6.4)."""

    retrieved: bool = False
    checked: bool = False
    homonym: bool = False
    doubtful: bool = False
    fictive: bool = False
    birth_date_corrected: bool = False

    def __post_init__(self) -> None:
        if self.fictive and (self.doubtful or self.homonym):
            raise ValueError("fictive combines with no other attribute (EXI SI 09)")
        if (self.doubtful or self.fictive) and (self.retrieved or self.checked):
            raise ValueError("a doubtful or fictive identity is provisional (EXI SI 09)")
        if self.birth_date_corrected and self.retrieved:
            raise ValueError("a corrected birth date bars the INS (PAM France §6.6.4)")

    @property
    def status(self) -> Status:
        return _STATUSES[self.retrieved, self.checked]

    @property
    def may_carry_ins(self) -> bool:
        """Only a qualified identity may be sent with its INS (EXI SI 08, EXI ID 29)."""
        return self.status is Status.QUALIFIED

    @property
    def trust(self) -> int:
        """How much is proved: 0 provisional, 1 retrieved or validated, 2 qualified."""
        return self.retrieved + self.checked

    @property
    def attributes(self) -> tuple[str, ...]:
        named = (("homonyme", self.homonym), ("douteuse", self.doubtful), ("fictive", self.fictive))
        return tuple(name for name, held in named if held)


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of one identity, with the reason that the history keeps."""

    step: Step
    before: IdentityState
    after: IdentityState
    reason: str

    @property
    def changes_qualification(self) -> bool:
        return self.before.may_carry_ins != self.after.may_carry_ins


def require_insi_allowed(state: IdentityState) -> None:
    """The call itself must be impossible for these identities (EXI ID 24, EXI ID 26)."""
    if state.doubtful:
        raise _refusal("identity_doubtful", "Une identité douteuse ne peut pas interroger INSi.")
    if state.fictive:
        raise _refusal("identity_fictive", "Une identité fictive ne peut pas interroger INSi.")
    if state.birth_date_corrected:
        raise _refusal(
            "birth_date_corrected",
            "La date de naissance a été corrigée localement : l'identité ne peut être ni "
            "récupérée ni qualifiée.",
        )


def retrieve(state: IdentityState, reason: str) -> Transition:
    """INSi answered 00 and the operator accepted: PROV to RECUP, VALI to QUAL."""
    require_insi_allowed(state)
    return _moved(Step.RETRIEVED, state, replace(state, retrieved=True), reason)


def accept_evidence(state: IdentityState, code: str, reason: str = "") -> Transition:
    """A high-trust document was checked: PROV to VALI, RECUP to QUAL."""
    if code not in EVIDENCE:
        raise _refusal(
            "evidence_unknown",
            f"« {code[:20]} » n'est pas un dispositif d'identité à haut niveau de confiance ; "
            f"codes admis : {', '.join(sorted(EVIDENCE))}.",
        )
    if state.doubtful:
        raise _refusal(
            "identity_doubtful", "Une identité douteuse reste provisoire tant que le doute dure."
        )
    if state.fictive:
        raise _refusal("identity_fictive", "Une identité fictive ne peut pas être validée.")
    return _moved(
        Step.EVIDENCE_ACCEPTED, state, replace(state, checked=True), reason or EVIDENCE[code]
    )


def doubt(state: IdentityState, reason: str) -> Transition:
    """Provisional again, and its INS invalidated; what was checked must be checked again."""
    if state.fictive:
        raise _refusal(
            "identity_fictive", "L'attribut « fictive » ne se cumule pas avec « douteuse »."
        )
    after = replace(state, doubtful=True, retrieved=False, checked=False)
    return _moved(Step.DOUBTED, state, after, reason)


def lift_doubt(state: IdentityState, reason: str) -> Transition:
    """The identity stays provisional: qualifying it starts over."""
    if not state.doubtful:
        raise _refusal("identity_not_doubtful", "Cette identité n'est pas douteuse.")
    return _moved(Step.DOUBT_LIFTED, state, replace(state, doubtful=False), reason)


def declare_fictive(state: IdentityState, reason: str) -> Transition:
    if state.doubtful or state.homonym:
        raise _refusal(
            "attribute_conflict", "L'attribut « fictive » ne se cumule avec aucun autre."
        )
    after = replace(state, fictive=True, retrieved=False, checked=False)
    return _moved(Step.DECLARED_FICTIVE, state, after, reason)


def declare_homonym(state: IdentityState, reason: str) -> Transition:
    """An alert only: it goes with every status, and with doubt, but not with a fiction."""
    if state.fictive:
        raise _refusal(
            "attribute_conflict", "L'attribut « homonyme » ne se cumule pas avec « fictive »."
        )
    return _moved(Step.DECLARED_HOMONYM, state, replace(state, homonym=True), reason)


def fail_verification(state: IdentityState, reason: str) -> Transition:
    """INSi no longer confirms the INS: QUAL to VALI, RECUP to PROV (PAM France §4.4.4)."""
    return _moved(Step.VERIFICATION_FAILED, state, replace(state, retrieved=False), reason)


def correct_trait(
    state: IdentityState, reason: str, *, birth_date_corrected: bool | None = None
) -> Transition:
    """A strict trait was changed by hand: nothing that was proved holds any more.

    `birth_date_corrected` says whether the new birth date had to be completed (EXI ID 11, 12); None
    where the date is not what changed.
    """
    barred = state.birth_date_corrected if birth_date_corrected is None else birth_date_corrected
    after = replace(state, retrieved=False, checked=False, birth_date_corrected=barred)
    return _moved(Step.TRAIT_CORRECTED, state, after, reason)


def merge(state: IdentityState, survivor: IdentityState, reason: str) -> Transition:
    """A duplicate gives way to the record that is kept, which must be trusted as much."""
    if state.fictive or survivor.fictive:
        raise _refusal("identity_fictive", "Une identité fictive n'est le doublon de personne.")
    if state.trust > survivor.trust:
        raise _refusal(
            "survivor_less_trusted",
            f"L'identité à conserver est {survivor.status.value}, l'autre {state.status.value} : "
            "conservez celle qui est la plus fiable.",
        )
    after = replace(state, retrieved=False, checked=False)
    return _moved(Step.MERGED, state, after, reason)


def _moved(step: Step, before: IdentityState, after: IdentityState, reason: str) -> Transition:
    return Transition(step, before, after, reason)


def _refusal(code: str, detail: str) -> DomainError:
    return DomainError(Category.UNPROCESSABLE, code, detail)
