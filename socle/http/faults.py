"""The faults of one request: those that need its path only, and those that need to know who asks."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import Scope

from socle.faults import Effect, FaultInjector, FaultRule, InjectedFault
from socle.http.context import state_of
from socle.spaces import Space


@dataclass(frozen=True, slots=True)
class RequestFaults:
    """What strikes is noted in the request's state: the answer and the journal name it."""

    injector: FaultInjector
    service: str
    space: Space
    scope: Scope
    client: str = ""

    async def on_the_wire(self) -> None:
        """Before anything of the request is read."""
        await self._strike(lambda rule: not rule.is_personal)

    async def strike(self, person: str = "") -> None:
        """Rules of this client and person: slow or failed answers."""
        await self._strike(lambda rule: rule.is_personal and rule.concerns(self.client, person))

    async def _strike(self, applies: Callable[[FaultRule], bool]) -> None:
        for rule in self.space.faults:
            if rule.effect is None and applies(rule) and self._hits(rule):
                if rule.latency_ms:
                    await asyncio.sleep(rule.latency_ms / 1000)
                if rule.status is not None:
                    raise InjectedFault(rule, rule.status)

    def effect(self, name: Effect, person: str = "") -> FaultRule | None:
        """The rule that makes this answer wrong in this way, if there is one and it strikes."""
        for rule in self.space.faults:
            if rule.effect == name and rule.concerns(self.client, person) and self._hits(rule):
                return rule
        return None

    def armed(self, name: Effect) -> bool:
        """Whether it is worth finding out who asks."""
        return any(rule.effect == name for rule in self.space.faults)

    @property
    def asks_for_person(self) -> bool:
        return any(rule.person != "*" and rule.effect is None for rule in self.space.faults)

    def _hits(self, rule: FaultRule) -> bool:
        if not rule.matches(self.service, self.scope["method"], self.scope["path"]):
            return False
        if not self.injector.strikes(self.space.name, rule):
            return False
        state_of(self.scope).setdefault("faults", []).append(rule.id)
        return True
