"""Who may declare for a structure, by what Pro Santé Connect's userinfo says of the caller."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from services.usage.app import build
from services.usage.settings import UsageSettings
from socle.auth.tokens import REALM_PATH
from socle.db.database import Database
from socle.testing.apps import client_of
from socle.testing.serving import serving
from socle.testing.tokens import TokenMint

from .conftest import FINESS, MARCH, Usage, act

ELSEWHERE = "0B0193488"
Checking = Callable[..., AbstractAsyncContextManager[Usage]]


def psc(asked: list[str], status: int = 200) -> FastAPI:
    """Answers userinfo as PSC does, for one who practises in FINESS."""
    app = FastAPI()

    @app.get("/s/{space}" + REALM_PATH + "/protocol/openid-connect/userinfo")
    async def userinfo(space: str, request: Request) -> Any:
        asked.append(request.headers["authorization"])
        if status != 200:
            return JSONResponse({"error": "invalid_token"}, status)
        activity = {"numeroFinessSite": "", "identifiantTechniqueDeLaStructure": f"1{FINESS}"}
        return {"SubjectRefPro": {"exercices": [{"activities": [activity]}]}}

    return app


@pytest.fixture
def checking(
    settings_values: dict[str, Any], mint: TokenMint, space: str, database: Database
) -> Checking:
    @asynccontextmanager
    async def start(mode: str, asked: list[str], status: int = 200) -> AsyncIterator[Usage]:
        async with serving(lambda _url: psc(asked, status)) as url:
            settings = UsageSettings(
                **{**settings_values, "psc_url": url, "usage_declarants": mode}
            )
            async with client_of(build(settings), mint) as http:
                yield Usage(http, database, space, mint.headers(space))

    return start


class TestEnforced:
    async def test_takes_what_is_of_the_caller_s_structures_and_asks_psc_once(
        self, checking: Checking
    ) -> None:
        asked: list[str] = []
        async with checking("enforce", asked) as usage:
            for _ in range(2):
                assert (await usage.declare(act())).status_code == 201
        assert len(asked) == 1

    async def test_refuses_what_is_of_another_one(self, checking: Checking) -> None:
        async with checking("enforce", []) as usage:
            response = await usage.declare(act(), act(structure=ELSEWHERE))
            assert (response.status_code, response.json()["error"]) == (
                403,
                "declarant_non_habilite",
            )
            assert response.json()["problems"][0]["expected"] == FINESS
            assert await usage.counted() == (0, 0)

            line = f"report.validated;x;{MARCH.isoformat()};biology;{ELSEWHERE}\n"
            file = "kind;act_id;act_at;domain;structure\n" + line
            response = await usage.http.post(
                "/usage/activity",
                content=file,
                headers={**usage.headers, "Content-Type": "text/csv"},
            )
            assert response.status_code == 403
            for path in ("dossiers/sun-es-volet-1", "software", "attainments/sun-es-volet-1/F1"):
                body: dict[str, Any] = {"figures": {"SU4": {"numerator": 1, "denominator": 2}}}
                body = {"software": []} if path == "software" else body
                body = {} if path.startswith("dossiers") else body
                response = await usage.http.put(
                    f"/usage/structures/{ELSEWHERE}/{path}", json=body, headers=usage.headers
                )
                assert response.status_code == 403, path

    async def test_leaves_a_professional_s_own_acts_alone(self, checking: Checking) -> None:
        asked: list[str] = []
        async with checking("enforce", asked) as usage:
            own = {"kind": "consultation.done", "professional": "10101010102",
                   "act_id": "c1", "act_at": MARCH.isoformat()}  # fmt: skip
            assert (await usage.declare(own)).status_code == 201
        assert asked == []

    async def test_refuses_one_whom_psc_does_not_know_any_more(self, checking: Checking) -> None:
        async with checking("enforce", [], 401) as usage:
            assert (await usage.declare(act())).status_code == 403

    async def test_says_so_when_psc_is_silent_and_counts_nothing(self, checking: Checking) -> None:
        async with checking("enforce", [], 500) as usage:
            response = await usage.declare(act())
            assert (response.status_code, response.json()["error"]) == (503, "psc_unavailable")
            assert response.headers["retry-after"] == "2"


class TestWarned:
    @pytest.mark.parametrize("status", [200, 500])
    async def test_counts_it_and_tells_the_journal(self, checking: Checking, status: int) -> None:
        async with checking("warn", [], status) as usage:
            assert (await usage.declare(act(structure=ELSEWHERE))).status_code == 201
            journal = await usage.http.get(f"/s/{usage.space}/_sandbox/journal")
            assert "DECLARANT-STRUCTURE" in journal.text
