"""What a space decides about patients' mailboxes: states, refusals and their texts.

The codes and texts of Mon espace santé's refusals are not published (spec: mss.md §5 and §10): those
here are ours, and each space may set its own.
"""

from collections.abc import Collection, Sequence
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.mss.domain.mailboxes import ADDRESS, ANY_ADDRESS, normalised
from socle.ids.ins import CITIZEN_DOMAIN, INS_OIDS, NIA, NIR, NIR_DEMO, NIR_TEST, Ins

AUTO_REPLY: Final = f"reponse.automatique-test@{CITIZEN_DOMAIN}"
"""Announced in the description of the domain in the whitelist (spec: mss.md §1.5)."""

MAILER_DAEMON: Final = f"MAILER-DAEMON@{CITIZEN_DOMAIN}"
_OIDS: Final = (NIR, NIR_TEST, NIA, NIR_DEMO)
assert set(_OIDS) == INS_OIDS

State = Literal["active", "auto_created", "opposed", "closed"]
"""`auto_created` exists and its patient has not activated it."""

Reason = Literal["invalid_address", "unknown", "opposed", "closed", "not_activated", "too_large"]
_STRICT = ConfigDict(extra="forbid", frozen=True)
_ONE_LINE = r"^[^\x00-\x1f\x7f]+$"
_Address = Annotated[str, Field(max_length=320, pattern=ANY_ADDRESS), AfterValidator(normalised)]


class Answer(BaseModel):
    """How one refusal is told: the SMTP code, the status code of RFC 3463, the words."""

    model_config = _STRICT

    code: int = Field(550, ge=400, le=599)
    status: str = Field(pattern=r"^[45]\.[0-9]{1,3}\.[0-9]{1,3}$")
    text: str = Field(min_length=1, max_length=400, pattern=_ONE_LINE)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "Answer":
        if str(self.code)[0] != self.status[0]:
            raise ValueError("code and status are of one class: 550 with 5.x.x, 450 with 4.x.x")
        return self


_ANSWERS: Final[dict[Reason, Answer]] = {
    "invalid_address": Answer(
        code=550,
        status="5.1.3",
        text="L'adresse n'est pas une adresse de messagerie de Mon espace santé valide.",
    ),
    "unknown": Answer(
        code=550,
        status="5.1.1",
        text="Aucun usager de Mon espace santé ne correspond à cette adresse.",
    ),
    "opposed": Answer(
        code=550,
        status="5.1.1",
        text="L'usager ne dispose pas de messagerie dans Mon espace santé.",
    ),
    "closed": Answer(
        code=550,
        status="5.2.1",
        text="La messagerie Mon espace santé de cet usager est fermée.",
    ),
    "not_activated": Answer(
        code=550,
        status="5.2.1",
        text="La messagerie Mon espace santé de cet usager n'est pas activée.",
    ),
    "too_large": Answer(
        code=552,
        status="5.3.4",
        text="La taille totale du message dépasse celle que Mon espace santé accepte.",
    ),
}


class PatientRules(BaseModel):
    """`refusal` decides whether a message that no patient gets is refused at RCPT, or taken and sent
    back by the mailer daemon of patient.mssante.fr."""

    model_config = _STRICT

    refusal: Literal["bounce", "rcpt"] = "bounce"
    default_state: State = "active"
    auto_created: Literal["deliver", "refuse"] = "deliver"
    max_bytes: int = Field(25_000_000, ge=1024)
    answers: dict[Reason, Answer] = {}
    bounce_subject: str = Field("Message non distribué", max_length=200, pattern=_ONE_LINE)
    too_large_subject: str = Field(
        "Undelivered Mail Returned to Sender", max_length=200, pattern=_ONE_LINE
    )
    pharmacies: list[_Address] = Field([], max_length=1000)
    """ORG mailboxes to which a patient may write first."""
    patient_may_write_to_pharmacies: bool = True
    reply_to_all: Literal["contacts", "addressees", "off"] = "contacts"
    """To whom REPLY_TO_ALL goes beside the contact: those of To and Cc who are open contacts of the
    patient, all professionals of To and Cc, or nobody."""

    def in_copy(self, addressed: Sequence[str], open_contacts: Collection[str]) -> list[str]:
        """Whom REPLY_TO_ALL reaches beside the contact, of the professionals of To and Cc."""
        if self.reply_to_all == "off":
            return []
        everybody = self.reply_to_all == "addressees"
        return [address for address in addressed if everybody or address in open_contacts]

    def answer(self, reason: Reason) -> Answer:
        return self.answers.get(reason) or _ANSWERS[reason]

    def subject(self, reason: Reason) -> str:
        return self.too_large_subject if reason == "too_large" else self.bounce_subject

    def refuses(self, state: State) -> Reason | None:
        """Why a mailbox in this state takes nothing; None where it does."""
        if state in ("opposed", "closed"):
            return state
        if state == "auto_created" and self.auto_created == "refuse":
            return "not_activated"
        return None


def is_patients(address: str) -> bool:
    return address.rpartition("@")[2].lower() == CITIZEN_DOMAIN


def identities_of(address: str) -> list[Ins]:
    """Those that an address can mean: it tells the matricule, not the OID. Empty if it is none."""
    found = (Ins.from_citizen_address(address, oid) for oid in _OIDS)
    return [ins for ins in found if ins is not None]


def is_professionals(address: str) -> bool:
    return bool(ADDRESS.fullmatch(address)) and not is_patients(address)
