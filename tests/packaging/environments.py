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
    """Create an empty environment, install one requirement into it, and return its folder."""
    environment = folder / "environment"
    env = user_env(folder)
    subprocess.run([sys.executable, "-m", "venv", environment], check=True, env=env)
    # Without compiling: the many modules that are never imported need no bytecode.
    pip = [environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    subprocess.run(
        [*pip, "--no-compile", "-c", locked_versions(folder), requirement], check=True, env=env, cwd=folder
    )
    return environment


def distributions(environment: Path) -> set[str]:
    """Return the names of what is installed, normalised, without the installer itself."""
    site = next((environment / "lib").glob("python3.*")) / "site-packages"
    found = {re.sub(r"[-_.]+", "-", info.name.split("-")[0]).lower() for info in site.glob("*.dist-info")}
    return found - {"pip", "setuptools"}
