"""Who is meant by what a Vitale card says of a beneficiary (spec: ins.md §4.5, rules derived).

A card names its beneficiary by their own number where it knows it, or else by the number of the
insured, the birth date and the birth rank. INSi answers with the person's INS: what the card has
beyond that is only compared.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.ins.domain.matching import Result, found_among
from services.ins.domain.person import Person
from socle.ids.traits import fold


@dataclass(frozen=True, slots=True)
class CardQuery:
    """Numbers have 13 characters; an absent value is empty."""

    own: str = field(repr=False)
    insured: str = field(repr=False)
    family_name: str = field(repr=False)
    birth_date: str = field(repr=False)
    birth_rank: int = 0


def search_card(query: CardQuery, candidates: Iterable[Person]) -> Result:
    """`candidates` have the number asked for: their own, or else that of the insured."""
    return found_among(person for person in candidates if _agrees(query, person))


def _agrees(query: CardQuery, person: Person) -> bool:
    names = {fold(name) for name in (person.traits.family_name, *person.other_family_names)}
    return (
        (not query.family_name or fold(query.family_name) in names)
        and (not query.birth_date or query.birth_date == person.traits.birth_date)
        # One's own number says who one is; the rank only tells twins on a card apart.
        and (bool(query.own) or query.birth_rank in (0, person.birth_rank))
    )
