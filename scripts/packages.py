"""Install locked packages into environments: with uv, which takes seconds, or with pip, which takes minutes.

uv comes from its own lock when the machine has none. It reads no settings of pip: behind a mirror or a proxy
only pip may get through, so that what fails is tried again with pip.
"""

from __future__ import annotations

import fcntl
import shutil
import sys
from pathlib import Path

import steps

_UV_LOCK = steps.ROOT / "requirements" / "uv.txt"


def install(python: Path, lock: Path, title: str, *, checkout: bool = True) -> None:
    """Install a lock, and this checkout if wanted, into the environment of a Python.

    Raises:
        steps.StepFailed: neither could install it; carries what pip said.
    """
    uv = _uv()
    if uv is not None:
        try:
            _install_with([uv, "pip", "install", "--quiet", "--python", python], lock, title, checkout)
            return
        except steps.StepFailed as failure:
            steps.say(f"{failure}\nOnce more, with pip.")
    _install_with(_pip(python), lock, title, checkout)


def environment(folder: Path, lock: Path, *, checkout: bool) -> Path:
    """Return the Python of an environment that holds a lock, made when it is missing or out of date.

    Two programs that want it at once make it once.
    """
    python = folder / "bin" / "python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        state = steps.digest([lock], sys.version)
        stamp = folder / "agentops.stamp"
        if not steps.is_done(stamp, state):
            create = [sys.executable, "-m", "venv", "--clear", "--without-pip", folder]
            steps.run(f"Creating {folder.name}", create, env=steps.clean_env())
            install(python, lock, f"Installing the packages of {folder.name}", checkout=checkout)
            steps.mark_done(stamp, state)
    return python


def _pip(python: Path) -> list[str | Path]:
    # The checkout's own pip: other environments have none.
    pip: list[str | Path] = [steps.VENV_PYTHON, "-m", "pip", "--python", python]
    return [*pip, "--disable-pip-version-check", "--no-input", "install"]


def _install_with(installer: list[str | Path], lock: Path, title: str, checkout: bool) -> None:
    env = steps.clean_env()
    steps.run(title, [*installer, "--require-hashes", "-r", lock], env=env)
    if checkout:
        here: list[str | Path] = ["--no-deps", "--no-build-isolation", "-e", steps.ROOT]
        steps.run("Installing this checkout", [*installer, *here], env=env)


def _uv() -> str | None:
    """Return the machine's uv, or that of `.venv`, installed if need be; None when it cannot be."""
    here = str(steps.VENV / "bin")
    uv = shutil.which("uv") or shutil.which("uv", path=here)
    if uv is None and steps.VENV_PYTHON.exists():
        try:
            steps.run(
                "Installing uv, which installs the others",
                [*_pip(steps.VENV_PYTHON), "--require-hashes", "-r", _UV_LOCK],
                env=steps.clean_env(),
            )
        except steps.StepFailed as failure:
            steps.say(str(failure))
        uv = shutil.which("uv", path=here)
    return uv
