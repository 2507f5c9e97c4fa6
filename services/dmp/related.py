"""From what a sender calls a registered document to its entry: relations of a submission."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.dmp import repository
from services.dmp.domain import refusals
from services.dmp.domain.deposit import Deposit
from services.dmp.domain.entry import Relation
from services.dmp.domain.folder import Filing, NewFolder
from services.dmp.domain.visibility import Reader
from services.dmp.hot.relations import Related
from services.dmp.repository import StoredEntry
from socle.http.context import traceparent
from socle.idgen import uuid7
from socle.kernel import Kernel
from socle.problems import Problem
from socle.spaces import Space

MAX_NAMED: Final = 1000
"""Registered documents that one submission may name: each is looked for by itself."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`source` is the entryUUID that the new document will have; `path` is where it says so.

    SOAP names the target by the entryUUID of one version. FHIR names a document, by id or
    identifier, and means its latest version: then `any_version` holds.
    """

    kind: str
    source: UUID
    target: str
    path: str
    any_version: bool = False


@dataclass(frozen=True, slots=True)
class Shelved:
    """A document that goes into a new folder: `name` is its entryUUID if it is new, and otherwise
    what get_document takes."""

    folder: UUID
    name: str
    path: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Resolved:
    """`chains` names the chain of each document that takes another's place."""

    related: Related | None
    chains: Mapping[UUID, UUID]
    problems: Sequence[Problem]


async def resolve(
    kernel: Kernel, space: Space, deposits: Sequence[Deposit], wanted: Sequence[Wanted]
) -> Resolved:
    """Existence and patient, which never change; the status is looked at when the row is locked."""
    if not wanted:
        return Resolved(None, {}, ())
    if len(wanted) > MAX_NAMED:
        return Resolved(None, {}, [refusals.too_many(wanted[MAX_NAMED].path, MAX_NAMED)])
    targets = await _targets(kernel, space, wanted)
    patients = {
        kernel.pseudonym(space.name, deposit.ins.oid, deposit.ins.matricule) for deposit in deposits
    }
    problems, relations, chains = [], [], {}
    for one in wanted:
        target = targets.get(one.target)
        if target is None:
            problems.append(refusals.unrelatable(one.path, None))
            continue
        if patients and target.patient not in patients:
            problems.append(refusals.another_patient(one.path))
        relation = Relation(uuid7(), one.kind, one.source, target.id, one.path)
        relations.append(relation)
        if relation.deprecates:
            chains[one.source] = target.chain_id
    return Resolved(Related(relations, traceparent.get(), space.now()), chains, problems)


async def resolve_shelved(
    kernel: Kernel, space: Space, shelved: Sequence[Shelved], reader: Reader
) -> tuple[list[Filing], list[Problem]]:
    """Only what the reader is shown can be put into a folder."""
    if len(shelved) > MAX_NAMED:
        return [], [refusals.too_many(shelved[MAX_NAMED].path, MAX_NAMED)]
    filings, problems = [], []
    async with kernel.database.read() as session:
        for one in shelved:
            if one.is_new:
                filings.append(Filing(one.folder, UUID(one.name), one.path))
                continue
            found = await repository.get_document(session, space.name, one.name, reader)
            if found is None:
                problems.append(refusals.no_such_member(one.path))
            else:
                filings.append(Filing(one.folder, found.id, one.path))
    return filings, problems


def with_folders(
    related: Related | None, folders: Sequence[NewFolder], filings: Sequence[Filing], at: datetime
) -> Related | None:
    if not (folders or filings):
        return related
    related = related or Related((), traceparent.get(), at)
    return replace(related, folders=folders, filings=filings)


async def _targets(
    kernel: Kernel, space: Space, wanted: Sequence[Wanted]
) -> dict[str, StoredEntry]:
    exact = [UUID(one.target) for one in wanted if not one.any_version]
    found: dict[str, StoredEntry] = {}
    async with kernel.database.read() as session:
        if exact:
            for entry in await repository.find_named(session, space.name, exact, ()):
                found[str(entry.id)] = entry
        for one in wanted:
            if one.any_version:
                latest = await repository.get_document(session, space.name, one.target)
                if latest is not None:
                    found[one.target] = latest
    return found
