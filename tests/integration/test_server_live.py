"""Live notices: what changed, at once, and after a break."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.serving import Server
from tests.spans import body, span

_traces = itertools.count(random.getrandbits(60) << 60)


@pytest.fixture
def trace() -> int:
    return next(_traces)


def session_of(trace: int) -> str:
    return str(UUID(int=trace))


def listening(
    server: Server, ready: threading.Event, found: list[tuple[float, dict[str, Any]]], until: str
) -> None:
    with httpx.stream("GET", f"{server.url}/api/live", timeout=20) as stream:
        for line in stream.iter_lines():
            if line.startswith(":"):
                ready.set()
            if line.startswith("data: "):
                found.append((time.monotonic(), json.loads(line.removeprefix("data: "))))
                if until in found[-1][1]["sessions"]:
                    return


def test_live_names_what_changed_at_once(module_server: Server, trace: int) -> None:
    ready = threading.Event()
    found: list[tuple[float, dict[str, Any]]] = []
    thread = threading.Thread(target=listening, args=(module_server, ready, found, session_of(trace)))
    thread.start()
    assert ready.wait(10)
    module_server.post("/v1/traces", body(span(trace, 1)))
    acknowledged = time.monotonic()
    thread.join(10)
    assert found
    assert found[-1][0] - acknowledged < 10.0


def test_live_names_the_session_of_a_log_record_without_a_trace(module_server: Server, trace: int) -> None:
    session = f"named-{trace}"
    module_server.post("/v1/traces", body(span(trace, 1, session__id=session)))
    module_server.get(f"/api/sessions/{session}")
    ready = threading.Event()
    found: list[tuple[float, dict[str, Any]]] = []
    thread = threading.Thread(target=listening, args=(module_server, ready, found, session))
    thread.start()
    assert ready.wait(10)
    record = {
        "timeUnixNano": str(time.time_ns()),
        "body": {"stringValue": "said"},
        "attributes": [{"key": "session.id", "value": {"stringValue": session}}],
    }
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    assert module_server.post("/v1/logs", logs).status_code == 200
    thread.join(20)
    assert session in [one for _, notice in found for one in notice["sessions"]]
    assert [one["body"] for one in module_server.get(f"/api/sessions/{session}/logs")["logs"]] == ["said"]


def test_live_resumes_after_the_last_notice_seen(module_server: Server, trace: int) -> None:
    def first_ids(headers: dict[str, str], send: bool) -> tuple[str, list[str]]:
        number = ""
        with httpx.stream("GET", f"{module_server.url}/api/live", headers=headers, timeout=10) as stream:
            for line in stream.iter_lines():
                if line.startswith(":") and send:
                    module_server.post("/v1/traces", body(span(next(_traces), 1)))
                    send = False
                if line.startswith("id: "):
                    number = line.removeprefix("id: ")
                if line.startswith("data: "):
                    return number, json.loads(line.removeprefix("data: "))["sessions"]
        raise AssertionError("the stream ended")

    number, _ = first_ids({}, send=True)
    module_server.post("/v1/traces", body(span(trace, 1)))
    module_server.get(f"/api/sessions/{session_of(trace)}")
    _, missed = first_ids({"last-event-id": number}, send=False)
    assert session_of(trace) in missed
