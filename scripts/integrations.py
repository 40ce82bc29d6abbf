"""Run real programs of every library that we record, each in an environment that holds it.

Usage: python scripts/integrations.py [PYTEST ARGUMENT ...]

The libraries do not fit into one environment, nor into that of the checks: `environment()` makes those of
ENVIRONMENTS on demand, under build/integrations, from their locks. Afterwards docs/integrations.md is written
anew from what the programs' events were expected to be, and were.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import steps

ENVIRONMENTS: Final[dict[str, tuple[str, ...]]] = {
    "openai3": (
        "agno", "autogen", "bedrock", "google-genai", "groq", "haystack", "langchain", "mcp", "mistralai",
        "openai-agents", "pydantic-ai", "smolagents",
    ),
    "openai2": ("dspy", "litellm", "llama-index"),
    "crewai": ("crewai",),
}  # fmt: skip
"""Environments, and the extras of ours that each is locked with: requirements/integrations-NAME.txt."""


def environment(name: str) -> Path:
    """Return the Python of an environment, made if need be."""
    lock = steps.ROOT / "requirements" / f"integrations-{name}.txt"
    folder = steps.ROOT / "build" / "integrations" / name
    python = folder / "bin" / "python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # Two test runs at once make it once.
        state = steps.digest([lock], sys.version)
        stamp = folder / "agentops.stamp"
        if not steps.is_done(stamp, state):
            if not python.exists():
                steps.run(f"Creating {name}", [sys.executable, "-m", "venv", folder], env=steps.clean_env())
            _install(name, python, lock)
            steps.mark_done(stamp, state)
    return python


def _install(name: str, python: Path, lock: Path) -> None:
    """Install a lock and this checkout, with uv where it is there (seconds), else with pip (minutes)."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(steps.VENV / "bin"))
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    if uv is not None:
        try:
            _install_with([uv, "pip", "install", "--quiet", "--python", python], name, lock)
            return
        except steps.StepFailed as failure:
            # It reads no settings of pip: behind a mirror or a proxy only pip may get through.
            steps.say(f"{failure}\nOnce more, with pip.")
    _install_with(pip, name, lock)


def _install_with(pip: list[str | Path], name: str, lock: Path) -> None:
    env = steps.clean_env()
    steps.run(f"Installing the libraries of {name}", [*pip, "--require-hashes", "-r", lock], env=env)
    here: list[str | Path] = ["--no-deps", "--no-build-isolation", "-e", steps.ROOT]
    steps.run(f"Installing this checkout in {name}", [*pip, *here], env=env)


def make_all() -> None:
    """Make every environment."""
    for name in ENVIRONMENTS:
        environment(name)


def main(arguments: list[str]) -> int:
    """Make the environments, run the programs, write the page; return pytest's exit code."""
    make_all()
    command = [steps.VENV_PYTHON, "-m", "pytest", "-q", "tests/integrations", *arguments]
    code = subprocess.run(command, check=False, cwd=steps.ROOT, stdin=subprocess.DEVNULL).returncode
    if code == 0:
        page = [steps.VENV_PYTHON, "-m", "tests.integrations.page"]
        steps.run("Writing docs/integrations.md", page)
    return code


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except steps.StepFailed as failure:
        sys.exit(f"\n{failure}")
    except KeyboardInterrupt:
        sys.exit(130)
