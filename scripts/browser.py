"""Chromium for the browser tests: the machine's, else Debian's package, installed."""

from __future__ import annotations

import os
import shutil

import debian

_SHELL = "chromium-headless-shell"
"""Chromium without windows: a page of the tests takes two fifths less processor time."""
_NAMES = (_SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def path() -> str:
    """Return the path of a Chromium, installing one when there is none, or in CI (CI=true) the quickest.

    Raises:
        steps.StepFailed: there is none and it may not be installed; the message holds the command.
    """
    found = _found()
    if found is None:
        debian.install([_SHELL], "for the browser tests")
    elif _is_other(found) and os.environ.get("CI"):
        debian.add(_SHELL)
    found = _found()
    assert found is not None, f"the Debian package {_SHELL} puts {_SHELL} in PATH"
    return found


def _is_other(found: str) -> bool:
    return not os.environ.get("AGENTOPS_TEST_BROWSER") and os.path.basename(found) != _SHELL


def _found() -> str | None:
    named = os.environ.get("AGENTOPS_TEST_BROWSER")
    if named:
        return named
    return next((found for name in _NAMES if (found := shutil.which(name))), None)
