"""Run programs with the published clients, each in the environment of its version."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from tests.environments import client_python

_PROGRAMS = Path(__file__).parent / "programs"
KEY = "11111111-2222-4333-8444-555555555555"


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
