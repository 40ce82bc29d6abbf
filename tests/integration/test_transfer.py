"""Sessions that move between stores: what one server exports, another answers just so."""

from __future__ import annotations

import csv
import io
import itertools
import json
import random
import re
import time
import zipfile
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from pyarrow import parquet

from agentops.server.query.export import file_name
from tests.conftest import StartServer
from tests.serving import Server
from tests.spans import MS, SECOND, attributes, body, span, value

_traces = itertools.count(random.getrandbits(60) << 60)
LISTS = ("/events?limit=1000", "/logs?limit=1000", "/timeline")


OF_EVERY_TYPE: list[Any] = [
    {"key": "bytes", "value": {"bytesValue": "AP8="}},
    {"key": "text like bytes", "value": {"stringValue": "AP8="}},
    {"key": "no number", "value": {"doubleValue": "NaN"}},
    {"key": "text like that", "value": {"stringValue": "NaN"}},
    {"key": "many", "value": {"arrayValue": {"values": [
        {"bytesValue": "AA=="}, {"doubleValue": "-Infinity"}, {"doubleValue": 1.0}, {"intValue": "1"},
        {"kvlistValue": {"values": [{"key": "a/b", "value": {"bytesValue": "AQ=="}}]}},
    ]}}},
]  # fmt: skip


OF_A_SPAN: dict[str, Any] = {
    "droppedAttributesCount": 2, "droppedEventsCount": 3, "droppedLinksCount": 4, "flags": 769,
}  # fmt: skip
OF_A_LINK: dict[str, Any] = {"droppedAttributesCount": 6, "traceState": "a=b", "flags": 257}
OF_A_RECORD: dict[str, Any] = {"droppedAttributesCount": 7, "flags": 1}
"""What a program left out, and flags."""


def record(server: Server) -> list[str]:
    """Store sessions with everything that may get lost on the way; return their ids."""
    first, second, third = (next(_traces) for _ in range(3))
    hour_ago = time.time_ns() - 3600 * SECOND
    ours = [
        span(
            first,
            1,
            name="run",
            agentops__span__kind="session",
            agentops__tags=["a", "b"],
            start_ns=hour_ago,
            ms=9_000,
        ),
        span(first, 2, 1, name="planner", agentops__span__kind="agent", start_ns=hour_ago + 1, ms=8_000),
        span(
            first,
            3,
            2,
            name="chat gpt-4o",
            start_ns=hour_ago + 123_456_789,
            gen_ai__operation__name="chat",
            gen_ai__request__model="gpt-4o",
            gen_ai__usage__input_tokens=752,
            gen_ai__usage__output_tokens=17,
            gen_ai__input__messages=json.dumps(
                [
                    {
                        "role": "user",
                        "parts": [{"type": "text", "content": "退款 <script>\u2028 </script>" * 3}],
                    }
                ]
            ),
            odd__double=1.0,
            odd__list=[1, 2.5, "x", True],
            odd__big=2**60,
        ),
        span(
            first,
            4,
            2,
            name="tool",
            agentops__span__kind="tool",
            error='bad\nline, "quoted"',
            start_ns=hour_ago + 5,
        ),
        span(first, 5, 2, name="unended", agentops__span__kind="tool", ms=None, start_ns=hour_ago + 6),
    ]
    ours[3]["attributes"] += OF_EVERY_TYPE
    ours[3]["events"] = [
        {
            "name": "exception",
            "timeUnixNano": str(hour_ago + 7),
            "attributes": [
                {"key": "exception.type", "value": {"stringValue": "ValueError"}},
                {"key": "exception.stacktrace", "value": {"stringValue": "Traceback\n  File"}},
                *OF_EVERY_TYPE,
            ],
        }
    ]
    ours[3]["links"] = [{"traceId": f"{second:032x}", "spanId": f"{1:016x}", "attributes": []} | OF_A_LINK]
    ours[3] |= OF_A_SPAN
    ours[3]["events"][0]["droppedAttributesCount"] = 5
    # Two sessions in one trace, one of a foreign id over two traces.
    mixed = [
        span(second, 1, name="web request", start_ns=hour_ago, ms=50),
        span(second, 2, 1, name="one", session__id=f"one/{second}", start_ns=hour_ago + MS),
        span(second, 3, 2, name="inner", start_ns=hour_ago + 2 * MS, gen_ai__operation__name="chat"),
        span(second, 4, 1, name="two", session__id=f"two {second}", start_ns=hour_ago + 3 * MS),
        span(third, 1, name="again", session__id=f"one/{second}", start_ns=hour_ago + 4 * MS),
        span(third, 9, 1, name="recovered", status=1, error__type="Late", start_ns=hour_ago + 5 * MS),
    ]
    for spans in (ours, mixed):
        request = body(*spans)
        request["resourceSpans"][0]["scopeSpans"][0]["scope"]["attributes"] = attributes({"team": "红队"})
        assert server.post("/v1/traces", request).status_code == 200
    records = {
        "resourceLogs": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "bot"}}]},
                "scopeLogs": [
                    {
                        "scope": {"name": "bot.log"},
                        "logRecords": [
                            {
                                "timeUnixNano": str(hour_ago + number),
                                "severityNumber": 17,
                                "traceId": f"{first:032x}",
                                "spanId": f"{3:016x}",
                                "body": value(text),
                                **OF_A_RECORD,
                                "attributes": [{"key": "logger.name", "value": {"stringValue": "deep.log"}}],
                            }
                            for number, text in enumerate(["failed", "failed again"])
                        ]
                        + [
                            {
                                "timeUnixNano": str(hour_ago + 9),
                                "eventName": "gen_ai.choice",
                                "traceId": f"{first:032x}",
                                "spanId": f"{3:016x}",
                                "body": value({"message": {"role": "assistant", "content": "granted"}}),
                            }
                        ],
                    }
                ],
            }
        ]
    }
    assert server.post("/v1/logs", records).status_code == 200
    listed = server.get("/api/sessions", limit=500)["sessions"]
    ids = [one["session_id"] for one in listed]
    assert len(ids) == 4
    edit = {"name": "renamed", "note": "look", "tags": ["mine"]}
    assert server.http.patch(f"/api/sessions/{quoted(ids[0])}", json=edit).status_code == 200
    by_hand = {"add_tags": ["added"], "remove_tags": ["a"]}
    assert server.http.patch(f"/api/sessions/{UUID(int=first)}", json=by_hand).status_code == 200
    return ids


def quoted(session_id: str) -> str:
    from urllib.parse import quote

    return quote(session_id, safe="")


def answers(server: Server, session_id: str) -> dict[str, Any]:
    """Return all that the API says of a session."""
    path = f"/api/sessions/{quoted(session_id)}"
    found: dict[str, Any] = {route: server.get(path + route) for route in ("", *LISTS)}
    found |= found.pop("")
    for event in found["/events?limit=1000"]["events"]:
        found[event["event_id"]] = server.get(f"{path}/events/{event['event_id']}")
    return found


def exported(server: Server, session_id: str) -> Any:
    """Return a session as OTLP/JSON, its spans in an order of their own."""
    told = server.get(f"/api/sessions/{quoted(session_id)}/export", format="otlp")
    return {**told, "resourceSpans": sorted(told["resourceSpans"], key=str)}


def send(server: Server, content: bytes) -> httpx.Response:
    return server.http.post(
        "/api/import", content=content, headers={"content-type": "application/json"}, timeout=60
    )


@pytest.fixture(scope="module")
def recorded(module_server: Server) -> list[str]:
    return record(module_server)


@pytest.fixture(scope="module")
def told(module_server: Server, recorded: list[str]) -> dict[str, dict[str, Any]]:
    """What the server that they were recorded on answers about them; nobody changes them."""
    return {session_id: answers(module_server, session_id) for session_id in recorded}


@pytest.mark.parametrize("form", ["json", "otlp"])
def test_an_imported_session_is_answered_as_it_was(
    module_server: Server,
    told: dict[str, dict[str, Any]],
    start_server: StartServer,
    store_engine: str,
    form: str,
) -> None:
    other = start_server()
    exports = {
        session_id: module_server.http.get(
            f"/api/sessions/{quoted(session_id)}/export", params={"format": form}
        ).content
        for session_id in told
    }
    # Importing them twice doubles nothing; a cluster takes them in one file then, which is half the time.
    again = list(exports.items())
    if store_engine != "embedded":
        again = [(next(iter(told)), module_server.http.get("/api/export", params={"format": "otlp"}).content)]
    for session_id, content in (*exports.items(), *again):
        answer = send(other, content)
        assert answer.status_code == 200, answer.text
        assert session_id in answer.json()["sessions"]
        assert answer.json()["rejected"] == []
    assert {session_id: answers(other, session_id) for session_id in told} == told
    assert other.get("/api/sessions")["total"] == len(told)
    longest = max(told, key=lambda one: told[one]["event_counts"]["total"])
    assert exported(other, longest) == exported(module_server, longest)


def test_all_sessions_in_one_file_are_equal_too(
    module_server: Server, told: dict[str, dict[str, Any]], start_server: StartServer
) -> None:
    other = start_server()
    together = module_server.http.get("/api/export", params={"format": "otlp"})
    assert together.headers["content-disposition"] == 'attachment; filename="sessions.otlp.json"'
    answer = send(other, together.content)
    assert sorted(answer.json()["sessions"]) == sorted(told)
    lines = module_server.http.get("/api/export").content.split(b"\n")[:-1]
    assert sorted(json.loads(line)["session"]["session_id"] for line in lines) == sorted(told)
    assert {session_id: answers(other, session_id) for session_id in told} == told


@pytest.mark.parametrize("form", ["json", "otlp", "html", "csv", "parquet"])
def test_an_archive_holds_each_sessions_own_export(
    module_server: Server, recorded: list[str], form: str
) -> None:
    chosen = [*recorded[:3], "nobody\0"]
    asked = {"session": chosen, "format": form, "each": "true"}
    answer = module_server.http.get("/api/export", params=asked)
    assert answer.headers["content-disposition"] == 'attachment; filename="sessions.zip"'
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    found: dict[str, bytes] = {}
    expected: dict[str, bytes] = {}
    for session_id in recorded[:3]:
        alone = module_server.http.get(f"/api/sessions/{quoted(session_id)}/export", params={"format": form})
        name = alone.headers["content-disposition"].split('"')[1]
        expected[name], found[name] = alone.content, archive.read(name)
    assert sorted(archive.namelist()) == sorted(expected)
    if form == "parquet":
        tables = [
            {name: cast(Any, parquet).read_table(io.BytesIO(one)).to_pylist() for name, one in files.items()}
            for files in (found, expected)
        ]
        assert tables[0] == tables[1]
    else:
        assert found == expected


def test_a_page_for_many_sessions_is_refused(module_server: Server) -> None:
    refused = module_server.http.get("/api/export", params={"format": "html"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_parameter")


def test_files_of_sessions_differ_where_letter_case_does_not_count() -> None:
    ids = ("Run", "run", "RUN", "a/b", "a_b", "x" * 100, "x" * 101, "\ud800", str(UUID(int=7)))
    names = [file_name(one, "otlp") for one in ids]
    assert len({name.lower() for name in names}) == len(ids)
    assert all(re.fullmatch(r"session-[\w.-]{1,120}\.otlp\.json", name, re.ASCII) for name in names)
    assert (names[1], names[-1]) == ("session-run.otlp.json", f"session-{UUID(int=7)}.otlp.json")


def test_an_otlp_export_can_be_posted_as_traces(
    module_server: Server, recorded: list[str], start_server: StartServer
) -> None:
    other = start_server()
    export = module_server.http.get(f"/api/sessions/{quoted(recorded[1])}/export", params={"format": "otlp"})
    scopes = [one["scope"] for group in export.json()["resourceSpans"] for one in group["scopeSpans"]]
    assert scopes
    assert all(scope["attributes"] == attributes({"team": "红队"}) for scope in scopes)
    assert other.post("/v1/traces", export.json()).json() == {"partialSuccess": {}}
    before = module_server.get(f"/api/sessions/{quoted(recorded[1])}")
    assert other.get(f"/api/sessions/{quoted(recorded[1])}")["event_counts"] == before["event_counts"]


def test_an_otlp_export_tells_attributes_as_they_came(module_server: Server, recorded: list[str]) -> None:
    (failed,) = (
        one
        for session_id in recorded
        for group in exported(module_server, session_id)["resourceSpans"]
        for one in group["scopeSpans"][0]["spans"]
        if one["name"] == "tool"
    )
    assert [pair for pair in failed["attributes"] if pair in OF_EVERY_TYPE] == OF_EVERY_TYPE
    assert not any("received" in pair["key"] for pair in failed["attributes"])
    assert failed["events"][0]["attributes"][-1:] == OF_EVERY_TYPE[-1:]
    assert OF_A_SPAN.items() <= failed.items()
    assert failed["events"][0]["droppedAttributesCount"] == 5
    assert OF_A_LINK.items() <= failed["links"][0].items()
    records = [
        one["scopeLogs"][0]["logRecords"][0]
        for session_id in recorded
        for one in exported(module_server, session_id)["resourceLogs"]
    ]
    assert sum(OF_A_RECORD.items() <= one.items() for one in records) == 2


def test_a_deleted_session_comes_back_by_import(module_server: Server, start_server: StartServer) -> None:
    server = start_server()
    # A trace may hang from a span of a program that sends us none, and a program's clock be ahead.
    for parent, ahead_s in ((0, -1), (99, -1), (0, 3600)):
        trace = next(_traces)
        session = f"back-{trace}"
        one = span(trace, 1, parent, session__id=session, start_ns=time.time_ns() + ahead_s * SECOND)
        assert server.post("/v1/traces", body(one)).status_code == 200
        path = f"/api/sessions/{session}"
        export = server.http.get(f"{path}/export").content
        before = answers(server, session)
        assert server.http.delete(path).status_code == 204
        assert server.http.get(path).status_code == 404
        assert send(server, export).status_code == 200
        assert answers(server, session) == before


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables_hold_every_event(
    module_server: Server, recorded: list[str], told: dict[str, dict[str, Any]], form: str
) -> None:
    alone = f"/api/sessions/{quoted(recorded[0])}/export"
    for path, filters in ((alone, {}), ("/api/export", {}), ("/api/export", {"user": "nobody"})):
        content = module_server.http.get(path, params={"format": form, **filters}).content
        if form == "csv":
            rows = list[dict[str, Any]](csv.DictReader(io.StringIO(content.decode())))
            assert content.startswith(b'"event_id",')
        else:
            rows = cast(Any, parquet).read_table(io.BytesIO(content)).to_pylist()
            assert cast(Any, parquet).read_schema(io.BytesIO(content)).names[0] == "event_id"
        wanted = recorded[:1] if path == alone else [] if filters else recorded
        columns = ("session_id", "event_id", "name", "agent", "model", "error_message", "attributes")
        expected: list[list[Any]] = [
            [told[session_id][event["event_id"]][column] for column in columns]
            for session_id in wanted
            for event in told[session_id]["/events?limit=1000"]["events"]
        ]
        found = [[row[column] for column in columns[:-1]] + [json.loads(row["attributes"])] for row in rows]
        if form == "csv":
            found = [[value if value != "" else None for value in row] for row in found]
        assert sorted(found, key=str) == sorted(expected, key=str)
        assert {row["tokens_reasoning"] for row in rows} <= {"", None}, "what is unknown is nothing"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "no JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "neither an export"),
        (b'{"events": 3}', "events"),
        (b'{"events": [{"event_id": "1"}]}', "lacks"),
        (b'{"events": [], "spans": [], "edits": [{"session_id": "x", "tags": 3}]}', "edits"),
        (b'{"resourceSpans": 3}', ""),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_reason(
    module_server: Server, content: bytes, says: str
) -> None:
    answer = send(module_server, content)
    assert answer.status_code == 400, answer.text
    assert says in answer.json()["error"]["message"]
    assert set(answer.json()["error"]) == {"code", "message", "hint"}
