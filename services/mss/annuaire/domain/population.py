"""Synthetic people in the directory: those of socle/people/population.py, with mailmailboxes.

Whoever is asked for by the same seed and numbers is the same person for Pro Santé Connect: they can
log in there once `POST /_sandbox/psc/people/synthetic` has made them known.
"""

import re
from collections.abc import Iterator

from services.mss.annuaire.domain.entries import Entry
from services.mss.annuaire.domain.professionals import entries_of
from services.mss.annuaire.domain.telecom import NewMailbox
from socle.ids.traits import fold
from socle.people.person import Person
from socle.people.population import population

_NOT_IN_ADDRESSES = re.compile(r"[^a-z0-9]+")
_RED_LISTED = 20
"""One personal mailbox in so many is on the red list."""


def drawn(seed: int, start: int, count: int, domain: str) -> tuple[list[Entry], list[NewMailbox]]:
    entries: list[Entry] = []
    mailboxes: list[NewMailbox] = []
    for person in population(seed, start, count):
        own = list(entries_of(person))
        entries += own
        mailboxes.append(_personal(person, domain))
        mailboxes += _of_structures(person, own, domain)
    return entries, mailboxes


def _personal(person: Person, domain: str) -> NewMailbox:
    exercise = person.exercices[0]
    number = person.SubjectNameID[4:11]  # what tells namesakes apart
    address = f"{_local(person.given_name)}.{_local(person.family_name)}.{number}@{domain}"
    title = {"DR": "Dr_"}.get(exercise.codeCiviliteDexercice, "")
    first = exercise.activities[0] if exercise.activities else None
    entity = f"_{first.raisonSocialeSite}" if first and first.raisonSocialeSite else ""
    # ECO.2.2.7: <Titre>_<Prénom>_<NOM>_<Entité fonctionnelle>
    label = f"{title}{person.given_name.title()}_{person.family_name}{entity}"
    hidden = int(number) % _RED_LISTED == 0
    return NewMailbox(address, "PER", label, person.SubjectNameID, red_listed=hidden)


def _of_structures(person: Person, entries: list[Entry], domain: str) -> Iterator[NewMailbox]:
    """The secretariat of each establishment; in the others the person's own mailbox does."""
    for entry in entries:
        site = entry.national_id[1:]
        if entry.kind == "Organization" and entry.body.get("partOf"):
            yield NewMailbox(
                f"secretariat.{site.lower()}@{domain}",
                "ORG",
                f"{entry.body['name']} – Secrétariat",
                person.SubjectNameID,
                entry.national_id,
            )


def _local(name: str) -> str:
    return _NOT_IN_ADDRESSES.sub("-", fold(name).lower()).strip("-")
