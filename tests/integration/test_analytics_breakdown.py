"""Breakdowns and grouped errors against plain Python, over the random stores of test_analytics_sums."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.integration.test_analytics_sums import Session, bucket_of, made, percentiles, send, summed
from tests.serving import Server
from tests.spans import SECOND, body, span

SHAPED = [
    ("ValueError", "order 17 is 3.5 kg", "order <n> is <n> kg"),
    ("ValueError", "order 4,018 is 12 kg", "order <n> is <n> kg"),
    ("KeyError", "'name'", "<text>"),
    ("KeyError", "'mail'", "<text>"),
    ("KeyError", 'no "x y" in it', "no <text> in it"),
    ("HTTPError", "GET https://example.com/a?b=1 failed: 503", "GET <url> failed: <n>"),
    ("HTTPError", "GET https://example.com/c failed: 502", "GET <url> failed: <n>"),
    ("Gone", "id 123e4567-e89b-12d3-a456-426614174000 at 0xdeadBEEF", "id <id> at <id>"),
    ("Gone", "id 00000000-e89b-12d3-a456-426614174999 at 0x7f", "id <id> at <id>"),
    ("Gone", "commit 9fceb02d0ae598e95dc970b74767f19372d61af8", "commit <id>"),
    ("Gone", "it can't be found,\n  don't ask", "it can't be found, don't ask"),
    ("", "退款 42 失败", "退款 <n> 失败"),
]


@pytest.fixture(scope="module")
def store(module_server: Server) -> tuple[Server, list[Session]]:
    sessions = made(seed=11)
    send(module_server, sessions, random.Random(12))
    return module_server, sessions


def durations(values: list[float]) -> Any:
    found = percentiles(values)
    return {"p50": found["p50"], "p95": found["p95"]}


def of_events(sessions: list[Session], by: str, interval: str, zone: ZoneInfo) -> dict[str, Any]:
    groups: dict[str, list[tuple[Session, Any]]] = defaultdict(list)
    for one in sessions:
        for event in one.events:
            value = event.name if by == "tool" and event.kind == "tool" else ""
            value = value if by == "tool" else getattr(event, by)
            if value:
                groups[value].append((one, event))
    cost: float = sum(event.cost or 0 for found in groups.values() for _, event in found)
    count = sum(map(len, groups.values()))
    expected: dict[str, Any] = {}
    for value, found in groups.items():
        events = [event for _, event in found]
        failed = sum(event.failed for event in events)
        own = summed([event.cost for event in events])
        series: dict[str, list[Any]] = defaultdict(list)
        for one, event in found:
            series[bucket_of(one.start_ns, interval, zone)].append(event)
        expected[value] = {
            "value": value,
            "count": len(events),
            "sessions": len({one.session_id for one, _ in found}),
            "errors": failed,
            "error_rate": pytest.approx(failed / len(events)),
            "duration_ms": durations([event.ms for event in events]),
            "tokens": summed([part for event in events for part in event.tokens]),
            "cost_usd": own,
            "share": pytest.approx(sum(event.cost or 0 for event in events) / cost)
            if cost
            else pytest.approx(len(events) / count),
            "series": [
                {
                    "at": at,
                    "count": len(inside),
                    "errors": sum(event.failed for event in inside),
                    "cost_usd": summed([event.cost for event in inside]),
                }
                for at, inside in sorted(series.items())
            ],
        }
    return expected


@pytest.mark.parametrize("by", ["model", "agent", "tool", "kind", "name"])
@pytest.mark.parametrize(("interval", "tz"), [("day", "Europe/Berlin"), ("hour", "Asia/Kolkata")])
def test_events_by_each_dimension(
    store: tuple[Server, list[Session]], by: str, interval: str, tz: str
) -> None:
    server, sessions = store
    found = server.get("/api/analytics/breakdown", by=by, interval=interval, tz=tz)
    expected = of_events(sessions, by, interval, ZoneInfo(tz))
    assert found["counts"] == "events"
    assert found["total"] == len(expected)
    assert {one["value"]: one for one in found["groups"]} == expected
    costs = [one["cost_usd"] for one in found["groups"]]
    known = [cost for cost in costs if cost is not None]
    assert costs == sorted(known, reverse=True) + [None] * (len(costs) - len(known))


def values_of(one: Session, by: str) -> list[str]:
    return one.tags if by == "tag" else [one.user] if by == "user" else ["fail" if one.failed else "success"]


@pytest.mark.parametrize("by", ["tag", "user", "state"])
def test_sessions_by_each_dimension(store: tuple[Server, list[Session]], by: str) -> None:
    server, sessions = store
    groups: dict[str, list[Session]] = defaultdict(list)
    for one in sessions:
        for value in values_of(one, by):
            if value:
                groups[value].append(one)
    found = server.get("/api/analytics/breakdown", by=by, tz="America/St_Johns", sort="count", order="asc")
    listed = {
        row["session_id"]: row["duration_ms"] for row in server.get("/api/sessions", limit=500)["sessions"]
    }
    assert found["counts"] == "sessions"
    assert [one["count"] for one in found["groups"]] == sorted(len(inside) for inside in groups.values())
    for group in found["groups"]:
        inside = groups[group["value"]]
        failed = sum(one.failed for one in inside)
        assert (group["count"], group["sessions"], group["errors"]) == (len(inside), len(inside), failed)
        assert group["error_rate"] == pytest.approx(failed / len(inside))
        assert group["duration_ms"] == durations([listed[one.session_id] for one in inside])
        events = [event for one in inside for event in one.events]
        assert group["cost_usd"] == summed([event.cost for event in events])
        assert group["tokens"] == summed([part for event in events for part in event.tokens])
        days: dict[str, int] = defaultdict(int)
        for one in inside:
            days[bucket_of(one.start_ns, "day", ZoneInfo("America/St_Johns"))] += 1
        assert {point["at"]: point["count"] for point in group["series"]} == days


def test_filters_and_limits_hold(store: tuple[Server, list[Session]]) -> None:
    server, sessions = store
    red = [one for one in sessions if "red" in one.tags]
    found = server.get("/api/analytics/breakdown", by="model", tag="red", limit=1)
    expected = of_events(red, "model", "day", ZoneInfo("UTC"))
    assert found["total"] == len(expected)
    assert found["groups"] == [expected[found["groups"][0]["value"]]]
    empty = server.get("/api/analytics/breakdown", since="2001-01-01", until="2001-01-02")
    assert (empty["total"], empty["groups"]) == (0, [])
    assert server.get("/api/analytics/errors", since="2001-01-01", until="2001-01-02")["errors"] == []
    named = server.get("/api/sessions", name="root")["total"]
    assert named == len(sessions)
    assert server.get("/api/sessions", name="another")["total"] == 0


@pytest.mark.embedded_only
@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"by": "modell"}, "by"),
        ({"tz": "Mars/Base"}, "tz"),
        ({"sort": "best"}, "sort"),
        ({"limit": 0}, "limit"),
    ],
)
def test_a_bad_parameter_is_named(module_server: Server, parameters: dict[str, Any], says: str) -> None:
    answer = module_server.http.get("/api/analytics/breakdown", params=parameters)
    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]


def test_costs_are_added_as_money(module_server: Server) -> None:
    said: Any = {"gen_ai__operation__name": "chat", "gen_ai__request__model": "of money", "user__id": "adds"}
    calls = [span(9_100 + number, 1, gen_ai__usage__cost=0.1, **said) for number in range(10)]
    assert module_server.post("/v1/traces", body(*calls)).status_code == 200
    found = module_server.get("/api/analytics", user="adds", group_by="model")
    assert [part["cost_usd"] for part in (found["totals"], *found["series"], *found["groups"])] == [1.0] * 3
    (by_model,) = module_server.get("/api/analytics/breakdown", user="adds", by="model")["groups"]
    assert [part["cost_usd"] for part in (by_model, *by_model["series"])] == [1.0] * 2


def test_an_agent_that_names_a_model_is_no_call_of_it(module_server: Server) -> None:
    """Agents name their model, as OpenTelemetry says; some name one that they never call."""
    of: Any = {"user__id": "has agents", "gen_ai__usage__input_tokens": 5}
    spans = [
        span(
            9_300, 1, ms=900, gen_ai__operation__name="invoke_agent", gen_ai__request__model="of agents", **of
        ),
        span(9_300, 2, 1, ms=10, gen_ai__operation__name="chat", gen_ai__request__model="of agents", **of),
        span(9_300, 3, 1, error="no", gen_ai__operation__name="invoke_agent", gen_ai__request__model="never"),
    ]
    assert module_server.post("/v1/traces", body(*spans)).status_code == 200
    (group,) = module_server.get("/api/analytics", user="has agents", group_by="model")["groups"]
    assert (group["value"], group["events"], group["latency_ms"]["p99"]) == (
        "of agents",
        {"total": 1, "error": 0},
        10.0,
    )
    (row,) = module_server.get("/api/analytics/breakdown", user="has agents", by="model")["groups"]
    assert (row["count"], row["duration_ms"]["p95"], row["tokens"]) == (1, 10.0, 5)
    assert module_server.get("/api/sessions", model="of agents")["total"] == row["sessions"]


def test_a_session_of_many_tools_is_found_by_each(module_server: Server) -> None:
    calls = [
        span(9_400, 2 + number, 1, agentops__span__kind="tool", name=f"tool {number}", error="no",
             error__type=f"Kind{number}")
        for number in range(150)
    ]  # fmt: skip
    root = span(9_400, 1, user__id="of many")
    assert module_server.post("/v1/traces", body(root, *calls)).status_code == 200
    table = module_server.get("/api/analytics/breakdown", user="of many", by="tool", limit=500)
    assert table["total"] == 150
    for name, value in (("tool", "tool 149"), ("error", "Kind149"), ("also", "tool:tool 149")):
        assert module_server.get("/api/sessions", user="of many", **{name: value})["total"] == 1


def test_an_interval_that_begins_with_the_clock_is_named(module_server: Server) -> None:
    early = span(9_200, 1, user__id="early", start_ns=SECOND)
    assert module_server.post("/v1/traces", body(early)).status_code == 200
    for interval in ("day", "week"):
        (part,) = module_server.get("/api/analytics", user="early", interval=interval)["series"]
        assert part["at"] == "1970-01-01T00:00:00.000000Z"
    found = module_server.get("/api/analytics/breakdown", user="early", by="name", interval="week")
    assert found["groups"][0]["series"][0]["at"] == "1970-01-01T00:00:00.000000Z"


def test_errors_that_are_alike_stand_together(server: Server) -> None:
    at = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp()) * SECOND
    day = int(timedelta(days=1).total_seconds()) * SECOND
    spans: list[dict[str, Any]] = []
    for number, (error_type, message, _) in enumerate(SHAPED):
        trace = 0x500 + number
        spans.append(span(trace, 1, name="root", start_ns=at + number * day, session__id=f"s{number}"))
        failed = span(
            trace, 2, 1, name=f"tool {number}", start_ns=at + number * day + 5, ms=3, error=message,
            agentops__span__kind="tool",
        )  # fmt: skip
        if error_type:
            failed["events"] = [
                {
                    "name": "exception",
                    "timeUnixNano": str(at),
                    "attributes": [
                        {"key": "exception.type", "value": {"stringValue": error_type}},
                        {"key": "exception.message", "value": {"stringValue": message}},
                    ],
                }
            ]
        spans.append(failed)
    # Sent twice, and the start of one after its end: each error counts once.
    started: dict[str, Any] = {**spans[1], "endTimeUnixNano": "0", "status": None}
    del started["status"]
    for part in (spans, [started], spans):
        assert server.post("/v1/traces", body(*part)).status_code == 200
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, (error_type, _, shape) in enumerate(SHAPED):
        groups[error_type, shape].append(number)
    found = server.get("/api/analytics/errors")
    assert found["total"] == len(groups)
    assert {
        (one["error_type"], one["message"]): (
            one["count"],
            one["sessions"],
            one["first_at"][:10],
            one["last_at"][:10],
            one["example"]["session_id"],
            one["example"]["message"],
            one["names"],
        )
        for one in found["errors"]
    } == {
        group: (
            len(numbers),
            len(numbers),
            f"{datetime(2026, 5, 1 + numbers[0], tzinfo=UTC):%Y-%m-%d}",
            f"{datetime(2026, 5, 1 + numbers[-1], tzinfo=UTC):%Y-%m-%d}",
            f"s{numbers[-1]}",
            SHAPED[numbers[-1]][1],
            sorted(f"tool {number}" for number in numbers),
        )
        for group, numbers in groups.items()
    }
    for (error_type, shape), numbers in groups.items():
        wanted = f"error:{error_type}: {shape}" if error_type else f"error:{shape}"
        listed = server.get("/api/sessions", also=wanted)["sessions"]
        assert sorted(one["session_id"] for one in listed) == sorted(f"s{number}" for number in numbers)
        assert server.get("/api/sessions", also=[wanted, "tool:no such"])["total"] == 0
    one = server.get("/api/analytics/errors", error="KeyError")
    assert sum(group["count"] for group in one["errors"]) == 3
    server.http.delete("/api/sessions/s2")
    assert sum(group["count"] for group in server.get("/api/analytics/errors")["errors"]) == len(SHAPED) - 1


def test_figures_of_a_session_outlast_edits_and_further_traces(server: Server) -> None:
    told = f"{'x' * 400} ends"
    made: dict[str, Any] = {"session__id": "s", "agentops__span__kind": "tool", "ms": 20}
    first = [
        span(1, 1, name="root", agentops__span__kind="session", session__id="s"),
        span(1, 2, 1, name="a", error=told, **made),
        span(1, 3, 1, name="a", **made),
    ]

    def figures() -> tuple[Any, ...]:
        by_tool = server.get("/api/analytics/breakdown", by="tool")["groups"]
        errors = server.get("/api/analytics/errors")["errors"]
        totals = server.get("/api/analytics")["totals"]
        said = [(one["count"], one["example"]["message"]) for one in errors]
        return (
            [(one["value"], one["count"], one["errors"]) for one in by_tool],
            said,
            totals["latency_ms"]["p50"],
        )

    server.post("/v1/traces", body(*first))
    alone = ([("a", 2, 1)], [(1, told)], 20)
    assert figures() == alone
    server.http.patch("/api/sessions/s", json={"note": "looked at"}).raise_for_status()
    assert figures() == alone
    # An id that the first trace has too, where nothing failed so.
    server.post("/v1/traces", body(span(2, 3, 0, name="b", error=told, **made)))
    both = ([("a", 2, 1), ("b", 1, 1)], [(2, told)], 20)
    assert figures() == both
    assert server.get("/api/sessions", also=f"error:{told[:300]}")["total"] == 1
    server.http.patch("/api/sessions/s", json={"note": "again"}).raise_for_status()
    assert figures() == both


def test_a_deleted_session_stays_away_when_another_of_its_trace_grows(server: Server) -> None:
    def step(trace: int, number: int, session: str) -> dict[str, Any]:
        return span(trace, number, name="a", agentops__span__kind="tool", session__id=session)

    server.post("/v1/traces", body(step(1, 1, "s"), step(1, 2, "gone")))
    server.http.delete("/api/sessions/gone").raise_for_status()
    late = {**step(1, 3, "gone"), "parentSpanId": f"{2:016x}"}
    server.post("/v1/traces", body(late))
    # The first trace is divided anew, since its session has two now.
    server.post("/v1/traces", body(step(2, 4, "s")))
    assert [one["session_id"] for one in server.get("/api/sessions")["sessions"]] == ["s"]
    assert server.get("/api/analytics")["totals"]["events"]["total"] == 2


@pytest.mark.parametrize("by", ["model", "agent", "tool"])
def test_what_stands_beside_a_filtered_value_is_asked_for_with_it(
    store: tuple[Server, list[Session]], by: str
) -> None:
    server, _ = store
    first = server.get("/api/analytics/breakdown", by=by)["groups"][0]["value"]
    groups = server.get("/api/analytics/breakdown", by=by, **{by: first})["groups"]
    assert len(groups) > 1
    for one in groups:
        beside = f"{by}:{one['value']}"
        assert server.get("/api/sessions", also=beside, **{by: first})["total"] == one["sessions"]
    answer = server.http.get("/api/sessions", params={"also": first})
    assert answer.status_code == 400
    assert answer.json()["error"]["hint"] == "Begin with model:, agent:, tool:, error:."
