"""One declared act, as JSON and CSV give it."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from services.usage.api.inputs import (
    Finess,
    Instant,
    PatientIn,
    Professional,
    Strict,
    Text,
    pseudonym_of,
)
from services.usage.domain.acts import check_act
from services.usage.domain.measures import ActivityDomain, ActivityKind
from socle.kernel import Kernel
from socle.problems import Problem


class ActIn(Strict):
    """One act; `act_id` is the software's own and makes the declaration idempotent."""

    kind: ActivityKind
    domain: ActivityDomain | None = None
    structure: Finess | None = None
    professional: Professional | None = None
    act_id: Text
    act_at: Instant
    patient: PatientIn | None = None
    flags: frozenset[Literal["eprescription", "apcv", "degraded", "paper"]] = frozenset()
    documents: Annotated[tuple[Text, ...], Field(max_length=100)] = ()
    messages: Annotated[tuple[UUID, ...], Field(max_length=100)] = ()
    """`documents` by their uniqueId in the DMP, `messages` by the number of the SMTP reply."""

    def problems(self, path: str) -> list[Problem]:
        return check_act(
            path,
            kind=self.kind,
            domain=self.domain,
            structure=self.structure,
            professional=self.professional,
            act_id=self.act_id,
            flags=frozenset(self.flags),
            documents=self.documents,
        )

    def data(self, patient: str | None) -> dict[str, Any]:
        """As the schema of usage.activity.declared.v1 says."""
        return {
            "kind": self.kind,
            "structure": self.structure,
            "professional": self.professional,
            "act_id": self.act_id,
            "domain": self.domain,
            "patient": patient,
            "act_at": self.act_at.isoformat(),
            "flags": sorted(self.flags),
            "documents": list(self.documents),
            "messages": [str(message) for message in self.messages],
        }

    def checked(
        self, kernel: Kernel, space: str, path: str
    ) -> tuple[dict[str, Any], list[Problem]]:
        """The event's data, and what is wrong with it."""
        problems = self.problems(path)
        patient = pseudonym_of(kernel, space, self.patient, path, problems)
        return self.data(patient), problems
