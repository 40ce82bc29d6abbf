"""The 0.3 routes by themselves: what clients send that no test program makes them send."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.serving import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("home"))
    yield started
    started.close()


@pytest.fixture
def session(server: Server) -> str:
    session_id = str(uuid.uuid4())
    said = {"session_id": session_id, "init_timestamp": "2026-11-20T12:00:00.000Z", "tags": ["a"]}
    answer = server.post("/v2/create_session", {"session": said}, X_Agentops_Api_Key=str(uuid.uuid4()))
    assert answer.status_code == 200
    assert answer.json()["jwt"].count(".") == 2
    assert answer.json()["session_url"] == f"{server.url}/sessions/{session_id}"
    return session_id


def _event(session_id: str, **more: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "event_type": "actions",
        "action_type": "step",
        "init_timestamp": "2026-11-20T12:00:01.000Z",
        "end_timestamp": "2026-11-20T12:00:02.500Z",
        "session_id": session_id,
        **more,
    }


def _events(server: Server, session_id: str) -> list[dict[str, Any]]:
    return server.get(f"/api/sessions/{session_id}/events")["events"]


def test_an_event_that_comes_again_or_is_updated_is_one(server: Server, session: str) -> None:
    event = _event(session)
    for path, change in (
        ("create_events", {}),
        ("create_events", {}),
        ("update_events", {"returns": "changed"}),
    ):
        assert server.post(f"/v2/{path}", {"events": [{**event, **change}]}).status_code == 200
    (one,) = _events(server, session)
    assert (one["output_preview"], one["duration_ms"]) == ("changed", 1500)
    # An update may move it in time, too.
    moved = {**event, "init_timestamp": "2026-11-20T12:00:00.500Z"}
    assert server.post("/v2/update_events", {"events": [moved]}).status_code == 200
    (one,) = _events(server, session)
    assert one["duration_ms"] == 2000


@pytest.mark.parametrize("field", ["id", "event_id"])
def test_an_update_of_an_event_leaves_what_it_does_not_name(server: Server, session: str, field: str) -> None:
    call = _event(session, event_type="llms", model="gpt-4o", prompt="hi", prompt_tokens=9)
    assert server.post("/v2/create_events", {"events": [call]}).status_code == 200
    change = {field: call["id"], "session_id": session, "completion": "yo", "completion_tokens": 5}
    assert server.post("/v2/update_events", {"events": [change]}).status_code == 200
    (one,) = _events(server, session)
    assert (one["kind"], one["name"], one["duration_ms"]) == ("llm", "gpt-4o", 1500)
    assert (one["input_preview"], one["output_preview"]) == ("hi", "yo")
    assert (one["tokens"]["input"], one["tokens"]["output"]) == (9, 5)


@pytest.mark.parametrize(
    ("event_type", "kind", "name"),
    [
        ("llm", "llm", "llm"), ("tool", "tool", "tool"), ("error", "error", "error"),
        ("actions", "action", "action"), ("apis", "action", "api"), ("a new one", "action", "a new one"),
    ],
)  # fmt: skip
def test_types_as_the_rest_documentation_writes_them(
    server: Server, session: str, event_type: str, kind: str, name: str
) -> None:
    said = {"event_type": event_type, "session_id": session, "input": "in", "output": "out"}
    assert server.post("/v2/create_events", {"events": [said]}).status_code == 200
    (one,) = _events(server, session)
    assert (one["kind"], one["name"]) == (kind, name)
    assert (one["input_preview"], one["output_preview"]) == ("in", "out")


def test_an_update_of_a_session_leaves_what_it_does_not_name(server: Server) -> None:
    session = str(uuid.uuid4())
    begun = {"session_id": session, "init_timestamp": "2026-11-20T12:00:00.000Z", "tags": ["a"],
             "host_env": {"OS": {"OS": "Linux"}}, "video": "https://v.example/1"}  # fmt: skip
    ended = {"session_id": session, "end_timestamp": "2026-11-20T12:01:00.000Z", "end_state": "Success"}
    assert server.post("/v2/create_session", {"session": begun}).status_code == 200
    assert server.post("/v2/update_session", {"session": ended}).status_code == 200
    shown = server.get(f"/api/sessions/{session}")
    assert (shown["state"], shown["tags"], shown["host_env"]) == ("success", ["a"], begun["host_env"])
    # And an end stays when tags come after it.
    assert server.post("/v2/update_session", {"session": {"session_id": session, "tags": ["b"]}}).is_success
    shown = server.get(f"/api/sessions/{session}")
    assert (shown["state"], shown["tags"], shown["duration_ms"]) == ("success", ["b"], 60_000)


def test_a_session_that_says_it_runs_has_not_ended(server: Server, session: str) -> None:
    """`get_analytics()` of 0.3.26 sends an end time and an end state while the session goes on."""
    said = {"session_id": session, "end_timestamp": "2026-11-20T12:01:00.000Z", "end_state": "Indeterminate"}
    assert server.post("/v2/update_session", {"session": {**said, "is_running": True}}).status_code == 200
    assert server.get(f"/api/sessions/{session}")["state"] == "running"
    assert server.post("/v2/update_session", {"session": {**said, "is_running": False}}).status_code == 200
    assert server.get(f"/api/sessions/{session}")["state"] == "indeterminate"


@pytest.mark.parametrize("state", [None, "", "as it were"])
def test_an_end_that_does_not_say_how_leaves_it_open(server: Server, session: str, state: str | None) -> None:
    ended = {"session_id": session, "end_timestamp": "2026-11-20T12:01:00.000Z", "end_state": state}
    assert server.post("/v2/update_session", {"session": ended}).status_code == 200
    assert server.get(f"/api/sessions/{session}")["state"] == "indeterminate"


def test_a_body_that_is_too_deep_is_refused(server: Server) -> None:
    deep = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    for path in ("create_session", "update_session", "create_events", "create_agent", "reauthorize_jwt"):
        answer = server.post(f"/v2/{path}", deep, content_type="application/json")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed_body")


def test_one_bad_event_sinks_no_batch(server: Server, session: str) -> None:
    sent: list[Any] = [
        "no object",
        _event(session, action_type="good"),
        _event(session, init_timestamp="yesterday", end_timestamp=None, action_type="no time"),
        {"event_type": "of the future", "session_id": session, "anything": {"deep": [1]}},
    ]
    assert server.post("/v2/create_events", {"events": sent}).status_code == 200
    assert sorted(event["name"] for event in _events(server, session)) == ["good", "no time", "of the future"]


def test_what_pythons_encoder_lets_through_is_read(server: Server, session: str) -> None:
    event = _event(session, event_type="tools", params={"x": float("nan"), "y": "\ud83d"})
    body = json.dumps({"events": [event]})
    answer = server.post("/v2/create_events", body.encode(), content_type="application/json")
    assert answer.status_code == 200, answer.text
    (one,) = _events(server, session)
    detail = server.get(f"/api/sessions/{session}/events/{one['event_id']}")
    assert detail["input"] == {"x": None, "y": "?"}


def test_an_error_without_an_id_is_kept_once(server: Server, session: str) -> None:
    error = {
        "event_type": "errors",
        "error_type": "KeyError",
        "details": "'order'",
        "logs": "NoneType: None\n",
        "timestamp": "2026-11-20T12:00:03.000Z",
        "trigger_event_id": "t-1",
        "session_id": session,
    }
    for _ in range(2):
        assert server.post("/v2/create_events", {"events": [error]}).status_code == 200
    (one,) = _events(server, session)
    detail = server.get(f"/api/sessions/{session}/events/{one['event_id']}")
    assert (detail["error"]["type"], detail["error"]["message"]) == ("KeyError", "'order'")
    assert not detail["error"]["stack"]
    assert detail["attributes"]["agentops.error.trigger_event_id"] == "t-1"


def test_a_cost_that_the_client_names_wins(server: Server, session: str) -> None:
    call = _event(session, event_type="llms", model="gpt-4o", prompt="a", completion="b", prompt_tokens=9,
                  completion_tokens=9, cost=0.25)  # fmt: skip
    assert server.post("/v2/create_events", {"events": [call]}).status_code == 200
    ended = {"session_id": session, "end_timestamp": "2026-11-20T12:01:00.000Z", "end_state": "Fail",
             "end_state_reason": "because", "tags": ["b"]}  # fmt: skip
    answer = server.post("/v2/update_session", {"session": ended})
    assert answer.json() == {"status": "success", "token_cost": "0.25"}
    shown = server.get(f"/api/sessions/{session}")
    assert (shown["state"], shown["state_reason"], shown["tags"]) == ("fail", "because", ["b"])
    assert shown["duration_ms"] == 60_000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("create_session", {}),
        ("create_session", {"session": {}}),
        ("create_session", {"session": {"session_id": "x", "init_timestamp": "no"}}),
        ("update_session", {"session": []}),
        ("create_events", {"events": 1}),
        ("create_events", {"events": [{"event_type": "llms"}]}),
        ("create_agent", {"id": "a"}),
        ("reauthorize_jwt", {}),
    ],
)
def test_what_cannot_be_meant_is_refused_as_json(server: Server, path: str, body: Any) -> None:
    answer = server.post(f"/v2/{path}", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_a_token_is_renewed_and_names_its_session(server: Server, session: str) -> None:
    jwt = server.post("/v2/reauthorize_jwt", {"session_id": session}).json()["jwt"]
    event = _event(session, action_type="by token")
    del event["session_id"]
    answer = server.post("/v2/create_events", {"events": [event]}, Authorization=f"Bearer {jwt}")
    assert answer.status_code == 200
    assert [one["name"] for one in _events(server, session)] == ["by token"]
