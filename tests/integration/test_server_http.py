"""The server's manners over HTTP: one error shape, its own pages only, events, exports, operations."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import socket
import time
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.serving import Server, error_of
from tests.spans import MS, SECOND, body, span

_traces = itertools.count(random.getrandbits(60) << 60)


@pytest.fixture
def trace() -> int:
    return next(_traces)


def session_of(trace: int) -> str:
    return str(UUID(int=trace))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/api/sessions/none", 404),
        ("GET", "/api/sessions/none/events", 404),
        ("GET", "/api/sessions/none/timeline", 404),
        ("GET", "/api/sessions/none/logs", 404),
        ("GET", "/api/sessions/none/export", 404),
        ("GET", "/api/sessions/none/events/0000000000000001", 404),
        ("DELETE", "/api/sessions/none", 404),
        ("POST", "/v1/nothing", 404),
        ("GET", "/v1/traces", 405),
        ("POST", "/api/sessions", 405),
        ("GET", "/nothing/here", 404),
        ("POST", "/nothing/here", 405),
        ("GET", "/api/sessions?limit=0", 400),
        ("GET", "/api/sessions?limit=501", 400),
        ("GET", "/api/sessions?limit=x", 400),
        ("GET", "/api/sessions?sort=size", 400),
        ("GET", "/api/sessions?state=failed", 400),
        ("GET", "/api/sessions?since=yesterday", 400),
        ("GET", "/api/sessions?cursor=abc", 400),
        ("GET", "/api/sessions?min_duration=long", 400),
        ("GET", "/api/sessions?min_cost=nan", 400),
        ("GET", "/api/sessions?tagg=x", 400),
        ("GET", "/api/analytics?interval=year", 400),
    ],
)
def test_every_refusal_has_the_one_shape(module_server: Server, method: str, path: str, status: int) -> None:
    answer = module_server.http.request(method, path)
    assert answer.status_code == status, answer.text
    error_of(answer)


@pytest.mark.embedded_only
def test_a_misspelt_parameter_is_told_the_nearest(module_server: Server) -> None:
    error = error_of(module_server.http.get("/api/sessions", params={"statte": "fail"}))
    assert "statte" in error["message"]
    assert "'state'" in error["hint"]
    error = error_of(module_server.http.get("/api/sessions", params={"state": "failed"}))
    assert "fail" in error["hint"]
    for cost in ("cheap", "-1", "nan"):
        error = error_of(module_server.http.get("/api/sessions", params={"min_cost": cost}))
        assert error["message"].startswith("min_cost: ")
        assert "US dollars" in error["hint"]


@pytest.mark.embedded_only
@pytest.mark.parametrize(
    "change", [{"names": "x"}, {"name": 3}, {"tags": "x"}, {"tags": [""]}, {"add_tags": [""]}, [], "x"]
)
def test_a_patch_that_cannot_be_used_names_the_field(module_server: Server, trace: int, change: Any) -> None:
    module_server.post("/v1/traces", body(span(trace, 1)))
    answer = module_server.http.patch(f"/api/sessions/{session_of(trace)}", json=change)
    assert answer.status_code == 422
    error_of(answer)


@pytest.mark.embedded_only
def test_a_body_that_is_called_no_json_is_told_so(module_server: Server, trace: int) -> None:
    module_server.post("/v1/traces", body(span(trace, 1)))
    for kind in ("application/x-www-form-urlencoded", "text/plain", ""):
        answer = module_server.http.patch(
            f"/api/sessions/{session_of(trace)}", content=b'{"name": "x"}', headers={"content-type": kind}
        )
        assert answer.status_code == 415, kind
        assert "application/json" in error_of(answer)["hint"]
    for content in (gzip.compress(b'{"name": "x"}'), b"(\xb5/\xfd"):
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        answer = module_server.http.patch(
            f"/api/sessions/{session_of(trace)}", content=content, headers=headers
        )
        assert answer.status_code == 415
        assert "'gzip'" in error_of(answer)["message"]


@pytest.mark.embedded_only
def test_what_is_no_http_is_refused_in_the_same_shape(module_server: Server) -> None:
    port = int(module_server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(b"NONSENSE /api/sessions HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        said = b"".join(iter(lambda: raw.recv(4096), b""))
    head, _, content = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert set(json.loads(content)["error"]) == {"code", "message", "hint"}


@pytest.mark.embedded_only
def test_other_sites_and_other_names_are_refused(module_server: Server) -> None:
    port = module_server.url.rpartition(":")[2]
    for host in ("evil.example", f"evil.example:{port}", "10.0.0.1", "localhost.evil.example"):
        answer = module_server.http.get("/api/sessions", headers={"host": host})
        assert answer.status_code == 403, host
        error_of(answer)
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{port}9", "http://localhost:1"):
        answer = module_server.post("/v1/traces", b"{}", content_type="application/json", origin=origin)
        assert answer.status_code == 403, origin
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", f"agentops.localhost:{port}"):
        answer = module_server.http.get("/api/sessions", headers={"host": host, "origin": f"http://{host}"})
        assert answer.status_code == 200, host


def test_events_page_in_start_order_and_narrow(module_server: Server, trace: int) -> None:
    start = time.time_ns() - 100 * SECOND
    kinds = ["llm", "tool", "operation"]
    module_server.post(
        "/v1/traces",
        body(
            *[
                span(
                    trace,
                    number + 1,
                    1 if number else 0,
                    name=f"e{number}",
                    start_ns=start + (number // 4) * MS,
                    agentops__span__kind=kinds[number % 3],
                    agentops__entity__input=f'"question {number}"',
                )
                for number in range(23)
            ]
        ),
    )
    path = f"/api/sessions/{session_of(trace)}/events"
    seen: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = module_server.get(path, limit=5, **({"cursor": cursor} if cursor else {}))
        seen += page["events"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [one["name"] for one in seen] == [f"e{number}" for number in range(23)]
    timeline = module_server.get(f"/api/sessions/{session_of(trace)}/timeline")
    for key in ("event_id", "parent_id", "name", "kind", "started_at", "duration_ms", "status"):
        assert timeline[key] == [one[key] for one in seen], key
    assert len({len(column) for column in timeline.values()}) == 1
    assert [one["name"] for one in module_server.get(path, kind="tool", limit=2)["events"]] == ["e1", "e4"]
    assert [one["name"] for one in module_server.get(path, q="question 17")["events"]] == ["e17"]
    first = module_server.get(path, q="question 22", limit=1)
    assert (first["next_cursor"], [one["name"] for one in first["events"]]) == (None, ["e22"])
    first = module_server.get(path, q="question 1", limit=10)
    renamed = span(trace, 20, 1, name="other", start_ns=start + 4 * MS, agentops__entity__note="question 1")
    module_server.post("/v1/traces", body(renamed))
    rest = module_server.get(path, q="question 1", limit=10, cursor=first["next_cursor"])
    assert rest == {"events": [], "next_cursor": None}
    assert module_server.http.get(path, params={"kind": "tools"}).status_code == 400
    assert module_server.http.get(path, params={"cursor": "abc"}).status_code == 400


def test_an_event_shows_all_that_was_received(module_server: Server, trace: int) -> None:
    messages = [{"role": "user", "parts": [{"type": "text", "content": "How much? " + "x" * 300}]}]
    one = span(
        trace,
        1,
        name="chat",
        error="it broke",
        gen_ai__operation__name="chat",
        gen_ai__request__model="gpt-4o",
        gen_ai__input__messages=json.dumps(messages),
        gen_ai__output__messages=json.dumps(
            [{"role": "assistant", "parts": [{"type": "text", "content": "42"}], "finish_reason": "stop"}]
        ),
        gen_ai__usage__input_tokens=1000,
        gen_ai__usage__output_tokens=100,
        custom__thing=[1, 2, 3],
    )
    one["events"] = [
        {
            "name": "exception",
            "timeUnixNano": one["endTimeUnixNano"],
            "attributes": [
                {"key": key, "value": {"stringValue": text}}
                for key, text in (
                    ("exception.type", "BadThing"),
                    ("exception.message", "it broke"),
                    ("exception.stacktrace", "Traceback: line 1"),
                )
            ],
        }
    ]
    module_server.post("/v1/traces", body(one, deployment__environment="test"))
    found = module_server.get(f"/api/sessions/{session_of(trace)}/events/{1:016x}")
    assert found["input"] == messages
    assert [(message["role"], message["direction"]) for message in found["messages"]] == [
        ("user", "input"),
        ("assistant", "output"),
    ]
    assert found["error"] == {"type": "BadThing", "message": "it broke", "stack": "Traceback: line 1"}
    assert found["attributes"]["gen_ai.input.messages"] == json.dumps(messages)
    assert found["attributes"]["custom.thing"] == [1, 2, 3]
    assert found["resource"]["deployment.environment"] == "test"
    assert found["scope"] == {"name": "test", "version": "1"}
    assert found["finish_reason"] == "stop"
    assert found["cost_source"] == "computed"
    assert sum(part["usd"] for part in found["cost_detail"]) == pytest.approx(found["cost_usd"])
    assert found["cost_usd"] == pytest.approx(0.0035)
    assert len(found["input_preview"]) == 200


@pytest.mark.parametrize("form", ["json", "otlp", "csv", "parquet"])
def test_a_session_can_be_exported(module_server: Server, trace: int, form: str) -> None:
    session = f"export-{trace}"
    module_server.post(
        "/v1/traces",
        body(
            span(
                trace,
                1,
                name="root",
                session__id=session,
                agentops__span__kind="session",
                agentops__tags=["t"],
            ),
            *[
                span(
                    trace,
                    number,
                    1,
                    name=f"n{number}",
                    gen_ai__operation__name="chat",
                    gen_ai__usage__input_tokens=number,
                )
                for number in range(2, 9)
            ],
        ),
    )
    answer = module_server.http.get(f"/api/sessions/{session}/export", params={"format": form})
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    if form == "json":
        found = answer.json()
        assert found["session"] == module_server.get(f"/api/sessions/{session}")
        assert found["events"][3] == module_server.get(f"/api/sessions/{session}/events/{5:016x}")
        assert len(found["events"]) == 7
    elif form == "otlp":
        before = module_server.get(f"/api/sessions/{session}")
        events = module_server.get(f"/api/sessions/{session}/events")
        other = Server(module_server.home.parent / f"other-{trace}")
        try:
            assert other.post("/v1/traces", answer.json()).status_code == 200
            after = other.get(f"/api/sessions/{session}")
            assert {**after, "last_seen_at": None} == {**before, "last_seen_at": None}
            assert other.get(f"/api/sessions/{session}/events") == events
        finally:
            other.stop()
    elif form == "csv":
        lines = answer.text.strip().splitlines()
        assert lines[0].startswith('"event_id","parent_id"')
        assert len(lines) == 8
    else:
        assert answer.content.startswith(b"PAR1")


def test_hostile_ids_and_texts_come_back_as_they_went_in(module_server: Server, trace: int) -> None:
    for session in (
        f"a b/c?d#e-{trace}",
        f"'; DROP TABLE spans; -- {trace}",
        f"會話-{trace}",
        f"..-{trace}",
        f"\\n\t-{trace}",
    ):
        module_server.post("/v1/traces", body(span(next(_traces), 1, name=session, session__id=session)))
        listed = module_server.get("/api/sessions", q=session)["sessions"]
        assert [one["session_id"] for one in listed] == [session]
        if "/" not in session:
            quoted = "/api/sessions/" + httpx.URL("http://x", params={"i": session}).query.decode()[
                2:
            ].replace("+", "%20")
            assert module_server.get(quoted)["name"] == session


@pytest.mark.embedded_only
def test_operations_routes_answer(module_server: Server) -> None:
    health = module_server.get("/healthz")
    assert health["name"] == "agentops"
    assert health["pid"] == module_server.pid
    assert module_server.get("/readyz")["status"] == "ok"
    metrics = module_server.http.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert "agentops_spans_committed_total " in metrics.text
    docs = module_server.http.get("/docs")
    assert "/api/sessions" in docs.text
    assert "http://" not in docs.text
    assert "https://" not in docs.text
    for path in ("/healthz", "/", "/api/sessions"):
        assert "default-src 'self'" in module_server.http.get(path).headers["content-security-policy"]


def test_the_documented_export_has_events_by_type(module_server: Server, trace: int) -> None:
    kinds = ["llm", "tool", "action", "error", "agent"]
    spans = [span(trace, number, agentops__span__kind=kind) for number, kind in enumerate(kinds, 1)]
    module_server.post("/v1/traces", body(*spans))
    path = f"/v2/sessions/{session_of(trace)}"
    stats = module_server.get(f"{path}/stats")
    assert stats["event_counts"]["total"] == 5
    assert stats["tokens"] == module_server.get(f"/api/sessions/{session_of(trace)}")["tokens"]
    export = module_server.get(f"{path}/export")
    assert {name: len(events) for name, events in export["events"].items()} == {
        "actions": 2,
        "llms": 1,
        "tools": 1,
        "errors": 1,
    }
    assert export["stats"] == stats
    assert module_server.http.get("/v2/sessions/none/stats").status_code == 404
