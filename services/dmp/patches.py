"""The use case of a FHIR PATCH: the same changes as ITI-57, in a submission set that the registry makes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from services.dmp import repository
from services.dmp.changes import Change, apply_changes
from services.dmp.domain import refusals
from services.dmp.domain.visibility import Reader, confidentiality_of
from services.dmp.entries import NewSet
from services.dmp.fhir.patch import Patched, apply_patch, read_json_patch, read_parameters
from services.dmp.fhir.resources import FHIR_STATUS, document_reference
from services.dmp.repository import StoredEntry
from services.dmp.stored import entry_of_row
from socle.db.database import WriteSession
from socle.idgen import uuid7
from socle.ids.oids import IDNAT_PS
from socle.kernel import Kernel
from socle.spaces import Space
from socle.xds.document_entry import Author, Coded
from socle.xds.submission_set import SubmissionSet

PATH = "DocumentReference"


@dataclass(frozen=True, slots=True)
class PatchBody:
    """JSON Patch, or a Parameters resource of FHIRPath Patch."""

    value: Any
    is_json_patch: bool


async def patch_document(
    kernel: Kernel,
    space: Space,
    reader: Reader,
    name: str,
    body: PatchBody,
    *,
    if_match: str | None,
    superseded_deletes: bool,
) -> StoredEntry:
    """The document as it is then. The patch is made on what is locked: two at once both hold."""
    async with kernel.database.write() as session:
        stored = await repository.lock_document(session, space.name, name, reader)
        if stored is None:
            raise refusals.no_such_document(PATH)
        if if_match is not None and not _matches(if_match, stored.revision):
            raise refusals.another_revision(stored.revision)
        shown = document_reference(stored, "")
        operations = (
            read_json_patch(body.value)
            if body.is_json_patch
            else read_parameters(body.value, shown)
        )
        patched = apply_patch(shown, operations)
        change = await _change(session, space, stored, patched, superseded_deletes)
        if change is None:
            return stored
        submission = await _submission(session, space, reader, stored)
        return (await apply_changes(session, space, reader, submission, [change]))[0]


def _matches(if_match: str, revision: int) -> bool:
    """Any of a list (RFC 9110 §13.1.1); ours are weak, and FHIR compares them all the same."""
    tags = {tag.strip().removeprefix("W/") for tag in if_match.split(",")}
    return bool(tags & {"*", f'"{revision}"'})


async def _change(
    session: WriteSession, space: Space, stored: StoredEntry, patched: Patched, superseded: bool
) -> Change | None:
    """None where the document is that already."""
    entry = await entry_of_row(session, space.name, stored)
    wanted = confidentiality_of(patched.codes)
    now = {code.code for code in entry.confidentiality}
    status = _status(stored, patched, superseded)
    codes = (
        None if {code.code for code in wanted} == now else _merged(entry.confidentiality, wanted)
    )
    if codes is None and status == stored.status:
        return None
    return Change(str(stored.logical_id), PATH, codes, status)


def _merged(old: Sequence[Coded], wanted: Sequence[Coded]) -> tuple[Coded, ...]:
    """What stays keeps the words in which it was written."""
    known = {code.code: code for code in old}
    return tuple(known.get(code.code, code) for code in wanted)


def _status(stored: StoredEntry, patched: Patched, superseded: bool) -> str:
    wanted = "Archived" if patched.is_archived else "Approved"
    if stored.status in ("Deprecated", "Deleted"):
        if patched.status == FHIR_STATUS[stored.status] and not patched.is_archived:
            return stored.status
        raise refusals.impossible_status(f"{PATH}.status", stored.status, wanted)
    if patched.status == "current":
        return wanted
    if patched.status == "entered-in-error" or (patched.status == "superseded" and superseded):
        return "Deleted"
    raise refusals.not_a_status(f"{PATH}.status", patched.status)


async def _submission(
    session: WriteSession, space: Space, reader: Reader, stored: StoredEntry
) -> NewSet:
    """As the set that brought the document, under an identifier and an author of its own."""
    set_id, at = uuid7(), space.now()
    sets = await repository.find_sets(
        session, space.name, repository.EVERYTHING, ids=[stored.submission_set]
    )
    before = SubmissionSet.of_json(sets[0].metadata["xds"]) if "xds" in sets[0].metadata else None
    if before is None:
        entry = await entry_of_row(session, space.name, stored)
        before = SubmissionSet("", "", entry.patient_id, "", Coded("", ""))
    fresh = replace(
        before,
        unique_id=_unique_id(set_id),
        submission_time=at.strftime("%Y%m%d%H%M%S"),
        authors=_authors(reader),
    )
    return NewSet(set_id, {"xds": fresh.as_json()}, reader.identifier, at)


def _unique_id(set_id: UUID) -> str:
    return f"2.25.{set_id.int}"


def _authors(reader: Reader) -> tuple[Author, ...]:
    if not reader.identifier:
        return ()
    return (Author(f"{reader.identifier}^^^^^^^^&{IDNAT_PS}&ISO^D^^^IDNPS"),)
