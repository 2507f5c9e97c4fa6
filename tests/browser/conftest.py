"""Chromium in front of a running stack. CI requires it; elsewhere its absence is told."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from socle.idgen import random_uuid
from socle.testing.stack import Stack
from tests.patience import PATIENCE_SECONDS

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = PATIENCE_SECONDS * 1000
expect.set_options(timeout=PATIENCE_MS)
PHONE = {"width": 360, "height": 860}


def _chromium() -> str | None:
    """`SOCLE_CHROMIUM`, or the first that is installed."""
    given = os.environ.get("SOCLE_CHROMIUM")
    return given or next((path for name in NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    executable = _chromium()
    if executable is None:
        pytest.skip("no Chromium: install one (Debian: apt install chromium) or set SOCLE_CHROMIUM")
    async with async_playwright() as playwright:
        # Root has no user namespace to put Chromium's sandbox in.
        browser = await playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="socle-browser-") as folder:
        Path(folder).chmod(0o755)  # the server may have to run as another user than root
        with Stack(Path(folder), {"SOCLE_EVENTS": "embedded"}) as running:
            yield running


@pytest.fixture
def space() -> str:
    return f"browser-{random_uuid().hex[:12]}"


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A visitor of its own; whatever the console complains of fails the test."""
    context = await browser.new_context(locale="fr-FR", viewport={"width": 1000, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # Chromium also complains of a form that is shown again with what is wrong in it.
        shown_again = "400 (Bad Request)" in message.text and message.location["url"] == page.url
        if message.type == "error" and not shown_again:
            complaints.append(message.text)

    context.on("console", hear)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield page
    await context.close()
    assert complaints == []


async def picture(page: Page, name: str) -> None:
    """Kept for the documentation when SOCLE_SCREENSHOTS names a folder."""
    folder = os.environ.get("SOCLE_SCREENSHOTS")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def assert_usable(page: Page) -> None:
    """What a screen reader and a narrow screen need of every page."""
    assert await page.locator("html").get_attribute("lang") == "fr"
    assert await page.locator("h1").count() == 1
    nameless = await page.evaluate(
        """() => [...document.querySelectorAll("input:not([type=hidden]), button, a")]
        .filter((it) => !(it.labels?.length || it.textContent.trim() || it.ariaLabel))
        .map((it) => it.outerHTML)"""
    )
    assert nameless == []
    size = page.viewport_size
    await page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not await page.evaluate(wide), f"{page.url} scrolls sideways on a phone"
    if size is not None:
        await page.set_viewport_size(size)
