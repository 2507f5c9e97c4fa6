"""Userinfo, introspection, revocation, logout, discovery."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from socle.people.official import official_people

from .conftest import (
    CALLBACK,
    CONNECT,
    GENERALIST,
    REALM,
    SPECIALIST,
    RelyingParty,
    callback_of,
    events_of,
)


class TestUserInfo:
    async def test_document_is_the_published_sample(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        document = (await party.userinfo(tokens["access_token"])).json()
        assert document["SubjectNameID"] == GENERALIST
        assert document["Secteur_Activite"] == "SA07^1.2.250.1.71.4.2.4"
        assert document["SubjectOrganizationID"] == "R102671"
        assert document["SubjectRole"] == ["10^1.2.250.1.213.1.1.5.5"]
        activities = document["SubjectRefPro"]["exercices"][0]["activities"]
        assert [len(activity) for activity in activities] == [30, 30]
        assert activities[1]["numeroFinessetablissementJuridique"] == "1B0064166"
        assert document["SubjectRefPro"]["codeCivilite"] == "M"

    async def test_six_members_when_person_has_no_exercise(self, party: RelyingParty) -> None:
        tokens = await party.tokens(login_hint="899700427869")
        document = (await party.userinfo(tokens["access_token"])).json()
        assert set(document) == {
            "sub", "preferred_username", "codeCivilite", "given_name", "SubjectNameID",
            "family_name",
        }  # fmt: skip

    async def test_identifier_with_slash_logs_in(self, party: RelyingParty) -> None:
        tokens = await party.tokens(login_hint="500000001815646/CPAT00045")
        document = (await party.userinfo(tokens["access_token"])).json()
        assert document["SubjectNameID"] == "500000001815646/CPAT00045"

    async def test_token_may_be_posted(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        answer = await party.http.post(
            f"{party.prefix}{CONNECT}/userinfo", data={"access_token": tokens["access_token"]}
        )
        assert answer.json()["SubjectNameID"] == GENERALIST

    @pytest.mark.parametrize("token", ["", "x", "a.b.c", "e30.e30.", "é"])
    async def test_challenge_when_token_is_none(self, party: RelyingParty, token: str) -> None:
        answer = await party.http.get(
            f"{party.prefix}{CONNECT}/userinfo",
            headers={b"Authorization": f"Bearer {token}".encode()},
        )
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")

    async def test_refused_when_token_is_the_id_token(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        assert (await party.userinfo(tokens["id_token"])).status_code == 401


class TestIntrospection:
    async def test_claims_and_more_when_access_token_lives(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        seen = (await party.post("/token/introspect", token=tokens["access_token"])).json()
        assert seen["active"] is True
        assert (seen["client_id"], seen["username"]) == ("socle-demo", GENERALIST)
        assert seen["SubjectNameID"] == GENERALIST

    async def test_no_subject_name_id_when_token_is_refresh(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        seen = (await party.post("/token/introspect", token=tokens["refresh_token"])).json()
        assert seen["active"] is True
        assert "SubjectNameID" not in seen

    async def test_inactive_when_token_is_unknown(self, party: RelyingParty) -> None:
        answer = await party.post("/token/introspect", token="x")
        assert (answer.status_code, answer.json()) == (200, {"active": False})


class TestRevocation:
    @pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
    async def test_token_is_dead_when_revoked(self, party: RelyingParty, kind: str) -> None:
        tokens = await party.tokens()
        assert (await party.post("/revoke", token=tokens[kind])).status_code == 200
        assert (await party.userinfo(tokens["access_token"])).status_code == 401
        alive = (await party.refresh(tokens["refresh_token"])).status_code
        assert alive == (200 if kind == "access_token" else 400)

    async def test_no_error_when_token_is_unknown(self, party: RelyingParty) -> None:
        assert (await party.post("/revoke", token="x")).status_code == 200


class TestLogout:
    async def test_session_ends_and_browser_returns_when_hinted(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        enrolled = await party.http.get(
            f"{party.prefix}{CONNECT}/logout",
            params={
                "id_token_hint": tokens["id_token"],
                "post_logout_redirect_uri": "http://localhost:9/bye",
                "state": "s-9",
            },
        )
        assert enrolled.status_code == 302
        address = urlsplit(enrolled.headers["location"])
        assert parse_qs(address.query) == {"state": ["s-9"]}
        assert (await party.userinfo(tokens["access_token"])).status_code == 401
        refused = await party.refresh(tokens["refresh_token"])
        assert refused.json()["error_description"] == "Session not active"
        back = callback_of(await party.authorize(login_hint=None, prompt="none"))
        assert back["error"] == "login_required"

    async def test_page_says_closed_when_no_return_address(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        answer = await party.http.post(
            f"{party.prefix}{CONNECT}/logout", data={"id_token_hint": tokens["id_token"]}
        )
        assert answer.status_code == 200
        assert "Session fermée" in answer.text

    async def test_nothing_ends_when_return_address_is_not_registered(
        self, party: RelyingParty
    ) -> None:
        tokens = await party.tokens()
        answer = await party.http.get(
            f"{party.prefix}{CONNECT}/logout",
            params={
                "id_token_hint": tokens["id_token"],
                "post_logout_redirect_uri": "https://evil.example/",
            },
        )
        assert answer.status_code == 400
        assert (await party.userinfo(tokens["access_token"])).status_code == 200

    @pytest.mark.parametrize("hint", ["x", "e30.e30."])
    async def test_page_when_hint_is_not_ours(self, party: RelyingParty, hint: str) -> None:
        answer = await party.http.get(
            f"{party.prefix}{CONNECT}/logout", params={"id_token_hint": hint}
        )
        assert answer.status_code == 400

    async def test_person_confirms_when_there_is_no_hint(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        path = f"{party.prefix}{CONNECT}/logout"
        asked = await party.http.get(path, params={"state": "s"})
        assert "Voulez-vous" in asked.text
        assert (await party.userinfo(tokens["access_token"])).status_code == 200
        form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', asked.text))
        assert "Session fermée" in (await party.http.post(path, data=form)).text
        assert (await party.userinfo(tokens["access_token"])).status_code == 401

    async def test_no_content_when_client_posts_its_refresh_token(
        self, party: RelyingParty
    ) -> None:
        tokens = await party.tokens()
        answer = await party.post("/logout", refresh_token=tokens["refresh_token"])
        assert answer.status_code == 204
        assert (await party.userinfo(tokens["access_token"])).status_code == 401

    async def test_one_event_each_when_session_opens_and_ends_twice(
        self, party: RelyingParty
    ) -> None:
        tokens = await party.tokens()
        for _ in range(2):
            await party.http.get(
                f"{party.prefix}{CONNECT}/logout", params={"id_token_hint": tokens["id_token"]}
            )
        opened = await events_of(party, "psc.session.opened.v1")
        closed = await events_of(party, "psc.session.closed.v1")
        assert [e["subject"] for e in opened] == [tokens["session_state"]]
        assert [e["subject"] for e in closed] == [tokens["session_state"]]
        assert closed[0]["data"] == {
            "session": tokens["session_state"],
            "rpps": GENERALIST[1:],
            "auth_mode": "MOBILE",
            "reason": "logout",
        }


class TestDiscovery:
    async def test_two_names_differ_in_authorization_endpoint(self, party: RelyingParty) -> None:
        base = f"http://localhost:8080/s/{party.space}"
        documents = [
            (await party.http.get(f"{party.prefix}{REALM}/.well-known/{name}")).json()
            for name in ("wallet-openid-configuration", "openid-configuration")
        ]
        endpoints = [document.pop("authorization_endpoint") for document in documents]
        assert endpoints == [f"{base}/auth", f"{base}{CONNECT}/auth"]
        assert documents[0] == documents[1]
        assert documents[0]["issuer"] == base + REALM
        assert documents[0]["acr_values_supported"] == ["0", "0"]


class TestSandbox:
    async def test_seeded_people_and_client_are_listed(self, party: RelyingParty) -> None:
        people = (await party.http.get(f"{party.prefix}/_sandbox/psc/people")).json()
        assert [p["SubjectNameID"] for p in people] == [p.SubjectNameID for p in official_people()]
        assert {GENERALIST, SPECIALIST} <= {p["SubjectNameID"] for p in people}
        clients = (await party.http.get(f"{party.prefix}/_sandbox/psc/clients")).json()
        assert [c["client_id"] for c in clients] == ["socle-demo"]
        assert "socle-demo-secret" not in str(clients)

    async def test_person_logs_in_when_just_created(self, party: RelyingParty) -> None:
        person = {
            "SubjectNameID": "899703001083", "family_name": "NOUVEAU", "given_name": "ZOÉ",
        }  # fmt: skip
        path = f"{party.prefix}/_sandbox/psc/people"
        for _ in range(2):
            assert (await party.http.post(path, json=person)).status_code == 201
        assert "access_token" in await party.tokens(login_hint="899703001083")

    @pytest.mark.parametrize(
        "person",
        [
            {"SubjectNameID": "899703001084", "family_name": "A", "given_name": "B"},
            {"SubjectNameID": "899703001083", "family_name": "", "given_name": "B"},
            {"SubjectNameID": "899703001083", "family_name": "A\x00", "given_name": "B"},
            {"SubjectNameID": "899703001083", "family_name": "A", "given_name": "B", "x": 1},
        ],
    )
    async def test_problems_are_listed_when_person_is_wrong(
        self, party: RelyingParty, person: dict[str, object]
    ) -> None:
        answer = await party.http.post(f"{party.prefix}/_sandbox/psc/people", json=person)
        assert answer.status_code == 400
        assert answer.json()["problems"]

    async def test_client_works_at_once_and_only_once(self, party: RelyingParty) -> None:
        enrolment = {
            "client_id": "lps-1", "name": "LPS", "redirect_uris": [CALLBACK], "pkce": "required",
        }  # fmt: skip
        path = f"{party.prefix}/_sandbox/psc/clients"
        made = await party.http.post(path, json=enrolment)
        assert (await party.http.post(path, json=enrolment)).status_code == 409
        party.credentials = ("lps-1", made.json()["secret"])
        assert "access_token" in await party.tokens()
        strict = await party.authorize(redirect_uri=CALLBACK + "?x=1")
        assert strict.status_code == 400
