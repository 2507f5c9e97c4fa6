"""A professional logs in with the e-CPS, in Chromium, through the gateway."""

import asyncio
from collections.abc import AsyncIterator, Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from socle.testing.stack import Stack
from tests.patience import PATIENCE_SECONDS

from .conftest import PHONE, assert_usable, picture

pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.postgres]

GENERALIST = "899700427885"


@pytest.fixture
async def callback() -> AsyncIterator[str]:
    """The relying party's address, which every login must come back to."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b"<!doctype html><html lang=fr><link rel=icon href=data:,><h1>Connect\xc3\xa9</h1>"
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callback"


@pytest.fixture
def login_address(stack: Stack, space: str, callback: str) -> str:
    query = {
        "response_type": "code",
        "client_id": "socle-demo",
        "redirect_uri": callback,
        "scope": "openid scope_all",
        "acr_values": "eidas1",
        "state": "s-1",
        "nonce": "n-1",
    }
    return f"{stack.url}/s/{space}/auth?{urlencode(query)}"


@pytest.fixture
def redeem(stack: Stack, space: str, callback: str) -> Callable[[str], str]:
    """The authMode that the code of a callback address is worth."""

    def exchange(address: str) -> str:
        back = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert back["state"] == "s-1"
        connect = f"{stack.url}/s/{space}/auth/realms/esante-wallet/protocol/openid-connect"
        tokens = httpx.post(
            f"{connect}/token",
            data={
                "grant_type": "authorization_code",
                "code": back["code"],
                "redirect_uri": callback,
            },
            auth=("socle-demo", "socle-demo-secret"),
            timeout=PATIENCE_SECONDS,
        ).json()
        answer = httpx.get(
            f"{connect}/userinfo",
            headers={"Authorization": f"Bearer {tokens['access_token']}"},
            timeout=PATIENCE_SECONDS,
        )
        return str(answer.json()["authMode"])

    return exchange


async def test_login_ends_in_the_application_when_phone_accepts(
    page: Page, login_address: str, callback: str, redeem: Callable[[str], str]
) -> None:
    await page.goto(login_address)
    await assert_usable(page)
    await picture(page, "psc-login")
    await page.get_by_label("Identifiant national").fill(GENERALIST)
    await page.get_by_role("button", name="Se connecter avec e-CPS").click()
    number = await page.locator("#number").inner_text()
    await assert_usable(page)
    await picture(page, "psc-waiting")

    async with page.context.expect_page() as opened:
        await page.get_by_role("link", name="Ouvrir le téléphone simulé").click()
    phone = await opened.value
    await phone.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    await assert_usable(phone)
    await picture(phone, "psc-phone")
    await phone.get_by_label(number, exact=True).check()
    await phone.get_by_label("Code PIN").fill("1234")
    await phone.get_by_role("button", name="Accepter").click()
    await expect(phone.get_by_role("status").first).to_contain_text("Connexion acceptée")

    await page.wait_for_url(f"{callback}*")
    assert redeem(page.url) == "MOBILE"


async def test_page_says_so_when_phone_refuses(page: Page, login_address: str) -> None:
    await page.goto(login_address)
    await page.get_by_role("button", name="Avec le téléphone").first.click()
    async with page.context.expect_page() as opened:
        await page.get_by_role("link", name="Ouvrir le téléphone simulé").click()
    phone = await opened.value
    await phone.get_by_role("button", name="Refuser").click()
    await expect(page.get_by_role("alert")).to_contain_text("refusée")
    await assert_usable(page)
    await page.get_by_role("button", name="Envoyer une nouvelle demande").click()
    await expect(page.locator("#number")).to_be_visible()


async def test_phone_shows_a_request_that_comes_while_its_page_is_open(
    page: Page, login_address: str, stack: Stack, space: str
) -> None:
    phone = await page.context.new_page()
    await phone.goto(f"{stack.url}/s/{space}/_sandbox/psc/phone")
    await expect(phone.locator(".device")).to_contain_text("Aucune demande n’attend")
    await page.goto(login_address)
    await page.get_by_role("button", name="Avec le téléphone").first.click()
    await expect(phone.get_by_role("button", name="Accepter")).to_be_visible()


async def test_keyboard_alone_is_enough(
    page: Page, login_address: str, callback: str, redeem: Callable[[str], str]
) -> None:
    await page.goto(login_address)
    await page.keyboard.press("Tab")
    for _ in range(30):
        if await page.evaluate("document.activeElement?.id") == "national-id":
            break
        await page.keyboard.press("Tab")
    await page.keyboard.type(GENERALIST)
    await page.keyboard.press("Enter")
    number = await page.locator("#number").inner_text()
    phone = await page.context.new_page()
    href = await page.get_by_role("link", name="Ouvrir le téléphone simulé").get_attribute("href")
    await phone.goto(str(httpx.URL(page.url).join(str(href))))
    await phone.keyboard.press("Tab")  # into the three numbers, of which arrows choose one
    await phone.keyboard.press("Space")
    for _ in range(3):
        if await phone.locator("input[name=number]:checked").get_attribute("value") == number:
            break
        await phone.keyboard.press("ArrowRight")
    await phone.keyboard.press("Tab")
    await phone.keyboard.type("1234")
    await phone.keyboard.press("Enter")
    await page.bring_to_front()
    await page.wait_for_url(f"{callback}*")
    assert redeem(page.url) == "MOBILE"


@pytest.mark.parametrize(
    ("tab", "buttons", "mode"),
    [
        ("e-CPS", ["Connexion immédiate"], "MOBILE"),
        ("Carte CPS", ["Utiliser cette carte"], "CARD"),
        ("Autre fournisseur d’identité", ["Se connecter", "Confirmer"], "DELEGATED"),
    ],
)
async def test_each_tab_logs_in(
    page: Page,
    login_address: str,
    callback: str,
    redeem: Callable[[str], str],
    tab: str,
    buttons: list[str],
    mode: str,
) -> None:
    await page.goto(login_address)
    await page.get_by_role("link", name=tab).click()
    await assert_usable(page)
    for button in buttons:
        await page.get_by_role("button", name=button).first.click()
    await page.wait_for_url(f"{callback}*")
    assert redeem(page.url) == mode


async def test_login_needs_no_script(
    browser: Browser, login_address: str, callback: str, stack: Stack, space: str
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    page = await context.new_page()
    await page.goto(login_address)
    await page.get_by_role("button", name="Avec le téléphone").first.click()
    await expect(page.locator("#number")).to_be_visible()
    requests = f"{stack.url}/s/{space}/_sandbox/psc/requests"
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        [waiting] = (await http.get(f"{requests}?status=pending")).json()
        assert (await http.post(f"{requests}/{waiting['id']}/approve")).status_code == 200
    await page.wait_for_url(f"{callback}*")
    await context.close()


async def test_session_is_closed_after_logout(
    page: Page, login_address: str, callback: str, stack: Stack, space: str
) -> None:
    await page.goto(login_address)
    await page.get_by_role("button", name="Connexion immédiate").first.click()
    await page.wait_for_url(f"{callback}*")
    await page.goto(
        f"{stack.url}/s/{space}/auth/realms/esante-wallet/protocol/openid-connect/logout"
    )
    await page.get_by_role("button", name="Se déconnecter").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Session fermée")
    await assert_usable(page)
    await picture(page, "psc-closed")
    await page.goto(login_address)
    await expect(page.get_by_label("Identifiant national")).to_be_visible()
