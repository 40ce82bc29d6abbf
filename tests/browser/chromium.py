"""Debian's Chromium, through Playwright: a fresh profile each time, closed at the end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium-headless-shell")


@contextmanager
def chromium() -> Generator[Browser]:
    """Yield a headless Chromium: the one that AGENTOPS_TEST_BROWSER names, else the first one in PATH."""
    path = os.environ.get("AGENTOPS_TEST_BROWSER") or next(filter(None, map(shutil.which, _NAMES)), None)
    assert path is not None, (
        "The browser tests need Chromium: sudo apt-get install chromium (make test does it)."
    )
    # The sandbox of Chromium does not work for root, who runs the tests in containers.
    arguments = ["--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=arguments)
        try:
            yield browser
        finally:
            browser.close()
