"""The directory's extraction that feeds PSC, "Extraction_ProSanteConnect_Personne_activite".

One line per person and activity, 49 or 50 columns between pipes, with a header; a pipe ends each
line. Columns are found by their header. Source: spec psc.md §5.6 and §8; the order and the labels
are those of the files with which the ANS tests its own loader.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from socle.people.person import Activity, Exercise, Person
from socle.problems import Problem

ID_TYPE, ID, NATIONAL_ID = "Type d'identifiant PP", "Identifiant PP", "Identification nationale PP"
FAMILY_NAME, GIVEN_NAMES, CIVILITY = "Nom de famille", "Prénoms", "Code civilité"
# Of the person and not served by PSC: kept out, as the sandbox has no use for them.
_UNUSED: Final = (
    "Date de naissance", "Code commune de naissance", "Code pays de naissance",
    "Lieu de naissance", "Code sexe", "Téléphone (coord. correspondance)",
    "Adresse e-mail (coord. correspondance)",
)  # fmt: skip
_EXERCISE: Final = {
    "Code profession": "codeProfession",
    "Code catégorie professionnelle": "codeCategorieProfessionnelle",
    "Code civilité d'exercice": "codeCiviliteDexercice",
    "Nom d'exercice": "nomDexercice",
    "Prénom d'exercice": "prenomDexercice",
    "Code type savoir-faire": "codeTypeSavoirFaire",
    "Code savoir-faire": "codeSavoirFaire",
}
_ACTIVITY: Final = {
    "Code mode exercice": "codeModeExercice",
    "Code secteur d'activité": "codeSecteurDactivite",
    "Code section tableau pharmaciens": "codeSectionPharmacien",
    "Code rôle": "codeRole",
    "Numéro SIRET site": "numeroSiretSite",
    "Numéro SIREN site": "numeroSirenSite",
    "Numéro FINESS site": "numeroFinessSite",
    "Numéro FINESS établissement juridique": "numeroFinessetablissementJuridique",
    "Identifiant technique de la structure": "identifiantTechniqueDeLaStructure",
    "Raison sociale site": "raisonSocialeSite",
    "Enseigne commerciale site": "enseigneCommercialeSite",
    "Complément destinataire (coord. structure)": "complementDestinataire",
    "Complément point géographique (coord. structure)": "complementPointGeographique",
    "Numéro Voie (coord. structure)": "numeroVoie",
    "Indice répétition voie (coord. structure)": "indiceRepetitionVoie",
    "Code type de voie (coord. structure)": "codeTypeDeVoie",
    "Libellé Voie (coord. structure)": "libelleVoie",
    "Mention distribution (coord. structure)": "mentionDistribution",
    "Bureau cedex (coord. structure)": "bureauCedex",
    "Code postal (coord. structure)": "codePostal",
    "Code commune (coord. structure)": "codeCommune",
    "Code pays (coord. structure)": "codePays",
    "Téléphone (coord. structure)": "telephone",
    "Téléphone 2 (coord. structure)": "telephone2",
    "Télécopie (coord. structure)": "telecopie",
    "Adresse e-mail (coord. structure)": "adresseEMail",
    "Code département (coord. structure)": "codeDepartement",
    "Ancien identifiant de la structure": "ancienIdentifiantDeLaStructure",
    "Autorité d'enregistrement": "autoriteDenregistrement",
}
_KIND: Final = {"Code genre activité": "codeGenreActivite"}
"""The fiftieth column, added after 2022."""

COLUMNS: Final = (
    ID_TYPE, ID, NATIONAL_ID, FAMILY_NAME, GIVEN_NAMES, *_UNUSED, CIVILITY,
    *_EXERCISE, *_ACTIVITY, *_KIND,
)  # fmt: skip
_REQUIRED: Final = (NATIONAL_ID, FAMILY_NAME, GIVEN_NAMES)
MAX_PROBLEMS: Final = 100
_ORIGINS: Final = {"8": "RPPS", "0": "ADELI"}


@dataclass
class Import:
    """What a file holds. `people` leaves out whoever has a problem in one of their lines."""

    people: list[Person] = field(default_factory=list)
    refused: set[str] = field(default_factory=set, repr=False)
    problems: list[Problem] = field(default_factory=list)
    rows: int = 0

    def refuse(self, line: int, column: str, message: str, expected: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            where = f"/line/{line}/{column}" if column else f"/line/{line}"
            self.problems.append(
                Problem("RASS-LINE", where, message, expected, source="spec psc.md §8")
            )


def read(lines: Iterable[str]) -> Import:
    """The people of an extraction, in the order in which they first appear."""
    found, drafts = Import(), dict[str, _Draft]()
    header: dict[str, int] | None = None
    width = 0
    for number, text in enumerate(lines, 1):
        line = text.rstrip("\r\n")
        if number == 1:
            line = line.removeprefix("\ufeff")
        if not line.strip():
            continue
        cells = line.split("|")
        if header is None:
            header, width = _header(cells, number, found), len(cells)
            if found.problems:
                return found
            continue
        found.rows += 1
        if len(cells) not in (width, width - 1):
            found.refuse(number, "", f"{len(cells)} cells", f"{width - 1}, as the header has")
            continue
        _add_row(_Row(header, cells), number, drafts, found)
    if header is None:
        found.refuse(1, "", "the file is empty", "the header line of the extraction")
    for national_id, draft in drafts.items():
        if national_id not in found.refused:
            _finish(draft, found)
    return found


def write(people: Iterable[Person]) -> Iterator[str]:
    """The lines of an extraction, each with its end; `label` and `enabled` have no column."""
    yield _line(COLUMNS)
    for person in people:
        about = {
            ID_TYPE: _type_of(person),
            ID: person.SubjectNameID[len(_type_of(person)) :],
            NATIONAL_ID: person.SubjectNameID,
            FAMILY_NAME: person.family_name,
            GIVEN_NAMES: f"{person.given_name}''",
            CIVILITY: person.codeCivilite,
        }
        for exercise in person.exercices or (Exercise(),):
            practised = {name: getattr(exercise, key) for name, key in _EXERCISE.items()}
            for activity in exercise.activities or (Activity(),):
                placed = {name: getattr(activity, key) for name, key in (_ACTIVITY | _KIND).items()}
                row = about | practised | placed
                yield _line(row.get(name, "").replace("|", "/") for name in COLUMNS)


def _line(cells: Iterable[str]) -> str:
    return "|".join(cells) + "|\n"


@dataclass(frozen=True, slots=True)
class _Row:
    header: dict[str, int]
    cells: list[str]

    def __getitem__(self, name: str) -> str:
        place = self.header.get(name)
        return "" if place is None or place >= len(self.cells) else self.cells[place].strip()

    def fields(self, columns: dict[str, str]) -> dict[str, str]:
        return {key: self[name] for name, key in columns.items()}


@dataclass
class _Draft:
    """A person while their lines are read: exercises by what they say, each with its activities."""

    line: int
    values: dict[str, Any]
    exercises: dict[tuple[str, ...], tuple[dict[str, str], list[dict[str, str]]]] = field(
        default_factory=dict
    )


def _header(cells: list[str], number: int, found: Import) -> dict[str, int]:
    names = {cell.strip(): place for place, cell in enumerate(cells) if cell.strip()}
    for unknown in sorted(names.keys() - set(COLUMNS)):
        found.refuse(number, unknown[:60], "no column of the extraction", "see psc.md §8")
    for missing in [name for name in _REQUIRED if name not in names]:
        found.refuse(number, missing, "this column is missing", "|".join(COLUMNS[:5]) + "|…")
    return names


def _add_row(row: _Row, number: int, drafts: dict[str, _Draft], found: Import) -> None:
    national_id, kind = row[NATIONAL_ID], row[ID_TYPE]
    if row[ID] and national_id != kind + row[ID]:
        found.refused.add(national_id)
        found.refuse(
            number, NATIONAL_ID, f"it is not {ID_TYPE} and {ID} together", f"{kind}{row[ID]}"
        )
        return
    values = {
        "SubjectNameID": national_id,
        "origine": _ORIGINS.get(kind, "CPE" if "/" in national_id else "EDIT"),
        "codeCivilite": row[CIVILITY],
        "family_name": row[FAMILY_NAME],
        "given_name": row[GIVEN_NAMES].partition("'")[0].strip() or row[GIVEN_NAMES].strip("' "),
    }
    draft = drafts.setdefault(national_id, _Draft(number, values))
    if draft.values != values:
        found.refused.add(national_id)
        found.refuse(
            number, NATIONAL_ID, "another line names this person otherwise",
            f"the name and civility of line {draft.line}",
        )  # fmt: skip
        return
    exercise, activity = row.fields(_EXERCISE), row.fields(_ACTIVITY | _KIND)
    if any(exercise.values()) or any(activity.values()):
        _, activities = draft.exercises.setdefault(tuple(exercise.values()), (exercise, []))
        if any(activity.values()):
            activities.append(activity)


def _finish(draft: _Draft, found: Import) -> None:
    exercises = [
        {**exercise, "activities": activities} for exercise, activities in draft.exercises.values()
    ]
    try:
        found.people.append(Person.model_validate({**draft.values, "exercices": exercises}))
    except ValidationError as error:
        for entry in error.errors():
            where = "/".join(str(part) for part in entry["loc"])
            found.refuse(draft.line, where, str(entry["msg"]), "")


def _type_of(person: Person) -> str:
    return "" if person.origine == "EDIT" else person.SubjectNameID[:1]
