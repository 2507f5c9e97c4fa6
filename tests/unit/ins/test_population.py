"""Synthetic patients: always the same, well formed, distinct, and as varied as real ones."""

from collections import Counter
from math import gcd

from hypothesis import given
from hypothesis import strategies as st

from services.ins.domain import population as module
from services.ins.domain.matching import Query, ResultCode, search
from services.ins.domain.places import countries, name_of, places_of_birth
from services.ins.domain.population import person, population, size
from socle.ids.ins import NIA, NIR_TEST, ins_key
from socle.ids.traits import check_traits

PEOPLE = list(population(seed=1, start=0, count=5000))


def test_same_seed_and_numbers_give_the_same_people() -> None:
    assert list(population(1, 100, 50)) == PEOPLE[100:150]
    assert list(population(2, 0, 50)) != PEOPLE[:50]


def test_population_goes_round_at_its_end() -> None:
    assert gcd(module._SPREAD, size()) == 1  # each number has a place of its own
    assert next(population(0, size(), 1)) == person(0)


@given(st.integers(0, size() - 1))
def test_every_number_is_a_person_whom_insi_could_know(number: int) -> None:
    one = person(number)
    assert check_traits(one.traits) == []
    for ins in (one.active, *one.history):
        assert ins.key == ins_key(ins.matricule)
        assert ins.oid in (NIR_TEST, NIA)
        assert int(ins.matricule[10:]) >= 500
    matricule = one.active.matricule
    assert matricule[0] == ("1" if one.traits.sex == "M" else "2")
    assert matricule[1:3] == one.traits.birth_date[2:4]
    assert matricule[5:10] == one.traits.birth_place
    assert name_of(one.traits.birth_place)


@given(st.integers(0, size() - 1))
def test_a_matricule_belongs_to_one_number_only(number: int) -> None:
    assert _number_of(person(number).active.matricule) == number


def _number_of(matricule: str) -> int:
    """The number that a matricule was drawn from, read from the matricule alone."""
    hundred, order = divmod(int(matricule[10:]), 100)
    month = (int(matricule[1:3]) - 26) % 100 * 12 + int(matricule[3:5]) - 1
    woman = matricule[0] == "2"
    slot = module._slots().index((matricule[5:10], order))
    elder_is_woman = not woman if hundred == 7 else woman
    rest, slots, spread = month * 2 + elder_is_woman, len(module._slots()), module._SPREAD
    back = pow(spread, -1, size())
    if hundred == 6:  # a homonym: its own place, with the month and sex of the number before
        return ((rest * slots + (slot - spread) % slots) * back + 1) % size()
    return ((rest * slots + slot) * back + (hundred in (7, 8))) % size()


def test_a_part_of_the_population_has_no_matricule_twice() -> None:
    numbers = {(one.active.oid, one.active.matricule) for one in PEOPLE}
    assert len(numbers) == len(PEOPLE)


def test_people_are_born_where_people_are_born() -> None:
    born = Counter(one.traits.birth_place[:2] for one in PEOPLE)
    assert 0.03 < born["99"] / len(PEOPLE) < 0.12
    assert 0.01 < born["97"] / len(PEOPLE) < 0.08
    assert born["2A"]
    assert born["2B"]
    assert born["75"] > born["48"]
    assert {cog for cog, _ in places_of_birth()}.isdisjoint({"75056", "13055", "69123"})
    assert all(cog.startswith("99") for cog in countries())


def test_names_are_compound_and_several() -> None:
    counts = Counter(len(one.traits.given_names.split()) for one in PEOPLE)
    assert set(counts) == {1, 2, 3, 4}
    families = " ".join({one.traits.family_name for one in PEOPLE})
    assert all(mark in families for mark in ("'", "-", "--", "DE LA "))
    assert any("-" in one.traits.given_names for one in PEOPLE)


def test_some_dates_are_incomplete_and_some_are_in_no_calendar() -> None:
    abroad = [one.traits.birth_date for one in PEOPLE if one.traits.birth_place.startswith("99")]
    assert any(born.endswith("-12-31") for born in abroad)
    assert any(int(born[5:7]) > 12 for born in abroad)
    at_home = [one.traits.birth_date for one in PEOPLE if one.traits.birth_place[:2] != "99"]
    assert all(int(born[5:7]) <= 12 for born in at_home)


class TestNeighbours:
    def test_twins_share_all_but_their_given_names(self) -> None:
        for number in range(100, 5000, 100):
            elder, twin = person(number).traits, person(number + 1).traits
            assert (elder.family_name, elder.birth_date, elder.birth_place) == (
                twin.family_name,
                twin.birth_date,
                twin.birth_place,
            )
            assert elder.given_names.split()[0] != twin.given_names.split()[0]

    def test_homonyms_are_told_apart_by_their_place(self) -> None:
        one, other = person(202), person(203)
        traits = one.traits
        query = Query(
            traits.family_name,
            tuple(traits.given_names.split()),
            traits.sex,
            traits.birth_date,
        )
        assert search(query, [one, other]).code is ResultCode.SEVERAL
        placed = Query(
            query.family_name,
            query.given_names,
            query.sex,
            query.birth_date,
            other.traits.birth_place,
        )
        assert search(placed, [one, other]).person == other

    def test_a_number_that_changed_leaves_the_former_in_the_history(self) -> None:
        changed = person(305)
        [former] = changed.history
        assert former.matricule[1:] == changed.active.matricule[1:]
        assert former.matricule[0] != changed.active.matricule[0]

    def test_waiting_numbers_are_active_or_former(self) -> None:
        waiting, arrived = person(307), person(308)
        assert (waiting.active.oid, waiting.history) == (NIA, ())
        assert (arrived.active.oid, arrived.history[0].oid) == (NIR_TEST, NIA)
