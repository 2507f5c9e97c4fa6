"""A professional as the directory shows them: one Practitioner, a PractitionerRole a situation.

Shapes: profiles as-dp-practitioner and as-dp-practitionerrole of ansforge/IG-fhir-annuaire.
"""

from collections.abc import Iterator

from services.mss.annuaire.domain import systems
from services.mss.annuaire.domain.entries import (
    Entry,
    Json,
    concept,
    id_of,
    identifier,
    reference,
    resource,
)
from services.mss.annuaire.domain.structures import structure_of, structures_of
from socle.people.person import Activity, Exercise, Person

_ROLE = "fr-core-practitioner-role"


def entries_of(person: Person) -> Iterator[Entry]:
    """The person, their situations and the structures of these. The directory in free access shows
    those with an RPPS only (as-dp-practitioner: `identifier[rpps]` 1..1)."""
    rpps = person.rpps
    if rpps is None:
        return
    situations = [
        (exercise, activity) for exercise in person.exercices for activity in exercise.activities
    ]
    yield _practitioner(person, rpps, situations)
    if not person.enabled:
        return
    for rank, (_, activity) in enumerate(situations, 1):
        yield from structures_of(activity)
        yield _role(person, rpps, rank, activity)


def _practitioner(person: Person, rpps: str, situations: list[tuple[Exercise, Activity]]) -> Entry:
    national_id = person.SubjectNameID
    id_ = id_of("Practitioner", national_id)
    body = resource(
        "Practitioner", id_, systems.profiles("practitioner", "fr-core-practitioner"), "RPPS",
        _authority([activity for _, activity in situations]),
    )  # fmt: skip
    body["identifier"] = [
        identifier("IDNPS", systems.IDNPS, national_id),
        identifier("RPPS", systems.RPPS, rpps),
    ]
    body["active"] = person.enabled
    if not person.enabled:  # nothing else is shown then (guide v2, "Les nouveautés")
        return Entry("Practitioner", id_, body, national_id)
    body = {**body, **_described(person, rpps)}
    return Entry("Practitioner", id_, body, national_id, _main_structure(situations))


def _described(person: Person, rpps: str) -> Json:
    first = person.exercices[0] if person.exercices else None
    name: Json = {
        "use": "usual",
        "family": first.nomDexercice if first and first.nomDexercice else person.family_name,
        "given": [first.prenomDexercice if first and first.prenomDexercice else person.given_name],
    }
    if person.codeCivilite:
        name["prefix"] = [person.codeCivilite]
    if first is not None and first.codeCiviliteDexercice:
        name["suffix"] = [first.codeCiviliteDexercice]
    described: Json = {"name": [name]}
    qualifications = [code for exercise in person.exercices for code in _qualifications(exercise)]
    if qualifications:
        described["qualification"] = [{"code": {"coding": codings}} for codings in qualifications]
    if person.exercices:
        described["extension"] = [_smartcard(rpps)]
    return described


def _qualifications(exercise: Exercise) -> Iterator[list[Json]]:
    codings = [
        {"system": systems.PROFESSION, "code": exercise.codeProfession},
        {"system": systems.CATEGORY, "code": exercise.codeCategorieProfessionnelle},
    ]
    if held := [coding for coding in codings if coding["code"]]:
        yield held
    if exercise.codeSavoirFaire:
        skill = [
            {"system": systems.SPECIALTY, "code": exercise.codeSavoirFaire},
            {"system": systems.SKILL_TYPE, "code": exercise.codeTypeSavoirFaire},
        ]
        yield [coding for coding in skill if coding["code"]]


def _smartcard(rpps: str) -> Json:
    """A card whose number is made of the RPPS: ten digits, as those of real cards."""
    return {
        "url": systems.SMARTCARD,
        "extension": [
            # The code system of JDV_J128-TypeCarte-RASS is not known here.
            {"url": "type", "valueCodeableConcept": {"coding": [{"code": "CPS"}]}},
            {"url": "number", "valueString": f"99{rpps[3:]}"},
        ],
    }


def _role(person: Person, rpps: str, rank: int, activity: Activity) -> Entry:
    # Real numbers begin with 10; these hold the seven digits of a test RPPS.
    situation = f"9{rpps[3:10]}{rank:02d}"
    id_ = id_of("PractitionerRole", f"{person.SubjectNameID}/{rank}")
    body = resource(
        "PractitionerRole", id_, systems.profiles("practitionerrole", _ROLE), "RPPS",
        _authority([activity]),
    )  # fmt: skip
    body["identifier"] = [{"system": systems.RPPS, "value": situation}]
    body["active"] = True
    practitioner = id_of("Practitioner", person.SubjectNameID)
    body["practitioner"] = reference("Practitioner", practitioner)
    structure = structure_of(activity)
    if structure is not None:
        body["organization"] = reference("Organization", structure)
    codes = (
        (systems.ACTIVITY_KIND, activity.codeGenreActivite),
        (systems.EXERCISE_MODE, activity.codeModeExercice),
        (systems.FUNCTION, activity.codeRole),
        (systems.PHARMACIST_SECTION, activity.codeSectionPharmacien),
    )
    held = [concept(system, code) for system, code in codes if code]
    if held:
        body["code"] = held
    return Entry("PractitionerRole", id_, body)


def _main_structure(situations: list[tuple[Exercise, Activity]]) -> str:
    """Where the mailboxes of structures stand that this person opens: an establishment, if any."""
    activities = [activity for _, activity in situations]
    ranked = sorted(activities, key=lambda one: not one.numeroFinessSite)
    return next((found for one in ranked if (found := structure_of(one))), "")


def _authority(activities: list[Activity]) -> str:
    """The first of "CNOM/CNOM/ARS": who registers the exercise."""
    registered = (one.autoriteDenregistrement for one in activities)
    return next((name.partition("/")[0] for name in registered if name), "")
