"""Use case: a PATCH of the mailboxes of a resource, and its SQL."""

from dataclasses import dataclass

from sqlalchemy import text

from services.mss import repository as mailboxes
from services.mss.annuaire import repository
from services.mss.annuaire.domain import refusals
from services.mss.annuaire.domain.entries import Json
from services.mss.annuaire.domain.patch import Operation, patched
from services.mss.annuaire.domain.telecom import Listed, ranked
from services.mss.annuaire.placement import of_mailbox
from services.mss.annuaire.repository import Stored
from services.mss.annuaire.service import dressed
from services.mss.domain.mailboxes import Mailbox
from socle.db.database import WriteSession
from socle.problems import Problem
from socle.spaces import Space


@dataclass(frozen=True, slots=True)
class Held:
    """A mailbox of the space: its type, and whether the directory shows it somewhere."""

    kind: str
    active: bool
    listed: bool


async def patch(
    session: WriteSession, space: Space, kind: str, id_: str, operations: list[Operation]
) -> tuple[Json, int]:
    """The resource afterwards, in its restricted form, and its version. All operations or none."""
    stored = await _locked(session, space.name, kind, id_)
    place = (kind, id_)
    before = ranked((await repository.mailboxes_of(session, space.name, [stored])).get(place, []))
    others = len(stored.body.get("telecom", ()))
    after, problems = patched(before, others, kind, operations)
    if stored.body.get("active") is False:
        problems.append(_problem(f"{kind}/{id_} is not active"))
    known = {one.address: one for one in before}
    left = {one.address for one in after}
    added = [one for one in after if one.address not in known]
    for one in sorted(added, key=lambda one: one.address):
        problems += await _check_new(session, space.name, one)
    if problems:
        raise refusals.refused(problems)
    changed = [one for one in after if known.get(one.address) != one]
    gone = [one for one in before if one.address not in left]
    owners = await _owners(session, space.name, stored) if added else []
    for one in added:
        await _make(session, space.name, stored, one, owners)
    for one in changed:
        await _describe(session, space.name, stored, one, placed=one in added)
    for one in gone:
        await _describe(session, space.name, stored, one, listed=False)
    version, at = stored.version, stored.updated_at
    if changed or gone:
        version, at = version + 1, space.now()
        await session.execute(
            text(
                "UPDATE mss.annuaire_entry SET version = :version, updated_at = :at"
                " WHERE space = :space AND kind = :kind AND id = :id"
            ),
            {"version": version, "at": at, "space": space.name, "kind": kind, "id": id_},
        )
    shown = (await repository.mailboxes_of(session, space.name, [stored])).get(place, [])
    new = Stored(kind, id_, version, at, stored.national_id, stored.body)
    return dressed(new, shown, restricted=True), version


async def _locked(session: WriteSession, space: str, kind: str, id_: str) -> Stored:
    """Two patches of one resource come one after the other."""
    await session.execute(
        text(
            "SELECT FROM mss.annuaire_entry"
            " WHERE space = :space AND kind = :kind AND id = :id FOR UPDATE"
        ),
        {"space": space, "kind": kind, "id": id_},
    )
    stored = await repository.find(session, space, kind, id_)
    if stored is None:
        raise refusals.unknown_resource(kind, id_)
    return stored


async def _check_new(session: WriteSession, space: str, mailbox: Listed) -> list[Problem]:
    """One that left the directory may come back, also elsewhere; one that is in it may not."""
    # Two patches that insert one address into two resources come one after the other.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"mss mailbox {space} {mailbox.address}"},
    )
    held = await _held(session, space, mailbox.address)
    if held is None:
        return []
    if held.kind != mailbox.kind:
        return [_problem("the type of a mailbox cannot be changed")]
    if not held.active:
        return [_problem("this mailbox is closed")]
    if held.listed:
        return [_problem("this address is the mailbox of another resource")]
    return []


async def _held(session: WriteSession, space: str, address: str) -> Held | None:
    """`listed` is False for one that was deleted here; one that has no place yet is as free."""
    rows = await session.execute(
        text(
            "SELECT m.kind, m.active,"
            f" EXISTS ({of_mailbox('m.address = :address')}) AS listed"
            " FROM mss.mailbox m WHERE m.space = :space AND m.address = :address"
        ),
        {"space": space, "address": address},
    )
    row = rows.one_or_none()
    return None if row is None else Held(row.kind, row.active, row.listed)


async def _owners(session: WriteSession, space: str, stored: Stored) -> list[str]:
    """Who may open a new mailbox: the professional. One of a structure is opened by nobody yet."""
    if stored.kind == "Practitioner":
        return [stored.national_id]
    if stored.kind == "PractitionerRole":
        id_ = str(stored.body["practitioner"]["reference"]).partition("/")[2]
        practitioner = await repository.find(session, space, "Practitioner", id_)
        return [practitioner.national_id] if practitioner else []
    return []


async def _make(
    session: WriteSession, space: str, stored: Stored, mailbox: Listed, owners: list[str]
) -> None:
    name = stored.body.get("name") or mailbox.address.partition("@")[0]
    if isinstance(name, list):
        name = f"{name[0]['given'][0]}_{name[0]['family']}"
    label = mailbox.description or str(name)
    structure = stored.national_id if stored.kind == "Organization" else ""
    new = Mailbox(mailbox.address, mailbox.kind, label[:200], structure)
    await mailboxes.insert_mailbox(session, space, new, owners)


async def _describe(
    session: WriteSession,
    space: str,
    stored: Stored,
    mailbox: Listed,
    *,
    placed: bool = False,
    listed: bool = True,
) -> None:
    """`placed` ties the mailbox to the resource; else it stays where its owner puts it."""
    await session.execute(
        text(
            """
            INSERT INTO mss.annuaire_mailbox AS a (space, address, kind, entry, listed, red_listed,
                rank, description, service, responsible)
            VALUES (:space, :address, :kind, :entry, :listed, :red_listed, :rank, :description,
                :service, :responsible)
            ON CONFLICT (space, address) DO UPDATE SET
                kind = coalesce(excluded.kind, a.kind), entry = coalesce(excluded.entry, a.entry),
                listed = excluded.listed, red_listed = excluded.red_listed, rank = excluded.rank,
                description = excluded.description, service = excluded.service,
                responsible = excluded.responsible
            """
        ),
        {
            "space": space,
            "address": mailbox.address,
            "kind": stored.kind if placed else None,
            "entry": stored.id if placed else None,
            "listed": listed,
            "red_listed": mailbox.red_listed,
            "rank": mailbox.rank,
            "description": mailbox.description,
            "service": mailbox.service,
            "responsible": mailbox.responsible,
        },
    )


def _problem(message: str) -> Problem:
    return Problem("FHIR-PATCH", "", message, source=refusals.PATCH)
