"""The engine against a second reading of spec usage.md §3.1 and §6, written without looking at it."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.usage.domain.engine import Inputs, evaluate
from services.usage.domain.rules import shipped

RATES = {"F1": Fraction(1), "F2": Fraction(90, 100), "F3": Fraction(85, 100), "F4": Fraction(8, 10)}
TARGETS = {"F1": 45, "F2": 54, "F3": 59, "F4": 63}
BUDGETS = {"biology": 11_000_000, "imaging": 24_000_000}
CODES = {"biology": "SU4", "imaging": "SU5"}
CAP = Fraction(100_000)

windows = st.sampled_from(sorted(RATES))
cents = st.one_of(
    st.sampled_from([0, 5, 10, 9_999_999, 10_000_000, 11_111_112]), st.integers(0, 20_000_000)
).map(lambda it: Fraction(it, 100))
# Numbers about a target: one less, exactly it, one more.
around = st.tuples(st.sampled_from([0, 1, 2, 3, 100, 1000, 10**12]), st.integers(-1, 1))


def euros(exact: Fraction) -> Decimal:
    """To the cent, half up."""
    whole, rest = divmod(exact.numerator * 100, exact.denominator)
    return Decimal(whole + (2 * rest >= exact.denominator)) / 100


def near(target: Fraction, drawn: tuple[int, int]) -> tuple[int, int]:
    denominator, off = drawn
    least = -(-target * denominator // 100)
    return max(int(least) + off, 0), denominator


def met(numerator: int, denominator: int, target: int) -> bool:
    return 0 < denominator >= numerator and 100 * numerator >= target * denominator


@given(
    windows,
    st.dictionaries(st.sampled_from(sorted(CODES)), st.tuples(around, cents), min_size=1),
    st.lists(st.tuples(windows, st.sampled_from(sorted(CODES)), cents), max_size=3),
    st.sampled_from(["establishment", "domain", "none"]),
    st.sampled_from(["cap-last", "cap-first"]),
    st.sampled_from(["once", "each-window"]),
    st.integers(0, 6),
)
def test_sun_es_pays_what_a_second_reading_pays(
    window: str,
    domains: dict[str, tuple[tuple[int, int], Fraction]],
    before: list[tuple[str, str, Fraction]],
    scope: str,
    order: str,
    repeated: str,
    prerequisites: int,
) -> None:
    target = TARGETS[window]
    figures = {name: near(Fraction(target), drawn) for name, (drawn, _) in domains.items()}
    first = order == "cap-first"

    def left(payments: list[tuple[str, str, Fraction]]) -> Fraction:
        spent = [amount / (RATES[when] if first else 1) for when, _, amount in payments]
        return max(CAP - sum(spent), Fraction(0))

    due = Fraction(0)
    for name, (_, base) in domains.items():
        paid = [it for it in before if it[1] == name]
        reached = met(*figures[name], target) and prerequisites == 6
        if not reached or (repeated == "once" and any(amount for *_, amount in paid)):
            continue
        if scope != "domain":
            due += base * RATES[window]
        elif first:
            due += min(base, left(paid)) * RATES[window]
        else:
            due += min(base * RATES[window], left(paid))
    if scope == "establishment":
        due = min(due, left(before) * (RATES[window] if first else 1))

    outcome = evaluate(
        shipped()["sun-es-volet-1"],
        Inputs.model_validate(
            {
                "window": window,
                "indicators": {
                    CODES[name]: {"numerator": n, "denominator": d}
                    for name, (n, d) in figures.items()
                },
                "base": {name: str(base) for name, (_, base) in domains.items()},
                "paid": [
                    {"window": when, "group": name, "amount": str(amount)}
                    for when, name, amount in before
                ],
                "prerequisites": {f"P{it}": it <= prerequisites for it in range(1, 7)},
                "options": {"K3": scope, "K4": order, "paid-once": repeated},
            }
        ),
    )
    assert outcome.amount == euros(due)


@given(
    st.sampled_from([50, 90]),
    around,
    around,
    st.booleans(),
    st.sampled_from([0, 1, 777, 800, 2400, 10**6]),
    st.sampled_from(["at-least", "strict"]),
    st.sampled_from(["vsm", "ald"]),
    st.sampled_from(["uncapped", "capped"]),
    st.sampled_from([0, 1500]),
)
def test_the_vsm_pays_what_a_second_reading_pays(
    threshold: int,
    drawn: tuple[int, int],
    third: tuple[int, int],
    is_third: bool,
    patientele: int,
    bonus: str,
    share_of: str,
    weight: str,
    before: int,
) -> None:
    with_vsm, ald = near(Fraction(threshold), drawn)
    whole = ald if share_of == "ald" else with_vsm
    structured = near(Fraction(100, 3), (whole if is_third else third[0], third[1]))[0]

    due = Fraction(0)
    if 0 < ald >= with_vsm and 2 * with_vsm >= ald and not before:
        due = Fraction(3000 if 10 * with_vsm >= 9 * ald else 1500)
        ratio = Fraction(patientele, 800)
        due *= min(ratio, Fraction(1)) if weight == "capped" else ratio
        reached = 3 * structured > whole if bonus == "strict" else 3 * structured >= whole
        if 0 < structured <= with_vsm and reached:
            due *= Fraction(6, 5)
    indicators: dict[str, Any] = {
        "VSM": {"numerator": with_vsm, "denominator": ald},
        "VSM-STRUCTURE": {"numerator": structured, "denominator": with_vsm},
    }
    outcome = evaluate(
        shipped()["vsm"],
        Inputs.model_validate(
            {
                "window": "R1",
                "indicators": indicators,
                "patientele": patientele,
                "paid": [{"window": "R1", "group": "vsm", "amount": before}],
                "options": {"K7": bonus, "bonus-base": share_of, "weight": weight},
            }
        ),
    )
    assert outcome.amount == euros(due)


def test_structured_documents_beyond_those_there_are_bring_no_bonus() -> None:
    """80 of 50 are an error in the data, whatever part of 90 they would be."""
    inputs = {
        "window": "R1",
        "indicators": {
            "VSM": {"numerator": 90, "denominator": 100},
            "VSM-STRUCTURE": {"numerator": 80, "denominator": 50},
        },
        "patientele": 800,
    }
    outcome = evaluate(shipped()["vsm"], Inputs.model_validate(inputs))
    assert outcome.indicators["VSM-STRUCTURE"].status == "data_error"
    assert outcome.amount == 3000
