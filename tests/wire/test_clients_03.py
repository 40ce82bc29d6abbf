"""The published 0.3 clients, unmodified, against our server: only their address is changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.environments import client_python
from tests.serving import Server
from tests.standin import Models
from tests.waiting import eventually
from tests.wire.environments import run_client

VERSIONS = ("0.3.2", "0.3.26")


@pytest.fixture(scope="module")
def quiet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose silence is short: sessions without an end show it soon."""
    server = Server(tmp_path_factory.mktemp("home"), environment={"AGENTOPS_FOREIGN_SILENCE": "5"})
    yield server
    server.close()


@pytest.fixture(scope="module")
def models() -> Iterator[Models]:
    with Models() as standin:
        yield standin


def _session_of(output: str) -> str:
    found = re.search(r"SESSION (\S+)", output)
    assert found, output
    return found[1]


def _events(server: Server, session_id: str) -> list[dict[str, Any]]:
    return server.get(f"/api/sessions/{session_id}/events", limit=1000)["events"]


@pytest.mark.timeout(400)  # The first run installs the client.
@pytest.mark.parametrize("version", VERSIONS)
def test_everything_that_a_program_records_looks_as_ours_does(
    version: str, quiet_server: Server, models: Models
) -> None:
    client_python(version)
    output = run_client(version, "sessions_03.py", quiet_server.url, "end", models.url)
    session_id = _session_of(output)
    assert "ANSWER Paris is the capital of France." in output

    session = quiet_server.get(f"/api/sessions/{session_id}")
    assert (session["state"], session["state_reason"]) == ("success", "answered")
    assert session["tags"] == ["support", "urgent"]
    assert session["host_env"]["SDK"]["Python Version"]
    assert session["name"], "the folder that the program ran in"
    counts = session["event_counts"]
    assert {kind: counts[kind] for kind in ("llm", "tool", "action", "error", "agent")} == {
        "llm": 3, "tool": 1, "action": 2, "error": 1, "agent": 1,
    }  # fmt: skip
    assert session["tools"] == ["find_order"]
    assert session["agents"] == ["Researcher"]
    assert session["error_types"] == ["ValueError"]
    # gpt-4o: 2.5 and 10 dollars a million; the call by itself had 21 tokens in and 8 out.
    assert session["cost_usd"] == pytest.approx((1021 * 2.5 + 508 * 10) / 1e6)
    cost = re.search(r"COST (\S+)", output)
    if version == "0.3.2":
        assert cost, output
    else:  # That client returns its cost from the module's own end_session; it says it in its log.
        cost = re.search(r"Cost: \$?([0-9.]+)|COST ([0-9.]+)", output)
        assert cost, output
    said = next(group for group in (*cost.groups(), cost[0]) if group)
    assert float(said) == pytest.approx(session["cost_usd"], abs=1e-6)

    events = {event["name"]: event for event in _events(quiet_server, session_id)}
    agent = events["Researcher"]
    assert agent["kind"] == "agent"
    assert events["find_order"]["agent"] == "Researcher"
    assert events["find_order"]["parent_id"] == agent["event_id"]
    tool = quiet_server.get(f"/api/sessions/{session_id}/events/{events['find_order']['event_id']}")
    assert (tool["input"], tool["output"]) == ({"number": "1042"}, {"state": "shipped"})
    action = quiet_server.get(f"/api/sessions/{session_id}/events/{events['send_mail']['event_id']}")
    assert action["attributes"]["agentops.entity.logs"] == "250 OK"
    assert action["attributes"]["agentops.action.screenshot"] == "shot.png"
    error = quiet_server.get(f"/api/sessions/{session_id}/events/{events['ValueError']['event_id']}")
    assert error["status"] == "error"
    assert error["error"]["message"] == "no such order"
    assert "Traceback" in error["error"]["stack"]
    whole = [
        quiet_server.get(f"/api/sessions/{session_id}/events/{event['event_id']}")
        for event in _events(quiet_server, session_id)
        if event["kind"] == "llm"
    ]
    asked = [call["messages"][0]["parts"][0]["content"] for call in whole]
    assert sorted(asked) == ["Hello", "What is the capital of France?", "plain words"]
    by_itself = next(call for call in whole if call["messages"][0]["parts"][0]["content"].endswith("France?"))
    assert by_itself["messages"][1]["parts"][0]["content"] == "Paris is the capital of France."
    assert (by_itself["tokens"]["input"], by_itself["tokens"]["output"]) == (21, 8)
    unknown = next(call for call in whole if call["model"] == "a-model-of-mine")
    assert unknown["cost_usd"] is None
    assert unknown["tokens"]["input"] is None

    stats = quiet_server.get(f"/v2/sessions/{session_id}/stats")
    assert stats["event_counts"]["total"] == counts["total"]
    export = quiet_server.get(f"/v2/sessions/{session_id}/export")
    assert {name: len(listed) for name, listed in export["events"].items()} == {
        "llms": 3, "tools": 1, "errors": 1, "actions": 3,
    }  # fmt: skip


@pytest.mark.timeout(400)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_program_that_leaves_without_an_end_becomes_indeterminate(
    version: str, quiet_server: Server, models: Models
) -> None:
    output = run_client(version, "sessions_03.py", quiet_server.url, "go", models.url)
    session_id = _session_of(output)
    session = quiet_server.wait(
        f"/api/sessions/{session_id}", lambda found: found["state"] != "running", timeout_s=30
    )
    assert session["state"] == "indeterminate"


@pytest.mark.timeout(400)
def test_a_process_that_inherits_a_session_contributes_to_it(quiet_server: Server, models: Models) -> None:
    first = run_client("0.3.26", "sessions_03.py", quiet_server.url, "go", models.url)
    session_id = _session_of(first)
    before = quiet_server.get(f"/api/sessions/{session_id}")
    second = run_client("0.3.26", "sessions_03.py", quiet_server.url, "fail", models.url, session_id)
    assert _session_of(second) == session_id
    after = quiet_server.get(f"/api/sessions/{session_id}")
    assert after["started_at"] == before["started_at"]
    assert after["event_counts"]["total"] == 2 * before["event_counts"]["total"]
    assert (after["state"], after["state_reason"]) == ("fail", "gave up")


@pytest.mark.timeout(400)
@pytest.mark.parametrize("version", VERSIONS)
def test_sessions_of_one_process_never_mix(version: str, quiet_server: Server) -> None:
    output = run_client(version, "many_03.py", quiet_server.url)
    found = re.search(r"SESSIONS (\S+) (\S+)", output)
    assert found, output
    for session_id, word, state, count in (
        (found[1], "first", "success", 20), (found[2], "second", "fail", 21)
    ):  # fmt: skip
        session = eventually(lambda wanted=session_id: quiet_server.get(f"/api/sessions/{wanted}"))
        assert (session["state"], session["tags"]) == (state, [word])
        names = [event["name"] for event in _events(quiet_server, session_id)]
        assert len(names) == count
        assert all(name.startswith(word) for name in names)


def test_a_client_that_is_asked_for_a_key_shows_its_own(tmp_path: Path, models: Models) -> None:
    server = Server(tmp_path / "home", arguments=("--port", "0", "--auth"))
    try:
        key = re.search(r"shown only now: (\S+)", "".join(server.log))
        assert key
        output = run_client("0.3.26", "sessions_03.py", server.url, "end", models.url, key=key[1])
        found = server.http.get(
            f"/api/sessions/{_session_of(output)}", headers={"X-Agentops-Api-Key": key[1]}
        )
        assert found.json()["state"] == "success"
        refused = run_client("0.3.26", "sessions_03.py", server.url, "end", models.url, code=1)
        assert "invalid API key" in refused
    finally:
        server.close()
