"""The server's manners over HTTP: encodings, refusals, one error shape, pages, live notices."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import random
import threading
import time
import zlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from backports import zstd
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.serving import Server
from tests.spans import MS, SECOND, body, span, value

_traces = itertools.count(random.getrandbits(60) << 60)


@pytest.fixture
def trace() -> int:
    return next(_traces)


def session_of(trace: int) -> str:
    return str(UUID(int=trace))


def as_protobuf(trace: int, *, name: str = "call", bad: int = 0) -> bytes:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number in range(1 + bad):
        one = spans.add()
        one.trace_id = trace.to_bytes(16, "big")
        one.span_id = (number + 1).to_bytes(8, "big") if number == 0 else b"short"
        one.name = name
        one.start_time_unix_nano = time.time_ns() - SECOND
        one.end_time_unix_nano = time.time_ns()
    return request.SerializeToString()


def error_of(answer: httpx.Response) -> dict[str, str]:
    found = answer.json()
    assert set(found) == {"error"}
    assert set(found["error"]) == {"code", "message", "hint"}
    assert all(isinstance(one, str) for one in found["error"].values())
    assert found["error"]["message"]
    return found["error"]


@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate", "raw deflate", "zstd", "", "gzip, zstd"])
@pytest.mark.parametrize("form", ["json", "protobuf"])
def test_spans_are_taken_in_every_encoding(
    module_server: Server, trace: int, encoding: str, form: str
) -> None:
    plain = json.dumps(body(span(trace, 1))).encode() if form == "json" else as_protobuf(trace)
    packer = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(plain),
        "deflate": zlib.compress(plain),
        "raw deflate": packer.compress(plain) + packer.flush(),
        "zstd": zstd.compress(plain),
        "gzip, zstd": zstd.compress(gzip.compress(plain)),
    }.get(encoding, plain)
    headers = {
        "content-type": "application/json; charset=utf-8" if form == "json" else "application/x-protobuf"
    }
    if encoding:
        headers["content-encoding"] = encoding.removeprefix("raw ")
    answer = module_server.http.post("/v1/traces", content=packed, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == headers["content-type"].partition(";")[0]
    assert module_server.get(f"/api/sessions/{session_of(trace)}")["event_counts"]["total"] == 1


def test_one_bad_span_is_counted_and_named_and_sinks_nothing(module_server: Server, trace: int) -> None:
    answer = module_server.post(
        "/v1/traces", as_protobuf(trace, bad=2), content_type="application/x-protobuf"
    )
    assert answer.status_code == 200
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert partial.rejected_spans == 2
    assert "span_id" in partial.error_message
    assert module_server.get(f"/api/sessions/{session_of(trace)}")["event_counts"]["total"] == 1
    spans = [
        span(trace, 7),
        {**span(trace, 8), "traceId": "zz"},
        {**span(trace, 9), "startTimeUnixNano": "0"},
    ]
    answer = module_server.post("/v1/traces", body(*spans))
    partial_json = answer.json()["partialSuccess"]
    assert int(partial_json["rejectedSpans"]) == 2
    assert "start_time_unix_nano" in partial_json["errorMessage"]


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"{", {"content-type": "application/json"}, 400, "malformed_body"),
        (b"\xff\xff\xff", {"content-type": "application/x-protobuf"}, 400, "malformed_body"),
        (b"<xml/>", {"content-type": "text/xml"}, 415, "unsupported_media_type"),
        (b"{}", {}, 415, "unsupported_media_type"),
        (b"{}", {"content-type": "application/json", "content-encoding": "br"}, 415, "unsupported_encoding"),
        (
            b"not gzip",
            {"content-type": "application/json", "content-encoding": "gzip"},
            400,
            "malformed_body",
        ),
        (
            gzip.compress(b"{}")[:-6],
            {"content-type": "application/json", "content-encoding": "gzip"},
            400,
            "malformed_body",
        ),
    ],
)
@pytest.mark.parametrize("route", ["/v1/traces", "/v1/logs"])
def test_a_bad_body_gets_the_error_shape(
    module_server: Server, route: str, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = module_server.http.post(route, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert error_of(answer)["code"] == code


def test_a_body_over_the_limit_is_refused_before_and_after_decompression(
    start_server: Any, trace: int
) -> None:
    server = start_server(environment={"AGENTOPS_MAX_BODY_BYTES": "100000"})
    headers = {"content-type": "application/json"}
    assert (
        error_of(server.http.post("/v1/traces", content=b" " * 100_001, headers=headers))["code"]
        == "body_too_large"
    )

    def chunks() -> Iterator[bytes]:
        for _ in range(11):
            yield b" " * 10_000

    streamed = server.http.post("/v1/traces", content=chunks(), headers=headers)
    assert streamed.status_code == 413
    for name, packed in (
        ("gzip", gzip.compress(b" " * 10_000_000)),
        ("zstd", zstd.compress(b" " * 10_000_000)),
        ("deflate", zlib.compress(b" " * 10_000_000)),
    ):
        assert len(packed) < 100_000
        bomb = server.http.post("/v1/traces", content=packed, headers={**headers, "content-encoding": name})
        assert bomb.status_code == 413, name
        assert "AGENTOPS_MAX_BODY_BYTES" in error_of(bomb)["hint"]
    assert server.post("/v1/traces", body(span(trace, 1))).status_code == 200


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


def test_a_misspelt_parameter_is_told_the_nearest(module_server: Server) -> None:
    error = error_of(module_server.http.get("/api/sessions", params={"statte": "fail"}))
    assert "statte" in error["message"]
    assert "'state'" in error["hint"]
    error = error_of(module_server.http.get("/api/sessions", params={"state": "failed"}))
    assert "fail" in error["hint"]


@pytest.mark.parametrize("change", [{"names": "x"}, {"name": 3}, {"tags": "x"}, [], "x"])
def test_a_patch_that_cannot_be_used_names_the_field(module_server: Server, trace: int, change: Any) -> None:
    module_server.post("/v1/traces", body(span(trace, 1)))
    answer = module_server.http.patch(f"/api/sessions/{session_of(trace)}", json=change)
    assert answer.status_code == 422
    error_of(answer)


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


def test_pages_walk_every_session_once_in_order(start_server: Any) -> None:
    server: Server = start_server()
    start = time.time_ns() - 3600 * SECOND
    made = [
        span(
            trace := next(_traces),
            1,
            name=f"s{index}",
            start_ns=start + (index // 3) * SECOND,
            ms=(index * 7) % 10,
            gen_ai__operation__name="chat",
            gen_ai__usage__input_tokens=1 + (index * 3) % 5,
            session__id=f"id-{trace}",
        )
        for index in range(37)
    ]
    server.post("/v1/traces", body(*made))
    for sort, order in itertools.product(
        ("started", "duration", "cost", "tokens", "errors", "events"), ("asc", "desc")
    ):
        seen: list[str] = []
        values: list[Any] = []
        cursor = None
        while True:
            page = server.get(
                "/api/sessions", limit=5, sort=sort, order=order, **({"cursor": cursor} if cursor else {})
            )
            assert page["total"] == 37
            seen += [one["session_id"] for one in page["sessions"]]
            values += [
                {
                    "started": one["started_at"],
                    "duration": one["duration_ms"],
                    "tokens": one["tokens"]["total"],
                }.get(sort)
                for one in page["sessions"]
            ]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 37
        if sort in ("started", "duration", "tokens"):
            assert values == sorted(values, reverse=order == "desc")
    first = server.get("/api/sessions", limit=5)
    wrong = server.http.get(
        "/api/sessions", params={"limit": 5, "order": "asc", "cursor": first["next_cursor"]}
    )
    assert wrong.status_code == 400
    assert "cursor" in error_of(wrong)["message"]


def test_filters_narrow_and_facets_count(start_server: Any) -> None:
    server: Server = start_server()
    now = time.time_ns()
    plain, failed = next(_traces), next(_traces)
    chat: dict[str, Any] = {
        "gen_ai__operation__name": "chat",
        "gen_ai__usage__input_tokens": 1000,
        "gen_ai__usage__output_tokens": 1000,
    }
    root: dict[str, Any] = {"agentops__span__kind": "session"}
    server.post(
        "/v1/traces",
        body(
            span(
                plain,
                1,
                name="plain",
                start_ns=now - 10 * SECOND,
                ms=4000,
                agentops__tags=["prod", "eu"],
                user__id="ann",
                **root,
            ),
            span(
                plain,
                2,
                1,
                name="ask",
                start_ns=now - 9 * SECOND,
                gen_ai__request__model="gpt-4o",
                gen_ai__agent__name="planner",
                agentops__entity__output="退款已经处理完毕",
                **chat,
            ),
            span(
                failed,
                1,
                name="failed",
                start_ns=now - 48 * 3600 * SECOND,
                ms=100,
                error="boom",
                agentops__tags=["prod"],
                user__id="bob",
                **root,
            ),
            span(
                failed,
                2,
                1,
                name="search",
                start_ns=now - 48 * 3600 * SECOND,
                ms=10,
                agentops__span__kind="tool",
                error="ToolError: upstream",
                agentops__entity__input='{"q": "Rückzahlung"}',
            ),
        ),
    )

    def names(**filters: Any) -> list[str]:
        return sorted(one["name"] for one in server.get("/api/sessions", **filters)["sessions"])

    assert names() == ["failed", "plain"]
    assert names(tag="prod") == ["failed", "plain"]
    assert names(tag=["prod", "eu"]) == ["plain"]
    assert names(state="fail") == ["failed"]
    assert names(state=["fail", "success"]) == ["failed", "plain"]
    assert names(since="24h") == ["plain"]
    assert names(until="24h") == ["failed"]
    assert names(since="2001-01-01T00:00:00Z", until="2002-01-01") == []
    assert names(model="gpt-4o") == ["plain"]
    assert names(agent="planner") == ["plain"]
    assert names(tool="search") == ["failed"]
    assert names(user="bob") == ["failed"]
    assert names(error="true") == ["failed"]
    assert names(error="false") == ["plain"]
    assert names(min_cost=0.01) == ["plain"]
    assert names(min_duration="1s") == ["plain"]
    assert names(min_duration=50) == ["failed", "plain"]
    assert names(q="退款") == ["plain"]
    assert names(q="RÜCKZAHLUNG") == ["failed"]
    assert names(q="upstream") == ["failed"]
    assert names(q="it's \\ '; DROP TABLE spans; --") == []
    assert names(q="plain", tag="eu") == ["plain"]
    facets = server.get("/api/sessions/facets")
    assert facets["tag"] == [{"value": "prod", "count": 2}, {"value": "eu", "count": 1}]
    assert {one["value"]: one["count"] for one in facets["state"]} == {"success": 1, "fail": 1}
    assert server.get("/api/sessions/facets", state="fail")["tool"] == [{"value": "search", "count": 1}]
    assert facets["user"] == [{"value": "ann", "count": 1}, {"value": "bob", "count": 1}]


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


def log_body(trace: int, number: int, **record: Any) -> dict[str, Any]:
    one = {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        "timeUnixNano": str(time.time_ns()),
        **record,
    }
    return {
        "resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {"name": "app"}, "logRecords": [one]}]}]
    }


@pytest.mark.parametrize("span_first", [True, False])
def test_content_in_log_records_completes_its_span(
    module_server: Server, trace: int, span_first: bool
) -> None:
    def send_span() -> None:
        module_server.post("/v1/traces", body(span(trace, 1, name="chat", gen_ai__operation__name="chat")))

    if span_first:
        send_span()
    for name, content in (
        ("gen_ai.user.message", {"content": "What is needed?"}),
        ("gen_ai.choice", {"message": {"content": "A needle."}, "finish_reason": "stop"}),
    ):
        record = log_body(
            trace,
            1,
            eventName=name,
            body=value(content),
            attributes=[{"key": "event.name", "value": {"stringValue": name}}],
        )
        assert module_server.post("/v1/logs", record).status_code == 200
    if not span_first:
        send_span()
    path = f"/api/sessions/{session_of(trace)}"
    found = module_server.get(f"{path}/events/{1:016x}")
    assert [message["role"] for message in found["messages"]] == ["user", "assistant"]
    assert "needed" in module_server.get(f"{path}/events")["events"][0]["input_preview"]
    assert module_server.get(f"{path}/logs")["logs"] == []


def test_log_records_belong_to_their_spans_session_and_page(module_server: Server, trace: int) -> None:
    module_server.post("/v1/traces", body(span(trace, 1)))
    for index in range(7):
        answer = module_server.post(
            "/v1/logs",
            log_body(trace, 1, severityNumber=13 if index % 2 else 9, body={"stringValue": f"line {index}"}),
        )
        assert answer.status_code == 200
        assert answer.json() == {"partialSuccess": {}}
    path = f"/api/sessions/{session_of(trace)}/logs"
    first = module_server.get(path, limit=4)
    rest = module_server.get(path, limit=4, cursor=first["next_cursor"])
    assert [one["body"] for one in first["logs"] + rest["logs"]] == [f"line {index}" for index in range(7)]
    assert rest["next_cursor"] is None
    assert {one["event_id"] for one in first["logs"]} == {f"{1:016x}"}
    assert len(module_server.get(path, min_severity=13)["logs"]) == 3
    assert module_server.post("/v1/metrics", b"{}", content_type="application/json").status_code == 200


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
    assert found[-1][0] - acknowledged < 1.0


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


def test_analytics_adds_up(start_server: Any) -> None:
    server: Server = start_server()
    day = 1_790_000_000 // 86400 * 86400 * SECOND
    usage: dict[str, Any] = {
        "gen_ai__usage__input_tokens": 1_000_000,
        "gen_ai__usage__output_tokens": 100_000,
    }
    spans: list[dict[str, Any]] = []
    for index in range(6):
        trace = next(_traces)
        start = day + (index % 3) * 86400 * SECOND
        model = "gpt-4o" if index % 2 else "gpt-4o-mini"
        spans += [
            span(
                trace,
                1,
                name="root",
                start_ns=start,
                ms=1000,
                agentops__span__kind="session",
                agentops__tags=[f"t{index % 2}"],
            ),
            span(
                trace,
                2,
                1,
                name="outer",
                start_ns=start,
                ms=100,
                gen_ai__operation__name="chat",
                gen_ai__request__model=model,
                **usage,
            ),
            span(
                trace,
                3,
                2,
                name="inner",
                start_ns=start,
                ms=100,
                gen_ai__operation__name="chat",
                gen_ai__request__model=model,
                **usage,
                error="bad" if index == 0 else None,
            ),
        ]
    server.post("/v1/traces", body(*spans))
    found = server.get("/api/analytics", interval="day", group_by="model")
    assert found["totals"]["sessions"] == {
        "total": 6,
        "running": 0,
        "success": 6,
        "fail": 0,
        "indeterminate": 0,
    }
    assert found["totals"]["events"]["total"] == 12
    assert found["totals"]["tokens"]["input"] == 6_000_000
    assert found["totals"]["latency_ms"]["p50"] == pytest.approx(100)
    assert [one["sessions"]["total"] for one in found["series"]] == [2, 2, 2]
    groups = {one["value"]: one for one in found["groups"]}
    assert groups["gpt-4o"]["cost_usd"] == pytest.approx(3 * (2.5 + 1.0))
    assert groups["gpt-4o-mini"]["tokens"]["input"] == 3_000_000
    assert found["totals"]["cost_usd"] == pytest.approx(sum(one["cost_usd"] for one in groups.values()))
    assert {one["value"] for one in server.get("/api/analytics", group_by="tag")["groups"]} == {"t0", "t1"}
    assert server.get("/api/analytics", tag="t1")["totals"]["sessions"]["total"] == 3


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


def test_base64_of_nothing_is_no_cursor(module_server: Server) -> None:
    for cursor in (
        base64.urlsafe_b64encode(b"[]").decode(),
        base64.urlsafe_b64encode(b'["started","desc",1,"x","y"]').decode(),
        "é",
    ):
        assert module_server.http.get("/api/sessions", params={"cursor": cursor}).status_code == 400


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
