"""Use cases: an identity record's way through its life."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from services.ins import register, repository
from services.ins.domain.identity import UNNAMED, Identity, LocalNames, Provenance
from services.ins.domain.matching import Result
from services.ins.domain.person import Person, RegisteredIns
from services.ins.domain.verification import Claim, Verdict, verify
from services.ins.events import identity_verified, qualification_changed
from services.ins.search import search_in_turn
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.events.outbox import publish
from socle.idgen import uuid7
from socle.ids import identity_status as life
from socle.ids.identity_status import IdentityState, Step, Transition
from socle.ids.traits import Traits, fold, starts_list
from socle.kernel import Kernel
from socle.spaces import Space


@dataclass(frozen=True)
class Identities:
    """The records of one space, within one transaction."""

    kernel: Kernel
    session: WriteSession
    space: Space

    async def create(
        self,
        traits: Traits,
        external_id: str | None,
        *,
        names: LocalNames = UNNAMED,
        collected_by: str = "SM",
        birth_date_corrected: bool = False,
    ) -> tuple[Identity, bool]:
        """The record and whether it is new; the caller's reference makes it idempotent."""
        now = self.space.now()
        state = IdentityState(birth_date_corrected=birth_date_corrected)
        new = Identity(
            uuid7(), traits, state, now, now, external_id,
            names=names, provenance=Provenance(collected_by),
        )  # fmt: skip
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
        """A single answer makes the record RECUP or QUAL; the others change nothing."""
        held = await self._locked(identity_id)
        life.require_insi_allowed(held.state)
        result = await search_in_turn(self.session, self.space.name, held.traits)
        if result.person is None:
            return held, result
        await self._require_free(held, result.person.active)
        return await self._retrieved(held, result.person, "réponse 00 d'INSi acceptée"), result

    async def accept_evidence(
        self, identity_id: UUID, code: str, reason: str, expires: str = ""
    ) -> Identity:
        held = await self._locked(identity_id)
        transition = life.accept_evidence(held.state, code, reason)
        if transition.before == transition.after and held.provenance.evidence == code:
            return held
        shown = held.shown(code, self.space.now(), expires)
        await repository.update_identity(self.session, self.space.name, shown)
        return await self._moved(shown, transition)

    async def correct(
        self, identity_id: UUID, traits: Traits, reason: str, *, birth_date_corrected: bool
    ) -> Identity:
        """Other traits: what was proved of the former ones is gone, and the INS with it."""
        held = await self._locked(identity_id)
        dated = traits.birth_date != held.traits.birth_date or birth_date_corrected
        if traits == held.traits and birth_date_corrected == held.state.birth_date_corrected:
            return held
        # Whoever held the INS is told before the new traits stand: the event speaks of the old ones.
        moved = await self._moved(
            held,
            life.correct_trait(
                held.state, reason, birth_date_corrected=birth_date_corrected if dated else None
            ),
            always=True,
        )
        provenance = replace(moved.provenance, collected_by="SM")
        corrected = replace(moved, traits=traits, provenance=provenance)
        await repository.update_identity(self.session, self.space.name, corrected)
        return corrected

    async def verify(
        self, identity_id: UUID, professional: str | None = None
    ) -> tuple[Identity, Verdict]:
        """Asks INSi whether the INS still goes with the traits; KO takes it from the record."""
        held = await self._locked(identity_id)
        if held.valid_ins is None:
            raise DomainError(
                Category.UNPROCESSABLE,
                "identity_without_ins",
                "Seule une identité récupérée ou qualifiée porte un INS à vérifier.",
            )
        claim = Claim(held.valid_ins.oid, held.valid_ins.matricule, held.traits)
        found = await register.find_by_claims(self.session, self.space.name, [claim])
        verdict = verify(claim, found.get(claim.number))
        told = identity_verified(self.kernel, self.space, claim, verdict, "record", professional)
        await publish(self.session, "ins", [told])
        if verdict.confirmed:
            confirmed = held.confirmed(self.space.now())
            await repository.update_identity(self.session, self.space.name, confirmed)
            return confirmed, verdict
        reason = "vérification INSi : KO"
        return await self._moved(held, life.fail_verification(held.state, reason)), verdict

    async def merge(self, duplicate_id: UUID, survivor_id: UUID, reason: str) -> Identity:
        """The survivor; the duplicate keeps its history and answers nothing but that it is merged."""
        if duplicate_id == survivor_id:
            raise DomainError(
                Category.UNPROCESSABLE, "merge_with_itself", "Une identité n'est pas son doublon."
            )
        # Always in the same order: two merges at once must not wait for each other.
        first, second = sorted((duplicate_id, survivor_id))
        held = {key: await self._found(key) for key in (first, second)}
        duplicate, survivor = held[duplicate_id], held[survivor_id]
        if duplicate.merged_into == survivor_id:
            return survivor
        _require_living(duplicate)
        _require_living(survivor)
        if duplicate.valid_ins and survivor.valid_ins:
            raise DomainError(
                Category.CONFLICT,
                "two_ins",
                "Ces deux identités portent chacune un INS : ce sont deux personnes, ou l'un des INS "
                "est à invalider d'abord.",
            )
        transition = life.merge(duplicate.state, survivor.state, reason)
        merged = replace(duplicate, merged_into=survivor_id)
        await self._moved(merged, transition, always=True)
        unmoved = life.Transition(transition.step, survivor.state, survivor.state, reason)
        return await self._moved(survivor, unmoved, always=True)

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
        if held.state.may_carry_ins and held.agrees_with(person):
            return held
        held = await self._retrieved(held, person, "rendue connue d'INSi au bac à sable")
        return await self.accept_evidence(held.id, "CN", "contrôle simulé au bac à sable")

    async def _retrieved(self, held: Identity, person: Person, reason: str) -> Identity:
        """Whoever holds the former INS or the former traits is told before the new ones hold."""
        if held.state.retrieved and not held.agrees_with(person):
            held = await self._moved(
                held,
                life.fail_verification(held.state, "INSi donne d'autres traits ou un autre INS"),
            )
        transition = life.retrieve(held.state, reason)
        return await self._moved(held.given_by(person, self.space.now()), transition)

    async def _moved(
        self, held: Identity, transition: Transition, *, always: bool = False
    ) -> Identity:
        """Stores the step, and tells the log when the INS may or may not be used any longer.

        A step that changes nothing is a repeated request and leaves no second line, unless `always`.
        """
        if transition.before == transition.after and not always:
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
        held = await self._found(identity_id)
        _require_living(held)
        return held

    async def _found(self, identity_id: UUID) -> Identity:
        held = await repository.lock_identity(self.session, self.space.name, identity_id)
        if held is None:
            raise unknown_identity()
        return held


def _require_living(held: Identity) -> None:
    if held.merged_into is not None:
        raise DomainError(
            Category.CONFLICT,
            "identity_merged",
            f"Cette identité a été fusionnée : c'est {held.merged_into} qui vit.",
        )


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
