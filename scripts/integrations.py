"""Run real programs of every library that we record, each in an environment that holds it.

Usage: python scripts/integrations.py [PYTEST ARGUMENT ...]

The libraries do not fit into one environment, nor into that of the checks: `environment()` makes those of
ENVIRONMENTS on demand, under build/integrations, from their locks. Afterwards docs/integrations.md is written
anew from what the programs' events were expected to be, and were.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import packages
import steps

ENVIRONMENTS: Final[dict[str, tuple[str, ...]]] = {
    "openai3": (
        "agno", "autogen", "bedrock", "google-genai", "groq", "haystack", "langchain", "mcp", "mistralai",
        "openai-agents", "pydantic-ai", "smolagents",
    ),
    "openai2": ("dspy", "litellm", "llama-index"),
    "crewai": ("crewai",),
    "older": (),
}  # fmt: skip
"""Environments, and the extras of ours that each is locked with: requirements/integrations-NAME.txt."""


def environment(name: str) -> Path:
    """Return the Python of an environment, made if need be."""
    lock = steps.ROOT / "requirements" / f"integrations-{name}.txt"
    return packages.environment(steps.ROOT / "build" / "integrations" / name, lock, checkout=True)


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
