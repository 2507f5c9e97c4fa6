"""Use cases: search the register, and move an identity record through its life."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.ins import register, repository
from services.ins.domain.card import CardQuery, search_card
from services.ins.domain.identity import Identity
from services.ins.domain.matching import (
    Query,
    Result,
    ResultCode,
    given_name_attempts,
    search,
)
from services.ins.domain.person import Person, RegisteredIns
from services.ins.events import qualification_changed
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.events.outbox import publish
from socle.idgen import uuid7
from socle.ids import identity_status as life
from socle.ids.identity_status import IdentityState, Step, Transition
from socle.ids.traits import Traits, fold, starts_list
from socle.kernel import Kernel
from socle.spaces import Space


async def find_person(session: AsyncSession, space: str, query: Query) -> Result:
    return search(query, await register.find_candidates(session, space, query))


async def find_beneficiary(session: AsyncSession, space: str, query: CardQuery) -> Result:
    if query.own:
        return search_card(query, await register.find_by_number(session, space, query.own))
    return search_card(query, await register.find_on_card(session, space, query.insured))


@dataclass(frozen=True)
class Identities:
    """The records of one space, within one transaction."""

    kernel: Kernel
    session: WriteSession
    space: Space

    async def create(self, traits: Traits, external_id: str | None) -> tuple[Identity, bool]:
        """The record and whether it is new; the caller's reference makes it idempotent."""
        now = self.space.now()
        new = Identity(uuid7(), traits, IdentityState(), now, now, external_id)
        if await repository.insert_identity(self.session, self.space.name, new):
            created = Transition(Step.CREATED, new.state, new.state, "saisie des traits")
            await repository.insert_step(self.session, self.space.name, new.id, created, now)
            return new, True
        assert external_id is not None  # nothing else can be taken
        known = await repository.get_by_external_id(self.session, self.space.name, external_id)
        assert known is not None
        if not _same_person(traits, known.traits):
            raise DomainError(
                Category.CONFLICT,
                "reference_taken",
                "Cette référence désigne déjà une identité dont les traits sont différents.",
            )
        return known, False

    async def query_insi(self, identity_id: UUID) -> tuple[Identity, Result]:
        """Asks as CNDA test 2.07 wants it; a single answer makes the record RECUP or QUAL."""
        held = await self._locked(identity_id)
        life.require_insi_allowed(held.state)
        result = await self._search_in_turn(held.traits)
        if result.person is None:
            return held, result
        await self._require_free(held, result.person.active)
        return await self._retrieved(held, result.person, "réponse 00 d'INSi acceptée"), result

    async def accept_evidence(self, identity_id: UUID, code: str, reason: str) -> Identity:
        return await self.step(identity_id, lambda state: life.accept_evidence(state, code, reason))

    async def step(
        self, identity_id: UUID, rule: Callable[[IdentityState], Transition]
    ) -> Identity:
        held = await self._locked(identity_id)
        return await self._moved(held, rule(held.state))

    async def make_qualified(self, person: Person) -> Identity:
        """For the sandbox: the record of a person, retrieved and checked in one go."""
        known = await self._holder(person.active)
        held = await self._locked(known.id) if known else None
        # The record's lock comes before the INS's, as in query_insi: no deadlock.
        await repository.lock_ins(self.session, self.space.name, person.active)
        if held is None:
            known = await self._holder(person.active)  # a rival may have made it meanwhile
            held = known or (await self.create(person.traits, None))[0]
        held = await self._retrieved(held, person, "rendue connue d'INSi au bac à sable")
        return await self._moved(
            held, life.accept_evidence(held.state, "CN", "contrôle simulé au bac à sable")
        )

    async def _search_in_turn(self, traits: Traits) -> Result:
        """Each given name, then all; the birth place only where there are homonyms."""
        result = Result(ResultCode.NONE)
        for names in given_name_attempts(traits.given_names.split(" ")):
            query = Query(traits.family_name, names, traits.sex, traits.birth_date)
            result = await find_person(self.session, self.space.name, query)
            if result.code is ResultCode.SEVERAL and traits.birth_place:
                narrowed = Query(
                    traits.family_name, names, traits.sex, traits.birth_date, traits.birth_place
                )
                result = await find_person(self.session, self.space.name, narrowed)
            if result.code is not ResultCode.NONE:
                break
        return result

    async def _retrieved(self, held: Identity, person: Person, reason: str) -> Identity:
        """Whoever holds the former INS or the former traits is told before the new ones hold."""
        if held.state.retrieved and not held.agrees_with(person):
            held = await self._moved(
                held,
                life.fail_verification(held.state, "INSi donne d'autres traits ou un autre INS"),
            )
        transition = life.retrieve(held.state, reason)
        return await self._moved(held.given_by(person), transition)

    async def _moved(self, held: Identity, transition: Transition) -> Identity:
        """Stores the step, and tells the log when the INS may or may not be used any longer.

        A step that changes nothing is a repeated request: it leaves no second line.
        """
        if transition.before == transition.after:
            return held
        now = self.space.now()
        moved = held.moved(transition, now)
        await repository.update_identity(self.session, self.space.name, moved)
        await repository.insert_step(self.session, self.space.name, moved.id, transition, now)
        if transition.changes_qualification:
            event = qualification_changed(self.kernel, self.space, moved)
            await publish(self.session, "ins", [event])
        return moved

    async def _require_free(self, held: Identity, ins: RegisteredIns) -> None:
        """Two records with one INS are a duplicate, which a person must merge."""
        await repository.lock_ins(self.session, self.space.name, ins)
        other = await self._holder(ins)
        if other is not None and other.state.retrieved and other.id != held.id:
            raise DomainError(
                Category.CONFLICT,
                "ins_already_held",
                f"L'identité {other.id} porte déjà cet INS : doublon à traiter.",
            )

    async def _holder(self, ins: RegisteredIns) -> Identity | None:
        return await repository.get_by_ins(self.session, self.space.name, ins.oid, ins.matricule)

    async def _locked(self, identity_id: UUID) -> Identity:
        held = await repository.lock_identity(self.session, self.space.name, identity_id)
        if held is None:
            raise unknown_identity()
        return held


def unknown_identity() -> DomainError:
    return DomainError(
        Category.NOT_FOUND, "identity_unknown", "Aucune identité de cet espace n'a cet identifiant."
    )


def _same_person(given: Traits, held: Traits) -> bool:
    """INSi may have completed the list of given names since the record was made."""
    return (
        fold(given.family_name) == fold(held.family_name)
        and given.sex == held.sex
        and given.birth_date == held.birth_date
        and (
            starts_list(given.given_names, held.given_names)
            or starts_list(held.given_names, given.given_names)
            or any(starts_list(name, held.given_names) for name in given.given_names.split(" "))
        )
    )
