"""The login page with its three tabs, and the page that waits for the phone."""

import re

import pytest

from .conftest import CONNECT, GENERALIST, RelyingParty, callback_of, events_of
from .login_page import (
    AUTHENTICATE,
    choose,
    control,
    hidden_fields,
    open_page,
    request_of,
    status_address,
    waiting_page,
)

DISABLED = "899703001067"


class TestTabs:
    @pytest.mark.parametrize(
        ("tab", "button"),
        [("e-cps", "PHONE:"), ("carte", "CARD:"), ("delegation", "DELEGATED:"), ("x", "PHONE:")],
    )
    async def test_tab_offers_its_own_way(self, party: RelyingParty, tab: str, button: str) -> None:
        form = await open_page(party)
        answer = await party.http.get(party.prefix + AUTHENTICATE, params={**form, "tab": tab})
        assert f'value="{button}{GENERALIST}"' in answer.text
        assert answer.text.count('aria-current="page"') == 1

    async def test_delegation_is_in_front_when_client_hints_a_provider(
        self, party: RelyingParty
    ) -> None:
        answer = await party.authorize(login_hint=None, kc_idp_hint="hopital")
        assert "Comptes du fournisseur de test" in answer.text

    async def test_other_browser_sees_nothing_when_it_has_the_address(
        self, party: RelyingParty
    ) -> None:
        form = await open_page(party)
        party.http.cookies.clear()
        await open_page(party)
        answer = await party.http.get(party.prefix + AUTHENTICATE, params=form)
        assert answer.status_code == 400
        assert GENERALIST not in answer.text

    async def test_page_comes_again_with_reason_when_identifier_is_unknown(
        self, party: RelyingParty
    ) -> None:
        form = await open_page(party)
        answer = await choose(party, form, choice="PHONE", national_id="899700000000")
        assert answer.status_code == 400
        assert "n’est pas celui d’un professionnel actif" in answer.text
        assert hidden_fields(answer.text)["login"] == form["login"]

    async def test_disabled_person_is_neither_listed_nor_asked(self, party: RelyingParty) -> None:
        answer = await party.authorize(login_hint=None)
        assert DISABLED not in answer.text
        refused = await choose(
            party, hidden_fields(answer.text), choice="PHONE", national_id=DISABLED
        )
        assert refused.status_code == 400


class TestCard:
    async def test_login_says_card_when_pin_is_right(self, party: RelyingParty) -> None:
        form = await open_page(party)
        back = callback_of(await choose(party, form, choice=f"CARD:{GENERALIST}", pin="1234"))
        await party.exchange(back["code"])
        opened = await events_of(party, "psc.session.opened.v1")
        assert opened[-1]["data"]["auth_mode"] == "CARD"

    async def test_card_is_blocked_when_five_pins_were_wrong(self, party: RelyingParty) -> None:
        form = await open_page(party)
        for left in (4, 3, 2, 1):
            answer = await choose(party, form, choice=f"CARD:{GENERALIST}", pin="0000")
            assert (answer.status_code, f"Essais restants : {left}." in answer.text) == (400, True)
        for pin in ("0000", "1234"):
            answer = await choose(party, form, choice=f"CARD:{GENERALIST}", pin=pin)
            assert "Carte bloquée" in answer.text


class TestDelegation:
    async def test_login_follows_a_confirmation(self, party: RelyingParty) -> None:
        form = await open_page(party)
        asked = await choose(party, form, choice=f"DELEGATED:{GENERALIST}")
        assert "Confirmer la connexion" in asked.text
        answer = await choose(party, hidden_fields(asked.text), choice=f"DELEGATED:{GENERALIST}")
        tokens = (await party.exchange(callback_of(answer)["code"])).json()
        userinfo = (await party.userinfo(tokens["access_token"])).json()
        assert userinfo["authMode"] == "DELEGATED"


class TestWaiting:
    async def test_code_comes_once_phone_has_approved(self, party: RelyingParty) -> None:
        address = await waiting_page(party, await open_page(party))
        page = await party.http.get(address)
        assert page.status_code == 200
        assert (await party.http.get(status_address(address))).json() == {"status": "pending"}
        await control(party, address, "approve")
        assert (await party.http.get(status_address(address))).json() == {"status": "approved"}
        back = callback_of(await party.http.get(address))
        assert back["state"] == "s-1"
        assert (await party.exchange(back["code"])).status_code == 200

    async def test_shown_number_is_among_the_phone_s_three(self, party: RelyingParty) -> None:
        address = await waiting_page(party, await open_page(party))
        page = (await party.http.get(address)).text
        shown = re.findall(r'<output id="number">(\d\d)</output>', page)
        [request] = (
            await party.http.get(f"{party.prefix}/_sandbox/psc/requests?status=pending")
        ).json()
        assert shown == [request["number"]]
        assert request["number"] in request["choices"]

    @pytest.mark.parametrize(
        ("verb", "text"), [("refuse", "refusée"), ("expire", "Personne n’a répondu")]
    )
    async def test_page_offers_another_try_when_phone_did_not_approve(
        self, party: RelyingParty, verb: str, text: str
    ) -> None:
        address = await waiting_page(party, await open_page(party))
        await control(party, address, verb)
        page = await party.http.get(address)
        assert text in page.text
        answer = await choose(party, hidden_fields(page.text), choice=f"PHONE:{GENERALIST}")
        assert request_of(answer.headers["location"]) != request_of(address)

    async def test_code_is_given_once_when_page_is_loaded_twice(self, party: RelyingParty) -> None:
        address = await waiting_page(party, await open_page(party))
        await control(party, address, "approve")
        callback_of(await party.http.get(address))
        assert (await party.http.get(address)).status_code == 400

    async def test_only_one_of_two_requests_logs_in_when_both_are_approved(
        self, party: RelyingParty
    ) -> None:
        form = await open_page(party)
        addresses = [await waiting_page(party, form), await waiting_page(party, form)]
        for address in addresses:
            await control(party, address, "approve")
        answers = [await party.http.get(address) for address in addresses]
        assert [answer.status_code for answer in answers] == [302, 400]

    async def test_other_browser_gets_no_code_when_it_has_the_address(
        self, party: RelyingParty
    ) -> None:
        address = await waiting_page(party, await open_page(party))
        await control(party, address, "approve")
        party.http.cookies.clear()
        await open_page(party)  # the other browser has a page of its own
        assert (await party.http.get(address)).status_code == 400
        assert (await party.http.get(status_address(address))).status_code == 400

    async def test_ciba_cannot_fetch_what_a_page_has_asked(self, party: RelyingParty) -> None:
        address = await waiting_page(party, await open_page(party))
        await control(party, address, "approve")
        answer = await party.http.post(
            f"{party.prefix}{CONNECT}/token",
            data={
                "grant_type": "urn:openid:params:grant-type:ciba",
                "auth_req_id": request_of(address),
            },
            auth=party.credentials,
        )
        assert answer.json()["error"] == "invalid_grant"

    @pytest.mark.parametrize("request_id", ["", "x", "00000000-0000-4000-8000-000000000000"])
    async def test_page_has_expired_when_request_is_not_its_own(
        self, party: RelyingParty, request_id: str
    ) -> None:
        address = await waiting_page(party, await open_page(party))
        other = address.replace(request_of(address), request_id)
        assert (await party.http.get(other)).status_code == 400

    async def test_access_denied_comes_back_when_person_gives_up_while_waiting(
        self, party: RelyingParty
    ) -> None:
        form = await open_page(party)
        address = await waiting_page(party, form)
        back = callback_of(await choose(party, form, choice="cancel"))
        assert back["error"] == "access_denied"
        await control(party, address, "approve")
        assert (await party.http.get(address)).status_code == 400
