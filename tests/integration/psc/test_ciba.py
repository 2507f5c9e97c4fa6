"""CIBA as a thick client's proxy speaks it; the person is played by the control plane."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.psc.app import build
from services.psc.settings import PscSettings
from socle.testing.apps import client_of
from tests.integration.psc.conftest import CONNECT, GENERALIST, RelyingParty, events_of

GRANT = "urn:openid:params:grant-type:ciba"


@pytest.fixture
def psc_settings(settings_values: dict[str, Any]) -> PscSettings:
    """Without the five seconds between polls, which one test sets again."""
    return PscSettings(**settings_values, psc_ciba_interval_seconds=0)


async def start(party: RelyingParty, **changes: str) -> httpx.Response:
    form = {
        "scope": "openid scope_all",
        "acr_values": "eidas1",
        "login_hint": GENERALIST,
        "binding_message": "42",
        "channel": "MOBILE",
        **changes,
    }
    return await party.post("/ext/ciba/auth", **form)


async def poll(party: RelyingParty, auth_req_id: str) -> httpx.Response:
    return await party.post("/token", grant_type=GRANT, auth_req_id=auth_req_id)


async def waiting(party: RelyingParty, **filters: str) -> list[dict[str, Any]]:
    answer = await party.http.get(f"{party.prefix}/_sandbox/psc/requests", params=filters)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


async def act(
    party: RelyingParty, id_: str, action: str, body: dict[str, str] | None = None
) -> httpx.Response:
    return await party.http.post(f"{party.prefix}/_sandbox/psc/requests/{id_}/{action}", json=body)


async def begun(party: RelyingParty, **changes: str) -> tuple[str, str]:
    """The client's `auth_req_id`, and the id under which the phone knows the request."""
    answer = await start(party, **changes)
    assert answer.status_code == 200, answer.text
    return answer.json()["auth_req_id"], (await waiting(party))[0]["id"]


def error_of(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["error"], answer.json()["error_description"]


class TestLogin:
    @pytest.mark.parametrize(("channel", "acr"), [("MOBILE", "eidas1"), ("CARD", "eidas3")])
    async def test_gives_tokens_once_when_the_person_has_approved(
        self, party: RelyingParty, channel: str, acr: str
    ) -> None:
        answer = await start(party, channel=channel)
        body = answer.json()
        assert (body["expires_in"], body["interval"]) == (120, 0)
        assert error_of(await poll(party, body["auth_req_id"])) == (
            400,
            "authorization_pending",
            "The authorization request is still pending as the end-user hasn't yet been "
            "authenticated.",
        )
        (request,) = await waiting(party, person=GENERALIST, status="pending")
        assert request["number"] == "42"
        assert "42" in request["choices"]
        entered = {"number": "42", "pin": "1234"}
        assert (await act(party, request["id"], "approve", entered)).json()["outcome"] == "approved"

        tokens = await poll(party, body["auth_req_id"])
        assert tokens.status_code == 200, tokens.text
        userinfo = await party.userinfo(tokens.json()["access_token"])
        assert userinfo.json()["authMode"] == channel
        assert (await party.refresh(tokens.json()["refresh_token"])).status_code == 200
        again = await poll(party, body["auth_req_id"])
        assert error_of(again) == (400, "invalid_grant", "Invalid Auth Req ID")
        (opened,) = await events_of(party, "psc.session.opened.v1")
        assert opened["data"]["acr"] == acr
        assert opened["data"]["session"] == tokens.json()["session_state"]

    async def test_gives_tokens_to_one_of_many_polls_at_once(self, party: RelyingParty) -> None:
        auth_req_id, id_ = await begun(party)
        await act(party, id_, "approve")
        answers = await asyncio.gather(*(poll(party, auth_req_id) for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
        assert len(await events_of(party, "psc.session.opened.v1")) == 1

    async def test_survives_a_restart_of_the_service(
        self, party: RelyingParty, psc_settings: PscSettings
    ) -> None:
        auth_req_id, id_ = await begun(party)
        async with client_of(build(psc_settings)) as other:
            restarted = RelyingParty(other, party.space, party.database)
            await act(restarted, id_, "approve")
            assert (await poll(restarted, auth_req_id)).status_code == 200


class TestRefusals:
    async def test_tells_access_denied_when_the_person_refuses(self, party: RelyingParty) -> None:
        auth_req_id, id_ = await begun(party)
        await act(party, id_, "refuse")
        assert error_of(await poll(party, auth_req_id)) == (400, "access_denied", "not authorized")

    async def test_tells_expired_token_when_nobody_answers(self, party: RelyingParty) -> None:
        auth_req_id, id_ = await begun(party)
        assert (await act(party, id_, "expire")).json()["outcome"] == "expired"
        assert error_of(await poll(party, auth_req_id)) == (
            400, "expired_token", "authentication timed out",
        )  # fmt: skip

    async def test_expires_an_approval_that_is_fetched_too_late(self, party: RelyingParty) -> None:
        auth_req_id, id_ = await begun(party)
        await act(party, id_, "approve")
        await act(party, id_, "expire")
        assert error_of(await poll(party, auth_req_id))[1] == "expired_token"

    async def test_gives_nothing_to_another_client(self, party: RelyingParty) -> None:
        enrolment = {
            "client_id": "rival",
            "name": "Rival",
            "secret": "rival-secret",
            "loopback": True,
        }
        await party.http.post(f"{party.prefix}/_sandbox/psc/clients", json=enrolment)
        rival = RelyingParty(party.http, party.space, party.database, ("rival", "rival-secret"))
        auth_req_id, id_ = await begun(party)
        await act(party, id_, "approve")
        assert error_of(await poll(rival, auth_req_id)) == (
            400, "invalid_grant", "Invalid auth_req_id",
        )  # fmt: skip
        assert (await poll(party, auth_req_id)).status_code == 200

    async def test_knows_no_made_up_identifier(self, party: RelyingParty) -> None:
        assert error_of(await poll(party, "made-up")) == (
            400, "invalid_grant", "Invalid Auth Req ID",
        )  # fmt: skip

    async def test_wants_the_identifier(self, party: RelyingParty) -> None:
        answer = await party.post("/token", grant_type=GRANT)
        assert error_of(answer) == (400, "invalid_request", "Missing parameter: auth_req_id")

    @pytest.mark.parametrize("hint", ["899799999999", "unknown", "899700427885'--", "8\0"])
    async def test_knows_no_other_person(self, party: RelyingParty, hint: str) -> None:
        assert error_of(await start(party, login_hint=hint)) == (
            400, "invalid_request", "invalid user",
        )  # fmt: skip
        assert await waiting(party) == []

    async def test_refuses_a_filter_that_no_identifier_matches(self, party: RelyingParty) -> None:
        answer = await party.http.get(
            f"{party.prefix}/_sandbox/psc/requests", params={"person": "8\0"}
        )
        assert answer.status_code == 400

    async def test_refuses_a_client_whose_name_holds_a_control_character(
        self, party: RelyingParty
    ) -> None:
        enrolment = {"client_id": "nul", "name": "a\0b", "loopback": True}
        answer = await party.http.post(f"{party.prefix}/_sandbox/psc/clients", json=enrolment)
        assert answer.status_code == 400

    async def test_wants_the_client_to_authenticate(self, party: RelyingParty) -> None:
        stranger = RelyingParty(party.http, party.space, party.database, ("socle-demo", "wrong"))
        assert (await start(stranger)).status_code == 401

    async def test_starts_nothing_for_a_public_client(self, party: RelyingParty) -> None:
        enrolment = {"client_id": "spa", "name": "SPA", "public": True, "loopback": True}
        await party.http.post(f"{party.prefix}/_sandbox/psc/clients", json=enrolment)
        answer = await party.http.post(
            f"{party.prefix}{CONNECT}/ext/ciba/auth",
            data={"client_id": "spa", "scope": "openid scope_all", "login_hint": GENERALIST},
        )
        assert error_of(answer)[:2] == (401, "unauthorized_client")


class TestHaste:
    @pytest.fixture
    async def http(self, settings_values: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
        settings = PscSettings(**settings_values, psc_ciba_interval_seconds=600)
        async with client_of(build(settings)) as client:
            yield client

    async def test_is_told_to_slow_down_and_loses_nothing(self, party: RelyingParty) -> None:
        auth_req_id, id_ = await begun(party)
        assert error_of(await poll(party, auth_req_id))[1] == "authorization_pending"
        assert error_of(await poll(party, auth_req_id)) == (
            400, "slow_down", "too early to access",
        )  # fmt: skip
        await act(party, id_, "approve")
        async with party.database.write() as session:
            await session.execute(
                text(
                    "UPDATE psc.authentication_request SET"
                    " last_polled_at = last_polled_at - interval '600 s' WHERE space = :space"
                ),
                {"space": party.space},
            )
        assert (await poll(party, auth_req_id)).status_code == 200


class TestPhone:
    async def test_refuses_the_request_at_the_third_wrong_number(self, party: RelyingParty) -> None:
        auth_req_id, id_ = await begun(party)
        wrong = {"number": "41"}
        first = (await act(party, id_, "approve", wrong)).json()
        assert (first["outcome"], first["tries_left"]) == ("wrong_number", 2)
        assert (await act(party, id_, "wrong-code")).json()["outcome"] == "wrong_number"
        assert (await act(party, id_, "approve", wrong)).json()["outcome"] == "refused"
        assert (await act(party, id_, "approve")).status_code == 409
        assert error_of(await poll(party, auth_req_id))[1] == "access_denied"

    async def test_locks_when_pins_are_guessed_over_several_requests(
        self, party: RelyingParty
    ) -> None:
        outcomes = []
        for guess in range(6):
            _, id_ = await begun(party)
            answer = await act(party, id_, "approve", {"number": "42", "pin": f"{guess:04d}"})
            outcomes.append(answer.json()["outcome"])
        assert outcomes == ["wrong_pin"] * 4 + ["locked"] * 2
        _, id_ = await begun(party)
        right = await act(party, id_, "approve", {"number": "42", "pin": "1234"})
        assert right.json()["outcome"] == "locked"
        assert right.json()["locked_until"] is not None

    async def test_counts_guesses_that_come_at_once(self, party: RelyingParty) -> None:
        _, id_ = await begun(party)
        guesses = await asyncio.gather(
            *(act(party, id_, "approve", {"number": "42", "pin": f"{n:04d}"}) for n in range(20))
        )
        outcomes = sorted(guess.json()["outcome"] for guess in guesses)
        assert outcomes == ["locked"] * 16 + ["wrong_pin"] * 4

    async def test_forgets_wrong_pins_after_a_right_one(self, party: RelyingParty) -> None:
        for _ in range(2):
            _, id_ = await begun(party)
            for guess in range(4):
                answer = await act(party, id_, "approve", {"number": "42", "pin": f"{guess:04d}"})
                assert answer.json()["outcome"] == "wrong_pin"
            right = await act(party, id_, "approve", {"number": "42", "pin": "1234"})
            assert right.json()["outcome"] == "approved"

    async def test_answers_404_when_the_request_is_of_another_space(
        self, party: RelyingParty
    ) -> None:
        _, id_ = await begun(party)
        elsewhere = RelyingParty(party.http, f"{party.space}-b", party.database)
        assert (await act(elsewhere, id_, "approve")).status_code == 404
        assert await waiting(elsewhere) == []
