"""Who answers to which traits (spec: ins.md §4.8, §4.9)."""

import pytest

from services.ins.domain.matching import (
    Query,
    ResultCode,
    given_name_attempts,
    matches,
    search,
)
from services.ins.domain.person import Person, RegisteredIns
from socle.ids.traits import Traits


def person(
    given: str = "CATARINA BELLA", place: str = "63220", family: str = "PAT-TROIS"
) -> Person:
    return Person(
        Traits(family, given, "F", "1979-03-28", place),
        RegisteredIns("1.2.250.1.213.1.4.10", "2790351215189", "89"),
        other_family_names=("AUTRE",),
    )


def query(*given: str, family: str = "PAT-TROIS", place: str = "", sex: str = "F") -> Query:
    return Query(family, given or ("CATARINA",), sex, "1979-03-28", place)


class TestMatches:
    @pytest.mark.parametrize(
        "asked",
        [
            query("CATARINA"),
            query("CATARINA BELLA"),
            query("CATARINA", "BELLA"),
            query(family="PAT TROIS"),
            query(family="AUTRE"),
            query(place="63220"),
        ],
    )
    def test_holds_when_the_given_name_begins_the_list(self, asked: Query) -> None:
        assert matches(asked, person())

    @pytest.mark.parametrize(
        "asked",
        [
            query("BELLA"),
            query("OLA"),
            query("CAT"),
            query("BELLA", "CATARINA"),
            query(family="PAT"),
            query(place="2B020"),
            query(sex="M"),
            Query("PAT-TROIS", ("CATARINA",), "F", "1979-03-29"),
        ],
    )
    def test_does_not_when_a_trait_differs(self, asked: Query) -> None:
        assert not matches(asked, person())


class TestSearch:
    def test_answers_02_when_two_people_match(self) -> None:
        twins = [person(place="63220"), person(place="2B020")]
        assert search(query(), twins).code is ResultCode.SEVERAL
        assert search(query(), twins).person is None

    def test_answers_00_when_the_birth_place_tells_them_apart(self) -> None:
        twins = [person(place="63220"), person(place="2B020")]
        result = search(query(place="2b020"), twins)
        assert result.code is ResultCode.FOUND
        assert result.person == twins[1]

    def test_answers_01_when_nobody_matches(self) -> None:
        assert search(query("OLA"), [person()]).code is ResultCode.NONE

    def test_asks_each_name_then_all_when_there_are_several(self) -> None:
        assert given_name_attempts(["OLA", "CATARINA"]) == [
            ("OLA",),
            ("CATARINA",),
            ("OLA", "CATARINA"),
        ]
        assert given_name_attempts(["ZOE"]) == [("ZOE",)]
