"""Synthetic professionals: always the same, well formed, and never someone who exists."""

from collections import Counter

from socle.ids.professionals import is_valid_rpps
from socle.people.official import official_people
from socle.people.population import SIZE, person, population

PEOPLE = list(population(seed=1, start=0, count=3000))


def test_same_seed_and_numbers_give_the_same_people() -> None:
    assert list(population(1, 100, 50)) == PEOPLE[100:150]
    assert list(population(2, 0, 50)) != PEOPLE[:50]


def test_identifiers_are_valid_distinct_and_not_those_of_published_people() -> None:
    numbers = {one.SubjectNameID for one in PEOPLE}
    assert len(numbers) == len(PEOPLE)
    assert all(number[0] == "8" and is_valid_rpps(number[1:]) for number in numbers)
    assert all(number.startswith("8997") for number in numbers)
    assert not numbers & {one.SubjectNameID for one in official_people()}
    assert not any(number.startswith("89970") for number in numbers)


def test_population_goes_round_at_its_end() -> None:
    [last, first] = population(0, SIZE - 1, 2)
    assert last == person(9_999_999)
    assert first == person(1_000_000)


def test_professions_and_situations_vary_as_in_the_field() -> None:
    professions = Counter(one.exercices[0].codeProfession for one in PEOPLE)
    assert len(professions) >= 9
    assert professions["60"] > professions["10"] > professions["40"] > 0
    situations = Counter(len(one.exercices[0].activities) for one in PEOPLE)
    assert situations[1] > situations[2] > situations[0] > 0


def test_structures_carry_the_identifiers_of_their_register() -> None:
    for one in PEOPLE:
        for activity in one.exercices[0].activities:
            technical = activity.identifiantTechniqueDeLaStructure
            if activity.numeroFinessSite:
                assert technical == f"F{activity.numeroFinessSite}"
                assert activity.numeroFinessSite[1] == "B"
                assert len(activity.numeroFinessSite) == 9
            elif activity.numeroSiretSite:
                assert technical == f"C{activity.numeroSiretSite}"
            else:
                assert technical.startswith("R")
                assert len(activity.ancienIdentifiantDeLaStructure) == 15
