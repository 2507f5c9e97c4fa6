"""A patient's record as the DMP manages it: is it open, what did the patient refuse, who may read it.

Facts: spec dmp.md §1.2, §1.3 (TD0.2, TD0.3, TD1.1 to TD1.6), §1.9; mes.md §A.6.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from socle.ids.ins import Ins

Status = Literal["active", "terminated", "absent"]
"""`absent` is a patient without a DMP; the other two are codes of HL7v3."""

Mode = Literal["ACTIVE", "INTERDITE"]
"""ACTIVE: the professional may read. INTERDITE: the patient blocked them (listAuthorization)."""

TREATING_DOCTOR = "MEDECIN_TRAITANT"


@dataclass(frozen=True, slots=True)
class Person:
    """How the record names its patient; `birth_date` is YYYYMMDD, `sex` M or F. "" is unknown."""

    family_name: str = field(default="", repr=False)
    used_name: str = field(default="", repr=False)
    given_name: str = field(default="", repr=False)
    prefix: str = ""
    sex: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    mobile: str = field(default="", repr=False)
    mail: str = field(default="", repr=False)
    street: str = field(default="", repr=False)
    postal_code: str = field(default="", repr=False)
    city: str = field(default="", repr=False)

    def as_json(self) -> dict[str, str]:
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}

    @classmethod
    def of_json(cls, stored: dict[str, Any]) -> "Person":
        return cls(**{name: str(stored.get(name, "")) for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Record:
    """`attached` says that Mon espace santé holds it: then professionals no longer manage it.

    Oppositions are the patient's: to reading in an emergency, by a professional who breaks the glass
    or by the SAMU, and to receiving documents at all.
    """

    ins: Ins
    status: Status = "active"
    person: Person = Person()
    attached: bool = True
    internet_account: bool = True
    opposes_break_glass: bool = False
    opposes_emergency: bool = False
    opposes_feeding: bool = False
    shows_masked_in_emergency: bool = False
    closing_code: str = ""
    closed_at: datetime | None = None
    opened_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.status == "active"


@dataclass(frozen=True, slots=True)
class Oppositions:
    """To reading in an emergency; None leaves what the record says."""

    break_glass: bool | None = None
    emergency: bool | None = None

    def applied(self, record: Record) -> Record:
        if self.break_glass is not None:
            record = replace(record, opposes_break_glass=self.break_glass)
        if self.emergency is not None:
            record = replace(record, opposes_emergency=self.emergency)
        return record


@dataclass(frozen=True, slots=True)
class AccessRight:
    """What a professional (PS_IdNat) may do with a record, and since when."""

    professional: str = field(repr=False)
    mode: Mode
    is_treating_doctor: bool
    started_at: datetime
    last_action_at: datetime
    given_name: str = field(default="", repr=False)
    family_name: str = field(default="", repr=False)
    specialty: str = ""
    specialty_label: str = ""


def person_of(lines: Sequence[str]) -> Person:
    """From sourcePatientInfo: PID-5 (name), PID-7 (birth), PID-8 (sex)."""
    fields = dict(line.partition("|")[::2] for line in lines)
    family, given = [*fields.get("PID-5", "").split("^"), "", ""][:2]
    return Person(
        family_name=family,
        given_name=given,
        birth_date=fields.get("PID-7", "")[:8],
        sex=fields.get("PID-8", ""),
    )
