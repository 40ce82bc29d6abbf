"""Build the wheel, with the dashboard inside, into dist/ (or the folder given): `make wheel`."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import frontend
import steps


def build(target: Path) -> Path:
    """Build the wheel and return its path.

    Raises:
        steps.StepFailed: a build failed, or the wheel lacks the dashboard.
    """
    frontend.build()
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("agentops-*.whl"):
        old.unlink()
    pip = [steps.VENV_PYTHON, "-m", "pip", "--disable-pip-version-check", "wheel"]
    steps.run("Building the wheel", [*pip, "--no-deps", "--no-build-isolation", "-w", target, steps.ROOT])
    (wheel,) = target.glob("agentops-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    if "agentops/server/static/index.html" not in names:
        raise steps.StepFailed(f"{wheel} was built without the dashboard.")
    return wheel


if __name__ == "__main__":
    try:
        wheel = build(Path(sys.argv[1]) if len(sys.argv) > 1 else steps.ROOT / "dist")
        steps.say(f"{wheel} ({wheel.stat().st_size / 1e6:.1f} MB)")
    except steps.StepFailed as failure:
        sys.exit(f"\n{failure}")
