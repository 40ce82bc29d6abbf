"""The guide, docs/sdk.md: every snippet runs as printed, and leaves no session running."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import Server
from tests.standin import Models

GUIDE = Path(__file__).parents[2] / "docs" / "sdk.md"
SNIPPETS = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def models() -> Iterator[Models]:
    with Models() as running:
        yield running


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_a_snippet_of_the_guide_runs(
    module_server: Server, models: Models, tmp_path: Path, number: int
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SNIPPETS[number]],
        env={
            **kept,
            "AGENTOPS_HOME": str(module_server.home),
            "AGENTOPS_API_ENDPOINT": module_server.url,
            "OPENAI_BASE_URL": f"{models.url}/v1",
            "OPENAI_API_KEY": "none",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
    module_server.wait(
        "/api/sessions", lambda got: all(one["state"] != "running" for one in got["sessions"]), limit=500
    )
