"""What a report says, before any form: tables of figures, and a chart for each counted indicator."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from services.usage.counters import Counter
from services.usage.domain.engine import GroupOutcome, IndicatorOutcome, Outcome, Step
from services.usage.domain.engine.indicators import threshold
from services.usage.domain.missing import Missing
from services.usage.domain.rate import hundredths
from services.usage.payments import Payments, Window
from services.usage.reports.compared import compared_rows, control_rows
from services.usage.reports.figures import UNIT_OF_KIND, Cell, figure_rows, shown_value
from services.usage.reports.labels import (
    CONDITIONS,
    CONFIDENCES,
    EVENTS,
    REASONS,
    STATES,
    STATUSES,
    STEPS,
    days,
    exact,
    figure,
    outcome,
)


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    title: str
    headers: tuple[str, ...]
    rows: list[list[Cell]]


@dataclass(frozen=True, slots=True)
class Chart:
    """Values by month, against the target; a month without acts has none."""

    title: str
    labels: Sequence[str]
    values: Sequence[Fraction | None]
    target: Fraction | None
    unit: str


@dataclass(frozen=True, slots=True)
class Report:
    payments: Payments
    made_at: datetime
    charts: tuple[Chart, ...]
    missing: dict[str, dict[str, list[Missing]]]
    """By window, then by indicator."""
    families: tuple[tuple[str, str, int], ...] = ()
    """For the national page: window, family of documents or other counter, count."""
    refused: Mapping[str, Counter] = field(default_factory=dict)
    """By window, what the DMP refused meanwhile."""

    @property
    def title(self) -> str:
        return self.payments.programme.title

    @property
    def beneficiary(self) -> str:
        of, name = self.payments.of, self.payments.name
        match of.kind:
            case "structure":
                return f"{name} (FINESS {of.number})"
            case "professional":
                return f"Professionnel {of.number}"
            case _:
                return "Ensemble de l'espace"

    @property
    def is_verified(self) -> bool:
        return not any(it.outcome.is_refused for it in self.payments.windows)

    @property
    def absence(self) -> str:
        """Why the report holds no figure; empty where it holds some."""
        if self.payments.windows:
            return ""
        first = next(iter(self.payments.programme.windows.items()), None)
        if first is None:
            return "Aucune fenêtre n'est connue de ces règles : il n'y a rien à compter."
        name, rule = first
        return (
            f"Aucune fenêtre n'a commencé à cette date ; la première est {name}, "
            f"{days(rule.period.start, rule.period.end)}."
        )

    def tables(self) -> list[Table]:
        """Every table that holds something."""
        made = [
            self._amounts(),
            self._indicators(),
            self._groups(),
            self._dossier(),
            self._steps(),
            self._missing(),
            self._declared(),
            self._compared(),
            self._controlled(),
            self._refused(),
            self._families(),
            self.figures(),
            self._options(),
        ]
        return [table for table in made if table.rows]

    def _amounts(self) -> Table:
        rows: list[list[Cell]] = [
            [
                it.name,
                STATES[it.state],
                None if it.outcome.points is None else _number(it.outcome.points),
                it.outcome.amount,
                it.control.validated if it.control else None,
                it.control.paid if it.control and it.control.validated is not None else None,
                _verified(it.outcome),
            ]
            for it in self.payments.windows
            if it.due is not None
        ]
        headers = (
            "Fenêtre", "État", "Points", "Montant (€)", "Validé (€)", "Payé (€)", "Vérification",
        )  # fmt: skip
        return Table("montants", "Montants", headers, rows)

    def _indicators(self) -> Table:
        headers = (
            "Fenêtre", "Indicateur", "Intitulé", "Numérateur", "Dénominateur", "Valeur", "Cible",
            "Statut",
        )  # fmt: skip
        rows: list[list[Cell]] = [
            [
                it.name, code, found.rule.title, found.numerator, found.denominator,
                shown_value(found), _target(found),
                STATUSES[found.status] + (" (attesté)" if found.stated else ""),
            ]
            for it, code, found in self._found()
        ]  # fmt: skip
        return Table("indicateurs", "Indicateurs", headers, rows)

    def _groups(self) -> Table:
        rows: list[list[Cell]] = [
            [
                it.name,
                found.rule.title,
                STATUSES[found.status],
                REASONS[_reason(found)],
                None if found.points is None else _number(found.points),
                None if found.amount is None else hundredths(found.amount),
            ]
            for it in self.payments.windows
            for found in it.outcome.groups.values()
        ]
        headers = ("Fenêtre", "Domaine ou volet", "Statut", "Motif", "Points", "Montant (€)")
        return Table("domaines", "Domaines et volets", headers, rows)

    def _dossier(self) -> Table:
        """Prerequisites, and what the beneficiary states of its own plateaus."""
        rules, dossier = self.payments.programme, self.payments.dossier
        given = dossier.prerequisites if dossier else None
        rows: list[list[Cell]] = []
        for name, rule in rules.prerequisites.items():
            it = given.get(name) if given else None
            said = "non renseigné" if given is None else _yes(it is not None and it.fulfilled)
            evidence = it.evidence_ref if it else ""
            rows.append(
                [name, rule.title, said, evidence, rule.source, CONFIDENCES[rule.confidence]]
            )
        for condition, label in CONDITIONS.items():
            if any(condition in group.requires for group in rules.groups.values()):
                own = dossier.own.get(condition) if dossier else None
                said = "non renseigné" if own is None else _yes(own)
                rows.append(["", label, said, "", "déclaration de l'établissement", ""])
        headers = ("Prérequis", "Intitulé", "Rempli", "Pièce", "Source", "Confiance")
        return Table("prerequis", "Prérequis et éligibilité", headers, rows)

    def _steps(self) -> Table:
        rows: list[list[Cell]] = []
        for it in self.payments.windows:
            for group in it.outcome.groups.values():
                rows += [_step(it, group.rule.title, step) for step in group.steps]
            rows += [_step(it, "Paiement de la fenêtre", step) for step in it.outcome.steps]
        headers = ("Fenêtre", "Objet", "Étape", "Par", "Valeur exacte", "Valeur")
        return Table("calcul", "Calcul, étape par étape", headers, rows)

    def _missing(self) -> Table:
        rows: list[list[Cell]] = [
            [
                window, code, _number(each.target), each.now, each.expected_acts, each.by_the_end,
                each.per_day, "oui" if each.reachable else "non",
            ]
            for window, indicators in self.missing.items()
            for code, several in indicators.items()
            for each in several
        ]  # fmt: skip
        headers = (
            "Fenêtre", "Indicateur", "Cible", "Manquent à ce jour", "Actes attendus",
            "À déposer d'ici la fin", "Par jour", "Atteignable",
        )  # fmt: skip
        return Table("manque", "Ce qui manque pour atteindre la cible", headers, rows)

    def _declared(self) -> Table:
        rows: list[list[Cell]] = []
        for it in self.payments.windows:
            for code, told in it.declared.items():
                observed = it.outcome.indicators[code].numerator
                gap = None if None in (told.numerator, observed) else _gap(told.numerator, observed)
                rows.append(
                    [it.name, code, told.numerator, told.denominator, told.months, observed, gap]
                )
        headers = (
            "Fenêtre", "Indicateur", "Numérateur déclaré", "Dénominateur déclaré",
            "Déclarations", "Numérateur retenu", "Écart",
        )  # fmt: skip
        return Table("declare", "Déclaré et retenu", headers, rows)

    def _compared(self) -> Table:
        headers = ("Fenêtre", "Objet", "Attesté", "Logiciel déclaré", "Observé", "Retenu", "Source")
        rows = [row for it in self.payments.windows for row in compared_rows(it)]
        return Table("attestations", "Attesté, déduit et observé", headers, rows)

    def _controlled(self) -> Table:
        headers = ("Fenêtre", "Attestation", "Indicateur", "Déclaré", "Ramené à", "Motif du refus")
        rows = [row for it in self.payments.windows for row in control_rows(it)]
        return Table("controle", "Attestation et contrôle", headers, rows)

    def _families(self) -> Table:
        rows: list[list[Cell]] = [
            [window, EVENTS.get(family, family), count] for window, family, count in self.families
        ]
        headers = ("Fenêtre", "Famille ou événement", "Nombre")
        return Table("familles", "Documents par famille, et autres événements", headers, rows)

    def _refused(self) -> Table:
        """The most frequent rule first: what a vendor mends first."""
        rows: list[list[Cell]] = []
        for window, counter in self.refused.items():
            if counter.count:
                rows.append([window, "Documents refusés", counter.count])
            rows += [[window, f"règle {rule}", count] for rule, count in counter.by_rule.items()]
        headers = ("Fenêtre", "Motif (un refus peut en avoir plusieurs)", "Documents")
        return Table("refus", "Documents refusés par le DMP", headers, rows)

    def figures(self) -> Table:
        """Every figure with its unit, source and confidence: the whole report in one long table."""
        rows = [row for it in self.payments.windows for row in figure_rows(it)]
        headers = ("Fenêtre", "Objet", "Grandeur", "Valeur", "Unité", "Source", "Confiance")
        return Table("sources", "Chiffres et sources", headers, rows)

    def _options(self) -> Table:
        """Each question once, with the windows whose result its answer decides."""
        rows: list[list[Cell]] = []
        windows = [it for it in self.payments.windows if it.outcome.options]
        for taken in windows[-1].outcome.options if windows else ():
            alternatives = self.payments.programme.options[taken.name].alternatives
            told = [
                f"{it.name} : {alternatives[name].title} : {outcome(given)}"
                for it in windows
                for other in it.outcome.options
                if other.name == taken.name
                for name, given in other.others.items()
            ]
            rows.append(
                [
                    taken.name, taken.question,
                    taken.title + ("" if taken.is_default else " (demandé)"),
                    "oui" if told else "non", "; ".join(told), taken.source,
                    CONFIDENCES[taken.confidence],
                ]
            )  # fmt: skip
        headers = (
            "Choix", "Question", "Réponse", "Décide", "Les autres donneraient", "Source", "Confiance",
        )  # fmt: skip
        return Table("choix", "Questions ouvertes et réponses retenues", headers, rows)

    def _found(self) -> Iterator[tuple[Window, str, IndicatorOutcome]]:
        for it in self.payments.windows:
            for code, found in it.outcome.indicators.items():
                if found.status not in ("not_stated", "not_in_force"):
                    yield it, code, found


def _step(it: Window, of: str, step: Step) -> list[Cell]:
    by = None if step.by is None else figure(step.by)
    return [it.name, of, STEPS[step.name], by, exact(step.value), hundredths(step.value)]


def _reason(found: GroupOutcome) -> str:
    """Where nothing was produced, nothing was missed."""
    missed = found.reason == "not_reached" and found.status != "not_applicable"
    return found.reason if missed or found.reason != "not_reached" else ""


def _number(value: Fraction) -> Cell:
    """A number for spreadsheets too, with two decimals where it is not whole."""
    return value.numerator if value.denominator == 1 else hundredths(value)


def _target(found: IndicatorOutcome) -> str:
    if found.target is None:
        return "inconnue" if found.rule.kind != "attestation" else "attestation"
    sign = "≥" if found.target.comparison == ">=" else ">"
    unit = UNIT_OF_KIND.get(found.rule.kind, "")
    return f"{sign} {figure(threshold(found.target))} {unit}".strip()


def _verified(outcome: Outcome) -> str:
    if outcome.amount is None:
        return ""
    return "NON VÉRIFIÉ" if outcome.is_refused else "chiffres sourcés"


def _yes(said: bool) -> str:
    return "oui" if said else "non"


def _gap(declared: int | None, observed: int | None) -> int:
    return (declared or 0) - (observed or 0)
