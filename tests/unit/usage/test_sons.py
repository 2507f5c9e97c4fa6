"""The calendar of SONS, and what follows from the software of a beneficiary."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from services.usage.domain.rules.files import shipped
from services.usage.domain.rules.software import SoftwareRule
from services.usage.domain.sons.calendar import SONS_FILE, calendar, read_calendar
from services.usage.domain.sons.derivation import deadlines, derive
from services.usage.domain.sons.products import Product, Use, product_problems

YEAR_END = date(2024, 12, 31)


def product(**changes: Any) -> Product:
    raw = {
        "name": "Cabinet Exemple",
        "vendor": "Éditeur Exemple",
        "couloir": "medecine-de-ville",
        "category": "LGC",
        "versions": [
            {
                "version": "1.0",
                "published_on": "2021-01-01",
                "referenced": [{"wave": "vague-1", "from": "2022-06-01", "to": "2024-07-01"}],
            },
            {
                "version": "2.0",
                "published_on": "2024-02-01",
                "referenced": [{"wave": "vague-1", "from": "2022-06-01"}],
                "certifications": ["LAP"],
            },
        ],
    }
    return Product.model_validate(raw | changes)


def use(version: str = "2.0", **days: str | None) -> Use:
    given: dict[str, Any] = {"installed_on": "2024-03-01", **days}
    return Use.model_validate({"product": "cabinet-exemple", "version": version, **given})


def rule(**changes: Any) -> SoftwareRule:
    raw = {"couloirs": ["medecine-de-ville"], "source": "a test", "confidence": "assumed"}
    return SoftwareRule.model_validate(raw | changes)


def judged(
    asked: SoftwareRule, *uses: Use, today: date = date(2025, 6, 1)
) -> tuple[bool, list[str]]:
    found = derive(asked, YEAR_END, today, uses, {"cabinet-exemple": product()})
    assert found is not None
    return found.fulfilled, [part.reason for part in found.parts]


class TestCalendar:
    def test_has_the_dates_of_town_medicine_with_those_that_they_replaced(self) -> None:
        town = calendar().couloirs["medecine-de-ville"].waves["vague-1"].milestones
        assert town["ordered_by"].day == date(2022, 11, 30)
        assert [it.day for it in town["ordered_by"].former] == [date(2022, 7, 15)]
        assert town["installed_by"].day == date(2023, 9, 20)

    @pytest.mark.parametrize(
        "breaking",
        [
            lambda raw: raw.update(unknown=1),
            lambda raw: raw["couloirs"]["imagerie"].pop("source"),
            lambda raw: raw["couloirs"]["imagerie"]["categories"]["RIS"].pop("confidence"),
            lambda raw: _ordered(raw).pop("source"),
            lambda raw: _ordered(raw).update(confidence="sure"),
            lambda raw: _ordered(raw).update(day="soon"),
            lambda raw: _ordered(raw)["former"][0].pop("confidence"),
            lambda raw: raw["couloirs"]["imagerie"]["waves"]["vague-1"]["milestones"].update(
                eaten_by=_ordered(raw)
            ),
        ],
    )
    def test_refuses_a_date_without_source_or_confidence_and_what_it_does_not_know(
        self, breaking: Callable[[dict[str, Any]], object]
    ) -> None:
        raw: dict[str, Any] = yaml.safe_load(SONS_FILE.read_text("utf-8"))
        read_calendar(raw)
        breaking(raw)
        with pytest.raises(ValidationError):
            read_calendar(raw)


def _ordered(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["couloirs"]["imagerie"]["waves"]["vague-1"]["milestones"][
        "ordered_by"
    ]
    return found


class TestProducts:
    def test_are_warned_of_a_late_referencing_and_refused_an_early_one(self) -> None:
        late = [{"version": "1", "published_on": "2022-01-01",
                 "referenced": [{"wave": "vague-1", "from": "2022-06-16"}]}]  # fmt: skip
        early = [{"version": "1", "published_on": "2021-01-01",
                  "referenced": [{"wave": "vague-1", "from": "2021-08-12"}]}]  # fmt: skip
        found = [product_problems(calendar(), product(versions=it)) for it in (late, early)]
        assert [[(it.rule, it.severity) for it in each] for each in found] == [
            [("SONS-LATE", "warning")], [("SONS-EARLY", "error")],
        ]  # fmt: skip

    def test_know_the_couloirs_categories_and_waves_of_the_calendar_alone(self) -> None:
        versions = [{"version": "1", "published_on": "2022-01-01",
                     "referenced": [{"wave": "vague-9", "from": "2022-06-16"}]}]  # fmt: skip
        wrong = product(category="RIS", versions=versions)
        assert [it.rule for it in product_problems(calendar(), wrong)] == [
            "SONS-CATEGORY", "SONS-WAVE",
        ]  # fmt: skip
        assert [it.rule for it in product_problems(calendar(), product(couloir="x"))] == [
            "SONS-COULOIR"
        ]


@pytest.mark.parametrize(
    ("programme", "code"),
    [
        ("forfait-structure-2022", "V1-3"),
        *((f"forfait-structure-{year}", "V1-1") for year in (2023, 2024, 2025)),
        ("donum", "SOCLE-1"),
    ],
)
def test_a_radiologist_is_equipped_by_a_referenced_ris(programme: str, code: str) -> None:
    """Brochure of radiology, line 53: the whole forfait of a radiologist rests on it too."""
    asked = shipped()[programme].programme.indicators[code].software
    assert asked is not None
    ris = {
        "name": "RIS", "vendor": "Éditeur", "couloir": "imagerie", "category": "RIS",
        "versions": [{"version": "1", "published_on": "2022-01-01",
                      "referenced": [{"wave": "vague-1", "from": "2022-06-01"}],
                      "certifications": ["LAP", "SESAM-VITALE-AVENANT-8"]}],
    }  # fmt: skip
    used = Use.model_validate({"product": "ris", "version": "1", "installed_on": "2022-06-01"})
    found = derive(
        asked, date(2026, 12, 31), date(2027, 1, 1), [used], {"ris": Product.model_validate(ris)}
    )
    assert found is not None
    assert found.fulfilled


class TestDerivation:
    @pytest.mark.parametrize(
        ("asked", "version", "days", "expected"),
        [
            ({}, "2.0", {}, (True, ["fulfilled"])),
            ({}, "1.0", {}, (False, ["not_referenced"])),  # no longer at the end of the year
            ({"by": "2024-06-30"}, "1.0", {}, (True, ["fulfilled"])),
            ({}, "2.0", {"installed_on": "2024-12-31"}, (True, ["fulfilled"])),
            ({}, "2.0", {"installed_on": "2025-01-01"}, (False, ["not_in_use"])),
            ({}, "2.0", {"removed_on": "2024-12-31"}, (False, ["not_in_use"])),
            ({}, "2.0", {"removed_on": "2025-01-01"}, (True, ["fulfilled"])),
            ({}, "2.0", {"installed_on": None}, (False, ["not_in_use"])),
            ({}, "3.0", {}, (False, ["version_unknown"])),
            ({"couloirs": ["imagerie"]}, "2.0", {}, (False, ["other_couloir"])),
            ({"certifications": ["LAP"]}, "2.0", {}, (True, ["fulfilled", "fulfilled"])),
            ({"certifications": ["DMP"]}, "2.0", {}, (False, ["fulfilled", "not_certified"])),
            ({"certifications": ["DMP"], "match": "any"}, "2.0", {}, (True, ["fulfilled", "not_certified"])),
            ({"by": "2024-06-30", "latest": True}, "1.0", {}, (False, ["not_latest"])),
            ({"by": "2024-06-30", "latest": True}, "2.0", {}, (True, ["fulfilled"])),
        ],
    )  # fmt: skip
    def test_judges_the_day_that_counts(
        self,
        asked: dict[str, Any],
        version: str,
        days: dict[str, str | None],
        expected: tuple[bool, list[str]],
    ) -> None:
        assert judged(rule(**asked), use(version, **days)) == expected

    def test_takes_each_part_from_the_product_that_comes_nearest(self) -> None:
        both = rule(certifications=["LAP"], by="2024-06-30")
        assert judged(both, use("1.0"), use("2.0")) == (True, ["fulfilled", "fulfilled"])
        assert judged(both, use("1.0")) == (False, ["fulfilled", "not_certified"])

    def test_says_so_far_until_the_day_has_passed(self) -> None:
        products = {"cabinet-exemple": product()}
        seen = {
            today: derive(rule(), YEAR_END, today, [use()], products)
            for today in (date(2024, 2, 1), YEAR_END, date(2025, 1, 1))
        }
        assert [(it.fulfilled, it.is_final, it.on) for it in seen.values() if it] == [
            (False, False, date(2024, 2, 1)), (True, False, YEAR_END), (True, True, YEAR_END),
        ]  # fmt: skip

    def test_says_nothing_of_one_who_declared_no_software(self) -> None:
        assert derive(rule(), YEAR_END, YEAR_END, [], {}) is None


class TestDeadlines:
    @pytest.mark.parametrize(
        ("ordered", "today", "expected"),
        [
            ("2022-11-30", date(2024, 1, 1), "kept"),
            ("2022-12-01", date(2024, 1, 1), "missed"),
            (None, date(2022, 11, 30), "open"),
            (None, date(2022, 12, 1), "missed"),
            ("2022-11-30", date(2022, 11, 29), "open"),
        ],
    )
    def test_count_their_day_whole(self, ordered: str | None, today: date, expected: str) -> None:
        used = use("1.0", ordered_on=ordered, installed_on=None)
        found = {it.step: it for it in deadlines(calendar(), used, product(), today)}
        assert found["ordered_by"].status == expected
