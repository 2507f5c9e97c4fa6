"""Applications for windows: taken on their days, by the clock of the space."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.usage.app import build
from services.usage.settings import UsageSettings
from socle.db.database import Database
from socle.testing.apps import client_of
from socle.testing.tokens import TokenMint

from .conftest import FINESS, Usage
from .test_payments import SUN, freeze, get

DOSSIER = f"structures/{FINESS}/dossiers/{SUN}"
APRIL_30 = "2022-04-30T23:59:59+02:00"
MAY_1 = "2022-05-01T00:00:00+02:00"


@pytest.fixture
async def strict(
    settings_values: dict[str, Any], mint: TokenMint, space: str, database: Database
) -> AsyncIterator[Usage]:
    settings = UsageSettings(**settings_values, usage_applications="enforce")
    async with client_of(build(settings), mint) as http:
        yield Usage(http, database, space, mint.headers(space))


async def apply(usage: Usage, *groups: str, window: str | None = None) -> httpx.Response:
    return await usage.http.post(
        f"/usage/{DOSSIER}/applications",
        json={"groups": list(groups), **({"window": window} if window else {})},
        headers=usage.headers,
    )


async def put(usage: Usage, **body: Any) -> httpx.Response:
    return await usage.http.put(f"/usage/{DOSSIER}", json=body, headers=usage.headers)


class TestEnforced:
    async def test_closes_when_the_clock_passes_the_last_day(self, strict: Usage) -> None:
        await freeze(strict, APRIL_30)
        taken = await apply(strict, "biology")
        assert (taken.status_code, taken.json()["window"]) == (201, "F2")

        await freeze(strict, MAY_1)
        late = await apply(strict, "biology", "imaging", window="F2")
        assert (late.status_code, late.json()["error"]) == (422, "candidature_hors_fenetre")
        problem = late.json()["problems"][0]
        assert problem["path"] == "/applications/F2"
        assert problem["message"] == (
            "applications for F2 closed on 2022-04-30; they had opened on 2022-03-01"
        )
        assert (await get(strict, DOSSIER))["applications"] == {"F2": ["biology"]}

    async def test_names_every_window_when_none_is_open(self, strict: Usage) -> None:
        await freeze(strict, MAY_1)
        refused = await apply(strict, "biology")
        assert [it["path"].rpartition("/")[2] for it in refused.json()["problems"]] == [
            "F1", "F2", "F3", "F4",
        ]  # fmt: skip
        assert "open on 2022-09-01 and close on 2022-10-31" in refused.json()["detail"]

    async def test_says_which_window_is_open_instead(self, strict: Usage) -> None:
        await freeze(strict, APRIL_30)
        refused = await apply(strict, "biology", window="F1")
        assert refused.json()["problems"][0]["message"].endswith("; open today: F2")

    async def test_is_not_gone_around_by_putting_the_dossier(self, strict: Usage) -> None:
        await freeze(strict, MAY_1)
        refused = await put(strict, base={"biology": 1}, applications={"F2": ["biology"]})
        assert (refused.status_code, refused.json()["error"]) == (422, "candidature_hors_fenetre")
        silent = await put(strict, base={"biology": 1})
        assert silent.json()["applications"] == {}

    async def test_lets_one_apply_for_less_at_any_time(self, strict: Usage) -> None:
        await freeze(strict, APRIL_30)
        await apply(strict, "biology", "imaging")
        await freeze(strict, MAY_1)
        assert (await put(strict, applications={"F2": ["biology"]})).status_code == 200
        assert (await apply(strict, "biology", window="F2")).status_code == 201

    async def test_is_not_withdrawn_by_a_dossier_that_does_not_speak_of_it(
        self, strict: Usage
    ) -> None:
        """A base put after the last day lost the application for good, without a word."""
        await freeze(strict, APRIL_30)
        await apply(strict, "biology")
        await freeze(strict, MAY_1)
        kept = await put(strict, base={"biology": 60_000})
        assert kept.json()["applications"] == {"F2": ["biology"]}
        assert (await put(strict, applications={})).json()["applications"] == {}

    async def test_keeps_when_one_applied(self, strict: Usage) -> None:
        await freeze(strict, APRIL_30)
        await apply(strict, "imaging")
        await apply(strict, "biology")
        await freeze(strict, MAY_1)
        found = await get(strict, f"{DOSSIER}/applications")
        assert (found["mode"], found["windows"]["F2"]["state"]) == ("enforce", "closed")
        assert found["windows"]["F3"]["state"] == "to_come"
        assert found["windows"]["F2"]["groups"] == ["biology"]
        assert [(it["groups"], it["in_time"]) for it in found["history"]] == [
            (["imaging"], True), (["biology"], True),
        ]  # fmt: skip


class TestWarned:
    async def test_is_taken_and_told(self, usage: Usage) -> None:
        await freeze(usage, MAY_1)
        taken = await apply(usage, "biology", window="F2")
        assert taken.status_code == 201
        assert [it["rule"] for it in taken.json()["warnings"]] == ["CANDIDATURE-DATES"]
        found = await get(usage, f"{DOSSIER}/applications")
        assert (found["mode"], found["history"][0]["in_time"]) == ("warn", False)

    async def test_is_not_widened_by_a_dossier_that_does_not_speak_of_it(
        self, usage: Usage
    ) -> None:
        """Null would be every window: F1 paid instead of F2."""
        await apply(usage, "biology", window="F2")
        kept = await put(usage, base={"biology": 60_000})
        assert kept.json()["applications"] == {"F2": ["biology"]}
        assert (await put(usage, applications=None)).json()["applications"] is None

    async def test_needs_a_window_that_the_programme_has(self, usage: Usage) -> None:
        response = await apply(usage, "biology", window="F9")
        assert (response.status_code, response.json()["error"]) == (400, "dossier_refused")
        response = await apply(usage, "pharmacy", window="F1")
        assert response.json()["error"] == "dossier_refused"

    async def test_of_a_programme_without_dates_needs_its_name(self, usage: Usage) -> None:
        path = "/usage/professionals/10101010102/dossiers/vsm/applications"
        response = await usage.http.post(path, json={"groups": ["x"]}, headers=usage.headers)
        assert (response.status_code, response.json()["error"]) == (400, "candidature_sans_fenetre")
