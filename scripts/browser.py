"""Chromium for the browser tests: the machine's, else Debian's package, installed."""

from __future__ import annotations

import os
import shutil

import debian

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def path() -> str:
    """Return the path of a Chromium, installing one when there is none.

    Raises:
        steps.StepFailed: there is none and it may not be installed; the message holds the command.
    """
    found = _found()
    if found is None:
        debian.install(["chromium"], "for the browser tests")
        found = _found()
    assert found is not None, "the Debian package chromium puts chromium in PATH"
    return found


def _found() -> str | None:
    named = os.environ.get("AGENTOPS_TEST_BROWSER")
    if named:
        return named
    return next((found for name in NAMES if (found := shutil.which(name))), None)
