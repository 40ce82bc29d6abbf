"""A server asks itself what the first page will ask, so that this is not the slow one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.serving import Server
from tests.spans import body, span

_REHEARSE = """
import json, sys
from agentops.server.query.rehearsal import rehearse
from agentops.server.store.opening import open_store
from agentops.server.store.url import StoreUrl
opened = open_store(StoreUrl.parse(f"chdb://{sys.argv[1]}/store"))
print(json.dumps(list(rehearse(opened.store, int(sys.argv[2])))))
opened.close()
"""


def rehearsed(home: Path) -> list[str]:
    """Return what is asked of a home's store, whose server has stopped."""
    command = [sys.executable, "-c", _REHEARSE, str(home), str(time.time_ns())]
    asked: list[str] = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    return asked


def test_every_kind_of_question_is_asked_where_there_is_a_session(tmp_path: Path) -> None:
    home = tmp_path / "home"
    server = Server(home)
    server.stop()
    assert rehearsed(home) == []

    server = Server(home)
    try:
        assert server.post("/v1/traces", body(span(1, 1), span(1, 2, 1))).status_code == 200
        server.wait("/api/sessions", lambda page: page["total"] == 1)
        before = server.get("/api/sessions")["sessions"]
    finally:
        server.stop()
    kinds = ["sessions", "filtered sessions", "facets", "analytics", "session", "timeline", "events"]
    assert rehearsed(home) == kinds

    # Asking changes nothing, and a server that has asked stops as any other.
    server = Server(home)
    try:
        assert server.get("/api/sessions")["sessions"] == before
    finally:
        assert server.stop() == 0
    assert not [line for line in server.log if "Traceback" in line]
