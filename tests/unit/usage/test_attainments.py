"""Attestations: which act leads where, what a correction does to a figure, what a step pays."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.usage.domain.attainments import (
    ORDER,
    TRANSITIONS,
    Content,
    Correction,
    Declared,
    Draft,
    Drawn,
    Sample,
    lowered,
    possible,
)
from services.usage.domain.rules import shipped
from services.usage.domain.schedule import REGULARISATION, amount_of


def content(rejected: int, drawn: int, out_of: int) -> Content:
    documents = tuple(
        Drawn(document=UUID(int=number), unique_id="2.25.1", kept=number >= rejected)
        for number in range(drawn)
    )
    sample = Sample(
        authority="ARS", seed="s", size=drawn, drawn={"SU4": documents}, out_of={"SU4": out_of}
    )
    draft = Draft(figures={"SU4": Declared(numerator=out_of, denominator=out_of)})
    return Content(draft=draft, sample=sample)


def correction(**changes: Any) -> Correction:
    return Correction.model_validate({"reason": "a test", **changes})


class TestStates:
    def test_lead_from_the_draft_to_the_payment_and_nowhere_else(self) -> None:
        states = {"brouillon", "depose", "instruit", "valide", "refuse", "paye"}
        assert {
            state for moves in TRANSITIONS.values() for pair in moves.items() for state in pair
        } == states
        assert set(ORDER) == states - {"refuse"}
        assert possible("brouillon") == ("rediger", "deposer")
        assert possible("paye") == ("corriger", "payer")


class TestCorrection:
    @pytest.mark.parametrize(
        ("method", "rejected", "drawn", "out_of", "after"),
        [
            ("retrait", 2, 4, 10, 8),
            ("retrait", 0, 4, 10, None),
            ("extrapolation", 1, 4, 10, 7),  # 7.5
            ("extrapolation", 4, 4, 10, 0),
            ("extrapolation", 1, 3, 1_000_000, 666_666),
        ],
    )
    def test_follows_from_the_sample(
        self, method: str, rejected: int, drawn: int, out_of: int, after: int | None
    ) -> None:
        changes, wrong = lowered(
            content(rejected, drawn, out_of), correction(method=method), {"SU4": out_of}
        )
        assert wrong == []
        assert [it.after for it in changes] == ([] if after is None else [after])

    def test_done_again_lowers_nothing_more(self) -> None:
        assert lowered(content(2, 4, 10), correction(), {"SU4": 8}) == ([], [])

    @pytest.mark.parametrize(
        ("figures", "codes"), [({"SU4": 11}, ["SU4"]), ({"SU9": 1}, ["SU9"]), ({"SU4": 10}, [])]
    )
    def test_to_an_amount_never_raises(self, figures: dict[str, int], codes: list[str]) -> None:
        changes, wrong = lowered(
            content(0, 1, 10), correction(method="montant", figures=figures), {"SU4": 10}
        )
        assert (changes, [code for code, _ in wrong]) == ([], codes)

    def test_takes_figures_with_an_amount_alone(self) -> None:
        _, wrong = lowered(content(1, 2, 10), correction(figures={"SU4": 1}), {"SU4": 10})
        assert [code for code, _ in wrong] == ["SU4"]


class TestSteps:
    ADVANCE = shipped()["sun-es-volet-1"].under({"payment-steps": "advance"}).payment

    @pytest.mark.parametrize("owed", ["60000.00", "0.01", "0.03", "99999.99", "0.00"])
    def test_add_up_to_what_is_owed_to_the_cent(self, owed: str) -> None:
        advance = amount_of(self.ADVANCE, "avance", Decimal(owed), {})
        balance = amount_of(self.ADVANCE, "solde", Decimal(owed), {"avance": advance})
        assert advance + balance == Decimal(owed)
        assert advance == (Decimal(owed) / 2).quantize(Decimal("0.01"), "ROUND_HALF_UP")

    def test_take_back_what_was_paid_too_much(self) -> None:
        paid = {"avance": Decimal("30000.00")}
        assert amount_of(self.ADVANCE, "solde", Decimal("20000.00"), paid) == Decimal("-10000.00")
        assert amount_of(self.ADVANCE, REGULARISATION, Decimal(0), paid) == Decimal("-30000.00")

    def test_are_one_where_the_file_stands_as_it_is(self) -> None:
        assert list(shipped()["sun-es-volet-1"].programme.payment) == ["solde"]
