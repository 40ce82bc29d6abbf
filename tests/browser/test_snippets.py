"""The snippets of the Settings page: each runs as it stands and records a session."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.serving import Server
from tests.waiting import eventually

# What a web server does with one request, without its port.
CALL = """
from fastapi.testclient import TestClient
assert TestClient(app).post("/answer?question=hi").json() == "You asked: hi"
"""


@pytest.mark.parametrize("way", ["Python", "FastAPI", "OpenTelemetry", "curl"])
def test_it_runs_as_it_stands(module_server: Server, page: Page, tmp_path: Path, way: str) -> None:
    page.goto(f"{module_server.url}/settings")
    page.get_by_role("radio", name=way, exact=True).click()
    snippet = page.locator(".snippets pre")
    expect(snippet).to_contain_text(module_server.url)
    text = snippet.text_content() or ""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    before = module_server.get("/api/sessions", limit=1)["total"]
    shell = way in ("OpenTelemetry", "curl")
    ran = subprocess.run(
        ["bash", "-c", text] if shell else [sys.executable, "-c", text + (CALL if way == "FastAPI" else "")],
        env={**kept, "PATH": path, "AGENTOPS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    eventually(lambda: module_server.get("/api/sessions", limit=1)["total"] == before + 1)
