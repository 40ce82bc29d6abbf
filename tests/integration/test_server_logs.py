"""Log records: lines of a session, and the content of its calls."""

from __future__ import annotations

import itertools
import random
import time
from typing import Any
from uuid import UUID

import pytest

from tests.serving import Server
from tests.spans import body, span, value

_traces = itertools.count(random.getrandbits(60) << 60)


@pytest.fixture
def trace() -> int:
    return next(_traces)


def session_of(trace: int) -> str:
    return str(UUID(int=trace))


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


def test_content_that_comes_record_by_record_is_all_of_its_span(module_server: Server, trace: int) -> None:
    said = [
        ("gen_ai.system.message", {"content": "Be brief."}),
        ("gen_ai.user.message", {"content": "Weather?"}),
        ("gen_ai.choice", {"index": 0, "message": {"content": "Rain."}, "finish_reason": "stop"}),
        ("gen_ai.choice", {"index": 1, "message": {"content": "Sun."}, "finish_reason": "length"}),
    ]
    path = f"/api/sessions/{session_of(trace)}/events"
    for place in (2, 0, 3, 1):
        name, content = said[place]
        record = log_body(
            trace, 1, eventName=name, body=value(content), timeUnixNano=str(time.time_ns() + place * 10**9)
        )
        assert module_server.post("/v1/logs", record).status_code == 200
        if place == 2:
            sent = body(span(trace, 1, name="chat", gen_ai__operation__name="chat"))
            assert module_server.post("/v1/traces", sent).status_code == 200
            assert len(module_server.get(f"{path}/{1:016x}")["messages"]) == 1
    found = module_server.get(f"{path}/{1:016x}")["messages"]
    assert [message["parts"][0]["content"] for message in found] == ["Be brief.", "Weather?", "Rain.", "Sun."]
    assert module_server.get(path)["events"][0]["input_preview"] == "Weather?"


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


@pytest.mark.parametrize("typed", ['said "no"', "C:\\Temp", "zwölf\nmal", "order.placed"])
def test_a_structured_record_is_found_by_what_it_says(module_server: Server, trace: int, typed: str) -> None:
    """JSON writes quotes, line ends and backslashes in another way than they were said, and are typed."""
    said = value({"text": 'it said "no"', "path": "C:\\Temp\\a", "count": "zwölf\nmal"})
    assert module_server.post("/v1/traces", body(span(trace, 1))).status_code == 200
    for one in ({"body": said, "eventName": "order.placed"}, {"body": value("something else")}):
        assert module_server.post("/v1/logs", log_body(trace, 1, **one)).status_code == 200
    found = module_server.get(f"/api/sessions/{session_of(trace)}/logs", q=typed)["logs"]
    assert [one["name"] for one in found] == ["order.placed"]


def bodies(server: Server, session: str) -> list[str]:
    return [one["body"] for one in server.get(f"/api/sessions/{session}/logs")["logs"]]


def test_log_records_of_a_deleted_session_are_nobody_elses(module_server: Server, trace: int) -> None:
    kept, gone = f"kept-{trace}", f"gone-{trace}"
    named = [{"key": "session.id", "value": {"stringValue": gone}}]
    module_server.post(
        "/v1/traces",
        body(
            span(trace, 1, session__id=gone),
            span(trace, 2, 1),
            span(trace, 3, session__id=kept),
        ),
    )
    for record in (
        log_body(trace, 1, body=value("its own")),
        log_body(trace, 2, body=value("its child's")),
        log_body(trace, 3, body=value("kept")),
        log_body(0, 0, traceId="", spanId="", body=value("of no trace"), attributes=named),
    ):
        assert module_server.post("/v1/logs", record).status_code == 200
    assert sorted(bodies(module_server, gone)) == ["its child's", "its own", "of no trace"]
    assert module_server.http.delete(f"/api/sessions/{gone}").status_code == 204
    # The trace is the other session's alone now, and the deleted one's id is used again in a new trace.
    module_server.post("/v1/traces", body(span(trace, 4, 3)))
    module_server.post("/v1/traces", body(span(next(_traces), 1, session__id=gone)))
    assert bodies(module_server, kept) == ["kept"]
    assert bodies(module_server, gone) == []


def timeless(trace: int, *texts: str, **more: str) -> dict[str, Any]:
    """Return a request of records that say no time, or only when they were observed."""
    request = log_body(trace, 1)
    request["resourceLogs"][0]["scopeLogs"][0]["logRecords"] = [
        {"traceId": f"{trace:032x}", "spanId": f"{1:016x}", "body": value(text), **more} for text in texts
    ]
    return request


def test_a_record_without_a_time_stands_where_it_came(module_server: Server, trace: int) -> None:
    began = time.time_ns()
    module_server.post("/v1/traces", body(span(trace, 1)))
    module_server.post("/v1/logs", log_body(trace, 1, body=value("first")))
    texts = [f"then {number}" for number in range(9)]
    for _ in range(2):  # The second time as a client does that heard no answer.
        assert module_server.post("/v1/logs", timeless(trace, *texts)).status_code == 200
    module_server.post("/v1/logs", log_body(trace, 1, body=value("last")))
    observed = {"timeUnixNano": "18446744073709551615", "observedTimeUnixNano": str(began)}
    module_server.post("/v1/logs", timeless(trace, "before all", **observed))
    path = f"/api/sessions/{session_of(trace)}"
    found: list[dict[str, Any]] = []
    cursor = None
    while cursor or not found:
        page = module_server.get(f"{path}/logs", limit=4, **({"cursor": cursor} if cursor else {}))
        found += page["logs"]
        cursor = page["next_cursor"]
    assert [one["body"] for one in found] == ["before all", "first", *texts, "last"]
    assert all(one["at"] >= found[0]["at"] for one in found)
    # An export says when they came; imported twice, there as here, they stand as they did and once.
    export = module_server.http.get(f"{path}/export").content
    for target in (path, None):
        if target is None:
            assert module_server.http.delete(path).status_code == 204
        for _ in range(2):
            assert (
                module_server.post("/api/import", export, content_type="application/json").status_code == 200
            )
        assert module_server.get(f"{path}/logs")["logs"] == found
