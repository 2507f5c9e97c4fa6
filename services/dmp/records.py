"""Use cases of the patient's record: TD0.2 to TD0.5, TD1.1 to TD1.6 (spec: dmp.md §1.2, §1.3)."""

from dataclasses import dataclass, field, replace
from typing import Final

from services.dmp import record_repository as repository
from services.dmp.domain.record import AccessRight, Oppositions, Person, Record, person_of
from services.dmp.record_repository import ListedRecord
from services.dmp.settings import DmpSettings
from services.dmp.traces import AUTHORIZED, WITHDRAWN, trace_action
from socle.db.database import ReadSession, WriteSession
from socle.ids.ins import Ins
from socle.ins_client import InsClient
from socle.kernel import Kernel
from socle.spaces import Space

MAX_LISTED: Final = 500

FOUND: Final = "DMPFound"
CLOSED: Final = "DMPClosed"
"""Both are read by the client of the editor's kit; the other codes here begin with `Socle`."""
NOT_FOUND: Final = "SocleDMPNotFound"
ATTACHED: Final = "SocleDMPAttached"
NOT_QUALIFIED: Final = "SocleINSNotQualified"
NO_CONSENT: Final = "SocleNoConsent"


class RecordRefused(Exception):
    """An acknowledgement of HL7v3 tells it: `code` is one of those above."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Professional:
    """Who acts: from the VIHF, or from the token, which knows the identifier alone."""

    identifier: str = field(repr=False)
    given_name: str = field(default="", repr=False)
    family_name: str = field(default="", repr=False)
    specialty: str = ""
    specialty_label: str = ""


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one space."""

    kernel: Kernel
    space: Space
    ins_client: InsClient
    token: str = field(default="", repr=False)

    async def find(self, ins: Ins) -> Record | None:
        """The record, open or closed; None for a patient who has none."""
        pseudonym = self._pseudonym(ins)
        async with self.kernel.database.read() as session:
            stored = await repository.get_record(session, self.space.name, pseudonym)
            if stored is not None:
                return None if stored.status == "absent" else await self._named(session, stored)
            known = await repository.is_qualified(session, self.space.name, pseudonym)
            settings = self.kernel.settings
            assert isinstance(settings, DmpSettings)
            if settings.dmp_records == "explicit":
                return None
            if known:
                return await self._named(session, Record(ins))
        # Outside of the transaction: the deposit may be ahead of what events tell.
        if not await self._is_qualified_by_ins(ins):
            return None
        return Record(ins)

    async def right(self, ins: Ins, professional: str) -> AccessRight | None:
        async with self.kernel.database.read() as session:
            return await repository.get_right(
                session, self.space.name, self._pseudonym(ins), professional
            )

    async def open(self, ins: Ins, person: Person, oppositions: Oppositions) -> Record:
        """TD1.1. A record of Mon espace santé is opened by its patient, hence not attached."""
        await self._require_qualified(ins)
        async with self.kernel.database.write() as session:
            before = await self._locked(session, ins, Record(ins, "absent", attached=False))
            if before.status == "active":
                raise RecordRefused(FOUND, "Le DMP de ce patient existe déjà.")
            if before.status == "terminated":
                raise RecordRefused(
                    CLOSED, "Le DMP de ce patient est fermé : il se réactive (TD1.2)."
                )
            opened = replace(
                before, status="active", person=person, attached=False, opened_at=self.space.now()
            )
            opened = oppositions.applied(opened)
            await self._store(session, opened)
        return opened

    async def revise(self, ins: Ins, person: Person, oppositions: Oppositions) -> Record:
        """TD1.3b: administrative data and oppositions; what is not given stays."""
        async with self.kernel.database.write() as session:
            before = await self._managed(session, ins)
            if not before.is_open:
                raise RecordRefused(CLOSED, "Le DMP de ce patient est fermé.")
            merged = Person.of_json({**before.person.as_json(), **person.as_json()})
            revised = oppositions.applied(replace(before, person=merged))
            await self._store(session, revised)
        return revised

    async def close(self, ins: Ins, code: str) -> Record:
        """TD1.4, at the patient's demand."""
        async with self.kernel.database.write() as session:
            before = await self._managed(session, ins)
            if not before.is_open:
                raise RecordRefused(CLOSED, "Le DMP de ce patient est déjà fermé.")
            closed = replace(
                before, status="terminated", closing_code=code, closed_at=self.space.now()
            )
            await self._store(session, closed)
        return closed

    async def reactivate(self, ins: Ins) -> Record:
        """TD1.2."""
        async with self.kernel.database.write() as session:
            before = await self._managed(session, ins)
            if before.is_open:
                raise RecordRefused(FOUND, "Le DMP de ce patient est déjà ouvert.")
            opened = replace(before, status="active", closing_code="", closed_at=None)
            await self._store(session, opened)
        return opened

    async def authorize(self, ins: Ins, who: Professional, *, treating: bool) -> bool:
        """TD0.3 AJOUT: the professional says that the patient agreed. False: it was so already.

        Whom the patient blocked is refused: only the patient undoes that (mes.md §A.6).
        """
        record = await self.find(ins)
        if record is None:
            raise RecordRefused(NOT_FOUND, "Ce patient n'a pas de DMP.")
        if not record.is_open:
            raise RecordRefused(CLOSED, "Le DMP de ce patient est fermé.")
        name, pseudonym = self.space.name, self._pseudonym(ins)
        async with self.kernel.database.write() as session:
            await self._locked(session, ins, record)  # of two at once, one sees the other
            before = await repository.get_right(session, name, pseudonym, who.identifier)
            if before is not None and before.mode == "INTERDITE":
                raise RecordRefused(
                    "SocleBlockedByPatient", "Le patient a bloqué l'accès de ce professionnel."
                )
            if before is not None and before.is_treating_doctor >= treating:
                return False
            now = self.space.now()
            right = AccessRight(
                who.identifier, "ACTIVE", treating, before.started_at if before else now, now,
                who.given_name, who.family_name, who.specialty, who.specialty_label,
            )  # fmt: skip
            await repository.store_right(session, name, pseudonym, right)
            await self._trace(session, pseudonym, who.identifier, AUTHORIZED)
        return True

    async def withdraw(self, ins: Ins, professional: str, *, treating: bool) -> bool:
        """TD0.3 SUPPRESSION: of the authorization, or with `treating` of that role alone."""
        name, pseudonym = self.space.name, self._pseudonym(ins)
        async with self.kernel.database.write() as session:
            before = await repository.get_right(session, name, pseudonym, professional)
            if before is None or before.mode == "INTERDITE":
                return False
            if not treating:
                await repository.remove_right(session, name, pseudonym, professional)
                await self._trace(session, pseudonym, professional, WITHDRAWN)
                return True
            if not before.is_treating_doctor:
                return False
            right = replace(before, is_treating_doctor=False, last_action_at=self.space.now())
            await repository.store_right(session, name, pseudonym, right)
        return True

    async def rights(self, ins: Ins, mode: str) -> list[AccessRight]:
        """TD1.6; `mode` is ACTIVE, INTERDITE or TOUTE."""
        modes = ("ACTIVE", "INTERDITE") if mode == "TOUTE" else (mode,)
        async with self.kernel.database.read() as session:
            return await repository.list_rights(
                session, self.space.name, self._pseudonym(ins), modes
            )

    async def readable(self, professional: str) -> list[ListedRecord]:
        """TD0.4."""
        async with self.kernel.database.read() as session:
            return await repository.list_readable(
                session, self.space.name, professional, MAX_LISTED
            )

    async def candidates(self, family_name: str, limit: int) -> list[Record]:
        """TD0.5: by name, among the records that have one."""
        async with self.kernel.database.read() as session:
            return await repository.find_by_name(session, self.space.name, family_name, limit)

    async def _trace(self, session: WriteSession, pseudonym: str, actor: str, action: str) -> None:
        await trace_action(session, self.space, pseudonym, actor=actor, action=action)

    async def _managed(self, session: WriteSession, ins: Ins) -> Record:
        """A record that professionals still manage."""
        pseudonym = self._pseudonym(ins)
        stored = await repository.get_record(session, self.space.name, pseudonym)
        if stored is None or stored.status == "absent":
            if stored is None and await repository.is_qualified(
                session, self.space.name, pseudonym
            ):
                raise _attached()
            raise RecordRefused(NOT_FOUND, "Ce patient n'a pas de DMP.")
        if stored.attached:
            raise _attached()
        return await self._locked(session, ins, stored)

    async def _locked(self, session: WriteSession, ins: Ins, default: Record) -> Record:
        return await repository.lock_record(session, self.space.name, self._pseudonym(ins), default)

    async def _store(self, session: WriteSession, changed: Record) -> None:
        await repository.store_record(
            session, self.space.name, self._pseudonym(changed.ins), changed
        )

    async def _named(self, session: ReadSession, stored: Record) -> Record:
        """A record that nobody described bears the name that the newest document gives."""
        if stored.person.family_name:
            return stored
        lines = await repository.describing_info(
            session, self.space.name, self._pseudonym(stored.ins)
        )
        return replace(stored, person=person_of(lines))

    async def _require_qualified(self, ins: Ins) -> None:
        async with self.kernel.database.read() as session:
            known = await repository.is_qualified(session, self.space.name, self._pseudonym(ins))
        if not known and not await self._is_qualified_by_ins(ins):
            raise RecordRefused(NOT_QUALIFIED, "L'INS du patient n'est pas qualifiée.")

    async def _is_qualified_by_ins(self, ins: Ins) -> bool:
        answer = await self.ins_client.status(self.space.name, ins.oid, ins.matricule, self.token)
        return answer is not None and answer.qualified

    def _pseudonym(self, ins: Ins) -> str:
        return self.kernel.pseudonym(self.space.name, ins.oid, ins.matricule)


def _attached() -> RecordRefused:
    return RecordRefused(
        ATTACHED,
        "Ce DMP est rattaché à Mon espace santé : son patient le gère, les professionnels non.",
    )
