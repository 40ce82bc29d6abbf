"""Debian packages that a command cannot do without: installed when we may, named when we may not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

import steps

_PATIENCE_S: Final = 60


def install(packages: Sequence[str], why: str) -> None:
    """Install Debian packages with apt-get, as root or through sudo.

    `why` ends the sentence "<packages> is needed ...".

    Raises:
        steps.StepFailed: it may not or cannot; the message holds the command to run by hand.
    """
    names = " ".join(packages)
    by_hand = f"{names} is needed {why}. Install it and run this again:\n    sudo apt-get install {names}"
    apt = shutil.which("apt-get")
    if apt is None:
        raise steps.StepFailed(
            f"{names} (as Debian calls it) is needed {why}; install it with this machine's package manager."
        )
    as_root = _as_root()
    if as_root is None:
        raise steps.StepFailed(by_hand)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        steps.run("Reading the list of Debian packages", [*as_root, apt, "update"], env=env)
        steps.run(
            f"Installing {names}",
            [*as_root, apt, "install", "-y", "--no-install-recommends", *packages],
            env=env,
        )
    except steps.StepFailed as error:
        raise steps.StepFailed(f"{error}\n{by_hand}") from None


def add(package: str) -> bool:
    """Install a package that would be nice to have, and say whether it is there.

    It is left out when it cannot come at once and alone: nothing that is installed is changed for it.
    """
    apt = shutil.which("apt-get")
    as_root = _as_root()
    if apt is None or as_root is None:
        return False
    ask = [*as_root, apt, "install", "-y", "--no-install-recommends", package]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in ("--simulate", "--download-only", "--no-download"):
        try:
            done = subprocess.run(
                [*ask, step],
                check=False,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                # Only what changes nothing may be given up half way.
                timeout=None if step == "--no-download" else _PATIENCE_S,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        if done.returncode != 0 or (step == "--simulate" and done.stdout.count("\nInst ") != 1):
            return False
    return True


def _as_root() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    # With a terminal sudo may ask for the password (it reads it from there); without one it must not wait.
    return [sudo] if sys.stdin.isatty() else [sudo, "-n"]
