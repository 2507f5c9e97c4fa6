"""From a rule file and inputs to an explained result.

Open questions are answered by the file's defaults or by the inputs' `options`; each question is
then asked again with its other answers, so that a result says which of them decide it.
"""

from collections.abc import Iterator
from dataclasses import replace

from services.usage.domain.engine import budget_share, points, tiers
from services.usage.domain.engine.indicators import judge, together
from services.usage.domain.engine.inputs import Inputs, faults
from services.usage.domain.engine.outcome import (
    GroupOutcome,
    Ledger,
    OptionTaken,
    Outcome,
    Payment,
)
from services.usage.domain.rate import Status, hundredths
from services.usage.domain.rules import Option, Programme, RuleBook, UnknownOption
from services.usage.domain.rules.money import BudgetShare, Points, Tiers
from socle.problems import Problem


class UnknownInputs(Exception):
    """Inputs that do not fit the rule file, with everything that is wrong with them."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


def evaluate(book: RuleBook, inputs: Inputs) -> Outcome:
    """Raises UnknownInputs."""
    programme = _under(book, inputs)
    problems = faults(programme, inputs)
    if problems:
        raise UnknownInputs(problems)
    outcome = _evaluate(programme, inputs)
    return replace(outcome, options=tuple(_options(book, inputs, outcome)))


def _under(book: RuleBook, inputs: Inputs) -> Programme:
    try:
        return book.under(inputs.options)
    except UnknownOption as error:
        problem = Problem("CALC-OPTION", "/options", str(error), "GET /usage/rules/{programme}")
        raise UnknownInputs([problem]) from error


def _evaluate(programme: Programme, inputs: Inputs) -> Outcome:
    window = inputs.window
    if window is None and inputs.at is not None:
        window = programme.window_at(inputs.at)
    if window is None:
        return Outcome(programme, None, {}, {}, (), None, None, None, ())
    indicators = {
        code: judge(programme, window, code, inputs.indicators.get(code))
        for code in programme.indicators
    }
    statuses: dict[str, Status] = {}
    for name, rule in programme.groups.items():
        members = [indicators[code].status for code in programme.members(name)]
        said = inputs.attained.get(name)
        statuses[name] = (
            together(rule.policy, members)
            if said is None
            else (Status.MET if said == "met" else Status.NOT_MET)
        )
    ledger = Ledger()
    payment: Payment | None = None
    if _wants_euros(programme, inputs):
        money = programme.money
        arguments = (inputs, indicators, statuses, ledger)
        if isinstance(money, BudgetShare):
            payment = budget_share.pay(programme, money, window, *arguments)
        elif isinstance(money, Points):
            payment = points.pay(programme, money, window, *arguments)
        elif isinstance(money, Tiers):
            payment = tiers.pay(programme, money, window, *arguments)
    groups = {
        name: payment.groups[name]
        if payment and name in payment.groups
        else GroupOutcome(name, rule, statuses[name])
        for name, rule in programme.groups.items()
    }
    return Outcome(
        programme,
        window,
        indicators,
        groups,
        payment.steps if payment else (),
        payment.points if payment else None,
        payment.exact if payment else None,
        hundredths(payment.exact) if payment else None,
        tuple(ledger.used.values()),
    )


def _wants_euros(programme: Programme, inputs: Inputs) -> bool:
    """Whether euros are asked for, or follow from what is given."""
    if programme.status == "placeholder" or inputs.euros is False:
        return False
    if inputs.euros:
        return True
    match programme.money:
        case BudgetShare():
            return bool(inputs.base or inputs.share or inputs.activity)
        case Points():
            return all(
                name in inputs.attained or programme.members(name).keys() & inputs.indicators.keys()
                for name, rule in programme.groups.items()
                if rule.policy != "each"
            )
        case Tiers():
            return inputs.patientele is not None
        case _:
            return False


def _options(book: RuleBook, inputs: Inputs, outcome: Outcome) -> Iterator[OptionTaken]:
    for name, option in book.programme.options.items():
        chosen = inputs.options.get(name, option.default)
        answer = option.alternatives[chosen]
        others = dict(_others(book, inputs, outcome, name, option, chosen))
        yield OptionTaken(
            name,
            option.question,
            chosen,
            answer.title,
            chosen == option.default,
            answer.source,
            answer.confidence,
            bool(others),
            others,
        )


def _others(
    book: RuleBook, inputs: Inputs, outcome: Outcome, name: str, option: Option, chosen: str
) -> Iterator[tuple[str, str]]:
    """The other answers that change the result, with what they give."""
    for alternative, answer in option.alternatives.items():
        if alternative == chosen or not (answer.set or option.alternatives[chosen].set):
            continue
        try:
            programme = book.under({**inputs.options, name: alternative})
        except UnknownOption:
            continue  # it does not go together with the answers given
        if faults(programme, inputs):
            yield alternative, "not computable"
            continue
        other = _evaluate(programme, inputs)
        if _verdict(other) != _verdict(outcome):
            yield alternative, _told(other)


def _verdict(outcome: Outcome) -> tuple[object, ...]:
    """What a reader would act upon: the money where there is some, else the statuses."""
    if outcome.exact is not None:
        return (outcome.exact, outcome.points)
    return (outcome.window, *(found.status for found in outcome.indicators.values()))


def _told(outcome: Outcome) -> str:
    if outcome.amount is not None:
        return f"{outcome.amount} EUR"
    return ", ".join(f"{code} {found.status}" for code, found in outcome.indicators.items())
