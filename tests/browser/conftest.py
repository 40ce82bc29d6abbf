"""Fixtures of the browser tests: a Chromium and a reader for a module, pages for a test, a known store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import known_store
from tests.browser.chromium import chromium
from tests.serving import Server

# Three browsers on two processors may take a while.
expect.set_options(timeout=15_000)

NO_FAULTS = ("ERR_INTERNET_DISCONNECTED", "not used within a few seconds")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(browser: Browser) -> Iterator[BrowserContext]:
    """What the pages of a module share: what they have loaded is half of what a page costs."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, permissions=[])
    yield context
    context.close()


@pytest.fixture
def visitor(shared: BrowserContext) -> Iterator[Page]:
    """A page of somebody who was never here: nothing is left of what tests before kept, nor of this one's."""
    opened = shared.new_page()
    yield opened
    shared.set_offline(False)
    shared.clear_cookies()
    for one in shared.pages:
        if one.url.startswith("http"):
            one.evaluate("localStorage.clear()")
        one.close()


@pytest.fixture
def page(visitor: Page) -> Iterator[Page]:
    """A page that fails the test if it throws or complains, unless of the network."""
    broken: list[str] = []
    visitor.on("pageerror", lambda error: broken.append(str(error)))
    visitor.on(
        "console",
        lambda said: (
            broken.append(said.text)
            if said.type in ("error", "warning") and not any(one in said.text for one in NO_FAULTS)
            else None
        ),
    )
    yield visitor
    assert broken == []


@pytest.fixture(scope="module")
def known(module_server: Server) -> Server:
    """A server whose store is known_store's."""
    known_store.fill(module_server)
    return module_server
