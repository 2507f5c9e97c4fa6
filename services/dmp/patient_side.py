"""The use cases of Mon espace santé on the record: what the patient sees, hides, adds and decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.dmp import record_repository, repository
from services.dmp.changes import Change, apply_changes
from services.dmp.conditions import EntryQuery
from services.dmp.description import describe
from services.dmp.domain.deposit import Deposit
from services.dmp.domain.patient_view import (
    WRITTEN_BY_PATIENT,
    DocumentRights,
    is_shown,
    rights_on,
)
from services.dmp.domain.record import AccessRight, Oppositions, Record
from services.dmp.domain.validation import Policy
from services.dmp.domain.visibility import confidentiality_of
from services.dmp.entries import NewSet, new_entries
from services.dmp.fhir.from_xds import reference_of
from services.dmp.fhir.to_xds import CONTENT_TYPES
from services.dmp.hot.registrar import Registrar
from services.dmp.records import Records
from services.dmp.repository import EVERYTHING, StoredEntry
from services.dmp.stored import entry_of_row
from services.dmp.traces import Trace, list_traces, trace_action
from socle.cda.patient_document import patient_document
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.idgen import oid_from_uuid, random_uuid, uuid7
from socle.ids.ins import Ins
from socle.problems import has_errors
from socle.xds.document_entry import Coded, DocumentEntry, entry_of
from socle.xds.submission_set import SubmissionSet

Changed = Callable[[Record], Record]
MAX_LISTED: Final = 500
PAGE: Final = 100
VISIBILITY, BLOCKED, UNBLOCKED = (
    "visibility_changed",
    "professional_blocked",
    "professional_unblocked",
)
CONSENTS, CLOSED, OPENED = "emergency_consents_changed", "record_closed", "record_opened"


@dataclass(frozen=True, slots=True)
class Shown:
    """A document as its patient sees it."""

    stored: StoredEntry
    title: str = field(repr=False)
    codes: tuple[str, ...]
    rights: DocumentRights


@dataclass(frozen=True, slots=True)
class Upload:
    code: str
    title: str = field(repr=False)
    media_type: str
    content: bytes = field(repr=False)
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PatientSide:
    """One patient's own view. Sandbox clients play the patient; there is no other identification."""

    records: Records
    ins: Ins = field(repr=False)

    @property
    def _pseudonym(self) -> str:
        return self.records.kernel.pseudonym(
            self.records.space.name, self.ins.oid, self.ins.matricule
        )

    async def record(self) -> Record:
        record = await self.records.find(self.ins)
        if record is None:
            raise DomainError(Category.NOT_FOUND, "record_unknown", "This patient has no DMP here.")
        return record

    async def documents(self, *, as_representative: bool) -> list[Shown]:
        """Newest first; what was deleted or replaced is not shown."""
        space = self.records.space.name
        query = EntryQuery(
            patient=self._pseudonym, statuses=("Approved", "Archived"), latest_only=True
        )
        async with self.records.kernel.database.read() as session:
            found = await repository.search_entries(session, space, EVERYTHING, query, MAX_LISTED)
            shown = []
            for stored in found:
                entry = await entry_of_row(session, space, stored)
                codes = tuple(code.code for code in entry.confidentiality)
                if is_shown(codes, to_representative=as_representative):
                    shown.append(Shown(stored, entry.title, codes, rights_on(stored.owners)))
        return shown

    async def read(self, document_id: UUID, *, as_representative: bool) -> tuple[Shown, bytes]:
        shown = await self._one(document_id, as_representative=as_representative)
        async with self.records.kernel.database.read() as session:
            content = await repository.get_content(
                session, self.records.space.name, shown.stored.id
            )
        return shown, content

    async def set_visibility(self, document_id: UUID, codes: Sequence[str]) -> None:
        """What the professional decided, that a document waits to be announced, is not the patient's."""
        shown = await self._one(document_id)
        wanted = confidentiality_of(codes)
        async with self.records.kernel.database.write() as session:
            await apply_changes(
                session, self.records.space, EVERYTHING, self._submission(),
                [Change(str(shown.stored.logical_id), "document", wanted)],
            )  # fmt: skip
            await self._trace(session, VISIBILITY, shown.stored.logical_id)

    async def add(self, registrar: Registrar, upload: Upload) -> UUID:
        """As a document of level 1 that the patient wrote; the professionals read it."""
        record, space = await self.record(), self.records.space
        content = patient_document(
            self.ins,
            code=upload.code,
            title=upload.title,
            family_name=record.person.family_name or "PATIENT",
            given_name=record.person.given_name or "PATIENT",
            media_type=upload.media_type,
            content=upload.content,
            document_id=oid_from_uuid(random_uuid()),
            created_at=space.now(),
        )
        metadata, problems = describe(content, Policy("lenient"), _nothing_told)
        assert metadata is not None, problems
        assert not has_errors(problems)
        entry = entry_of(metadata, self.ins, confidentiality_of(upload.codes))
        reference = reference_of(entry, self.ins)
        deposit = Deposit(uuid7(), "document", content, metadata, self.ins, entry, reference)
        submission = self._submission()
        entries = new_entries(
            self.records.kernel, space, submission, [deposit], compare_traits=False
        )
        [registered] = await registrar.register(entries, "")
        return registered.id

    async def delete(self, document_ids: Sequence[UUID]) -> None:
        """All of them, or none: only what the patient wrote."""
        chosen = [await self._one(one) for one in document_ids]
        for shown in chosen:
            if not shown.rights.can_owner_delete:
                raise DomainError(
                    Category.FORBIDDEN,
                    "not_owner",
                    "A professional's document is not deleted by its patient; it can be masked.",
                )
        changes = [
            Change(str(one.stored.logical_id), "document", status="Deleted") for one in chosen
        ]
        async with self.records.kernel.database.write() as session:
            await apply_changes(
                session, self.records.space, EVERYTHING, self._submission(), changes
            )

    async def history(self, before: UUID | None) -> list[Trace]:
        """Who did what, the newest first; a page of PAGE."""
        async with self.records.kernel.database.read() as session:
            return await list_traces(
                session, self.records.space.name, self._pseudonym, before=before, limit=PAGE
            )

    async def block(self, professional: str, *, blocked: bool) -> None:
        """A blocked professional reads nothing and may still deposit; unblocking gives nothing back."""
        name, now = self.records.space.name, self.records.space.now()
        record = await self.record()
        async with self.records.kernel.database.write() as session:
            await record_repository.lock_record(session, name, self._pseudonym, record)
            if blocked:
                right = AccessRight(professional, "INTERDITE", False, now, now)
                await record_repository.store_right(session, name, self._pseudonym, right)
            else:
                before = await record_repository.get_right(
                    session, name, self._pseudonym, professional
                )
                if before is None or before.mode != "INTERDITE":
                    return
                await record_repository.remove_right(session, name, self._pseudonym, professional)
            await self._trace(session, BLOCKED if blocked else UNBLOCKED)

    async def consent(
        self, *, emergency: bool | None, break_glass: bool | None, masked: bool | None
    ) -> Record:
        """ETREAT (the SAMU), BTG (other professionals), MASKED (masked documents in emergencies)."""
        oppositions = Oppositions(
            None if break_glass is None else not break_glass,
            None if emergency is None else not emergency,
        )

        def changed(record: Record) -> Record:
            record = oppositions.applied(record)
            return record if masked is None else replace(record, shows_masked_in_emergency=masked)

        return await self._change(CONSENTS, changed)

    async def close(self) -> Record:
        now = self.records.space.now()
        return await self._change(
            CLOSED,
            lambda record: replace(
                record, status="terminated", closed_at=now, closing_code="FERMETURE_DEMANDE_PATIENT"
            ),
        )

    async def reopen(self) -> Record:
        return await self._change(
            OPENED,
            lambda record: replace(record, status="active", closed_at=None, closing_code=""),
        )

    async def _change(self, action: str, changed: Changed) -> Record:
        record, name = await self.record(), self.records.space.name
        async with self.records.kernel.database.write() as session:
            locked = await record_repository.lock_record(session, name, self._pseudonym, record)
            after = changed(locked)
            await record_repository.store_record(session, name, self._pseudonym, after)
            await self._trace(session, action)
        return after

    async def _one(self, document_id: UUID, *, as_representative: bool = False) -> Shown:
        for shown in await self.documents(as_representative=as_representative):
            if shown.stored.logical_id == document_id:
                return shown
        raise DomainError(
            Category.NOT_FOUND, "document_unknown", "The patient sees no such document."
        )

    def _submission(self) -> NewSet:
        set_id, at = uuid7(), self.records.space.now()
        described = SubmissionSet(
            f"2.25.{set_id.int}", "", self.ins.cx, _stamp(at), Coded("", CONTENT_TYPES)
        )
        return NewSet(set_id, {"xds": described.as_json()}, WRITTEN_BY_PATIENT, at)

    async def _trace(
        self, session: WriteSession, action: str, document: UUID | None = None
    ) -> None:
        await trace_action(
            session, self.records.space, self._pseudonym, actor=WRITTEN_BY_PATIENT, action=action,
            document=document,
        )  # fmt: skip


def _nothing_told() -> DocumentEntry:
    raise AssertionError("the patient's document is ours: its header says everything")


def _stamp(at: datetime) -> str:
    return at.strftime("%Y%m%d%H%M%S")
