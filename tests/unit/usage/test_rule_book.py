"""Options of a rule file, and files that a space brings."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from services.usage.domain.rules import (
    RuleBook,
    RuleFileRefused,
    UnknownOption,
    json_schema,
    read_book,
    shipped,
)

NAMES = sorted(shipped())
SUN = "sun-es-volet-1"


def dumped(name: str) -> dict[str, Any]:
    """As GET /usage/rules/{programme} gives it."""
    raw: dict[str, Any] = shipped()[name].programme.model_dump(mode="json", by_alias=True)
    return raw


def problems(text: Any, name: str = SUN) -> list[str]:
    body = text if isinstance(text, bytes) else json.dumps(text).encode()
    with pytest.raises(RuleFileRefused) as refused:
        read_book(body, name)
    return [problem.path for problem in refused.value.problems]


class TestShipped:
    @pytest.mark.parametrize("name", NAMES)
    def test_reads_back_what_it_shows(self, name: str) -> None:
        raw = dumped(name)
        again = read_book(json.dumps(raw).encode(), name)
        assert again.programme.model_dump(mode="json", by_alias=True) == raw

    @pytest.mark.parametrize("name", NAMES)
    def test_fits_the_schema_that_is_published(self, name: str) -> None:
        schema = json_schema()
        Draft202012Validator.check_schema(schema)
        assert list(Draft202012Validator(schema).iter_errors(dumped(name))) == []

    def test_answers_every_contradiction_by_a_named_option(self) -> None:
        named = {option for book in shipped().values() for option in book.programme.options}
        assert {f"K{number}" for number in range(1, 19)} <= named

    def test_follow_one_another(self) -> None:
        years = [f"forfait-structure-{year}" for year in range(2022, 2026)]
        for before, after in zip(years, [*years[1:], "donum"], strict=True):
            assert shipped()[before].programme.followed_by == after


class TestOptions:
    def test_change_the_places_that_they_name_and_no_other(self) -> None:
        book = shipped()[SUN]
        changed = book.under({"K3": "domain", "K9": "september"})

        assert changed.windows["F1"].end.isoformat() == "2022-10-01"
        assert getattr(changed.money, "cap").scope == "domain"  # noqa: B009
        assert book.programme.windows["F1"].end.isoformat() == "2022-07-01"
        assert changed.windows["F2"] == book.programme.windows["F2"]

    def test_change_one_of_the_places_that_share_an_alias(self) -> None:
        targets = (
            shipped()["objectif-national"].under({"K10": "revised"}).indicators["DOCUMENTS"].targets
        )
        assert [int(targets[year].value) for year in ("2022", "2023", "2024")] == [
            500_000_000, 250_000_000, 500_000_000,
        ]  # fmt: skip

    @pytest.mark.parametrize("answers", [{"K0": "a"}, {"K3": "nobody"}])
    def test_are_refused_when_the_file_has_none_of_the_name(self, answers: dict[str, str]) -> None:
        with pytest.raises(UnknownOption, match="K"):
            shipped()[SUN].under(answers)

    def test_are_refused_when_they_do_not_go_together(self) -> None:
        raw = dumped(SUN)
        one, two = (
            {**raw["options"]["K3"]["alternatives"]["domain"], "set": {pointer: value}}
            for pointer, value in (
                ("/indicators/SU4/targets/F1", None),
                ("/indicators/SU4/targets/F1/value", 46),
            )
        )
        raw["options"]["K3"]["alternatives"]["domain"] = one
        raw["options"]["K4"]["alternatives"]["cap-first"] = two
        book = RuleBook(raw)
        with pytest.raises(UnknownOption, match="together"):
            book.under({"K3": "domain", "K4": "cap-first"})

    @pytest.mark.parametrize("pointer", ["/nowhere/at", "/title/x"])
    def test_are_refused_when_they_change_what_is_not_there(self, pointer: str) -> None:
        raw = dumped(SUN)
        raw["options"]["K3"]["alternatives"]["domain"]["set"] = {pointer: 1}
        with pytest.raises(ValueError, match=pointer):
            RuleBook(raw)


class TestOwnFiles:
    def test_may_be_yaml(self) -> None:
        text = shipped()["donum"].programme.model_dump_json(by_alias=True)
        assert read_book(b"# ours\n" + text.encode(), "donum").programme.programme == "donum"

    def test_tell_every_problem_at_once(self) -> None:
        raw = dumped(SUN)
        del raw["title"]
        raw["indicators"]["SU4"]["targets"]["F1"]["confidence"] = "sure"
        raw["windows"]["F1"]["to"] = "soon"
        found = problems(raw)
        assert "/title" in found
        assert "/indicators/SU4/targets/F1/confidence" in found
        assert "/windows/F1/to" in found

    def test_are_of_the_programme_that_they_are_put_for(self) -> None:
        assert problems(dumped(SUN), "another") == ["/programme"]

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"[1, 2]",
            b"a: [",
            b"\xff\xfe\x00",
            b'{"a": NaN}',
            b"a: !!python/object/apply:os.getcwd []",
            b"a: !!binary aGVsbG8=",
            b"a: &x 1\nb: *x",
            b"? [1, 2]\n: 3",
            b"[" * 20_000,
            b'{"title": "a\\u0000b"}',
            b'{"title": "\\ud800"}',
        ],
    )
    def test_are_refused_when_they_are_something_else(self, text: bytes) -> None:
        assert problems(text)

    @pytest.mark.parametrize("value", ["a\0b", "x" * 1001, ""])
    def test_hold_no_text_that_cannot_be_kept(self, value: str) -> None:
        raw = dumped(SUN)
        raw["title"] = value
        assert "/title" in problems(raw)

    def test_hold_none_in_what_an_option_sets_either(self) -> None:
        raw = dumped(SUN)
        raw["options"]["K3"]["alternatives"]["domain"]["set"] = {"/title": "a\0b"}
        assert problems(raw)
