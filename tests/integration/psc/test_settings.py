"""What the service's settings change: sandbox mode, rotation, shapes; and its keys."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.psc.app import build
from services.psc.service import sessions
from services.psc.settings import PscSettings
from services.psc.signing import Signer
from socle.clock import wall
from socle.db.database import Database
from socle.testing.apps import client_of

from .conftest import RelyingParty, callback_of, events_of


class TestSandboxOff:
    @pytest.fixture
    def psc_settings(self, settings_values: dict[str, Any]) -> PscSettings:
        return PscSettings(**settings_values, sandbox=False)

    async def test_control_plane_is_refused(self, party: RelyingParty) -> None:
        for path in ("people", "clients"):
            answer = await party.http.get(f"{party.prefix}/_sandbox/psc/{path}")
            assert answer.status_code == 403

    async def test_nobody_is_logged_in_by_hint_or_click(self, party: RelyingParty) -> None:
        back = callback_of(await party.authorize())
        assert back["error"] == "temporarily_unavailable"
        path = f"{party.prefix}/auth/realms/esante-wallet/login-actions/authenticate"
        form = {"login": "x", "space": party.space, "choice": "MOBILE:899700427885"}
        assert (await party.http.post(path, data=form)).status_code == 400


class TestRotationKept:
    @pytest.fixture
    def psc_settings(self, settings_values: dict[str, Any]) -> PscSettings:
        return PscSettings(**settings_values, psc_refresh_rotation="keep")

    async def test_refresh_token_serves_again(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        for _ in range(2):
            assert (await party.refresh(tokens["refresh_token"])).status_code == 200


class TestLaterUserInfo:
    @pytest.fixture
    def psc_settings(self, settings_values: dict[str, Any]) -> PscSettings:
        return PscSettings(**settings_values, psc_userinfo_shape="2023-11")

    async def test_civility_moves_to_the_top(self, party: RelyingParty) -> None:
        document = (await party.userinfo((await party.tokens())["access_token"])).json()
        assert document["codeCivilite"] == "M"
        assert "codeCivilite" not in document["SubjectRefPro"]
        assert document["codeGenreActivite"] == ""


class TestSweep:
    async def test_idle_session_is_closed_with_its_event(
        self, party: RelyingParty, psc_settings: PscSettings
    ) -> None:
        await party.tokens()
        async with party.database.write() as session:
            await session.execute(
                text(
                    "UPDATE psc.session SET last_seen_at = now() - interval '31 minutes'"
                    " WHERE space = :space"
                ),
                {"space": party.space},
            )
        app = build(psc_settings)
        async with client_of(app):
            assert await sessions.sweep(app.state.provider, wall()) >= 1
        assert [e["data"]["reason"] for e in await events_of(party, "psc.session.closed.v1")] == [
            "expired"
        ]


class TestKeys:
    async def test_one_key_is_made_when_many_start_at_once(self, database: Database) -> None:
        signers = [Signer(database, timedelta(hours=4)) for _ in range(4)]
        documents = await asyncio.gather(*(signer.jwks() for signer in signers))
        kids = {tuple(key["kid"] for key in document["keys"]) for document in documents}
        assert len(kids) == 1

    async def test_tokens_survive_a_restart(
        self, psc_settings: PscSettings, space: str, database: Database
    ) -> None:
        async with client_of(build(psc_settings)) as http:
            tokens = await RelyingParty(http, space, database).tokens()
        async with client_of(build(psc_settings)) as http:
            party = RelyingParty(http, space, database)
            assert isinstance(http, httpx.AsyncClient)
            assert (await party.userinfo(tokens["access_token"])).status_code == 200
            assert (await party.refresh(tokens["refresh_token"])).status_code == 200


class TestLoad:
    async def test_all_succeed_when_more_log_in_than_there_are_connections(
        self, party: RelyingParty, psc_settings: PscSettings
    ) -> None:
        """A request that held one connection while it waited for another would lock the pool."""
        crowd = 8 * psc_settings.database_pool_size
        answers = await asyncio.gather(*(party.tokens() for _ in range(crowd)))
        assert len({tokens["access_token"] for tokens in answers}) == crowd
