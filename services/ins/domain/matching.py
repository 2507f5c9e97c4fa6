"""Who answers to a set of traits (spec: ins.md §4.8 and §4.9, behaviour derived from clients).

Family name, sex and birth date must be equal, names compared without their separators. The
given name must begin the person's list: CATARINA finds « CATARINA BELLA », BELLA does not. The
birth place narrows the answer and is asked only to tell homonyms apart.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from services.ins.domain.person import Person
from socle.ids.traits import fold, starts_list


class ResultCode(Enum):
    """CodeCR with the exact LibelleCR, which has no accents on the wire (spec: ins.md §4.6)."""

    FOUND = ("00", "OK")
    NONE = ("01", "Aucune identite trouvee")
    SEVERAL = ("02", "Plusieurs identites trouvees")

    @property
    def code(self) -> str:
        return self.value[0]

    @property
    def label(self) -> str:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Query:
    """One search. Several given names are one beginning of the list."""

    family_name: str = field(repr=False)
    given_names: tuple[str, ...] = field(repr=False)
    sex: str = field(repr=False)
    birth_date: str = field(repr=False)
    birth_place: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Result:
    code: ResultCode
    person: Person | None = None


def matches(query: Query, person: Person) -> bool:
    traits = person.traits
    family_names = {fold(name) for name in (traits.family_name, *person.other_family_names)}
    return (
        traits.sex == query.sex
        and traits.birth_date == query.birth_date
        and fold(query.family_name) in family_names
        and starts_list(" ".join(query.given_names), traits.given_names)
        and (not query.birth_place or traits.birth_place == query.birth_place.upper())
    )


def search(query: Query, candidates: Iterable[Person]) -> Result:
    return found_among(person for person in candidates if matches(query, person))


def found_among(people: Iterable[Person]) -> Result:
    found = list(people)
    if not found:
        return Result(ResultCode.NONE)
    if len(found) > 1:
        return Result(ResultCode.SEVERAL)
    return Result(ResultCode.FOUND, found[0])


def given_name_attempts(given_names: Sequence[str]) -> list[tuple[str, ...]]:
    """What a client asks in turn until INSi answers otherwise than 01 (CNDA test 2.07).

    Each given name alone, in order; then all of them together.
    """
    attempts: list[tuple[str, ...]] = [(name,) for name in given_names]
    if len(given_names) > 1:
        attempts.append(tuple(given_names))
    return attempts
