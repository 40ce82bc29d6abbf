"""Fixtures of the browser tests: one Chromium for a module, a page that must not complain, a known store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import known_store
from tests.browser.chromium import chromium
from tests.serving import Server

NO_FAULTS = ("ERR_INTERNET_DISCONNECTED", "not used within a few seconds")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a context of its own. It fails the test if it throws or complains, unless of the network."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, permissions=[])
    opened = context.new_page()
    broken: list[str] = []
    opened.on("pageerror", lambda error: broken.append(str(error)))
    opened.on(
        "console",
        lambda said: (
            broken.append(said.text)
            if said.type in ("error", "warning") and not any(one in said.text for one in NO_FAULTS)
            else None
        ),
    )
    yield opened
    context.close()
    assert broken == []


@pytest.fixture(scope="module")
def known(module_server: Server) -> Server:
    """A server whose store is known_store's."""
    known_store.fill(module_server)
    return module_server
