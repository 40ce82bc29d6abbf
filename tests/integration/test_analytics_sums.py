"""Analytics against plain Python: random stores, time zones, ties, unknowns, data that is late or doubled."""

from __future__ import annotations

import random
import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import StartServer
from tests.serving import Server
from tests.spans import MS, SECOND, body, span

KINDS = ("llm", "tool", "agent", "operation", "embedding")
MODELS = ("model-a", "model-b", "模型")
START = datetime(2026, 3, 27, 12, tzinfo=UTC)
"""The clocks of Berlin change two days later, in the series' middle."""
_TOGETHER = 10
"""Sessions whose spans come in the same two requests."""


@dataclass
class Event:
    kind: str
    name: str
    model: str
    agent: str
    ms: float | None
    failed: bool
    tokens: tuple[int | None, int | None]
    cost: float | None


@dataclass
class Session:
    session_id: str
    start_ns: int
    tags: list[str]
    user: str
    failed: bool
    events: list[Event] = field(default_factory=list[Event])


def made(seed: int) -> list[Session]:
    pick = random.Random(seed)
    sessions: list[Session] = []
    for number in range(40):
        start = START + timedelta(minutes=pick.choice((0, 7, 60, 61, 600, 1439, 1440, 2880, 4000, 7200)))
        one = Session(
            f"session {seed} {number}",
            int(start.timestamp()) * SECOND + pick.choice((0, 0, 999_999_999)),
            pick.sample(["red", "blue", "grün"], pick.randrange(3)),
            pick.choice(["", "ann", "bob"]),
            pick.random() < 0.3,
        )
        for _ in range(pick.randrange(6)):
            kind = pick.choice(KINDS)
            calls = kind in ("llm", "embedding")
            name = pick.choice(("x", "y", "z"))
            one.events.append(
                Event(
                    kind,
                    name,
                    pick.choice(MODELS) if calls else "",
                    # An agent works for itself.
                    name if kind == "agent" else pick.choice(("", "planner", "executor")),
                    pick.choice((1, 5, 5, 20, 1500)),
                    pick.random() < 0.2,
                    (pick.choice((None, 0, 10)), pick.choice((None, 3))) if calls else (None, None),
                    pick.choice((None, 0.25, 1.5)) if calls else None,
                )
            )
        sessions.append(one)
    return sessions


def send(server: Server, sessions: list[Session], pick: random.Random) -> None:
    requests: list[list[dict[str, Any]]] = []
    for number, one in enumerate(sessions):
        # A second trace for some: sessions of several traces are summed once.
        traces = [pick.getrandbits(120) | 1 for _ in range(pick.choice((1, 1, 2)))]
        roots = [
            span(
                trace,
                1,
                name="root",
                start_ns=one.start_ns + 10 * index * MS,
                ms=5_000,
                status=2 if one.failed else 1,
                agentops__span__kind="session",
                session__id=one.session_id,
                agentops__tags=one.tags,
                user__id=one.user,
            )
            for index, trace in enumerate(traces)
        ]
        children: list[dict[str, Any]] = []
        for index, event in enumerate(one.events):
            said: dict[str, Any] = {"agentops__span__kind": event.kind}
            if event.model:
                said["gen_ai__request__model"] = event.model
            if event.agent and event.kind != "agent":
                said["gen_ai__agent__name"] = event.agent
            for name, known in zip(("input", "output"), event.tokens, strict=True):
                if known is not None:
                    said[f"gen_ai__usage__{name}_tokens"] = known
            if event.cost is not None:
                said["gen_ai__usage__cost"] = event.cost
            children.append(
                span(
                    pick.choice(traces),
                    10 + index,
                    1,
                    name=event.name,
                    start_ns=one.start_ns + (index + 1) * MS,
                    ms=event.ms,
                    status=2 if event.failed else 1,
                    **said,
                )
            )
        # Children often come before what says whose they are.
        parts = [children, roots] if number % 2 else [roots, children]
        if number % _TOGETHER == 0:
            requests += [[], []]
        for request, part in zip(requests[-2:], parts, strict=True):
            request += part
    for request in requests:
        # Some come twice.
        for _ in range(pick.choice((1, 1, 2))):
            assert server.post("/v1/traces", body(*request)).status_code == 200
    count = sum(len(one.events) for one in sessions)

    def complete(page: dict[str, Any]) -> bool:
        listed = page["sessions"]
        events = sum(one["event_counts"]["total"] for one in listed)
        return events == count and all(one["state"] != "running" for one in listed)

    server.wait("/api/sessions", complete, 60, limit=500)


def percentiles(values: list[float]) -> dict[str, Any]:
    if not values:
        return dict.fromkeys(("p50", "p90", "p95", "p99"))
    cuts = statistics.quantiles(values, n=100, method="inclusive") if len(values) > 1 else values * 99
    return {f"p{part}": pytest.approx(cuts[part - 1]) for part in (50, 90, 95, 99)}


def summed(values: list[float | None]) -> Any:
    known = [value for value in values if value is not None]
    return pytest.approx(sum(known)) if known else None


def measures(sessions: list[Session]) -> dict[str, Any]:
    """Return what analytics must say of these sessions."""
    events = [event for one in sessions for event in one.events]
    failed = sum(event.failed for event in events)
    return {
        "sessions": {
            "total": len(sessions),
            "running": 0,
            "success": sum(not one.failed for one in sessions),
            "fail": sum(one.failed for one in sessions),
            "indeterminate": 0,
        },
        "events": {
            "total": len(events),
            "error": failed,
            "llm": sum(event.kind == "llm" for event in events),
            "tool": sum(event.kind == "tool" for event in events),
        },
        "error_rate": pytest.approx(failed / len(events)) if events else None,
        "latency_ms": percentiles([event.ms for event in events if event.ms is not None]),
    }


def compared(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in ("sessions", "events", "error_rate", "latency_ms")}


def bucket_of(start_ns: int, interval: str, zone: ZoneInfo) -> str:
    local = datetime.fromtimestamp(start_ns // SECOND, zone)
    if interval == "hour":
        start = local.astimezone(UTC) - timedelta(minutes=local.minute, seconds=local.second)
        return f"{start:%Y-%m-%dT%H:%M:%S}.000000Z"
    day = local.replace(hour=0, minute=0, second=0)
    if interval == "week":
        day = day.replace(tzinfo=None) - timedelta(days=local.weekday())
        day = day.replace(tzinfo=zone)
    return f"{day.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000000Z"


@pytest.fixture(scope="module")
def store(module_server: Server) -> tuple[Server, list[Session]]:
    sessions = made(seed=5)
    send(module_server, sessions, random.Random(6))
    return module_server, sessions


@pytest.mark.parametrize("tz", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns"])
@pytest.mark.parametrize("interval", ["hour", "day", "week"])
def test_totals_and_series_are_those_of_the_sessions(
    store: tuple[Server, list[Session]], tz: str, interval: str
) -> None:
    server, sessions = store
    found = server.get("/api/analytics", interval=interval, tz=tz)
    assert compared(found["totals"]) == measures(sessions)
    buckets: dict[str, list[Session]] = defaultdict(list)
    for one in sessions:
        buckets[bucket_of(one.start_ns, interval, ZoneInfo(tz))].append(one)
    assert [one["at"] for one in found["series"]] == sorted(buckets)
    for one in found["series"]:
        assert compared(one) == measures(buckets[one["at"]]), one["at"]


EVENT_VALUES: dict[str, Callable[[Event], str]] = {
    "model": lambda event: event.model,
    "agent": lambda event: event.agent,
    "tool": lambda event: event.name if event.kind == "tool" else "",
    "kind": lambda event: event.kind,
    "name": lambda event: event.name,
}


def test_without_latency_all_else_is_the_same(store: tuple[Server, list[Session]]) -> None:
    server, _ = store
    whole = server.get("/api/analytics", interval="hour")
    told = server.get("/api/analytics", interval="hour", latency="false")
    for part in (whole["totals"], *whole["series"]):
        part["latency_ms"] = percentiles([])
    assert told == whole


@pytest.mark.parametrize("group_by", EVENT_VALUES)
def test_groups_of_events_are_those_of_the_events(store: tuple[Server, list[Session]], group_by: str) -> None:
    server, sessions = store
    groups: dict[str, list[tuple[str, Event]]] = defaultdict(list)
    for one in sessions:
        for event in one.events:
            groups[EVENT_VALUES[group_by](event)].append((one.session_id, event))
    groups.pop("", None)
    found = server.get("/api/analytics", group_by=group_by)["groups"]
    assert {one["value"] for one in found} == set(groups)
    for one in found:
        events = [event for _, event in groups[one["value"]]]
        assert one["sessions"]["total"] == len({session for session, _ in groups[one["value"]]})
        assert one["events"] == {"total": len(events), "error": sum(event.failed for event in events)}
        assert one["latency_ms"] == percentiles([event.ms for event in events if event.ms is not None])
        assert one["tokens"]["input"] == summed([event.tokens[0] for event in events])
        assert one["tokens"]["output"] == summed([event.tokens[1] for event in events])
        assert one["cost_usd"] == summed([event.cost for event in events])


@pytest.mark.parametrize("group_by", ["tag", "user", "state"])
def test_groups_of_sessions_are_those_of_the_sessions(
    store: tuple[Server, list[Session]], group_by: str
) -> None:
    server, sessions = store
    groups: dict[str, list[Session]] = defaultdict(list)
    for one in sessions:
        of_state = ["fail" if one.failed else "success"]
        for value in {"tag": one.tags, "user": [one.user], "state": of_state}[group_by]:
            groups[value].append(one)
    groups.pop("", None)
    found = server.get("/api/analytics", group_by=group_by)["groups"]
    assert {one["value"]: compared(one) for one in found} == {
        value: measures(inside) for value, inside in groups.items()
    }


def test_a_range_is_compared_with_the_one_before(store: tuple[Server, list[Session]]) -> None:
    server, sessions = store
    middle, end = START + timedelta(days=1), START + timedelta(days=2)
    found = server.get("/api/analytics", since=middle.isoformat(), until=end.isoformat())

    def within(since: datetime, until: datetime) -> list[Session]:
        return [
            one
            for one in sessions
            if int(since.timestamp()) * SECOND <= one.start_ns < int(until.timestamp()) * SECOND
        ]

    assert compared(found["totals"]) == measures(within(middle, end))
    assert compared(found["previous"]) == measures(within(START, middle))
    nothing = server.get("/api/analytics", since="2020-01-01", until="2020-01-02", group_by="model")
    assert compared(nothing["totals"]) == measures([])
    assert nothing["series"] == nothing["groups"] == []
    assert server.get("/api/analytics")["previous"] is None


def test_a_very_large_trace_counts_as_any_other(start_server: StartServer) -> None:
    server = start_server()
    trace = random.getrandbits(120)
    start = int(START.timestamp()) * SECOND
    events = [
        span(
            trace,
            2 + number,
            1,
            name=f"n{number % 3}",
            start_ns=start + number,
            ms=number % 100,
            status=2 if number % 10 == 0 else 1,
            agentops__span__kind="tool" if number % 2 else "llm",
            gen_ai__request__model="" if number % 2 else "model-a",
            gen_ai__usage__input_tokens=1,
        )
        for number in range(5_200)
    ]
    root = span(trace, 1, name="root", start_ns=start, ms=9_000, agentops__span__kind="session")
    for first in range(0, len(events), 1_300):
        assert server.post("/v1/traces", body(*events[first : first + 1_300])).status_code == 200
    assert server.post("/v1/traces", body(root)).status_code == 200
    found = server.get("/api/analytics", group_by="model")
    assert found["totals"]["latency_ms"] == percentiles([float(number % 100) for number in range(5_200)])
    (group,) = found["groups"]
    assert group["events"] == {"total": 2_600, "error": 520}
    assert group["tokens"]["input"] == 2_600
    assert group["sessions"] == {"total": 1}


def test_a_very_large_trace_of_two_sessions_counts_for_each(start_server: StartServer) -> None:
    server = start_server()
    trace = random.getrandbits(120)
    start = int(START.timestamp()) * SECOND
    request = span(trace, 1, name="request", start_ns=start, ms=9_000, agentops__span__kind="operation")
    # Below what belongs to none of them: two sessions, and an agent below each.
    times: dict[str, Any] = {"start_ns": start, "ms": 8_000}
    above = [
        span(trace, 2, 1, name="first", agentops__span__kind="session", session__id="the-one", **times),
        span(trace, 3, 1, name="second", agentops__span__kind="session", session__id="the-other", **times),
        span(trace, 4, 2, name="planner", agentops__span__kind="agent", **times),
        span(trace, 5, 3, name="executor", agentops__span__kind="agent", **times),
    ]
    events = [
        span(
            trace,
            10 + number,
            5 if number < 1_000 else 4,
            name="look up",
            start_ns=start + 10 + number,
            ms=number % 100,
            status=2 if number % 10 == 0 else 1,
            agentops__span__kind="tool" if number % 2 else "llm",
            gen_ai__request__model="" if number % 2 else "model-a",
            gen_ai__usage__input_tokens=1,
        )
        for number in range(6_200)
    ]
    for first in range(0, len(events), 1_550):
        assert server.post("/v1/traces", body(*events[first : first + 1_550])).status_code == 200
    assert server.post("/v1/traces", body(request, *above)).status_code == 200

    def of(by: str, **filters: str) -> dict[str, tuple[int, int, int, int | None]]:
        found = server.get("/api/analytics/breakdown", by=by, interval="day", **filters)["groups"]
        return {one["value"]: (one["count"], one["sessions"], one["errors"], one["tokens"]) for one in found}

    assert of("model") == {"model-a": (3_100, 2, 620, 3_100)}
    assert of("tool") == {"look up": (3_100, 2, 0, None)}
    assert of("agent") == {"planner": (5_201, 1, 520, 2_600), "executor": (1_001, 1, 100, 500)}
    assert of("model", q="the-other") == {"model-a": (500, 1, 100, 500)}
    (group,) = server.get("/api/analytics", group_by="tool", q="the-other")["groups"]
    assert group["latency_ms"] == percentiles([float(number % 100) for number in range(1, 1_000, 2)])
    (failed,) = server.get("/api/analytics/errors", q="the-one")["errors"]
    assert (failed["count"], failed["sessions"]) == (520, 1)
    # Its agent is an event too, and so is what stands above both.
    totals = server.get("/api/analytics", q="the-other")["totals"]
    assert totals["events"]["total"] == 1_002
    assert totals["latency_ms"] == percentiles(
        [*(float(number % 100) for number in range(1_000)), 8_000, 9_000]
    )


@pytest.mark.embedded_only
@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"tz": "Europe/Belrin"}, "tz"),
        ({"tz": "+02:00"}, "tz"),
        ({"interval": "fortnight"}, "interval"),
        ({"group_by": "colour"}, "group_by"),
        ({"since": "soon"}, "since"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    module_server: Server, parameters: dict[str, str], field: str
) -> None:
    answer = module_server.http.get("/api/analytics", params=parameters)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["message"].startswith(f"{field}: ")
    assert error["hint"]


@pytest.mark.parametrize(
    ("at", "hour"),
    [
        # By the clock of the island 3:10 on the day on which half an hour is left out, 2:40 and 1:40, for the
        # second time, on the day on which half an hour is told twice.
        (datetime(2026, 10, 3, 16, 10, tzinfo=UTC), "2026-10-03T16:00:00.000000Z"),
        (datetime(2026, 4, 4, 16, 10, tzinfo=UTC), "2026-04-04T15:30:00.000000Z"),
        (datetime(2026, 4, 4, 15, 10, tzinfo=UTC), "2026-04-04T14:00:00.000000Z"),
    ],
)
def test_hours_are_the_clocks_where_it_moves_by_half_an_hour(
    module_server: Server, at: datetime, hour: str
) -> None:
    made = span(0xD5, 1, name="on the island", start_ns=int(at.timestamp()) * SECOND, ms=5)
    assert module_server.post("/v1/traces", body(made)).status_code == 200
    around = {name: (at + timedelta(hours=by)).isoformat() for name, by in (("since", -3), ("until", 3))}
    (listed,) = module_server.get("/api/sessions", q="on the island")["sessions"]
    found = module_server.get("/api/analytics", interval="hour", tz="Australia/Lord_Howe", **around)
    assert [one["at"] for one in found["series"]] == [hour]
    module_server.http.delete(f"/api/sessions/{listed['session_id']}")
