"""The doorway: what `import agentops` offers, what it costs, and what it leaves alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import agentops
import agentops.exceptions
import agentops.sdk.decorators as decorators

NAMES = """
ActionEvent ErrorEvent Event LLMEvent MultiSessionException NoSessionException Session ToolEvent
SUCCESS ERROR UNSET TraceState TraceContext ValidationError print_validation_summary set_parent_key
 add_tags agent configure create_agent current_session end_all_sessions
end_session end_trace get_api_key get_session guardrail init operation record record_action
record_function record_tool session set_api_key set_tags start_session start_trace stop_instrumenting task
tool trace track_agent track_endpoint track_tool update_trace_metadata validate_trace_spans workflow
"""


def test_the_public_names_are_these() -> None:
    assert sorted(agentops.__all__) == sorted(NAMES.split())
    assert all(hasattr(agentops, name) for name in agentops.__all__)
    assert agentops.MultiSessionException is agentops.exceptions.MultiSessionException
    assert all(getattr(agentops, name) is getattr(decorators, name) for name in decorators.__all__)
    assert agentops.__version__
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        agentops.nonsense  # noqa: B018 # pyright: ignore -- the point


SEEN = """
import sys, time
began = time.process_time()
import agentops
took = time.process_time() - began  # Of the processor: the machine may be busy with other things.
heavy = {"openai", "anthropic", "fastapi", "chdb", "pandas", "httpx", "requests", "google.protobuf", "ssl"}
heavy |= {"wrapt", "opentelemetry.sdk.trace", "openinference"}
server = [name for name in sys.modules if name.startswith("agentops.server")]
print(took, sorted(heavy & set(sys.modules)), server)
"""


def test_importing_is_quick_and_pulls_in_nothing_heavy() -> None:
    best = 10.0
    for _ in range(3):
        said = subprocess.run([sys.executable, "-c", SEEN], capture_output=True, text=True, check=True).stdout
        took, _, rest = said.partition(" ")
        assert rest.strip() == "[] []"
        best = min(best, float(took))
    assert best < 0.3


INIT = """
import logging, sys
import agentops
printing, importing, threads = print, __import__, None
agentops.init(endpoint="http://127.0.0.1:9")
assert print is printing and __builtins__.__import__ is importing
assert "openai" not in sys.modules and "anthropic" not in sys.modules
assert not logging.getLogger().handlers
logging.basicConfig()
assert logging.getLogger().handlers
"""


def test_init_imports_no_library_and_replaces_nothing(tmp_path: object) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", INIT],
        env={"AGENTOPS_HOME": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_every_public_name_is_in_the_guides_table() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "sdk.md").read_text()
    table = guide[guide.index("## Every name") :]
    missing = [name for name in agentops.__all__ if f"`{name}`" not in table]
    assert missing == []
