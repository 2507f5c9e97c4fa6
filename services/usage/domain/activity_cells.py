"""Cells of an activity file as hospitals' and practices' software writes them, made what an act says.

Names of columns and French words of kinds are the sandbox's own choice: no public file format exists.
"""

import re
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from services.usage.domain.acts import DOMAINS, KINDS
from services.usage.domain.period import EARLIEST, LATEST
from socle.clock import PARIS

REQUIRED: Final = ("kind", "act_id", "act_at")
COLUMNS: Final = (
    *REQUIRED, "domain", "structure", "professional", "patient_oid", "patient_matricule", "flags",
    "documents", "messages",
)  # fmt: skip
SEVERAL: Final = frozenset({"flags", "documents", "messages"})
# By their names as `folded` gives them, the singular where a cell holds several.
SYNONYMS: Final = {
    "kind": ("type", "type_acte", "type_d_acte", "nature", "nature_acte"),
    "act_id": (
        "id", "id_acte", "identifiant", "identifiant_acte", "identifiant_de_l_acte", "numero",
        "numero_acte", "numero_d_acte", "n_acte", "no_acte", "reference",
    ),
    "act_at": (
        "date", "date_acte", "date_de_l_acte", "date_d_acte", "date_heure", "date_et_heure",
        "horodatage",
    ),
    "domain": ("domaine",),
    "structure": (
        "finess", "finess_ej", "finess_juridique", "n_finess", "no_finess", "numero_finess",
        "etablissement",
    ),
    "professional": (
        "rpps", "n_rpps", "no_rpps", "numero_rpps", "professionnel", "praticien", "medecin",
    ),
    "patient_oid": ("oid", "oid_ins", "ins_oid"),
    "patient_matricule": ("ins", "matricule", "matricule_ins", "ins_matricule"),
    "flags": ("flag", "mention", "mentions"),
    "documents": ("document", "documents_dmp", "unique_id", "uniqueid"),
    "messages": ("message", "messages_mss"),
}  # fmt: skip
_COLUMN_OF: Final = {
    name: column for column in COLUMNS for name in (column, *SYNONYMS.get(column, ()))
}
_WORDS: Final = {
    "kind": {
        "sejour": "stay.closed", "sejour_termine": "stay.closed", "sortie": "stay.closed",
        "ordonnance_de_sortie": "prescription.discharge",
        "compte_rendu_operatoire": "operation.reported", "cro": "operation.reported",
        "compte_rendu": "report.validated", "cr": "report.validated",
        "consultation": "consultation.done",
        "prescription": "prescription.issued", "ordonnance": "prescription.issued",
        "fse": "fse.sent", "feuille_de_soins_electronique": "fse.sent",
    },
    "domain": {"biologie": "biology", "biologie_medicale": "biology", "imagerie": "imaging",
               "radiologie": "imaging"},
    "flags": {"e_prescription": "eprescription", "degrade": "degraded"},
}  # fmt: skip
_DATE: Final = (
    f"31/12/2022, 31/12/2022 14:05 or 2022-12-31T14:05:00+01:00, from {EARLIEST.year} to "
    f"{LATEST.year - 1}; without an offset it is of Paris"
)
_NUMBER: Final = (
    "a column of text: a spreadsheet drops the first zero of a number, and rounds long ones"
)
EXPECTED: Final = {
    "kind": ", ".join(KINDS),
    "act_id": "1 to 200 printable characters, the software's own number",
    "act_at": _DATE,
    "domain": ", ".join(DOMAINS),
    "structure": f"a FINESS of nine characters, in {_NUMBER}",
    "professional": f"an RPPS of eleven digits or a PS_IdNat, in {_NUMBER}",
    "patient_oid": "an OID of the INS, as 1.2.250.1.213.1.4.8",
    "patient_matricule": f"13 or 15 characters, in {_NUMBER}",
    "flags": "eprescription, apcv, degraded, paper, between spaces",
    "documents": "up to 100 uniqueIds, between spaces",
    "messages": "up to 100 numbers of SMTP replies (UUID), between spaces",
}
# A spreadsheet that opens these figures again would run such a cell.
_FORMULA: Final = ("=", "+", "-", "@")
NOT_COMPUTED: Final = "=?"
"""In the place of a formula without a value: some software writes formulas that nothing has computed."""
_AS_TEXT: Final = re.compile(r'="([^"=+@]*)"')
_BLANKS: Final = re.compile(r"\s+")
_FRENCH: Final = re.compile(
    r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ T]+(?:à +)?(\d{1,2})[:hH](\d{2})(?::(\d{2}))?)?"
)
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
# 1982 to 2064, as spreadsheets count them.
_DAYS: Final = re.compile(r"[3-5]\d{4}(?:[.,]\d+)?")


@lru_cache(maxsize=1024)  # of a file, few words come again and again
def folded(name: str) -> str:
    """`N° d'acte` is `n_d_acte`: no case, no accents, words between underscores."""
    plain = unicodedata.normalize("NFKD", name).replace("°", " ")
    letters = "".join(it for it in plain.lower() if not unicodedata.combining(it))
    return re.sub(r"[^a-z0-9]+", "_", letters).strip("_")


def column_of(name: str) -> str | None:
    """None for a column that means nothing here."""
    return _COLUMN_OF.get(folded(name.replace("º", "o").replace("№", "no")))


def is_formula(cell: str) -> bool:
    return cell.startswith(_FORMULA)


def as_text(cell: str) -> str:
    """What spreadsheets put around a number that must stay text: an apostrophe, or `="…"`."""
    cell = cell.strip().strip("\u200b\ufeff").removeprefix("'")
    guarded = _AS_TEXT.fullmatch(cell)
    return (guarded[1] if guarded else cell).strip()


def value_of(column: str, cell: str) -> str | list[str] | datetime:
    """As JSON would give it; what is wrong stays as it is, for the rule of the field to refuse.

    Raises ValueError where an instant is none.
    """
    if column == "act_at":
        return instant_of(cell)
    if column in ("structure", "professional", "patient_oid", "patient_matricule"):
        return _BLANKS.sub("", cell).upper()
    words = _WORDS.get(column, {})
    if column in SEVERAL:
        return [words.get(folded(it), it.lower() if words else it) for it in cell.split()]
    if words:
        return words.get(folded(cell), cell.lower())
    return cell


def instant_of(cell: str) -> datetime:
    """Raises ValueError with what is wrong. Of the two instants of one hour of October, the first."""
    french = _FRENCH.fullmatch(cell)
    found: datetime | None
    try:
        if french:
            day, month, year, hour, minute, second = (int(it or 0) for it in french.groups())
            found = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 (zone follows)
        elif _ISO.match(cell):
            found = datetime.fromisoformat(cell)
        else:
            found = None
    except ValueError:
        found = None
    if found is None:
        if _DAYS.fullmatch(cell):
            raise ValueError("a spreadsheet's number of days: give the column the format of a date")
        raise ValueError("not an instant")
    if found.tzinfo is None:
        found = found.replace(tzinfo=PARIS)
        if EARLIEST < found.date() < LATEST and not _exists(found):
            raise ValueError("no clock of Paris shows this instant: the hour was skipped")
    return found


def _exists(local: datetime) -> bool:
    """False in the hour that is skipped in March."""
    back = local.astimezone(UTC).astimezone(PARIS)
    return back.replace(tzinfo=None) == local.replace(tzinfo=None)
