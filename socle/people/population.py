"""Synthetic professionals in any number, always the same for the same number.

A person is drawn from their RPPS alone, so whoever asks for the same part of the population finds
the same people. RPPS are of the form of the test identities: 997, seven digits, a Luhn key (spec:
psc.md §8); the published ones begin with 9970, these never do.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from socle.ids.luhn import luhn_digit
from socle.ids.professionals import idnat_of_rpps
from socle.people.person import Activity, Exercise, Person

SIZE: Final = 9_000_000
_STEP: Final = 1_000_003  # coprime with the size: seeds begin far apart
_FIRST: Final = 1_000_000


@dataclass(frozen=True)
class _Matter:
    """What people are made of (data/synthetic-*.yaml)."""

    family_names: list[str]
    women: list[str]
    men: list[str]
    places: list[list[str]]
    professions: list[dict[str, Any]]
    structures: dict[str, dict[str, str]]

    @property
    def weights(self) -> list[int]:
        return [profession["weight"] for profession in self.professions]


@cache
def _matter() -> _Matter:
    path = files("socle.people") / "data" / "synthetic-2026-11-27.yaml"
    read = yaml.safe_load(path.read_text("utf-8"))
    read.pop("as_of")
    return _Matter(**read)


def population(seed: int, start: int, count: int) -> Iterator[Person]:
    """People `start` to `start + count - 1` of the population that begins at `seed`."""
    for index in range(start, start + count):
        yield person(_FIRST + (seed * _STEP + index) % SIZE)


def person(number: int) -> Person:
    """`number` is what stands between 997 and the key of the RPPS, seven digits."""
    body = f"997{number:07d}"
    rpps = body + luhn_digit(body)
    draw, matter = random.Random(number), _matter()  # noqa: S311 (people, not secrets)
    woman = draw.random() < 0.6
    given, family = (
        draw.choice(matter.women if woman else matter.men),
        draw.choice(matter.family_names),
    )
    [profession] = draw.choices(matter.professions, matter.weights)
    places = draw.sample(
        profession["settings"], k=min(_situations(draw), len(profession["settings"]))
    )
    activities = tuple(
        _activity(draw, matter, profession, kind, rpps, family, rank)
        for rank, kind in enumerate(places, 1)
    )
    exercise = Exercise(
        codeProfession=profession["code"],
        codeCategorieProfessionnelle="C",
        codeCiviliteDexercice=profession.get("title", ""),
        nomDexercice=family,
        prenomDexercice=given,
        codeTypeSavoirFaire="S" if "skill" in profession else "",
        codeSavoirFaire=profession.get("skill", ""),
        activities=activities,
    )
    return Person(
        SubjectNameID=idnat_of_rpps(rpps),
        codeCivilite="MME" if woman else "M",
        family_name=family,
        given_name=given,
        exercices=(exercise,),
        label="Professionnel synthétique",
    )


def _situations(draw: random.Random) -> int:
    """Most have one situation; some two, and some none (the directory knows such people)."""
    [count] = draw.choices([0, 1, 2], [3, 80, 17])
    return count


def _activity(
    draw: random.Random,
    matter: _Matter,
    profession: dict[str, Any],
    kind: str,
    rpps: str,
    family: str,
    rank: int,
) -> Activity:
    structure, (postcode, town) = matter.structures[kind], draw.choice(matter.places)
    register, former, technical = _identifiers(draw, matter, kind, rpps, rank)
    if finess := register.get("numeroFinessSite"):  # colleagues share its address
        postcode, town = matter.places[int(finess[2:]) % len(matter.places)]
    own = structure["register"] == "rpps"
    return Activity(
        codeModeExercice=structure["mode"],
        codeSecteurDactivite=structure["sector"],
        codeSectionPharmacien=profession.get("section", ""),
        codeRole=profession.get("role", ""),
        codeGenreActivite="GENR01",
        raisonSocialeSite=f"{structure['name']} {family if own else town}",
        numeroVoie=str(draw.randint(1, 120)),
        codeTypeDeVoie="R",
        libelleVoie="DE L’EXEMPLE",
        codePostal=postcode,
        bureauCedex=f"{postcode} {town}",
        codePays="99000",
        identifiantTechniqueDeLaStructure=technical,
        ancienIdentifiantDeLaStructure=former,
        **register,
    )


def _identifiers(
    draw: random.Random, matter: _Matter, kind: str, rpps: str, rank: int
) -> tuple[dict[str, str], str, str]:
    """The structure's numbers, its former identifier, its technical one (spec: psc.md §5.5, §8)."""
    register = matter.structures[kind]["register"]
    if register == "finess":
        # Some thousand structures of each kind, so that colleagues share one.
        number = 1000 * list(matter.structures).index(kind) + draw.randint(0, 299)
        site = f"{draw.randint(1, 9)}B{9_000_000 + number:07d}"
        legal = f"{site[0]}B{9_900_000 + number // 3:07d}"
        return (
            {"numeroFinessSite": site, "numeroFinessetablissementJuridique": legal},
            f"1{site}",
            f"F{site}",
        )
    if register == "siret":
        siret = f"{draw.randint(0, 99_999):014d}"
        return {"numeroSiretSite": siret}, f"3{siret}", f"C{siret}"
    return {}, f"4{rpps}{rank:03d}", f"R{rpps[3:]}"
