"""The JSON forms of traits, identities and people."""

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.ins.domain.identity import HistoryEntry, Identity
from services.ins.domain.person import Person, RegisteredIns
from socle.errors import Category, DomainError
from socle.ids.traits import Traits, check_traits
from socle.problems import Problem


class TraitsIn(BaseModel):
    """Lengths are bounded here; the rules of INSi are checked by `traits()` all at once."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    family_name: str = Field(max_length=200)
    given_names: str = Field(max_length=200, description="the whole list, separated by spaces")
    sex: str = Field(max_length=10)
    birth_date: str = Field(max_length=20, description="YYYY-MM-DD")
    birth_place: str = Field("", max_length=20, description="COG of the commune or country")

    def traits(self) -> Traits:
        return Traits(
            self.family_name, self.given_names, self.sex, self.birth_date, self.birth_place
        )

    def problems(self) -> list[Problem]:
        return check_traits(self.traits())

    def checked(self) -> Traits:
        refuse_if_any(self.problems())
        return self.traits()


def refuse_if_any(problems: list[Problem]) -> None:
    if problems:
        raise DomainError(
            Category.UNPROCESSABLE,
            "identity_refused",
            f"L'identité n'est pas conforme ({len(problems)} problèmes).",
            problems=problems,
        )


def identity_view(identity: Identity) -> dict[str, Any]:
    """`ins` only while INSi vouches for it; `transmissible` says whether it may be sent."""
    ins = identity.valid_ins
    alerts = identity.names.incoherence(identity.traits, "/local_names/first_given_name")
    return {
        "id": str(identity.id),
        "external_id": identity.external_id,
        "status": identity.state.status.value,
        "status_code": identity.state.status.code,
        "attributes": list(identity.state.attributes),
        "traits": traits_view(identity.traits),
        "local_names": asdict(identity.names),
        "ins": ins_view(ins) if ins else None,
        "former_ins": [asdict(former) for former in identity.former] if ins else [],
        "birth_date_completed": identity.state.birth_date_corrected,
        "provenance": asdict(identity.provenance),
        "alerts": [alert.message for alert in alerts],
        "merged_into": str(identity.merged_into) if identity.merged_into else None,
        "transmissible": identity.state.may_carry_ins,
        "created_at": identity.created_at,
        "updated_at": identity.updated_at,
    }


def person_view(person: Person) -> dict[str, Any]:
    return {
        **traits_view(person.traits),
        "ins": ins_view(person.active),
        "history": [ins_view(former) for former in person.history],
        "cnda_tests": list(person.cnda_tests),
    }


def traits_view(traits: Traits) -> dict[str, str]:
    return {
        "family_name": traits.family_name,
        "given_names": traits.given_names,
        "sex": traits.sex,
        "birth_date": traits.birth_date,
        "birth_place": traits.birth_place,
    }


def ins_view(ins: RegisteredIns) -> dict[str, str]:
    return {"oid": ins.oid, "matricule": ins.matricule, "key": ins.key}


def history_view(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "step": entry.step,
        "from": entry.from_status,
        "to": entry.to_status,
        "reason": entry.reason,
        "at": entry.at,
    }
