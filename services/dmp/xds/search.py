"""What every stored query works with: its parameters, its reader, and what it finds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.dmp.admission import admit
from services.dmp.domain.visibility import Reader
from services.dmp.folder_repository import Filed, StoredFolder
from services.dmp.repository import StoredAssociation, StoredEntry, StoredSet
from services.dmp.xds.parameters import StoredQuery
from socle.problems import Problem
from socle.xds import names

Pseudonymise = Callable[[str], str | None]
"""From a CX to the pseudonym of its patient; None if it holds no INS."""


class Membership(NamedTuple):
    """A submission set or a folder, and what is in it: entryUUIDs."""

    package: UUID
    member: UUID
    of_set: bool


@dataclass(frozen=True, slots=True)
class Found:
    """Objects to show, and which of their memberships and relations."""

    documents: Sequence[StoredEntry] = ()
    sets: Sequence[StoredSet] = ()
    folders: Sequence[StoredFolder] = ()
    members: Sequence[Membership] = ()
    relations: Sequence[StoredAssociation] = ()

    def __len__(self) -> int:
        return sum(
            map(len, (self.documents, self.sets, self.folders, self.members, self.relations))
        )


@dataclass(frozen=True, slots=True)
class Search:
    session: AsyncSession
    space: str
    reader: Reader
    query: StoredQuery
    pseudonymise: Pseudonymise
    told: list[Problem]

    async def patient(self, name: str) -> str | None:
        """The pseudonym that the parameter `name` gives, whose record the reader may open."""
        query = self.query
        query.require(name)
        if not query.all(name):
            return None
        if len(query.all(name)) > 1:
            query.problem("XDSStoredQueryParamNumber", name, "it has several values", "one patient")
            return None
        patient = self.pseudonymise(query.first(name))
        if patient is None:
            query.problem("XDSUnknownPatientId", name, "it is no INS",
                          "one CX: '<15 characters>^^^&<OID>&ISO^NH'")  # fmt: skip
            return None
        self.told.extend(await admit(self.session, self.space, self.reader, patient))
        return patient

    def statuses(self, name: str) -> tuple[str, ...]:
        """Approved where none is asked for (EX_3.1-1030)."""
        given = self.query.all(name)
        unknown = [one for one in given if one not in names.STATUS_OF]
        if unknown:
            self.query.problem("XDSStoredQueryParamNumber", name, f"unknown status {unknown[0][:80]}",
                               ", ".join(names.STATUS_OF))  # fmt: skip
        return tuple(names.STATUS_OF[one] for one in given if one in names.STATUS_OF) or (
            "Approved",
        )


def in_sets(found: Sequence[StoredEntry | StoredFolder]) -> Iterator[Membership]:
    return (Membership(one.submission_set, one.id, True) for one in found)


def in_folders(filed: Sequence[Filed]) -> Iterator[Membership]:
    return (Membership(one.folder, one.document.id, False) for one in filed)
