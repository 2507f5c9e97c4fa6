"""Use case: a calculation from given figures, refused where its euros rest on unverified ones."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.domain.engine import Inputs, Outcome, UnknownInputs, Used, evaluate
from services.usage.domain.rules import RuleBook
from services.usage.domain.rules.money import NoMoney
from services.usage.rule_store import book_of
from socle.errors import Category, DomainError
from socle.problems import Problem
from socle.spaces import Space


async def calculate(
    session: AsyncSession,
    space: Space,
    programme: str,
    version: str | None,
    inputs: Inputs,
    *,
    allow_unverified: bool,
) -> Outcome:
    file = await book_of(session, space.name, programme, version)
    return run(file.book, inputs, allow_unverified=allow_unverified)


def run(book: RuleBook, inputs: Inputs, *, allow_unverified: bool) -> Outcome:
    """Evaluates; raises DomainError where the inputs do not fit or the euros may not be shown."""
    try:
        outcome = evaluate(book, inputs)
    except UnknownInputs as error:
        raise DomainError(
            Category.INCORRECT,
            "calculation_inputs",
            f"These inputs do not fit {book.programme.programme} ({len(error.problems)} problems).",
            problems=error.problems,
        ) from error
    _refuse_what_cannot_be_paid(outcome, inputs)
    if outcome.is_refused and not allow_unverified:
        raise unverified(outcome)
    return outcome


def _refuse_what_cannot_be_paid(outcome: Outcome, inputs: Inputs) -> None:
    """A placeholder and a programme without figures have no euros, whatever is allowed."""
    rules = outcome.programme
    if not inputs.euros or outcome.amount is not None or outcome.window is None:
        return
    reason = rules.money.reason if isinstance(rules.money, NoMoney) else "a placeholder"
    raise DomainError(
        Category.UNPROCESSABLE,
        "rule_unverified",
        f"No euros can be computed for {rules.programme}: {reason}.",
    )


def unverified(outcome: Outcome) -> DomainError:
    problems = [_problem(used) for used in outcome.unverified]
    return DomainError(
        Category.UNPROCESSABLE,
        "rule_unverified",
        f"The euros of {outcome.programme.programme} rest on {len(problems)} unverified figures or "
        "choices; ask with allow_unverified=true to see them nevertheless.",
        problems=problems,
    )


def _problem(used: Used) -> Problem:
    what = "is an open choice that decides the amount" if not used.unit else "is a figure"
    return Problem(
        "RULE-UNVERIFIED",
        f"/{used.path}",
        f"{used.path} {what} of confidence {used.confidence}",
        "confidence seed or source",
        source=used.source,
    )
