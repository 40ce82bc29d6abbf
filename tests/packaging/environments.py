"""Empty environments, and the wheel in them: what a user gets, nothing of this checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def user_env(home: Path) -> dict[str, str]:
    """Return an environment as a user has it: no setting but the home, nothing that leads to the checkout."""
    leaking = ("AGENTOPS_", "OTEL_", "PYTHON", "VIRTUAL_ENV", "PYTEST_", "COV_", "MAKE", "MFLAGS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(leaking)}
    return {**kept, "AGENTOPS_HOME": str(home)}


def build_wheel(folder: Path) -> Path:
    """Build the wheel as `make wheel` does."""
    subprocess.run(
        [sys.executable, ROOT / "scripts" / "wheel.py", folder], check=True, stdout=subprocess.DEVNULL
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def locked_versions(folder: Path) -> Path:
    """Write the locked versions without hashes: constraints for an installation that holds our own wheel."""
    lock = (ROOT / "requirements" / "run.txt").read_text()
    pins = re.findall(r"^([a-z0-9][^\s\\]*==[^\\\n]*?)\s*\\?$", lock, flags=re.MULTILINE)
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(pins))
    return constraints


def installed(folder: Path, requirement: str) -> Path:
    """Create an empty environment, install one requirement into it, and return its folder.

    With uv, which takes a fifth of the time; with pip where only pip knows the way to packages.
    """
    environment = folder / "environment"
    env = user_env(folder)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True, env=env)
    python = environment / "bin" / "python"
    wanted: list[str | Path] = ["-c", locked_versions(folder), requirement]
    with_uv = [Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--python", python, *wanted]
    if subprocess.run(with_uv, check=False, env=env, cwd=folder).returncode:
        pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install"]
        subprocess.run([*pip, "-qq", "--no-compile", *wanted], check=True, env=env, cwd=folder)
    return environment


def distributions(environment: Path) -> set[str]:
    """Return the names of what is installed, normalised."""
    site = next((environment / "lib").glob("python3.*")) / "site-packages"
    return {re.sub(r"[-_.]+", "-", info.name.split("-")[0]).lower() for info in site.glob("*.dist-info")}
