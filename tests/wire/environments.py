"""Environments of the published clients: `build/clients/<version>`, made on demand from their locks.

They take the import name `agentops`, so that each has an environment of its own. One that stands is used
again until its lock changes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_PROGRAMS = Path(__file__).parent / "programs"
KEY = "11111111-2222-4333-8444-555555555555"


def client_python(version: str) -> Path:
    """Return the Python of a client's environment, made when it is missing or out of date."""
    lock = _ROOT / "requirements" / f"clients-{version}.txt"
    folder = _ROOT / "build" / "clients" / version
    folder.parent.mkdir(parents=True, exist_ok=True)
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = folder / "locked"
    python = folder / "bin" / "python"
    with (folder.parent / f"{version}.making").open("w") as making:
        fcntl.flock(making, fcntl.LOCK_EX)
        if not (stamp.is_file() and stamp.read_text() == wanted):
            shutil.rmtree(folder, ignore_errors=True)
            env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
            subprocess.run([sys.executable, "-m", "venv", folder], check=True, env=env)
            subprocess.run(
                [
                    python, "-m", "pip", "--disable-pip-version-check", "install", "-qq", "--no-compile",
                    "--no-deps", "--require-hashes", "-r", lock,
                ],
                check=True,
                env=env,
            )  # fmt: skip
            stamp.write_text(wanted)
    return python


def run_client(
    version: str, program: str, server_url: str, *arguments: str, key: str = KEY, code: int = 0, **more: str
) -> str:
    """Run a program of tests/wire/programs with a published client; return what it printed."""
    dropped = ("AGENTOPS_", "OTEL_", "PYTHON", "OPENAI_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    endpoints = {
        "AGENTOPS_API_KEY": key,
        "AGENTOPS_API_ENDPOINT": server_url,
        "AGENTOPS_EXPORTER_ENDPOINT": f"{server_url}/v1/traces",
        "AGENTOPS_APP_URL": server_url,
        # They ask the package index whether they are out of date: a port that nobody answers is quickest.
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "OPENAI_API_KEY": "none",
    }
    # They write a log file where they run.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [client_python(version), _PROGRAMS / program, *arguments],
            cwd=folder,
            env={**kept, **endpoints, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=90,
            check=False,
        )
    assert done.returncode == code, done.stdout
    return done.stdout
