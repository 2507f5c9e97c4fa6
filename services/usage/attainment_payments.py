"""What is paid of an attestation: the steps of its programme, each once, and what follows a correction."""

from decimal import Decimal

from services.usage import attainments_repository as repository
from services.usage.attainment_case import Case, Done
from services.usage.domain.attainments import ORDER, Content, Payment, State
from services.usage.domain.rules.schedule import PaymentStep
from services.usage.domain.schedule import REGULARISATION, amount_of
from socle.errors import Category, DomainError
from socle.problems import Problem


async def pay(case: Case, state: State, content: Content, request: Payment) -> Done | None:
    """Before the validation, of what the window would pay now; afterwards, of what was validated."""
    rows = await repository.payments(case.session, case.key)
    paid = {row.step: row.amount for row in rows}
    steps = case.rules.payment
    last = list(steps)[-1] if steps else "solde"
    if request.step == REGULARISATION:
        return await _regularise(case, state, content, paid, is_whole=last in paid)
    _check_step(case, state, request.step, steps, paid, last)
    if request.step in paid:
        return None
    owed = content.amount
    if state in ("depose", "instruit"):
        preview = (await case.computed()).outcome.amount
        owed = None if preview is None else str(preview)
    if owed is None:
        raise DomainError(
            Category.UNPROCESSABLE, "montant_inconnu",
            "No euros follow from this attestation; the dossier gives no base to pay from.",
        )  # fmt: skip
    amount = (
        amount_of(steps, request.step, Decimal(owed), paid)
        if steps
        else Decimal(owed) - sum(paid.values(), Decimal(0))
    )
    await repository.pay(
        case.session, case.key, request.step, len(rows) + 1, amount, case.space.now()
    )
    result = {"step": request.step, "amount": str(amount), "of": owed}
    return Done("paye" if request.step == last else state, content, result)


def _check_step(
    case: Case,
    state: State,
    step: str,
    steps: dict[str, PaymentStep],
    paid: dict[str, Decimal],
    last: str,
) -> None:
    known = list(steps) or [last]
    if step not in known:
        expected = ", ".join([*known, REGULARISATION])
        raise DomainError(
            Category.INCORRECT, "etape_inconnue",
            f"{case.rules.programme} has no payment step {step}; it has {expected}.",
            problems=[Problem("PAIEMENT-ETAPE", "/step", f"no step {step}", expected)],
        )  # fmt: skip
    if step in paid:
        return
    due = steps[step].due if steps else "valide"
    if state == "refuse" or ORDER[state] < ORDER[due]:
        raise DomainError(
            Category.CONFLICT,
            "etape_prematuree" if state != "refuse" else "attestation_refusee",
            f"{step} is paid from state {due} on; the attestation is {state}.",
            problems=[Problem("PAIEMENT-ETAT", "/step", f"the attestation is {state}", due)],
        )
    if last in paid:
        raise DomainError(
            Category.CONFLICT, "etape_depassee", f"{last} was paid already, and all with it."
        )


async def _regularise(
    case: Case, state: State, content: Content, paid: dict[str, Decimal], *, is_whole: bool
) -> Done | None:
    """Pays, or takes back, what a correction or a refusal changed after a payment."""
    if state != "refuse" and not is_whole:
        raise DomainError(
            Category.CONFLICT, "etape_prematuree", "What is not paid yet needs no regularisation."
        )
    amount = Decimal(content.amount or 0) - sum(paid.values(), Decimal(0))
    if amount == 0:
        return None
    number = sum(step.startswith(REGULARISATION) for step in paid) + 1
    step = f"{REGULARISATION}-{number}"
    await repository.pay(case.session, case.key, step, len(paid) + 1, amount, case.space.now())
    return Done(state, content, {"step": step, "amount": str(amount), "of": content.amount})
