"""The login page and the page that waits for the phone, as a browser without script uses them."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import httpx

from .conftest import GENERALIST, REALM, RelyingParty

AUTHENTICATE = f"{REALM}/login-actions/authenticate"


def hidden_fields(page: str) -> dict[str, str]:
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in fields}


async def open_page(party: RelyingParty, **changes: str | None) -> dict[str, str]:
    answer = await party.authorize(**{"login_hint": None, **changes})
    assert answer.status_code == 200, answer.text
    return hidden_fields(answer.text)


async def choose(party: RelyingParty, form: dict[str, str], **fields: str) -> httpx.Response:
    return await party.http.post(party.prefix + AUTHENTICATE, data={**form, **fields})


async def waiting_page(party: RelyingParty, form: dict[str, str]) -> str:
    """Its address, after the person was asked."""
    answer = await choose(party, form, choice=f"PHONE:{GENERALIST}")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def request_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["request"][0]


def status_address(address: str) -> str:
    return address.replace("/e-cps?", "/e-cps/status?")


async def control(party: RelyingParty, address: str, verb: str) -> None:
    path = f"{party.prefix}/_sandbox/psc/requests/{request_of(address)}/{verb}"
    assert (await party.http.post(path)).status_code == 200
