"""The program in README.md, run as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from examples.model_standin import StandIn

from tests.serving import Server
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]


def test_the_program_in_the_readme_records_a_session(server: Server, tmp_path: Path) -> None:
    (snippet,) = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "program.py").write_text(snippet)
    home = tmp_path / "home"
    with StandIn(first_token_s=0) as model:
        env = {**os.environ, "AGENTOPS_API_ENDPOINT": server.url, "AGENTOPS_HOME": str(home)}
        env |= {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "none"}
        run = subprocess.run(
            [sys.executable, "program.py"], cwd=folder, env=env, capture_output=True, text=True, timeout=60
        )
    assert run.returncode == 0, run.stderr
    assert [path.name for path in folder.iterdir()] == ["program.py"]

    def recorded() -> bool:
        (session,) = server.get("/api/sessions")["sessions"]
        counts = session["event_counts"]
        assert (session["state"], session["tags"]) == ("success", ["support"])
        assert (counts["agent"], counts["tool"], counts["llm"], counts["error"]) == (1, 1, 1, 0)
        return True

    eventually(recorded)
