"""Waste: each call under one heading, money and time added up by hand; and the prices in use."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentops.server.query.waste import classified
from tests.serving import Server
from tests.spans import MS, SECOND, body, span, value

START = 1_770_000_000 * SECOND
PROMPT = "You are careful. " * 600


def call(
    trace: int, number: int, kind: str, given: str | None, *, ms: float = 10, fails: bool = False, **more: Any
) -> Any:
    made: dict[str, Any] = {"agentops__span__kind": kind, "session__id": f"s{trace}", **more}
    if given is None:
        pass
    elif kind == "tool":
        made["agentops__entity__input"] = json.dumps({"q": given})
    else:
        said = [{"role": "user", "parts": [{"type": "text", "content": given}]}]
        made |= {"gen_ai__input__messages": json.dumps(said), "gen_ai__request__model": "gpt-4o"}
    return span(
        trace, number, 1, name=f"{kind} x", start_ns=START + number * 100 * MS, ms=ms,
        error="no" if fails else None, **made,
    )  # fmt: skip


def usage(entered: int, left: int, cached: int | None = None) -> dict[str, Any]:
    told = {"gen_ai__usage__input_tokens": entered, "gen_ai__usage__output_tokens": left,
            "gen_ai__provider__name": "openai"}  # fmt: skip
    return told if cached is None else {**told, "gen_ai__usage__cache_read__input_tokens": cached}


def filled(server: Server) -> None:
    sessions = [
        # A loop: six times the same, the first is what was wanted.
        [call(1, 2 + n, "tool", "same", ms=100) for n in range(6)],
        # A retry: failed once, then it went well. Another input in between is another call.
        [call(2, 2, "tool", "a", ms=50, fails=True), call(2, 3, "tool", "b"), call(2, 4, "tool", "a", ms=70)],
        # A tool that failed for good.
        [call(3, 2, "tool", "a", ms=30, fails=True)],
        # The same question asked twice: $0.0025 a thousand tokens in, $0.01 out.
        [call(4, 2 + n, "llm", "hello", ms=20, **usage(1000, 100)) for n in range(2)],
        # A prompt that grew: the second time nothing came from the cache, the third time it did.
        [
            call(5, 2, "llm", PROMPT + "one", **usage(4000, 10)),
            call(5, 3, "llm", PROMPT + "two", **usage(4000, 10, 0)),
            call(5, 4, "llm", PROMPT + "three", **usage(4000, 10, 2000)),
        ],
    ]
    for number, calls in enumerate(sessions, 1):
        root = span(number, 1, name=f"session {number}", start_ns=START, ms=5000, session__id=f"s{number}")
        assert server.post("/v1/traces", body(root, *calls)).status_code == 200
        # Twice the same records are the same calls.
        assert server.post("/v1/traces", body(*calls)).status_code == 200


def test_money_and_time_stand_under_one_heading_each(server: Server) -> None:
    filled(server)
    found = server.get("/api/analytics/waste")
    headings = {one["heading"]: one for one in found["headings"]}
    assert {
        name: (one["count"], one["sessions"], one["duration_ms"], one["worst"][0]["session_id"])
        for name, one in headings.items()
    } == {
        "loop": (5, 1, 500, "s1"),
        "retry": (1, 1, 50, "s2"),
        "failed": (1, 1, 30, "s3"),
        "repeat": (1, 1, 20, "s4"),
        "uncached": (1, 1, 0, "s5"),
    }
    assert headings["repeat"]["cost_usd"] == pytest.approx(0.0035)
    assert headings["loop"]["cost_usd"] is None
    # Ranked: what cost most comes first, then what took longest.
    assert [one["heading"] for one in found["headings"]][-3:] == ["loop", "retry", "failed"]
    uncached = headings["uncached"]
    assert uncached["calls"][0]["saving_usd_per_million"] == pytest.approx(1.25)
    # What the prompts share is told by the next lower of a few lengths: never more than they do share.
    assert 1024 <= uncached["tokens"] <= 4000
    assert uncached["cost_usd"] == pytest.approx(uncached["tokens"] * 1.25 / 1e6)
    assert found["cost_usd"] == pytest.approx(0.0035 + uncached["cost_usd"])
    assert found["duration_ms"] == 600
    assert server.get("/api/analytics/waste", since="2001-01-01", until="2001-01-02")["headings"] == []
    assert [one["model"] for one in server.get("/api/prices")["models"]] == ["gpt-4o"]
    price = server.get("/api/prices")["models"][0]
    assert (price["source"], price["input"], price["cache_read"], price["output"]) == (
        "built_in",
        2.5,
        1.25,
        10,
    )


def test_of_many_sessions_with_failed_tools_all_are_counted_and_the_worst_are_named(server: Server) -> None:
    for number in range(30, 55):
        failing = call(number, 2, "tool", "a", ms=number, fails=True)
        # One session in five says more than its row holds: it makes the same call again.
        again = [call(number, 3 + n, "llm", "hello", ms=1) for n in range(2 * (number % 5 == 0))]
        root = span(number, 1, name="main", start_ns=START, ms=5000, session__id=f"s{number}")
        assert server.post("/v1/traces", body(root, failing, *again)).status_code == 200
    headings = {one["heading"]: one for one in server.get("/api/analytics/waste")["headings"]}
    failed = headings["failed"]
    assert (failed["count"], failed["sessions"], failed["duration_ms"]) == (25, 25, sum(range(30, 55)))
    assert [(one["name"], one["count"], one["sessions"]) for one in failed["calls"]] == [("tool x", 25, 25)]
    assert [(one["session_id"], one["duration_ms"]) for one in failed["worst"]] == [
        (f"s{number}", number) for number in range(54, 34, -1)
    ]
    assert headings["repeat"]["count"] == 5


def test_only_the_same_input_makes_the_same_call_wherever_in_the_session_it_is(server: Server) -> None:
    of: dict[str, Any] = {"session__id": "both"}
    first = [
        # Inputs of one length are not one input.
        call(11, 2, "tool", "aa", **of),
        call(11, 3, "tool", "bb", **of),
        call(11, 4, "tool", "bb", fails=True, ms=40, **of),
        # What was asked is not known: it failed, that is all.
        call(11, 5, "tool", None, fails=True, ms=3, **of),
        call(11, 6, "tool", None, **of),
        call(11, 7, "tool", None, **of),
        call(11, 8, "llm", "aa", ms=5, **of),
        # Nor are inputs that only begin alike.
        call(11, 9, "tool", "x" * 900 + "a", **of),
        call(11, 10, "tool", "x" * 900 + "b", **of),
        # The first of a loop was wanted, even if it failed.
        *[call(11, 12 + n, "tool", "again", fails=True, ms=2, **of) for n in range(5)],
    ]
    second = [
        call(12, 22, "tool", "aa", ms=20, **of),
        call(12, 23, "tool", "alone", fails=True, ms=1, **of),
        call(12, 24, "llm", "cc", ms=5, **of),
    ]
    for trace, calls in ((11, first), (12, second)):
        root = span(trace, 1, name="root", start_ns=START, ms=5000, **of)
        assert server.post("/v1/traces", body(root, *calls)).status_code == 200
    found = {one["heading"]: one for one in server.get("/api/analytics/waste")["headings"]}
    assert {name: (one["count"], one["duration_ms"]) for name, one in found.items()} == {
        "failed": (3, 44),
        "repeat": (1, 20),
        "loop": (4, 8),
    }


def test_inputs_that_come_in_log_records_later_make_the_same_call(server: Server) -> None:
    calls = [call(21, 2, "llm", None, ms=20), call(21, 3, "llm", None, ms=20)]
    root = span(21, 1, name="root", start_ns=START, ms=5000, session__id="s21")
    assert server.post("/v1/traces", body(root, *calls)).status_code == 200
    assert server.get("/api/analytics/waste")["headings"] == []
    said = [
        {
            "timeUnixNano": str(START),
            "eventName": "gen_ai.user.message",
            "traceId": one["traceId"],
            "spanId": one["spanId"],
            "body": value({"role": "user", "content": "hello"}),
        }
        for one in calls
    ]
    logs: dict[str, Any] = {"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": said}]}]}
    assert server.post("/v1/logs", logs).status_code == 200
    found = server.wait("/api/analytics/waste", lambda now: now["headings"])["headings"]
    assert [(one["heading"], one["count"], one["duration_ms"]) for one in found] == [("repeat", 1, 20)]


def test_a_call_that_two_instrumentations_record_was_made_and_failed_once(server: Server) -> None:
    root = span(31, 1, name="root", start_ns=START, ms=5000, session__id="s31")
    answered: dict[str, Any] = {"gen_ai__response__id": "r", **usage(1000, 100)}
    for scope, number in (("one", 2), ("two", 4)):
        # The same call to the nanosecond, seen from one wrapper and from the other.
        at = {"startTimeUnixNano": str(START), "endTimeUnixNano": str(START + 20 * MS)}
        calls = [
            {**call(31, number, "llm", "hello", **answered), **at},
            {**call(31, number + 1, "llm", "bye", fails=True), **at},
        ]
        assert server.post("/v1/traces", body(root, *calls, scope=scope)).status_code == 200
    assert server.get("/api/analytics/waste")["headings"] == []
    assert server.get("/api/sessions/s31")["event_counts"]["error"] == 1
    assert [one["errors"] for one in server.get("/api/analytics/breakdown", by="model")["groups"]] == [1]
    assert [one["count"] for one in server.get("/api/analytics/errors")["errors"]] == [1]
    # The same where the session has several traces, and its events are looked for elsewhere.
    other = span(32, 1, name="root", start_ns=START, ms=5000, session__id="s31")
    assert server.post("/v1/traces", body(other)).status_code == 200
    assert server.get("/api/analytics/waste")["headings"] == []
    assert [one["errors"] for one in server.get("/api/analytics/breakdown", by="model")["groups"]] == [1]
    assert [one["count"] for one in server.get("/api/analytics/errors")["errors"]] == [1]


@pytest.mark.parametrize(
    ("kind", "failed", "expected"),
    [
        ("tool", [False], []),
        ("tool", [True], [("failed", 0)]),
        ("llm", [True], []),
        ("tool", [True, False], [("retry", 0)]),
        ("tool", [True, True], [("retry", 0), ("failed", 1)]),
        ("llm", [True, True, False, False], [("retry", 0), ("retry", 1), ("repeat", 3)]),
        ("tool", [False] * 5, [("loop", place) for place in range(1, 5)]),
    ],
)
def test_a_time_of_a_call_is_counted_once(
    kind: str, failed: list[bool], expected: list[tuple[str, int]]
) -> None:
    assert classified(kind, failed) == expected
