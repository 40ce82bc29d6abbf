"""A tab of a Chromium that has come to rest: what a page costs is then not what opening a window costs.

A window that was just opened keeps its browser busy for more than a second of processor time, which a page
that is loaded at once has to share the machine with.
"""

from __future__ import annotations

import time
from typing import Final

import psutil
from playwright.sync_api import Browser, Page

_LOOK_S: Final = 0.3
_RESTING_S: Final = 0.03
"""Processor time of a browser between two looks that counts as rest."""
_LONGEST_S: Final = 20.0


def resting_tab(browser: Browser) -> Page:
    """Return the tab of a new context (nothing cached), once the browser that opened it is idle."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    before, until = _spent_s(), time.monotonic() + _LONGEST_S
    while time.monotonic() < until:
        time.sleep(_LOOK_S)
        now = _spent_s()
        if now - before < _RESTING_S:
            break
        before = now
    return page


def _spent_s() -> float:
    spent = 0.0
    for one in psutil.Process().children(recursive=True):
        try:
            if "chrom" in one.name():
                times = one.cpu_times()
                spent += float(times.user + times.system)
        except psutil.Error:
            continue
    return spent
