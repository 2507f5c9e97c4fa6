"""Identity traits: the alphabet that INSi accepts, comparison, and fingerprints.

Lexical rules: SEL-MP-043 §2 and §3.4.1 (EF_INS01_03, EF_INS10_01, EF_INS10_02), known at second
hand (spec: ins.md §1.5). A trait that breaks them is refused and never repaired: a letter
dropped in silence would look up somebody else.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from socle.problems import Problem

SOURCE = "SEL-MP-043 §3.4.1 (EF_INS10_01, EF_INS10_02)"
MAX_NAME_LENGTH = 100

_FOREIGN = re.compile(r"[^A-Z '\-]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COG = re.compile(r"[0-9A-Za-z]{5}")
_SEPARATORS = re.compile(r"[\s'\-]+")
_EQUIVALENTS = str.maketrans(
    {"Æ": "AE", "Œ": "OE", "æ": "ae", "œ": "oe", "ß": "ss", "’": "'", "‘": "'", "‐": "-", "‑": "-"}
)


@dataclass(frozen=True, slots=True)
class Traits:
    """The five traits that travel with an INS, kept out of `repr` and so of logs.

    `given_names` is the whole list, separated by spaces, as INSi gives it; `birth_place` is the
    COG of the commune, or of the country for a birth abroad, and empty when unknown.
    """

    family_name: str = field(repr=False)
    given_names: str = field(repr=False)
    sex: str = field(repr=False)
    birth_date: str = field(repr=False)
    birth_place: str = field(default="", repr=False)


def transliterate(name: str) -> str:
    """What a client does before it calls INSi: upper case, no diacritic, no ligature, ASCII marks.

    For callers only; INSi itself refuses a name that needs it (EF_INS01_03). A character without
    a defined equivalent stays, so that the check still finds it.
    """
    decomposed = unicodedata.normalize("NFKD", name.translate(_EQUIVALENTS))
    return "".join(char for char in decomposed if not unicodedata.combining(char)).upper()


def fold(name: str) -> str:
    """A name for comparison: transliterated, with hyphen and apostrophe as a space.

    EXI ID 10 holds hyphen, apostrophe and space for the same (spec: ins.md §1.1).
    """
    return _SEPARATORS.sub(" ", transliterate(name)).strip()


def starts_list(given: str, given_names: str) -> bool:
    """Whether `given` is the beginning of the list of given names, name by name (EXI ID 10)."""
    asked, held = fold(given).split(), fold(given_names).split()
    return bool(asked) and held[: len(asked)] == asked


def check_family_name(value: str, path: str) -> list[Problem]:
    problems = _check_letters(value, path, "INS-LEX-NOM")
    if "---" in value:
        problems.append(
            _problem("INS-LEX-NOM-TIRET", path, "three hyphens in a row", "« - » or « -- »")
        )
    if re.search(r"[ ']{2}", value):
        problems.append(
            _problem(
                "INS-LEX-NOM-SEPARATEUR",
                path,
                "spaces and apostrophes are doubled or combined",
                "one space or one apostrophe between two letters",
            )
        )
    return problems


def check_given_name(value: str, path: str) -> list[Problem]:
    problems = _check_letters(value, path, "INS-LEX-PRENOM")
    if "--" in value:
        problems.append(
            _problem("INS-LEX-PRENOM-TIRET", path, "the hyphen is doubled", "a single hyphen")
        )
    if value.endswith(("-", "'", " ")):
        problems.append(
            _problem(
                "INS-LEX-PRENOM-FIN",
                path,
                "it ends with a hyphen, an apostrophe or a space",
                "a letter at the end",
            )
        )
    return problems


def _check_letters(value: str, path: str, rule: str) -> list[Problem]:
    """What both kinds of name share: something there, the alphabet, the first character."""
    if not value:
        return [_problem(f"{rule}-VIDE", path, "it is empty", "at least one letter")]
    problems = []
    foreign = sorted(set(_FOREIGN.findall(value)))
    if foreign:
        # The positions are not given: with the characters they would spell out the name.
        shown = ", ".join(f"U+{ord(char):04X}" for char in foreign[:10])
        problems.append(
            _problem(
                f"{rule}-CARACTERE",
                path,
                f"characters outside the alphabet of INSi: {shown}",
                "A to Z, space, apostrophe (U+0027) and hyphen (U+002D)",
            )
        )
    if value[0] in " -":
        problems.append(
            _problem(f"{rule}-DEBUT", path, "it starts with a space or hyphen", "a letter first")
        )
    if len(value) > MAX_NAME_LENGTH:
        problems.append(
            _problem(
                f"{rule}-LONGUEUR",
                path,
                f"it has {len(value)} characters",
                f"at most {MAX_NAME_LENGTH}",
            )
        )
    return problems


def check_sex(value: str, path: str) -> list[Problem]:
    """INSi knows M and F only (EF_INS25_04)."""
    if value in ("M", "F"):
        return []
    return [_problem("INS-LEX-SEXE", path, "the sex is neither M nor F", "M or F")]


def check_birth_date(value: str, path: str) -> list[Problem]:
    """A shape and not a calendar: lunar dates such as 1950-14-33 exist (XSD type DateLunaire)."""
    if _DATE.fullmatch(value):
        return []
    return [_problem("INS-LEX-DATE", path, "the date is not of the form YYYY-MM-DD", "YYYY-MM-DD")]


def check_birth_place(value: str, path: str) -> list[Problem]:
    """A shape and not a list: official people were born in communes that are no more (2A020)."""
    if _COG.fullmatch(value):
        return []
    return [
        _problem(
            "INS-LEX-LIEU",
            path,
            "the birth place is not a COG code",
            "5 characters: commune (2B020), or country for a birth abroad (99109)",
        )
    ]


def check_traits(
    traits: Traits, path_of: Callable[[str], str] = lambda name: f"/{name}"
) -> list[Problem]:
    """Every finding; `path_of` says where a field stands in the caller's own message."""
    problems = [
        *check_family_name(traits.family_name, path_of("family_name")),
        *check_given_name(traits.given_names, path_of("given_names")),
        *check_sex(traits.sex, path_of("sex")),
        *check_birth_date(traits.birth_date, path_of("birth_date")),
    ]
    if traits.birth_place:
        problems += check_birth_place(traits.birth_place, path_of("birth_place"))
    return problems


def trait_fingerprints(
    key: bytes, *, family_name: str, birth_date: str, sex: str
) -> dict[str, str]:
    """Traits that can be compared and not read: HMAC-SHA-256 under the pseudonym key.

    A plain hash of a birth date is found again by trying forty thousand days, so it must be
    keyed. `birth_date` may be written YYYY-MM-DD or, as in CDA, YYYYMMDD.
    """
    values = {
        "family_name": fold(family_name),
        "birth_date": birth_date.replace("-", "")[:8],
        "sex": sex.upper(),
    }
    return {name: _keyed(key, name, value) for name, value in values.items()}


def _keyed(key: bytes, name: str, value: str) -> str:
    message = f"trait\x1f{name}\x1f{value}".encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:32]


def _problem(rule: str, path: str, message: str, expected: str) -> Problem:
    return Problem(rule, path, message, expected, source=SOURCE)
