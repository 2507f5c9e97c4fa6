"""The words of the pages, in French."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from services.usage.domain.rate import hundredths
from socle.clock import PARIS

STATUSES = {
    "met": "atteint",
    "not_met": "non atteint",
    "not_applicable": "sans objet",
    "data_error": "données incohérentes",
    "unknown": "cible inconnue",
    "not_stated": "non renseigné",
    "neutralised": "neutralisé",
    "not_in_force": "pas en vigueur",
}
STATES = {"closed": "close", "open": "ouverte", "to_come": "à venir"}
STEPS = {
    "base": "Forfait avant la fenêtre",
    "window_rate": "Taux de la fenêtre",
    "cap": "Plafond",
    "floor": "Plancher",
    "sum": "Somme des domaines",
    "points": "Points",
    "point_value": "Valeur du point",
    "tier": "Palier atteint",
    "weight": "Pondération par la patientèle",
    "bonus": "Majoration",
    "already_paid": "Déjà payé",
}
REASONS = {
    "": "",
    "prerequisites": "prérequis incomplets",
    "own_laboratory": "pas de laboratoire en propre",
    "own_imaging": "pas de plateau en propre",
    "already_paid": "déjà payé",
    "locked": "verrouillé",
    "not_reached": "non atteint",
    "points_unknown": "atteint, points inconnus",
    "after_deadline": "hors délai",
}
ATTESTATIONS = {
    "brouillon": "brouillon",
    "depose": "déposée",
    "instruit": "instruite",
    "valide": "validée",
    "refuse": "refusée",
    "paye": "payée",
}
DECIDES: dict[str | None, str] = {
    "attested": "attestation",
    "derived": "logiciel déclaré",
    "observed": "observé",
    None: "",
}
CONDITIONS: dict[Literal["own_laboratory", "own_imaging"], str] = {
    "own_laboratory": "Laboratoire en propre (même FINESS juridique)",
    "own_imaging": "Plateau d'imagerie en propre (même FINESS juridique)",
}
CONFIDENCES = {
    "seed": "document d'origine",
    "source": "page publique",
    "memory": "souvenir, non vérifié",
    "assumed": "supposé, non vérifié",
    "unknown": "inconnu",
}
UNITS = {
    "percent": "%",
    "ratio": "rapport",
    "points": "points",
    "eur": "€",
    "eur_per_point": "€ par point",
    "patients": "patients",
    "documents": "documents",
    "messages": "messages",
    "days": "jours",
    "hours": "heures",
}
EVENTS = {
    "dmp.archived": "Documents archivés",
    "dmp.consulted": "Documents consultés",
    "dmp.deleted": "Documents supprimés",
    "dmp.refused": "Documents refusés par le DMP",
    "dmp.replaced": "Documents remplacés",
    "dmp.unarchived": "Documents désarchivés",
    "dmp.visibility_changed": "Documents masqués ou démasqués",
    "ins.disqualified": "Identités dont l'INS n'est plus utilisable",
    "ins.qualified": "Identités qualifiées",
    "ins.verified": "INS vérifiées",
    "mss.closed": "Messageries citoyennes fermées",
    "mss.delivered": "Messages remis",
    "mss.patient-to-professional": "Messages de patients",
    "mss.professional-to-patient": "Messages à des patients",
    "mss.professional-to-professional": "Messages entre professionnels",
    "mss.read": "Messages lus",
    "mss.refused": "Messages refusés",
    "mss.replied": "Messages auxquels il fut répondu",
    "psc.closed": "Sessions Pro Santé Connect fermées",
    "psc.opened": "Sessions Pro Santé Connect ouvertes",
}
"""What is only counted by day; an event that came later is shown by its own name."""
_NBSP = "\u00a0"
MONTHS = [
    "janv.",
    "févr.",
    "mars",
    "avr.",
    "mai",
    "juin",
    "juil.",
    "août",
    "sept.",
    "oct.",
    "nov.",
    "déc.",
]


def day(value: date) -> str:
    return f"{value:%d/%m/%Y}"


def days(start: date, end: date) -> str:
    """A half-open period, said with its last day."""
    return f"du {day(start)} au {day(end - timedelta(days=1))}"


def instant(value: datetime) -> str:
    return f"{value.astimezone(PARIS):%d/%m/%Y à %H:%M} (heure de Paris)"


def amount(value: Decimal | None) -> str:
    """Euros with a comma and groups of three; the spaces are no-break ones."""
    if value is None:
        return "non calculé"
    return f"{value:,.2f}".replace(",", _NBSP).replace(".", ",") + f"{_NBSP}€"


def figure(value: Fraction | int | None) -> str:
    if value is None:
        return "–"
    value = Fraction(value)
    if value.denominator == 1:
        return f"{value.numerator:,}".replace(",", _NBSP)
    return str(hundredths(value)).replace(".", ",")


def exact(value: Fraction) -> str:
    """Without rounding: with a comma where decimals suffice, else as a fraction."""
    millionths = value * 10**6
    if millionths.denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    whole, rest = divmod(abs(millionths.numerator), 10**6)
    sign = "-" if value < 0 else ""
    decimals = f"{rest:06}".rstrip("0")
    return sign + f"{whole:,}".replace(",", _NBSP) + (f",{decimals}" if decimals else "")


def outcome(given: str) -> str:
    """What another answer would give, in French: euros, or indicators with their statuses."""
    euros = given.removesuffix(" EUR")
    if euros != given:
        return amount(Decimal(euros))
    if given == "not computable":
        return "non calculable"
    pairs = (part.rpartition(" ") for part in given.split(", "))
    return ", ".join(f"{code} {STATUSES.get(status, status)}".strip() for code, _, status in pairs)
