"""The simulated phone: what it shows, and how an answer is taken or refused."""

import httpx
import pytest

from .conftest import GENERALIST, SPECIALIST, RelyingParty
from .login_page import open_page, request_of, status_address, waiting_page


async def asked(party: RelyingParty) -> tuple[str, dict[str, str]]:
    """A waiting page's address, and its request as the control plane shows it."""
    address = await waiting_page(party, await open_page(party))
    listed = (await party.http.get(f"{party.prefix}/_sandbox/psc/requests")).json()
    return address, next(one for one in listed if one["id"] == request_of(address))


async def press(
    party: RelyingParty, id_: str, headers: dict[str, str] | None = None, /, **form: str
) -> httpx.Response:
    return await party.http.post(
        f"{party.prefix}/_sandbox/psc/phone/{id_}", data=form, headers=headers
    )


async def verdict(party: RelyingParty, address: str) -> str:
    return str((await party.http.get(status_address(address))).json()["status"])


async def test_page_shows_client_and_three_numbers_of_its_person_only(party: RelyingParty) -> None:
    _, request = await asked(party)
    shown = await party.http.get(f"{party.prefix}/_sandbox/psc/phone?person={GENERALIST}")
    assert [f'value="{choice}"' in shown.text for choice in request["choices"]] == [True] * 3
    other = await party.http.get(f"{party.prefix}/_sandbox/psc/phone?person={SPECIALIST}")
    assert "Aucune demande n’attend" in other.text


async def test_login_goes_on_when_number_and_pin_are_right(party: RelyingParty) -> None:
    address, request = await asked(party)
    answer = await press(
        party, request["id"], action="approve", number=request["number"], pin="1234"
    )
    assert answer.status_code == 303
    assert "Connexion acceptée" in (await party.http.get(answer.headers["location"])).text
    assert await verdict(party, address) == "approved"


async def test_login_ends_when_person_refuses(party: RelyingParty) -> None:
    address, request = await asked(party)
    await press(party, request["id"], action="refuse")
    assert await verdict(party, address) == "refused"


async def test_three_wrong_numbers_refuse_and_say_how_many_are_left(party: RelyingParty) -> None:
    address, request = await asked(party)
    wrong = next(choice for choice in request["choices"] if choice != request["number"])
    first = await press(party, request["id"], action="approve", number=wrong, pin="1234")
    assert "Essais restants : 2." in (await party.http.get(first.headers["location"])).text
    for _ in range(2):
        await press(party, request["id"], action="approve", number=wrong, pin="1234")
    assert await verdict(party, address) == "refused"


@pytest.mark.parametrize(
    "form", [{}, {"number": "42"}, {"pin": "1234"}, {"number": "42", "pin": " "}]
)
async def test_nothing_is_counted_when_answer_is_incomplete(
    party: RelyingParty, form: dict[str, str]
) -> None:
    address, request = await asked(party)
    answer = await press(party, request["id"], None, action="approve", **form)
    assert (
        "Choisissez l’un des trois codes" in (await party.http.get(answer.headers["location"])).text
    )
    assert await verdict(party, address) == "pending"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_answer_of_another_site_is_refused(
    party: RelyingParty, headers: dict[str, str]
) -> None:
    address, request = await asked(party)
    number = str(request["number"])
    for sent, status in ((headers, 403), ({"Sec-Fetch-Site": "same-origin"}, 303)):
        before = await verdict(party, address)
        answer = await press(
            party, request["id"], sent, action="approve", number=number, pin="1234"
        )
        assert (before, answer.status_code) == ("pending", status)
    assert await verdict(party, address) == "approved"


async def test_phone_says_so_when_request_is_over(party: RelyingParty) -> None:
    _, request = await asked(party)
    await press(party, request["id"], action="refuse")
    again = await press(
        party, request["id"], action="approve", number=request["number"], pin="1234"
    )
    assert "n’attend plus de réponse" in (await party.http.get(again.headers["location"])).text
