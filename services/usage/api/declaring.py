"""Who declares, as a dependency: what is told of a structure passes here."""

from collections.abc import Collection, Sequence
from typing import Annotated, cast

from fastapi import Depends, Request

from services.usage import service
from services.usage.declarants import Declarants, refused, structures_in
from services.usage.domain.measures import Beneficiary
from socle.auth.dependencies import Professional
from socle.db.database import WriteSession
from socle.events.envelope import Event
from socle.http.context import warn


class _Declaring:
    def __init__(self, request: Request, caller: Professional) -> None:
        self._scope = request.scope
        self._caller = caller
        self._declarants = cast(Declarants, request.app.state.declarants)

    async def tell(self, session: WriteSession, events: Sequence[Event]) -> None:
        await self.check(structures_in([event.data for event in events]))
        await service.tell(session, events)

    async def check_for(self, of: Beneficiary) -> None:
        await self.check({of.number} if of.kind == "structure" else set())

    async def check(self, structures: Collection[str]) -> None:
        """Refuses, or warns in a header and the journal."""
        problems = await self._declarants.findings(self._caller, structures)
        if problems and self._declarants.mode == "enforce":
            raise refused(problems)
        warn(self._scope, problems)


Declaring = Annotated[_Declaring, Depends(_Declaring)]
