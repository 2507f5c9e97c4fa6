"""Who may declare for a structure: those whom Pro Santé Connect knows to practise there.

The access token names the professional and no structure; userinfo has the situations of practice (spec:
psc.md §5.1 and §5.5), and is asked once in the life of a token.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.usage.settings import UsageSettings
from socle.auth.subject import Subject
from socle.auth.tokens import REALM_PATH
from socle.clock import wall_seconds
from socle.errors import Category, DomainError
from socle.http.outgoing import inner_client
from socle.kernel import Kernel
from socle.problems import Problem

REMEMBERED = 10_000
_USERINFO = f"{REALM_PATH}/protocol/openid-connect/userinfo"


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Activity(_Read):
    numeroFinessSite: str = ""
    numeroFinessetablissementJuridique: str = ""
    identifiantTechniqueDeLaStructure: str = ""

    @property
    def structures(self) -> set[str]:
        """FINESS of the place, of its legal entity, and of a Struct_IdNat of type 1."""
        technical = self.identifiantTechniqueDeLaStructure
        given = {self.numeroFinessSite, self.numeroFinessetablissementJuridique}
        if len(technical) == 10 and technical.startswith("1"):
            given.add(technical[1:])
        return given - {""}


class _Exercise(_Read):
    activities: list[_Activity] = Field([])


class _Reference(_Read):
    exercices: list[_Exercise] = Field([])


class _UserInfo(_Read):
    SubjectRefPro: _Reference = Field(_Reference())


class Declarants:
    """Asks PSC, and remembers for as long as the token lives."""

    def __init__(self, settings: UsageSettings) -> None:
        self.mode = settings.usage_declarants
        self._http = inner_client(settings.psc_url, timeout=settings.usage_psc_timeout_seconds)
        self._known: OrderedDict[str, tuple[int, frozenset[str]]] = OrderedDict()

    async def close(self) -> None:
        await self._http.aclose()

    async def findings(self, caller: Subject, structures: Collection[str]) -> list[Problem]:
        """One for each structure that the caller does not practise in. Raises DomainError (503) when
        PSC is silent and the check is in force."""
        if self.mode == "off" or not structures:
            return []
        try:
            known = await self._structures_of(caller)
        except (httpx.HTTPError, ValidationError, ValueError) as error:
            if self.mode == "enforce":
                raise DomainError(
                    Category.UNAVAILABLE,
                    "psc_unavailable",
                    "Pro Santé Connect, which says where this professional practises, does not answer; "
                    "send again in a moment.",
                    headers={"Retry-After": "2"},
                ) from error
            known = frozenset()
        expected = ", ".join(sorted(known)) or "a structure that userinfo names; it names none"
        return [
            Problem(
                "DECLARANT-STRUCTURE", "/body/structure",
                f"Pro Santé Connect does not know the caller to practise in {structure}", expected,
                source="psc.md §5.5",
            )
            for structure in sorted(structures)
            if structure not in known
        ]  # fmt: skip

    async def _structures_of(self, caller: Subject) -> frozenset[str]:
        remembered = self._known.get(caller.token)
        if remembered is not None and remembered[0] > wall_seconds():
            return remembered[1]
        response = await self._http.get(
            f"/s/{caller.space}{_USERINFO}", headers={"Authorization": f"Bearer {caller.token}"}
        )
        if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return frozenset()  # bound to a certificate that is not ours, or revoked
        response.raise_for_status()
        found = _UserInfo.model_validate_json(response.content)
        structures = frozenset(
            structure
            for exercise in found.SubjectRefPro.exercices
            for activity in exercise.activities
            for structure in activity.structures
        )
        self._known[caller.token] = (caller.expires_at, structures)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return structures


def refused(problems: Collection[Problem]) -> DomainError:
    return DomainError(
        Category.FORBIDDEN,
        "declarant_non_habilite",
        f"The caller may not declare for {len(problems)} of these structures.",
        problems=list(problems),
    )


@asynccontextmanager
async def declarants_of(kernel: Kernel, app: FastAPI) -> AsyncIterator[None]:
    """A resource of the application."""
    app.state.declarants = declarants = Declarants(cast(UsageSettings, kernel.settings))
    try:
        yield
    finally:
        await declarants.close()


def structures_in(data: Collection[dict[str, Any]]) -> set[str]:
    """Of what events tell."""
    return {structure for it in data if (structure := it.get("structure"))}
