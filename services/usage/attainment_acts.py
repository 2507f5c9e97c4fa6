"""What each act on an attestation does to it: figures declared, drawn, corrected, validated."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, Final

from services.usage import attainments_repository as repository
from services.usage import pieces, sampling
from services.usage.attainment_case import Case, Done
from services.usage.attainment_payments import pay
from services.usage.domain.attainments import (
    Action,
    Content,
    Correction,
    Decision,
    Deposit,
    Draft,
    Drawn,
    Examination,
    Findings,
    Sample,
    State,
    lowered,
)
from services.usage.payments import Window, paid_by_group, read_dossier
from socle.errors import Category, DomainError
from socle.problems import Problem


async def _draft(case: Case, state: State, content: Content, request: Draft) -> Done:
    counted = [name for name, it in case.rules.indicators.items() if it.kind in ("rate", "count")]
    expected = ", ".join(counted) or "no figure: the dossier attests all that is asked"
    problems = []
    if counted and not request.figures:
        problems.append(Problem("ATTESTATION-FIGURE", "/figures", "no figure", expected))
    for code, it in request.figures.items():
        rule = case.rules.indicators.get(code)
        if rule is None or rule.kind not in ("rate", "count"):
            problems.append(
                Problem(
                    "ATTESTATION-INDICATOR",
                    f"/figures/{code}",
                    "nothing that is counted",
                    expected,
                )
            )
        elif (rule.kind == "rate") != (it.denominator is not None):
            expected = "a denominator" if rule.kind == "rate" else "no denominator"
            problems.append(
                Problem(
                    "ATTESTATION-FIGURE", f"/figures/{code}", f"{code} is a {rule.kind}", expected
                )
            )
    if problems:
        raise DomainError(
            Category.INCORRECT,
            "chiffres_refuses",
            f"These figures do not fit {case.rules.programme} ({len(problems)} problems).",
            problems=problems,
        )
    return Done("brouillon", content.model_copy(update={"draft": request}), {})


async def _deposit(case: Case, state: State, content: Content, request: Deposit) -> Done:
    """The pieces of the dossier are submitted with it. Observed figures stand beside the declared ones."""
    window = case.rules.windows[case.window]
    if case.space.now() < window.period.starts_at:
        raise DomainError(
            Category.UNPROCESSABLE,
            "fenetre_a_venir",
            f"{case.window} begins on {window.start}: nothing can have been reached.",
        )
    await _check_dossier(case)
    kept = await pieces.submit(case.session, case.space, case.rules.programme, case.of)
    found = await case.computed(euros=False)
    result = {
        "pieces": [{"reference": it.reference, "sha256": it.sha256} for it in kept],
        "figures": _beside(content, found),
    }
    return Done("depose", content.model_copy(update={"deposit": request}), result)


async def _check_dossier(case: Case) -> None:
    dossier = await read_dossier(case.session, case.space, case.rules.programme, case.of)
    said = {} if dossier is None else dossier.prerequisites or {}
    kept = {
        it.reference
        for it in await pieces.list_pieces(case.session, case.space, case.rules.programme, case.of)
    }
    problems = [
        Problem(
            "ATTESTATION-PIECE", f"/prerequisites/{name}/evidence_ref",
            f"the dossier keeps no piece {it.evidence_ref}", "a piece that was sent",
        )
        for name, it in said.items()
        if it.evidence_ref and it.evidence_ref not in kept
    ]  # fmt: skip
    if problems:
        raise DomainError(
            Category.UNPROCESSABLE,
            "piece_absente",
            f"The dossier names {len(problems)} pieces of evidence that are not there.",
            problems=problems,
        )
    has_dates = case.rules.windows[case.window].application is not None
    applied = ((dossier and dossier.applications) or {}).get(case.window)
    if case.applications_enforced and has_dates and not applied:
        raise DomainError(
            Category.UNPROCESSABLE,
            "candidature_absente",
            f"Nothing was applied for in {case.window}; GET …/dossiers/{case.rules.programme}/applications "
            "says when its applications are taken.",
        )


def _beside(content: Content, found: Window) -> dict[str, Any]:
    """Declared, retained and the gap between them; the retained figure is the one that pays."""
    beside = {}
    for code, it in content.draft.figures.items():
        outcome = found.outcome.indicators[code]
        gap = None if outcome.numerator is None else it.numerator - outcome.numerator
        beside[code] = {
            "declared": {"numerator": it.numerator, "denominator": it.denominator},
            "retained": {"numerator": outcome.numerator, "denominator": outcome.denominator},
            "gap": gap,
            "status": outcome.status,
        }
    return beside


async def _withdraw(case: Case, state: State, content: Content, request: None) -> Done:
    """What was submitted with it stays unchanged all the same."""
    await _check_nothing_is_out(case, "the authority examines it and refuses it first")
    return Done("brouillon", content.model_copy(update={"deposit": None}), {})


async def _check_nothing_is_out(case: Case, instead: str) -> None:
    """A draft takes no payment back: an advance would stay with who never deposits again."""
    rows = await repository.payments(case.session, case.key)
    out = sum((row.amount for row in rows), Decimal(0))
    if out:
        raise DomainError(
            Category.CONFLICT,
            "avance_versee",
            f"{out} euros were paid of this attestation: {instead}.",
            problems=[
                Problem("PAIEMENT-AVANCE", "/payments", f"{out} euros are paid", "nothing paid")
            ],
        )


async def _examine(case: Case, state: State, content: Content, request: Examination) -> Done:
    found = await case.computed(euros=False)
    drawn: dict[str, tuple[Drawn, ...]] = {}
    out_of: dict[str, int] = {}
    for code in content.draft.figures:
        some = await sampling.draw(
            case.session,
            case.space,
            case.rules,
            code,
            case.of,
            case.window,
            request.seed,
            request.size,
        )
        if some is not None:
            drawn[code] = some
            out_of[code] = found.outcome.indicators[code].numerator or 0
    sample = Sample(
        authority=request.authority,
        seed=request.seed,
        size=request.size,
        drawn=drawn,
        out_of=out_of,
    )
    result = {
        "drawn": {code: len(some) for code, some in drawn.items()},
        "figures": _beside(content, found),
    }
    return Done("instruit", content.model_copy(update={"sample": sample}), result)


async def _find(case: Case, state: State, content: Content, request: Findings) -> Done:
    """The last finding on a document holds."""
    assert content.sample is not None  # since the state is `instruit`
    drawn = {code: {it.document: it for it in some} for code, some in content.sample.drawn.items()}
    problems = []
    for number, it in enumerate(request.findings):
        known = drawn.get(it.indicator, {})
        if it.document not in known:
            problems.append(
                Problem(
                    "ATTESTATION-SAMPLE", f"/findings/{number}/document",
                    f"not in the sample of {it.indicator}", "a document that was drawn",
                )
            )  # fmt: skip
            continue
        known[it.document] = known[it.document].model_copy(
            update={"kept": it.kept, "reason": it.reason}
        )
    if problems:
        raise DomainError(
            Category.UNPROCESSABLE,
            "hors_echantillon",
            f"{len(problems)} findings are on documents that were not drawn.",
            problems=problems,
        )
    sample = content.sample.model_copy(
        update={"drawn": {code: tuple(some.values()) for code, some in drawn.items()}}
    )
    rejected = {code: sum(it.kept is False for it in some.values()) for code, some in drawn.items()}
    return Done(state, content.model_copy(update={"sample": sample}), {"rejected": rejected})


async def _correct(case: Case, state: State, content: Content, request: Correction) -> Done | None:
    """The payment is computed anew; where it was validated or paid, the difference is regularised."""
    before = await case.computed()
    retained = {
        code: it.numerator
        for code, it in before.outcome.indicators.items()
        if it.numerator is not None
    }
    changes, wrong = lowered(content, request, retained)
    if wrong:
        raise DomainError(
            Category.UNPROCESSABLE,
            "correction_refusee",
            "A correction lowers a figure that was counted, and does nothing else.",
            problems=[
                Problem("ATTESTATION-CORRECTION", f"/figures/{code}", why, "a lower figure")
                for code, why in wrong
            ],
        )
    if not changes:
        return None
    corrected = {**content.corrected, **{it.indicator: it.after for it in changes}}
    content = content.model_copy(update={"corrected": corrected})
    await repository.put(case.session, case.key, state, content.model_dump_json(), case.space.now())
    after = await case.computed()
    if state in ("valide", "paye"):
        content = content.model_copy(update=_amounts(after))
    result = {
        "changes": [it.model_dump(mode="json") for it in changes],
        "before": _explained(before),
        "after": _explained(after),
    }
    return Done(state, content, result)


async def _validate(case: Case, state: State, content: Content, request: Decision) -> Done:
    found = await case.computed()
    decided = {**_amounts(found), "options": case.options}
    return Done("valide", content.model_copy(update=decided), _explained(found))


def _amounts(found: Window) -> dict[str, Any]:
    amount = found.outcome.amount
    return {
        "amount": None if amount is None else str(amount),
        "groups": {it.group: str(it.amount) for it in paid_by_group(found.name, found.outcome)},
    }


def _explained(found: Window) -> dict[str, Any]:
    """An amount with the figures and the steps that made it."""
    outcome = found.outcome
    return {
        "amount": None if outcome.amount is None else str(outcome.amount),
        "verified": not outcome.is_refused,
        "indicators": {
            code: {
                "numerator": it.numerator,
                "denominator": it.denominator,
                "target": None if it.target is None else str(it.target.value),
                "status": it.status,
            }
            for code, it in outcome.indicators.items()
            if it.numerator is not None
        },
        "groups": {
            name: {"status": it.status, "reason": it.reason or None}
            for name, it in outcome.groups.items()
        },
        "steps": [{"step": it.name, "exact": str(it.value)} for it in outcome.steps],
    }


async def _refuse(case: Case, state: State, content: Content, request: Decision) -> Done:
    if request.reason is None:
        raise DomainError(
            Category.INCORRECT, "motif_absent", "A refusal has a reason.",
            problems=[Problem("ATTESTATION-REASON", "/reason", "no reason", "why it is refused")],
        )  # fmt: skip
    content = content.model_copy(
        update={"refused_for": request.reason, "amount": "0.00", "groups": {}}
    )
    return Done("refuse", content, {})


async def _resume(case: Case, state: State, content: Content, request: None) -> Done:
    """Its figures alone remain; what the control found stays in the history."""
    await _check_nothing_is_out(case, "payer, regularisation, takes it back first")
    return Done("brouillon", Content(draft=content.draft), {})


Act = Callable[[Case, State, Content, Any], Awaitable[Done | None]]
ACTS: Final[dict[Action, Act]] = {
    "rediger": _draft,
    "deposer": _deposit,
    "retirer": _withdraw,
    "instruire": _examine,
    "constater": _find,
    "corriger": _correct,
    "valider": _validate,
    "refuser": _refuse,
    "reprendre": _resume,
    "payer": pay,
}
