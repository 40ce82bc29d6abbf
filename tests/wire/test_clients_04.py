"""The published 0.4 client (with OpenTelemetry below 1.45), unmodified, against our server."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Server
from tests.standin import Models
from tests.wire.environments import KEY, run_client


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without keys."""
    server = Server(tmp_path_factory.mktemp("home"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def printed(open_server: Server) -> Iterator[str]:
    with Models() as models:
        yield run_client("0.4.21", "sessions_04.py", open_server.url, models.url)


def _trace(printed: str, word: str) -> str:
    found = re.search(rf"{word} ([0-9a-f]{{32}})", printed)
    assert found, printed
    return found[1]


def _session(server: Server, trace_id: str) -> dict[str, Any]:
    return server.wait(f"/api/sessions/{uuid.UUID(trace_id)}", lambda found: found["state"] != "running")


@pytest.mark.timeout(400)  # The first run installs the client.
def test_a_trace_is_a_session_with_agents_tools_and_calls(open_server: Server, printed: str) -> None:
    session = _session(open_server, _trace(printed, "ENDED"))
    assert (session["name"], session["state"]) == ("support call", "success")
    assert session["tags"] == ["support", "urgent"]
    counts = session["event_counts"]
    assert {kind: counts[kind] for kind in ("agent", "operation", "tool", "llm", "total")} == {
        "agent": 1, "operation": 3, "tool": 1, "llm": 1, "total": 6,
    }  # fmt: skip
    assert session["cost_usd"] == pytest.approx(0.05 + (21 * 2.5 + 8 * 10) / 1e6)
    events = open_server.get(f"/api/sessions/{session['session_id']}/events")["events"]
    names = {event["name"]: event for event in events}
    assert names["find_order"]["parent_id"] == names["work"]["event_id"]
    assert names["find_order"]["cost_usd"] == 0.05
    assert "Researcher" in session["agents"]
    called = next(event for event in events if event["kind"] == "llm")
    whole = open_server.get(f"/api/sessions/{session['session_id']}/events/{called['event_id']}")
    assert [message["parts"][0]["content"] for message in whole["messages"]] == [
        "What is the capital of France?",
        "Paris is the capital of France.",
    ]


def test_end_states_and_their_absence(open_server: Server, printed: str) -> None:
    assert _session(open_server, _trace(printed, "FAILED"))["state"] == "fail"
    assert _session(open_server, _trace(printed, "SILENT"))["state"] == "success"
    listed = open_server.get("/api/sessions", tag="decorated")["sessions"]
    assert [session["name"] for session in listed] == ["decorated"]
    assert listed[0]["state"] == "success"


@pytest.mark.timeout(400)
def test_a_trace_that_nobody_ended_is_indeterminate(open_server: Server) -> None:
    run_client("0.4.21", "left_04.py", open_server.url)
    (session,) = open_server.get("/api/sessions", tag="noted")["sessions"]
    assert (session["state"], session["tags"]) == ("indeterminate", ["left", "noted"])


def test_printed_lines_are_the_sessions_logs(open_server: Server, printed: str) -> None:
    session_id = uuid.UUID(_trace(printed, "ENDED"))
    logs = open_server.wait(f"/api/sessions/{session_id}/logs", lambda found: found["logs"])["logs"]
    assert any(log["body"] == "the first line" and log["severity_text"] == "INFO" for log in logs)
    page = open_server.http.get(f"/sessions?trace_id={session_id.hex}", headers={"Accept": "text/html"})
    assert page.headers["location"] == f"/sessions/{session_id}"


def test_the_public_read_api_tells_the_same(open_server: Server, printed: str) -> None:
    trace_id = _trace(printed, "ENDED")
    session = _session(open_server, trace_id)
    bearer = open_server.post("/public/v1/auth/access_token", {"api_key": KEY}).json()["bearer"]
    headers = {"Authorization": f"Bearer {bearer}"}

    def get(path: str) -> Any:
        answer = open_server.http.get(f"/public/v1/{path}", headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    project = get("project")
    trace = get(f"traces/{trace_id}")
    assert trace["project_id"] == project["id"]
    assert trace["tags"] == ["support", "urgent"]
    # The session's own span is a span, too.
    assert len(trace["spans"]) == session["event_counts"]["total"] + 1
    root = next(span for span in trace["spans"] if span["parent_span_id"] is None)
    assert root["status_code"] == "OK"
    metrics = get(f"traces/{trace_id}/metrics")
    assert (metrics["prompt_tokens"], metrics["completion_tokens"]) == (21, 8)
    assert metrics["total_cost"] == f"{session['cost_usd']:.7f}"
    assert metrics["prompt_cost"] == f"{21 * 2.5 / 1e6:.7f}"
    assert metrics["span_count"] == metrics["success_count"] == len(trace["spans"])
    called = next(span for span in trace["spans"] if "openai" in span["span_name"])
    assert "find_order.tool" in [span["span_name"] for span in trace["spans"]]
    whole = get(f"spans/{called['span_id']}")
    assert whole["attributes"]["gen_ai.usage.prompt_tokens"] == 21
    assert whole["service_name"] == "agentops"
    own = get(f"spans/{called['span_id']}/metrics")
    assert (own["total_tokens"], own["success_tokens"], own["fail_tokens"]) == (29, 29, 0)
    assert open_server.http.get(f"/public/v1/traces/{'f' * 32}", headers=headers).status_code == 404


def test_with_keys_the_token_names_the_project(tmp_path: Path) -> None:
    server = Server(tmp_path, arguments=("--port", "0", "--auth"))
    try:
        found = re.search(r"shown only now: (\S+)", "".join(server.log))
        assert found
        owner = {"Authorization": f"Bearer {found[1]}"}
        server.http.post("/api/projects", json={"name": "Team"}, headers=owner)
        key = server.http.post("/api/keys", json={"project": "Team", "scope": "record"}, headers=owner).json()
        with Models() as models:
            run_client("0.4.21", "sessions_04.py", server.url, models.url, key=key["key"])
        reading = server.http.post(
            "/api/keys", json={"project": "Team", "scope": "read"}, headers=owner
        ).json()
        listed = server.http.get("/api/sessions", headers={"X-Agentops-Api-Key": reading["key"]}).json()
        assert sorted(session["name"] for session in listed["sessions"]) == [
            "decorated",
            "failing call",
            "no state said",
            "support call",
        ]
        assert server.http.get("/api/sessions", headers=owner).json()["total"] == 0
    finally:
        server.close()
