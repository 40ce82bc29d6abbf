"""Corners of the HTTP contract: ids of any text, texts as JSON writes them, records that come twice."""

from __future__ import annotations

import itertools
import json
import random
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

import httpx
import pytest

from tests.serving import Server
from tests.spans import MS, SECOND, body, span
from tests.waiting import eventually

_traces = itertools.count(random.getrandbits(60) << 60)


@pytest.fixture
def trace() -> int:
    return next(_traces)


def session_of(trace: int) -> str:
    return str(UUID(int=trace))


ENDLESS_TEXTS = (
    "a/b",
    "/",
    "//",
    "/lead",
    "trail/",
    "a/b/events",
    "events/0000000000000001",
    "50%",
    "a%2Fb",
    "what?",
    "x#y",
    "two words",
    "a+b",
    "../..",
    "export",
    "stats",
    "會話",
    'quo"te',
    "back\\slash",
    "new\nline",
    "🚀",
    "x" * 2000,
)


@pytest.mark.embedded_only
@pytest.mark.parametrize("text", ENDLESS_TEXTS, ids=lambda text: ascii(text)[:20])
def test_every_route_reaches_a_session_of_any_id(module_server: Server, text: str) -> None:
    call = span(next(_traces), 1, session__id=text, gen_ai__operation__name="chat")
    assert module_server.post("/v1/traces", body(call)).status_code == 200
    for prefix, routes in (
        ("/api/sessions/", ("", "/events", "/timeline", "/logs", "/export", f"/events/{1:016x}")),
        ("/v2/sessions/", ("/stats", "/export")),
    ):
        path = prefix + quote(text, safe="")
        for route in routes:
            answer = module_server.http.get(path + route)
            assert answer.status_code == 200, (path + route, answer.text)
    path = "/api/sessions/" + quote(text, safe="")
    assert module_server.get(path)["session_id"] == text
    assert module_server.get(path + "/events")["events"][0]["session_id"] == text
    assert module_server.http.patch(path, json={"name": "renamed"}).json()["name"] == "renamed"


@pytest.mark.embedded_only
def test_a_session_of_any_id_can_be_deleted(start_server: Any) -> None:
    server: Server = start_server()
    server.post("/v1/traces", body(*(span(next(_traces), 1, session__id=text) for text in ENDLESS_TEXTS)))
    paths = ["/api/sessions/" + quote(text, safe="") for text in ENDLESS_TEXTS]
    assert [server.http.get(path).status_code for path in paths] == [200] * len(paths)
    with ThreadPoolExecutor(8) as pool:
        deleted = [answer.status_code for answer in pool.map(server.http.delete, paths)]
    assert deleted == [204] * len(paths)
    assert [server.http.get(path).status_code for path in paths] == [404] * len(paths)


def test_every_store_keeps_and_loses_a_session_of_any_id(module_server: Server) -> None:
    # How an id gets through an address is asked above; here, how it gets through questions to the store.
    texts = [f"{text} stored" for text in ENDLESS_TEXTS]
    module_server.post("/v1/traces", body(*(span(next(_traces), 1, session__id=text) for text in texts)))
    for text in texts:
        path = "/api/sessions/" + quote(text, safe="")
        assert module_server.get(path)["session_id"] == text
    together = "".join(sorted(set("".join(ENDLESS_TEXTS)))) + " stored"
    path = "/api/sessions/" + quote(together, safe="")
    module_server.post("/v1/traces", body(span(next(_traces), 1, session__id=together)))
    assert module_server.get(path + "/events")["events"][0]["session_id"] == together
    assert module_server.http.patch(path, json={"name": together}).json()["name"] == together
    assert module_server.get(path + "/export")["session"]["session_id"] == together
    assert module_server.http.delete(path).status_code == 204
    assert module_server.http.get(path).status_code == 404


@pytest.mark.embedded_only
def test_a_session_named_as_a_route_is_reached_by_a_percent_encoded_letter(module_server: Server) -> None:
    module_server.post("/v1/traces", body(span(next(_traces), 1, session__id="facets")))
    assert "state" in module_server.get("/api/sessions/facets")
    assert _raw_json(module_server, "/api/sessions/%66acets")["session_id"] == "facets"
    assert len(module_server.get("/api/sessions/facets/events")["events"]) == 1


def _raw_json(server: Server, path: str) -> Any:
    """Ask for a path as it is: clients tidy up percent-encoded letters."""
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname or "", where.port or 0)) as connection:
        host = where.netloc
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    return json.loads(received.partition(b"\r\n\r\n")[2])


@pytest.mark.embedded_only
@pytest.mark.parametrize("path", ["/api/sessions", "/healthz", "/metrics", "/docs", "/openapi.json"])
def test_head_is_get_without_the_body(module_server: Server, path: str) -> None:
    answer = module_server.http.head(path)
    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.embedded_only
def test_head_of_the_live_stream_ends(module_server: Server) -> None:
    answer = module_server.http.head("/api/live")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert module_server.http.head("/api/live", params={"x": "1"}).status_code == 400


WRITTEN = {
    "quotes": ('He said "hi" to us', 'said "hi"'),
    "backslash": ("C:\\path\\new", "C:\\path"),
    "line end": ("line one\nline two", "one\nline"),
    "json": ('{"city": "Paris"}', '{"city": "Paris'),
    "chinese": ("今天天气很好", "天气"),
    "cyrillic": ("Привет Мир", "Привет"),
    "percent": ("100%_done", "100%_"),
}


@pytest.fixture(scope="module")
def written(module_server: Server) -> dict[str, tuple[int, int]]:
    """Store each text twice, as JSON may write it; return the traces that say it."""
    said: dict[str, tuple[int, int]] = {}
    calls: list[dict[str, Any]] = []
    for what, (text, _) in WRITTEN.items():
        said[what] = next(_traces), next(_traces)
        for trace in said[what]:
            messages = [{"role": "user", "parts": [{"type": "text", "content": f"{text} {trace}"}]}]
            content = json.dumps(messages, ensure_ascii=trace == said[what][0])
            calls.append(span(trace, 1, gen_ai__operation__name="chat", gen_ai__input__messages=content))
    assert module_server.post("/v1/traces", body(*calls)).status_code == 200
    return said


@pytest.mark.parametrize("what", WRITTEN)
def test_text_is_found_however_a_body_writes_it(
    module_server: Server, written: dict[str, tuple[int, int]], what: str
) -> None:
    needle = WRITTEN[what][1]
    listed = module_server.get("/api/sessions", q=needle, limit=500)["sessions"]
    assert {session_of(trace) for trace in written[what]} <= {one["session_id"] for one in listed}
    for trace in written[what]:
        path = f"/api/sessions/{session_of(trace)}/events"
        assert len(module_server.get(path, q=needle)["events"]) == 1
        assert module_server.get(path, q=needle + "§")["events"] == []


def test_a_span_sent_again_with_another_start_is_one_event(module_server: Server, trace: int) -> None:
    path = f"/api/sessions/{session_of(trace)}"
    start = time.time_ns() - 10 * SECOND
    module_server.post("/v1/traces", body(span(trace, 1, name="first", start_ns=start)))
    module_server.post("/v1/traces", body(span(trace, 1, name="second", start_ns=start + MS)))
    late = span(trace, 1, name="a late start record", start_ns=start + 2 * MS, ms=None)
    module_server.post("/v1/traces", body(late))
    assert [one["name"] for one in module_server.get(path + "/events")["events"]] == ["second"]
    assert module_server.get(path + "/timeline")["name"] == ["second"]
    assert module_server.get(path)["event_counts"]["total"] == 1


ORDERS = ((0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1), (1, 3, 0, 2))


def test_events_without_an_agents_name_belong_to_the_nearest_agent_above(module_server: Server) -> None:
    # Traces whose spans come in different orders, side by side.
    traces = [next(_traces) for _ in ORDERS]
    spans = [
        [
            span(trace, 1, name="invoke_agent planner", gen_ai__operation__name="invoke_agent",
                 gen_ai__agent__name=f"planner {traces[0]}"),
            span(trace, 2, 1, name="step"),
            span(trace, 3, 2, name="chat", gen_ai__operation__name="chat", gen_ai__request__model="gpt-4o"),
            span(trace, 4, 2, name="coder", openinference__span__kind="AGENT"),
        ]
        for trace in traces
    ]  # fmt: skip
    for numbers in zip(*ORDERS, strict=True):
        arrived = [made[number] for made, number in zip(spans, numbers, strict=True)]
        module_server.post("/v1/traces", body(*arrived))
    tools = [span(trace, 5, 4, name="tool", gen_ai__operation__name="execute_tool") for trace in traces]
    module_server.post("/v1/traces", body(*tools))
    planner = f"planner {traces[0]}"
    for trace in traces:
        path = f"/api/sessions/{session_of(trace)}"
        agents = {one["event_id"][-1]: one["agent"] for one in module_server.get(path + "/events")["events"]}
        assert agents == {"1": planner, "2": planner, "3": planner, "4": "coder", "5": "coder"}
        assert module_server.get(f"{path}/events/{3:016x}")["agent"] == planner
        timeline = module_server.get(path + "/timeline")
        assert dict(zip(timeline["event_id"], timeline["agent"], strict=True))[f"{5:016x}"] == "coder"
        assert sorted(module_server.get(path)["agents"]) == ["coder", planner]
        exported = module_server.get(path + "/export")["events"]
        assert {one["event_id"][-1]: one["agent"] for one in exported} == agents
    groups = module_server.get("/api/analytics", group_by="agent", agent=planner)["groups"]
    counted = {one["value"]: one["events"]["total"] for one in groups}
    assert counted == {planner: 3 * len(traces), "coder": 2 * len(traces)}


def _logs(trace: int, *texts: str) -> dict[str, Any]:
    records = [
        {
            "timeUnixNano": "1790000000000000000",
            "traceId": f"{trace:032x}",
            "spanId": f"{1:016x}",
            "severityNumber": 9,
            "body": {"stringValue": text},
        }
        for text in texts
    ]
    return {"resourceLogs": [{"scopeLogs": [{"scope": {"name": "app"}, "logRecords": records}]}]}


def test_log_records_that_come_twice_are_kept_once(module_server: Server, trace: int) -> None:
    module_server.post("/v1/traces", body(span(trace, 1)))
    request = _logs(trace, "tick", "tick", "done")
    for _ in range(3):
        assert module_server.post("/v1/logs", request).status_code == 200
    found = module_server.get(f"/api/sessions/{session_of(trace)}/logs")["logs"]
    # Two equal records of one request are two; the request sent again adds none.
    assert sorted(one["body"] for one in found) == ["done", "tick", "tick"]


@pytest.mark.embedded_only
def test_a_plain_client_sees_why_a_large_body_is_refused(start_server: Any) -> None:
    server: Server = start_server(environment={"AGENTOPS_MAX_BODY_BYTES": "1000000"})
    request = urllib.request.Request(
        server.url + "/v1/traces", data=b" " * 5_000_000, headers={"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    with refused.value as answer:
        assert answer.code == 413
        error = json.load(answer)["error"]
    assert error["code"] == "body_too_large"
    assert "1000000" in error["message"]


@pytest.mark.embedded_only
@pytest.mark.parametrize(
    "values",
    [[-1, "x"], [2**70, "x"], [True, "x"], ["1", "x"], [1], [1, None], {}],
    ids=str,
)
def test_a_forged_cursor_is_refused(module_server: Server, trace: int, values: Any) -> None:
    import base64

    cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
    module_server.post("/v1/traces", body(span(trace, 1)))
    for path in ("", f"/{session_of(trace)}/events", f"/{session_of(trace)}/logs"):
        answer = module_server.http.get("/api/sessions" + path, params={"cursor": cursor})
        assert answer.status_code == 400, answer.text
    made_up = base64.urlsafe_b64encode(json.dumps(["duration", "desc", -5, 1.0, "x"]).encode()).decode()
    answer = module_server.http.get("/api/sessions", params={"cursor": made_up, "sort": "duration"})
    assert answer.status_code == 400


@pytest.mark.embedded_only
@pytest.mark.parametrize(
    "given", ["2026-11-20t09:00:00z", "24H", " 7d ", "2026-11-20T11:00:00.123456+02:00", ""]
)
def test_times_are_read_in_every_form(module_server: Server, given: str) -> None:
    assert module_server.http.get("/api/sessions", params={"since": given, "until": given}).status_code == 200


@pytest.mark.embedded_only
@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "malformed_body"),
        (b"\xff", 400, "malformed_body"),
        (b'{"tags": ["' + b"x" * 5000 + b'"]}', 422, "invalid_body"),
        (b'{"tags": "a"}', 422, "invalid_body"),
    ],
)
def test_an_edit_that_cannot_be_read_says_so(
    module_server: Server, trace: int, content: bytes, status: int, code: str
) -> None:
    module_server.post("/v1/traces", body(span(trace, 1)))
    answer = module_server.http.patch(
        f"/api/sessions/{session_of(trace)}", content=content, headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text


@pytest.mark.embedded_only
@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b"[]", "json"),
        (b"{", "json"),
        (b"null", "json"),
        (b'{"resourceMetrics": 5}', "json"),
        (b'{"resourceMetrics": [{"scopeMetrics": 7}]}', "json"),
        (b"\xff\xff\xff", "x-protobuf"),
        (b"\x0a\x05abc", "x-protobuf"),
    ],
)
def test_metrics_that_are_no_request_are_refused(module_server: Server, content: bytes, media: str) -> None:
    answer = module_server.http.post(
        "/v1/metrics", content=content, headers={"content-type": f"application/{media}"}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed_body")
    assert module_server.post("/v1/metrics", {"resourceMetrics": [{}]}).json() == {"partialSuccess": {}}


def _notices(server: Server, last_event_id: str) -> Iterator[tuple[str, list[str]]]:
    with httpx.stream(
        "GET", server.url + "/api/live", headers={"Last-Event-ID": last_event_id}, timeout=10
    ) as answer:
        assert answer.status_code == 200
        number = ""
        for line in answer.iter_lines():
            if line.startswith("id: "):
                number = line[4:]
            elif line.startswith("data: "):
                yield number, json.loads(line[6:])["sessions"]


def test_a_listener_from_before_a_restart_is_told_to_look_at_everything(start_server: Any) -> None:
    first: Server = start_server()
    first.post("/v1/traces", body(span(next(_traces), 1)))
    number, _ = next(_notices(first, "1"))
    first.stop()
    second: Server = start_server(first.home)
    for _ in range(3):
        second.post("/v1/traces", body(span(next(_traces), 1)))
    assert "*" in next(_notices(second, number))[1]


@pytest.mark.embedded_only
def test_a_last_event_id_of_any_text_is_no_failure(module_server: Server) -> None:
    for given in ("abc", "-1", "9" * 5000):
        with httpx.stream(
            "GET", module_server.url + "/api/live", headers={"Last-Event-ID": given}, timeout=10
        ) as answer:
            assert answer.status_code == 200


@pytest.mark.embedded_only
def test_a_listener_that_takes_nothing_is_dropped(start_server: Any) -> None:
    server: Server = start_server()
    where = urlsplit(server.url)

    def send(client: httpx.Client, ids: list[str]) -> None:
        client.post("/v1/traces", json=body(*(span(next(_traces), 1, session__id=one) for one in ids)))

    def listeners() -> int:
        text = server.http.get("/metrics").text
        return int(text.split("\nagentops_live_listeners ")[1].split()[0])

    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        stuck.connect((where.hostname, where.port))
        stuck.sendall(f"GET /api/live HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
        eventually(lambda: listeners() == 1)
        done = threading.Event()

        def fill() -> None:
            with httpx.Client(base_url=server.url, timeout=30) as client:
                # Few long names fill what the machine holds for the line, many short ones what waits.
                for _ in range(8):
                    send(client, [f"{'x' * 20_000}{next(_traces)}" for _ in range(40)])
                while not done.is_set():
                    send(client, [f"{next(_traces)}" for _ in range(1000)])

        filling = threading.Thread(target=fill)
        filling.start()
        try:
            eventually(lambda: listeners() == 0, within_s=60)
        finally:
            done.set()
            filling.join()


def test_a_session_is_one_html_file_with_its_json_inside_that_loads_nothing(
    module_server: Server, trace: int
) -> None:
    hostile = "<script>alert(1)</script>"
    said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "今天"}]}])
    spans = (
        span(trace, 1, name=hostile, session__id=f"page-{trace}"),
        span(trace, 2, 1, name="call", error="boom & bust", gen_ai__operation__name="chat",
             gen_ai__input__messages=said),
    )  # fmt: skip
    module_server.post("/v1/traces", body(*spans))
    module_server.post("/v1/logs", _logs(trace, "tick </pre>"))
    answer = module_server.http.get(f"/api/sessions/page-{trace}/export", params={"format": "html"})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="session-page-{trace}.html"'
    text = answer.text
    assert "default-src 'none'" in text
    before, start, rest = text.partition('<script id="agentops-session" type="application/json">')
    inside, end, after = rest.partition("</script>")
    assert start
    assert end
    # No text of the session stands outside of its JSON, and none can end it.
    assert "<" not in inside
    assert "alert(1)" not in before + after
    told = json.loads(inside)
    exported = module_server.get(f"/api/sessions/page-{trace}/export", format="json")
    assert told == {name: exported[name] for name in ("session", "events", "logs")}
    assert told["events"][0]["name"] == hostile
    assert told["logs"][0]["body"] == "tick </pre>"


def test_events_of_equal_ids_and_starts_in_several_traces_are_all_on_some_page(
    module_server: Server, trace: int
) -> None:
    session = f"twins-{trace}"
    start = time.time_ns() - 10 * SECOND
    traces = [next(_traces) for _ in range(7)]
    for one in traces:
        module_server.post("/v1/traces", body(span(one, 1, start_ns=start, session__id=session)))
    path = f"/api/sessions/{session}"
    found: list[str] = []
    asked: dict[str, Any] = {"limit": 2}
    while True:
        page = module_server.get(path + "/events", **asked)
        found += [one["trace_id"] for one in page["events"]]
        if page["next_cursor"] is None:
            break
        asked["cursor"] = page["next_cursor"]
    assert sorted(found) == sorted(f"{one:032x}" for one in traces)
