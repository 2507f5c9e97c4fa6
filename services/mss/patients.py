"""Who a patient's address means here, and whether their INS is qualified in the space."""

from dataclasses import dataclass, field

from services.mss import patient_repository
from services.mss.domain.patient_rules import AUTO_REPLY, identities_of
from socle.ids.ins import Ins
from socle.ins_client import InsClient
from socle.kernel import Kernel


@dataclass(frozen=True, slots=True)
class Patient:
    """`pseudonym` is empty for the mailbox that answers by itself."""

    address: str = field(repr=False)
    pseudonym: str

    @property
    def is_automatic(self) -> bool:
        return not self.pseudonym


@dataclass(frozen=True, slots=True)
class PatientDirectory:
    """Asks what events have told, then INS: a message may be ahead of the event."""

    kernel: Kernel
    ins: InsClient

    async def find(self, space: str, address: str, token: str = "") -> Patient | None:
        """The patient of a well-formed address, if their INS is qualified.

        The address says the matricule and not the OID: of several identities with the same digits
        the first that is qualified is meant, NIR before test NIR before NIA; INS is asked only where
        no event has told of any. Raises `ins_unavailable`.
        """
        if address == AUTO_REPLY:
            return Patient(address, "")
        by_pseudonym = {
            str(self.kernel.pseudonym(space, ins.oid, ins.matricule)): ins
            for ins in identities_of(address)
        }
        if not by_pseudonym:
            return None
        async with self.kernel.database.read() as session:
            told = await patient_repository.get_qualified(session, space, list(by_pseudonym))
        for pseudonym, ins in by_pseudonym.items():
            if told.get(pseudonym) or (not told and await self._is_qualified(space, ins, token)):
                return Patient(address, pseudonym)
        return None

    async def _is_qualified(self, space: str, ins: Ins, token: str) -> bool:
        shown = "" if self.ins.asks_as_service else token
        answer = await self.ins.status(space, ins.oid, ins.matricule, shown)
        return answer is not None and answer.qualified
