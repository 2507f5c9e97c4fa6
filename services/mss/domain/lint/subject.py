"""The subject of a mail with documents (ECO.2.1.3; spec: mss.md §4.1)."""

import re
from collections.abc import Iterator
from typing import Final

from services.mss.domain.lint.mail import Mail
from services.mss.domain.lint.rules import Finding, Rule, rule
from services.mss.domain.naming import (
    LABEL_LENGTH,
    PREFIX,
    date_shown,
    label_of,
    without_accents,
)
from socle.cda.model import Patient, PersonName
from socle.ids.traits import transliterate

_PATH: Final = "header:Subject"
_FORM: Final = f"{PREFIX}<libellé> <NOM> <prénom> <JJ/MM/AAAA>"
_MARKS: Final = re.compile(r"(?:\s*(?:re|ré|tr|fwd|rép)\s*:|\s*\[[^\]]{1,60}\])*\s*", re.IGNORECASE)
"""What stands before in answers and in notices of integration (spec: mss.md §1.8)."""
_DATE: Final = re.compile(r"\s(\d{2}/\d{2}/\d{4})$")


@rule("MSS-SUBJECT", "the subject tells the type, the patient and the birth date", eco="ECO.2.1.3",
      segur="SC.MSS/UX.28")  # fmt: skip
def subject(mail: Mail) -> Iterator[Finding] | None:
    text = mail.first("Subject")
    text = text[_marks(text) :]
    if not mail.archives and not text.startswith(PREFIX):
        return None
    return _subject(mail, text)


def _marks(text: str) -> int:
    found = _MARKS.match(text)
    return found.end() if found else 0


def _subject(mail: Mail, text: str) -> Iterator[Finding]:
    if not mail.archives:
        yield Finding(_PATH, f"it starts with {PREFIX}, and no IHE_XDM.ZIP is attached",
                      "another subject, or the archive")  # fmt: skip
        return
    if not text.startswith(PREFIX):
        yield Finding(_PATH, f"it does not start with {PREFIX}", _FORM)
        return
    rest = text.removeprefix(PREFIX)
    if not mail.cda:
        return
    label = label_of(mail.cda)
    if not _starts_with(rest, label):
        counted = len(mail.cda) > 1
        yield Finding(
            _PATH,
            "it does not go on with the number of documents" if counted
            else f"it does not go on with the displayName of the document, cut at {LABEL_LENGTH}",
            f"{PREFIX}{label} <NOM> …",
        )  # fmt: skip
        return
    patient = mail.cda[0].patient or Patient()
    yield from _people(rest[len(label) :].strip(), patient)


def _starts_with(rest: str, label: str) -> bool:
    """Accents of the label may be kept or dropped: the rule names only those of the names."""
    return rest.startswith(f"{label} ") or without_accents(rest).startswith(
        f"{without_accents(label)} "
    )


def _people(text: str, patient: Patient) -> Iterator[Finding]:
    dated = _DATE.search(text)
    named = text[: dated.start()] if dated else text
    if dated and dated[1] != date_shown(patient.birth_time):
        yield Finding(_PATH, "its date is not the patient's birth date", "JJ/MM/AAAA of birthTime")
    name = patient.name or PersonName()
    families = {it for it in (name.birth_family, name.used_family, name.family) if it}
    givens = {it for it in (name.given, name.birth_given) if it}
    pairs = [(family, given) for family in families for given in givens]
    folded = transliterate(named)
    found = next(
        ((f, g) for f, g in pairs if folded == f"{transliterate(f)} {transliterate(g)}"), None
    )
    if found is None:
        if pairs:
            yield Finding(_PATH, "its names are not those of the patient in the CDA, or the date is not "
                          "in the form JJ/MM/AAAA", "<NOM> <prénom> of recordTarget")  # fmt: skip
        return
    family = named[: len(transliterate(found[0]))]
    if family != transliterate(family):
        yield Finding(_PATH, "the family name is not in capitals without accents", "NOM, A to Z")
    if named != without_accents(named):
        yield Finding(_PATH, "a name has accents", "NOM and prénom without accents")


RULES: tuple[Rule, ...] = (subject,)
