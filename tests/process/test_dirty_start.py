"""A store whose making was cut short at any moment is finished by the next start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.serving import Server
from tests.spans import body, span
from tests.waiting import eventually


def tables(home: Path) -> int:
    # os.walk, unlike glob, passes over folders that the engine renames meanwhile.
    return sum(
        name.endswith(".sql")
        for folder, _, names in os.walk(home / "store")
        if not folder.endswith("metadata")
        for name in names
    )


def test_a_server_killed_while_it_makes_its_store_starts_again(start_server: Any, tmp_path: Path) -> None:
    home = tmp_path / "half"
    for made in (1, 4, 9, 13):
        process = subprocess.Popen(
            [sys.executable, "-m", "agentops.cli", "serve", "--port", "0", "--grpc-port", "off"],
            env={**os.environ, "AGENTOPS_HOME": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            eventually(lambda made=made: tables(home) >= made, within_s=60, every_s=0.001)
        finally:
            process.kill()
            process.wait()
    server: Server = start_server(home)
    assert server.post("/v1/traces", body(span(1, 1))).status_code == 200
    assert server.get("/api/sessions")["total"] == 1
