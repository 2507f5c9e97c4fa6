"""A vendor registers its software on the page, and finds someone among many to log in as."""

import re

import httpx
import pytest
from playwright.async_api import Page, expect

from socle.testing.stack import Stack
from tests.patience import PATIENCE_SECONDS

from .conftest import assert_usable, picture

pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.postgres]
CALLBACK = "http://127.0.0.1:9/callback"


async def test_software_is_registered_from_the_first_page(
    stack: Stack, space: str, page: Page
) -> None:
    await page.goto(f"{stack.url}/s/{space}/")
    await page.get_by_role("link", name="Enregistrer un logiciel").click()
    await assert_usable(page)
    await page.get_by_label("Nom du logiciel").fill("Logiciel de cabinet")
    await page.get_by_label("Identifiant (client_id)").fill("mon-lps")
    await page.get_by_label("Adresses de retour (redirect_uri)").fill("pas une adresse")
    await page.get_by_role("button", name="Enregistrer").click()
    await expect(page.get_by_role("alert")).to_contain_text("n’est pas une URI absolue")
    await expect(page.get_by_label("Nom du logiciel")).to_have_value("Logiciel de cabinet")
    await page.get_by_label("Adresses de retour (redirect_uri)").fill(CALLBACK)
    await picture(page, "psc-enrolment")
    await page.get_by_role("button", name="Enregistrer").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("est enregistré")
    await assert_usable(page)
    secret = (await page.locator("dd code").nth(1).text_content()) or ""
    discovery = (await page.locator("dd code").nth(2).text_content()) or ""
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        document = (await http.get(discovery)).json()
        answer = await http.post(
            document["introspection_endpoint"], auth=("mon-lps", secret), data={"token": "x"}
        )
    assert answer.json() == {"active": False}


async def test_one_is_found_among_many_on_the_login_page(
    stack: Stack, space: str, page: Page
) -> None:
    url = f"{stack.url}/s/{space}"
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        made = await http.post(f"{url}/_sandbox/psc/people/synthetic", json={"count": 300})
        assert made.status_code == 200
        last = (await http.get(f"{url}/_sandbox/psc/people?limit=1000")).json()[-1]
    query = (
        "response_type=code&client_id=socle-demo&scope=openid%20scope_all&acr_values=eidas1"
        f"&state=s&redirect_uri={stack.url}/"
    )
    await page.goto(f"{url}/auth?{query}")
    await assert_usable(page)
    await page.get_by_label("Chercher par nom ou par identifiant").fill(last["SubjectNameID"])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("1 résultat")
    await page.get_by_role("button", name="Connexion immédiate").click()
    await page.wait_for_url(re.compile(r".*[?&]code=.*"))
