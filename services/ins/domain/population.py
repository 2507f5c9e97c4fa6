"""Synthetic patients in any number, always the same for the same number.

A patient is drawn from a number alone, so whoever asks for the same part of the population finds
the same people, and no two share a matricule. Each number owns a cell (place, month, sex) and an
order within it; places come as often as they have inhabitants. Of a hundred neighbours:

- 1 is the twin of the one before: same family name, place and date, other given names;
- 3 is a homonym of 2, born elsewhere: INSi answers 02 until it is told the place;
- 5 has changed sex and number, and keeps the former one;
- 7 has a waiting number only (NIA), 8 had one before;
- some were born on a date that is not fully known, or that no calendar has.

Numbers are under the test OID. No OID of test exists for waiting numbers (spec: ins.md §2). Orders
begin at 500: in most places no living person has so high a one, yet nothing can exclude it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Final

import yaml

from services.ins.domain.person import Person, RegisteredIns
from services.ins.domain.places import ABROAD, SYNTHETIC, countries, places_of_birth
from socle.ids.ins import NIA, NIR_TEST, ins_key
from socle.ids.traits import Traits

FIRST_YEAR: Final = 1926  # a hundred years: the matricule has two digits for them
MONTHS: Final = 1200
INHABITANTS_PER_ORDER: Final = 1000
ORDERS: Final = 100
_STEP: Final = 1_000_003  # between seeds
_SPREAD: Final = 82_550_551  # neighbours are born far apart; shares no factor with the size

# The hundred in which a number's order stands, by what is special about the person.
_ORDINARY, _TWIN, _OTHER_TWIN, _HOMONYM, _CHANGED = 900, 800, 700, 600, 500


@dataclass(frozen=True, slots=True)
class _Cell:
    """Where and when someone is born; `order` is 0 to 99."""

    place: str
    month: int
    sex: str
    order: int

    @property
    def year(self) -> int:
        return FIRST_YEAR + self.month // 12

    @property
    def month_of_year(self) -> int:
        return self.month % 12 + 1

    def matricule(self, hundred: int) -> str:
        sex = "1" if self.sex == "M" else "2"
        born = f"{self.year % 100:02d}{self.month_of_year:02d}"
        return f"{sex}{born}{self.place}{hundred + self.order:03d}"


@dataclass(frozen=True)
class _Matter:
    """What people are made of (services/ins/data)."""

    family_names: list[str]
    women: list[str]
    men: list[str]


@cache
def _matter() -> _Matter:
    read = yaml.safe_load((files("services.ins") / "data" / SYNTHETIC).read_text("utf-8"))
    return _Matter(read["family_names"], read["women"], read["men"])


@cache
def _slots() -> tuple[tuple[str, int], ...]:
    """Every place once for each order that its inhabitants are worth, a country for a hundred."""
    worth = [(cog, min(ORDERS, count // INHABITANTS_PER_ORDER)) for cog, count in places_of_birth()]
    worth += [(cog, ORDERS) for cog in countries()]
    return tuple((cog, order) for cog, orders in worth for order in range(orders))


@cache
def size() -> int:
    """How many people there are; numbers go round."""
    return len(_slots()) * MONTHS * 2


def population(seed: int, start: int, count: int) -> Iterator[Person]:
    """People `start` to `start + count - 1` of the population that begins at `seed`."""
    for index in range(start, start + count):
        yield person((seed * _STEP + index) % size())


def person(number: int) -> Person:
    kind = number % 100
    if kind == 1:
        return _twin(number)
    if kind == 3:
        return _homonym(number)
    draw = random.Random(number)  # noqa: S311 (people, not secrets)
    cell = _cell(number)
    traits = _traits(draw, cell)
    if kind == 5:
        before = _Cell(cell.place, cell.month, "M" if cell.sex == "F" else "F", cell.order)
        former = _ins(NIR_TEST, before.matricule(_CHANGED))
        return Person(traits, _ins(NIR_TEST, cell.matricule(_CHANGED)), (former,))
    active = _ins(NIA if kind == 7 else NIR_TEST, cell.matricule(_ORDINARY))
    return Person(traits, active, (_ins(NIA, cell.matricule(_CHANGED)),) if kind == 8 else ())


def _twin(number: int) -> Person:
    elder, draw = person(number - 1), random.Random(number)  # noqa: S311
    first = _cell(number - 1)
    sex = draw.choice("MF")
    cell = _Cell(first.place, first.month, sex, first.order)
    given = _given_names(draw, sex)
    if given.split(" ")[0] == elder.traits.given_names.split(" ")[0]:
        given = f"{'MARIE-' if sex == 'F' else 'JEAN-'}{given}"
    born = elder.traits
    traits = Traits(born.family_name, given, sex, born.birth_date, born.birth_place)
    return Person(
        traits, _ins(NIR_TEST, cell.matricule(_TWIN if sex == first.sex else _OTHER_TWIN))
    )


def _homonym(number: int) -> Person:
    """Another place can be the same only by chance of the draw: then the number tells them apart."""
    namesake, other = person(number - 1).traits, _cell(number - 1)
    here = _cell(number)
    cell = _Cell(here.place, other.month, other.sex, here.order)
    traits = Traits(
        namesake.family_name, namesake.given_names, other.sex, namesake.birth_date, cell.place
    )
    return Person(traits, _ins(NIR_TEST, cell.matricule(_HOMONYM)))


def _cell(number: int) -> _Cell:
    """One cell and order for each number, and no other number for it."""
    rest, slot = divmod(number * _SPREAD % size(), len(_slots()))
    place, order = _slots()[slot]
    return _Cell(place, rest // 2, "MF"[rest % 2], order)


def _traits(draw: random.Random, cell: _Cell) -> Traits:
    family = draw.choice(_matter().family_names)
    return Traits(family, _given_names(draw, cell.sex), cell.sex, _born(draw, cell), cell.place)


def _given_names(draw: random.Random, sex: str) -> str:
    [count] = draw.choices((1, 2, 3, 4), (25, 35, 35, 5))
    return " ".join(draw.sample(_matter().women if sex == "F" else _matter().men, count))


def _born(draw: random.Random, cell: _Cell) -> str:
    """A day of the month; of those born abroad, one in twelve has an incomplete or lunar date."""
    first = date(cell.year, cell.month_of_year, 1)
    day = first + timedelta(days=draw.randrange(28))
    luck = draw.randrange(100)
    if not cell.place.startswith(ABROAD) or luck >= 8:
        return day.isoformat()
    if luck < 3:
        return first.isoformat()  # the day is not known
    if luck < 6:
        return f"{cell.year}-12-31"  # neither is the month (EXI ID 12)
    return f"{cell.year}-{13 + draw.randrange(3)}-{31 + draw.randrange(5)}"  # a lunar calendar


def _ins(oid: str, matricule: str) -> RegisteredIns:
    return RegisteredIns(oid, matricule, ins_key(matricule))
