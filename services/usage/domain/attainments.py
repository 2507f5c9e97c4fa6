"""The attestation that a window's targets are reached, and its control: states and what leads where.

The declaration (oSIS) and the ARS's check are documented; names of states, samples and corrections are
this sandbox's own (spec: usage.md §2.4).
"""

from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from services.usage.domain.engine.inputs import FEW, Count
from services.usage.domain.rules.figures import Name, Strict

State = Literal["brouillon", "depose", "instruit", "valide", "refuse", "paye"]
Action = Literal[
    "rediger", "deposer", "retirer", "instruire", "constater", "corriger", "valider", "refuser",
    "reprendre", "payer",
]  # fmt: skip
Authority = Literal["ARS", "DGOS", "CPAM", "CNAM"]
Sentence = Annotated[
    str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")
]

TRANSITIONS: Final[dict[Action, dict[State, State]]] = {
    "rediger": {"brouillon": "brouillon"},
    "deposer": {"brouillon": "depose"},
    "retirer": {"depose": "brouillon"},
    "instruire": {"depose": "instruit"},
    "constater": {"instruit": "instruit"},
    "corriger": {"instruit": "instruit", "valide": "valide", "paye": "paye"},
    "valider": {"instruit": "valide"},
    "refuser": {"instruit": "refuse"},
    "reprendre": {"refuse": "brouillon"},
    # To `paye` with the last step; the others leave the state as it is.
    "payer": {"depose": "depose", "instruit": "instruit", "valide": "valide", "refuse": "refuse", "paye": "paye"},
}  # fmt: skip
ORDER: Final[dict[str, int]] = {"brouillon": 0, "depose": 1, "instruit": 2, "valide": 3, "paye": 4}


def possible(state: State) -> tuple[Action, ...]:
    return tuple(action for action, moves in TRANSITIONS.items() if state in moves)


class Declared(Strict):
    """As in oSIS."""

    numerator: Count
    denominator: Count | None = None


class Draft(Strict):
    figures: Annotated[dict[Name, Declared], Field(max_length=FEW)]
    """None where the programme counts nothing: what the dossier attests is then examined alone."""
    comment: Annotated[
        str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")
    ] = ""


class Deposit(Strict):
    """The attestation of the director: in which function, and that it is on one's honour."""

    function: Sentence
    attested: Literal[True]


class Reason(Strict):
    reason: Sentence


class Examination(Strict):
    """The same seed draws the same documents of the same figure."""

    authority: Authority
    seed: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]
    size: Annotated[int, Field(ge=1, le=500)] = 20


class Finding(Strict):
    indicator: Name
    document: UUID
    kept: bool
    reason: Annotated[
        str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")
    ] = ""


class Findings(Strict):
    findings: Annotated[tuple[Finding, ...], Field(min_length=1, max_length=2000)]


class Correction(Strict):
    """`retrait`: the documents of the sample that were not kept leave the figure; `extrapolation`: it
    falls by their share of the sample, rounded down; `montant`: to the figure given."""

    method: Literal["retrait", "extrapolation", "montant"] = "retrait"
    figures: Annotated[dict[Name, Count], Field(max_length=FEW)] = Field({})
    """Numerators, for `montant` alone."""
    reason: Sentence


class Decision(Strict):
    authority: Authority
    reason: Sentence | None = None


class Payment(Strict):
    step: Name


class Drawn(Strict):
    """One document behind a figure; its uniqueId leads to the DMP, and no patient is named."""

    document: UUID
    unique_id: str
    kept: bool | None = None
    reason: str = ""


class Sample(Strict):
    authority: Authority
    seed: str
    size: int
    drawn: dict[Name, tuple[Drawn, ...]]
    out_of: dict[Name, int]
    """How many documents counted for each figure when the sample was drawn."""


class Change(Strict):
    """What a correction did to one figure."""

    indicator: Name
    before: int
    after: int
    method: str
    reason: str
    rejected: int | None = None
    sample: int | None = None


class Content(Strict):
    """Of an attestation, beside its state."""

    draft: Draft
    deposit: Deposit | None = None
    sample: Sample | None = None
    corrected: dict[Name, Count] = Field({})
    """Numerators that the control lowered; they count instead of what was observed."""
    amount: str | None = None
    """Euros, once validated."""
    groups: dict[Name, str] = Field({})
    """Of the amount, exact, by domain or volet."""
    options: dict[Name, Name] = Field({})
    """The answers to open questions by which it was validated; a later correction asks by the same."""
    refused_for: str = ""


def lowered(
    content: Content, correction: Correction, retained: dict[str, int]
) -> tuple[list[Change], list[tuple[str, str]]]:
    """What the correction makes of the figures retained, and (indicator, why not) for what it cannot do.

    It only ever lowers: a figure that grows is declared anew, not corrected.
    """
    changes: list[Change] = []
    wrong: list[tuple[str, str]] = []
    if correction.method == "montant":
        for code, after in correction.figures.items():
            before = retained.get(code)
            if before is None:
                wrong.append((code, "no such figure is counted here"))
            elif after > before:
                wrong.append((code, f"{after} is more than the {before} retained"))
            elif after < before:
                changes.append(_change(code, before, after, correction))
        return changes, wrong
    if correction.figures:
        wrong += [(code, "figures go with method montant") for code in correction.figures]
    drawn = content.sample.drawn if content.sample else {}
    for code, documents in drawn.items():
        rejected = sum(it.kept is False for it in documents)
        before = retained.get(code)
        base = content.sample.out_of[code] if content.sample else 0
        if not rejected or before is None:
            continue
        if correction.method == "retrait":
            after = base - rejected
        else:
            after = base * (len(documents) - rejected) // len(documents)
        if after < before:
            changes.append(
                _change(code, before, max(after, 0), correction, rejected, len(documents))
            )
    return changes, wrong


def _change(
    code: str,
    before: int,
    after: int,
    correction: Correction,
    rejected: int | None = None,
    sample: int | None = None,
) -> Change:
    return Change(
        indicator=code, before=before, after=after, method=correction.method,
        reason=correction.reason, rejected=rejected, sample=sample,
    )  # fmt: skip
