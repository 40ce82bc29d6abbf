"""Programs that close descriptors which they did not open, as daemons do: nothing is lost or spoilt."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import os, sys
import agentops

session = agentops.init(endpoint="http://127.0.0.1:1")
agentops.record(agentops.ActionEvent("before"))
os.closerange(3, int(sys.argv[1]))
own = [open(f"{sys.argv[2]}/own-{number}", "w+") for number in range(20)]
for number in range(3):
    agentops.record(agentops.ActionEvent(f"after-{number}"))
session.end_session("Success")
for file in own:
    file.write("mine")
    file.close()
"""


@pytest.mark.parametrize("highest", [256, 4096])
def test_a_program_that_closes_every_descriptor_loses_nothing_and_keeps_its_files(
    tmp_path: Path, highest: int
) -> None:
    env = {**os.environ, "AGENTOPS_HOME": str(tmp_path / "home")}
    program = [sys.executable, "-c", _PROGRAM, str(highest), str(tmp_path)]
    done = subprocess.run(program, env=env, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert {path.read_text() for path in tmp_path.glob("own-*")} == {"mine"}
    recorded = "".join(path.read_text() for path in (tmp_path / "home" / "journal").glob("*.jsonl"))
    for name in ("before", "after-0", "after-1", "after-2"):
        assert f'"{name}"' in recorded, done.stderr
