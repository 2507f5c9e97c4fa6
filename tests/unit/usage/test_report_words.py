"""What reports write: amounts in French, cells that no spreadsheet runs, forms by Accept."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from importlib import resources

import pytest

from services.usage.api.reports import negotiated
from services.usage.reports.content import Chart
from services.usage.reports.labels import EVENTS, amount, days, exact, figure, outcome
from services.usage.reports.pdf import ceiling, printable
from services.usage.reports.tables import safe
from socle.errors import DomainError


class TestWords:
    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (Decimal("1234567.80"), "1\u00a0234\u00a0567,80\u00a0€"),
            (Decimal("0.00"), "0,00\u00a0€"),
            (None, "non calculé"),
        ],
    )
    def test_of_euros_have_a_comma_and_groups_of_three(
        self, value: Decimal | None, written: str
    ) -> None:
        assert amount(value) == written

    @pytest.mark.parametrize(
        ("value", "written"), [(500_000_000, "500\u00a0000\u00a0000"), (Fraction(200, 3), "66,67"), (None, "–")]
    )  # fmt: skip
    def test_of_figures_are_whole_or_have_two_decimals(
        self, value: Fraction | int | None, written: str
    ) -> None:
        assert figure(value) == written

    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (Fraction(1200011, 20), "60\u00a0000,55"), (Fraction(1000), "1\u00a0000"),
            (Fraction(-1, 8), "-0,125"), (Fraction(1, 3), "1/3"), (Fraction(0), "0"),
        ],
    )  # fmt: skip
    def test_of_exact_values_round_nothing(self, value: Fraction, written: str) -> None:
        assert exact(value) == written

    @pytest.mark.parametrize(
        ("given", "written"),
        [
            ("39999.45 EUR", "39\u00a0999,45\u00a0€"),
            ("SU4 met, SU5 not_applicable", "SU4 atteint, SU5 sans objet"),
            ("not computable", "non calculable"),
            ("", ""),
        ],
    )
    def test_of_another_answer_are_french(self, given: str, written: str) -> None:
        assert outcome(given) == written

    def test_are_printed_with_their_letters_or_as_none(self) -> None:
        assert printable("≥ 45 % – Łódź, cœur « d’été » 日") == (
            "≥ 45\u00a0% – Łód?, cœur « d’été\u00a0» ?"
        )

    def test_of_every_event_that_is_counted_by_day_are_french(self) -> None:
        names = (it.name for it in (resources.files("socle.events") / "schemas").iterdir())
        parts = [name.split(".") for name in names if not name.startswith("usage.")]
        kinds = {f"{service}.{verb}" for service, _, verb, *_ in parts}
        # A registration is a document, and an accepted message is told by its direction.
        assert kinds - EVENTS.keys() == {"dmp.registered", "mss.accepted"}

    def test_of_a_period_name_its_last_day(self) -> None:
        assert days(date(2022, 1, 1), date(2022, 7, 1)) == "du 01/01/2022 au 30/06/2022"


class TestCells:
    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1"])
    def test_are_no_formulas(self, text: str) -> None:
        assert safe(text) == f"'{text}"

    @pytest.mark.parametrize("cell", ["SU4", "", "a=b", -5, Decimal("-1.50"), None])
    def test_are_left_as_they_are_when_no_spreadsheet_runs_them(
        self, cell: str | int | Decimal | None
    ) -> None:
        assert safe(cell) == cell

    def test_hold_what_xml_can_hold(self) -> None:
        assert safe("a\x0bb\ufffe") == "a\ufffdb\ufffd"


class TestNegotiation:
    @pytest.mark.parametrize(
        ("accept", "form"),
        [
            (None, "json"),
            ("", "json"),
            ("application/pdf;q=0.2, text/csv;q=0.9", "csv"),
            ("application/pdf;q=0, */*;q=0.1", "json"),
            ("text/html, application/pdf;q=x, text/*;q=0.3", "csv"),
            ("APPLICATION/PDF", "pdf"),
        ],
    )
    def test_takes_the_form_of_the_highest_weight(self, accept: str | None, form: str) -> None:
        assert negotiated(accept) == form

    def test_refuses_when_nothing_fits(self) -> None:
        with pytest.raises(DomainError) as refused:
            negotiated("image/png, application/pdf;q=0")
        assert refused.value.status == 406


@pytest.mark.parametrize(
    ("highest", "unit", "top"),
    [(Fraction(45), "%", 100), (Fraction(100), "%", 100), (Fraction(1003, 10), "%", 200),
     (Fraction(7), "documents", 20), (None, "%", 100)],
)  # fmt: skip
def test_no_bar_is_higher_than_its_chart(highest: Fraction | None, unit: str, top: int) -> None:
    assert ceiling(Chart("", [""], [highest], None, unit)) == top
