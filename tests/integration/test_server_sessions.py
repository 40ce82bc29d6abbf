"""A session as the server tells it: membership, state, numbers, whatever the order its spans arrive in."""

from __future__ import annotations

import itertools
import random
import time
from typing import Any

import httpx
import pytest

from tests.integration.trace import TRACES, ids, send, session_of, trace
from tests.serving import Server
from tests.spans import MS, SECOND, body, ours, span

__all__ = ["trace"]


def test_a_session_is_listed_as_soon_as_its_spans_are_acknowledged(module_server: Server, trace: int) -> None:
    send(module_server, body(span(trace, 1, name="plan"), span(trace, 2, 1, name="act")))
    assert session_of(trace) in ids(module_server)


def test_one_trace_becomes_one_session_with_its_events_in_start_order(
    module_server: Server, trace: int
) -> None:
    start = time.time_ns() - 60 * SECOND
    send(
        module_server,
        ours(
            span(
                trace,
                1,
                name="run",
                start_ns=start,
                ms=5000,
                session__id=session_of(trace),
                agentops__span__kind="session",
                agentops__session__end_state="Success",
                agentops__tags=["a", "b"],
                agentops__session__records_sent=3,
            ),
            span(
                trace,
                2,
                1,
                name="planner",
                start_ns=start + MS,
                ms=4000,
                session__id=session_of(trace),
                agentops__span__kind="agent",
                gen_ai__agent__name="planner",
                agentops__record__seq=1,
            ),
            span(
                trace,
                3,
                2,
                name="search",
                start_ns=start + 2 * MS,
                ms=10,
                session__id=session_of(trace),
                agentops__span__kind="tool",
                agentops__record__seq=2,
                error="ValueError: no",
            ),
            span(
                trace,
                4,
                1,
                name="step",
                start_ns=start + 3 * MS,
                ms=None,
                session__id=session_of(trace),
                agentops__span__kind="operation",
                agentops__record__seq=3,
            ),
        ),
    )
    session = module_server.get(f"/api/sessions/{session_of(trace)}")
    assert session["name"] == "run"
    assert session["state"] == "success"
    assert session["tags"] == ["a", "b"]
    assert session["duration_ms"] == 5000
    counts = session["event_counts"]
    assert (counts["agent"], counts["tool"], counts["operation"], counts["error"], counts["total"]) == (
        1,
        1,
        1,
        1,
        3,
    )
    assert session["ledger"] == {"sent": 3, "stored": 3}
    events = module_server.get(f"/api/sessions/{session_of(trace)}/events")["events"]
    assert [(one["name"], one["parent_id"], one["status"], one["duration_ms"]) for one in events] == [
        ("planner", None, "ok", 4000),
        ("search", f"{2:016x}", "error", 10),
        ("step", None, "interrupted", None),
    ]


def test_the_session_may_be_declared_by_a_parent_that_arrives_last(module_server: Server) -> None:
    orders = {next(TRACES): order for order in itertools.permutations(range(3))}
    spans = {
        number: [
            span(number, 1, name="request", session__id=f"conversation {number}"),
            span(number, 2, 1, name="chain"),
            span(number, 3, 2, name="chat", gen_ai__operation__name="chat"),
        ]
        for number in orders
    }
    for turn in range(3):
        send(module_server, body(*(spans[number][order[turn]] for number, order in orders.items())))
    listed = ids(module_server)
    for number, order in orders.items():
        session = f"conversation {number}"
        assert session in listed, order
        assert session_of(number) not in listed, order
        events = module_server.get(f"/api/sessions/{session}/events")["events"]
        assert [one["name"] for one in events] == ["request", "chain", "chat"], order


def test_two_sessions_in_one_trace_divide_it_by_nearest_declaring_ancestor(module_server: Server) -> None:
    orders = {next(TRACES): order for order in itertools.permutations(range(4))}
    word = f"under-{min(orders)}"
    spans = {
        number: [
            span(number, 1, name="in first", session__id=f"first-{number}"),
            span(number, 2, 1, name=f"{word} first"),
            span(number, 3, 1, name="in second", session__id=f"second-{number}"),
            span(number, 4, 3, name=f"{word} second"),
        ]
        for number in orders
    }
    # Every order at once, one trace each: no request holds two spans of a trace.
    for turn in range(4):
        send(module_server, body(*(spans[number][order[turn]] for number, order in orders.items())))
    listed = {one["session_id"]: one for one in module_server.get("/api/sessions", limit=500)["sessions"]}
    for turn, (number, order) in enumerate(orders.items()):
        for place, which in enumerate(("first", "second")):
            session, names = f"{which}-{number}", [f"in {which}", f"{word} {which}"]
            path = f"/api/sessions/{session}"
            assert listed[session]["event_counts"]["total"] == 2, order
            # One of the two that say which events there are, in turn: there are many orders.
            if (turn + place) % 2:
                found = [one["name"] for one in module_server.get(f"{path}/events")["events"]]
            else:
                found = module_server.get(f"{path}/timeline")["name"]
            assert found == names, order
    for which in ("first", "second"):
        said = module_server.get("/api/sessions", q=f"{word} {which}", limit=500)["sessions"]
        assert {one["session_id"] for one in said} == {f"{which}-{number}" for number in orders}
    assert not {session_of(number) for number in orders} & set(listed)


def test_one_session_may_have_many_traces(module_server: Server, trace: int) -> None:
    session = f"chat-{trace}"
    for turn in range(3):
        send(
            module_server,
            body(
                span(
                    trace + (turn << 32),
                    1,
                    name=f"turn {turn}",
                    session__id=session,
                    gen_ai__operation__name="chat",
                    gen_ai__usage__input_tokens=10,
                    gen_ai__usage__output_tokens=turn,
                )
            ),
        )
    found = module_server.get(f"/api/sessions/{session}")
    assert found["event_counts"]["llm"] == 3
    assert found["tokens"]["input"] == 30
    assert found["tokens"]["output"] == 3
    assert len(module_server.get(f"/api/sessions/{session}/events")["events"]) == 3


def test_replays_and_starts_after_ends_change_nothing(module_server: Server, trace: int) -> None:
    start = time.time_ns() - SECOND
    begun = span(trace, 1, name="call", start_ns=start, ms=None, gen_ai__operation__name="chat")
    ended = span(
        trace,
        1,
        name="call",
        start_ns=start,
        ms=7,
        gen_ai__operation__name="chat",
        gen_ai__usage__input_tokens=5,
        gen_ai__usage__output_tokens=6,
    )
    for record in (begun, ended, ended, begun):
        send(module_server, body(record))
    found = module_server.get(f"/api/sessions/{session_of(trace)}")
    assert found["event_counts"]["llm"] == 1
    assert found["tokens"]["total"] == 11
    events = module_server.get(f"/api/sessions/{session_of(trace)}/events")["events"]
    assert [(one["status"], one["duration_ms"]) for one in events] == [("ok", 7)]


def test_usage_is_summed_over_leaf_calls_once(module_server: Server, trace: int) -> None:
    usage: dict[str, Any] = {
        "gen_ai__usage__input_tokens": 100,
        "gen_ai__usage__output_tokens": 10,
        "gen_ai__request__model": "gpt-4o",
    }
    send(
        module_server,
        body(
            span(trace, 1, name="agent", gen_ai__operation__name="invoke_agent", **usage),
            span(trace, 2, 1, name="ChatModel", gen_ai__operation__name="chat", **usage),
            span(
                trace, 3, 2, name="POST", gen_ai__operation__name="chat", gen_ai__response__id="r-1", **usage
            ),
            span(
                trace, 4, 2, name="again", gen_ai__operation__name="chat", gen_ai__response__id="r-1", **usage
            ),
            span(
                trace, 5, 1, name="other", gen_ai__operation__name="chat", gen_ai__response__id="r-2", **usage
            ),
            span(trace, 6, 1, name="paid tool", agentops__span__kind="tool", gen_ai__usage__total_cost=0.25),
        ),
    )
    found = module_server.get(f"/api/sessions/{session_of(trace)}")
    assert found["tokens"]["input"] == 200
    assert found["tokens"]["output"] == 20
    assert found["tokens"]["cache_read"] is None
    one_call = (100 * 2.5 + 10 * 10) / 1e6
    assert found["cost_usd"] == pytest.approx(0.25 + 2 * one_call, abs=1e-9)


def test_a_call_with_two_records_is_one_call_and_one_error(module_server: Server, trace: int) -> None:
    said: dict[str, Any] = {"gen_ai__operation__name": "chat", "gen_ai__request__model": "gpt-4o"}
    send(
        module_server,
        body(
            span(trace, 1, name="outer", ms=50, error="Too many requests", **said),
            span(trace, 2, 1, name="inner", ms=40, error="Too many requests", **said),
        ),
    )
    counts = module_server.get(f"/api/sessions/{session_of(trace)}")["event_counts"]
    assert (counts["llm"], counts["error"], counts["total"]) == (1, 1, 2)


def test_attributes_are_searched_when_nothing_else_holds_the_text(
    module_server: Server, trace: int, store_engine: str
) -> None:
    needle = f"needle-{trace}"
    send(module_server, body(span(trace, 1, name="work", vendor__own__attribute=needle)))
    here = f"/api/sessions/{session_of(trace)}"
    # Letter case is the engine's: a cluster is asked once.
    for text in (needle, needle.upper()) if store_engine == "embedded" else (needle.upper(),):
        found = module_server.get("/api/sessions", q=text)
        assert [one["session_id"] for one in found["sessions"]] == [session_of(trace)]
        assert found["total"] == 1
        assert len(module_server.get(f"{here}/events", q=text)["events"]) == 1
    assert module_server.get("/api/analytics", q=needle.upper())["totals"]["sessions"]["total"] == 1
    assert module_server.get(f"{here}/events", q=f"{needle}-not")["events"] == []


def test_an_unknown_model_costs_null_and_unknown_tokens_are_null(module_server: Server, trace: int) -> None:
    send(
        module_server,
        body(
            span(
                trace,
                1,
                name="call",
                gen_ai__operation__name="chat",
                gen_ai__request__model="no-such-model",
                gen_ai__usage__input_tokens=3,
            )
        ),
    )
    found = module_server.get(f"/api/sessions/{session_of(trace)}")
    assert found["cost_usd"] is None
    assert found["tokens"]["output"] is None


@pytest.mark.parametrize(
    ("root", "state", "reason"),
    [
        ({"ms": None}, "running", None),
        ({"ms": 10}, "success", None),
        ({"ms": 10, "error": "it broke"}, "fail", "it broke"),
    ],
)
def test_a_foreign_session_is_what_its_root_says(
    module_server: Server, trace: int, root: dict[str, Any], state: str, reason: str | None
) -> None:
    send(module_server, body(span(trace, 1, name="root", **root), span(trace, 2, 1, name="child")))
    found = module_server.get(f"/api/sessions/{session_of(trace)}")
    assert (found["state"], found["state_reason"]) == (state, reason)
    assert (found["duration_ms"] is None) == (state == "running")


def test_spans_that_are_each_others_parents_end_their_session_and_are_counted(
    module_server: Server, trace: int
) -> None:
    call: dict[str, Any] = {"gen_ai__operation__name": "chat", "gen_ai__usage__input_tokens": 7}
    send(
        module_server,
        body(span(trace, 1, 3, name="first", **call), span(trace, 2, 1, **call), span(trace, 3, 2, **call)),
    )
    found = module_server.get(f"/api/sessions/{session_of(trace)}")
    assert (found["state"], found["name"]) == ("success", "first")
    assert (found["event_counts"]["llm"], found["tokens"]["input"]) == (1, 7)


def test_a_contributing_process_does_not_end_the_session(module_server: Server, trace: int) -> None:
    session = session_of(trace)
    root: dict[str, Any] = {"agentops__span__kind": "session", "session__id": session}
    send(module_server, ours(span(trace, 1, name="main", ms=None, **root)))
    send(
        module_server,
        ours(
            span(
                trace,
                2,
                1,
                name="helper",
                agentops__session__inherited=True,
                agentops__session__end_state="Fail",
                **root,
            ),
            span(
                trace,
                3,
                2,
                name="work",
                session__id=session,
                agentops__span__kind="tool",
                agentops__record__seq=1,
            ),
            instance="process-2",
        ),
    )
    found = module_server.get(f"/api/sessions/{session}")
    assert (found["state"], found["name"], found["event_counts"]["total"]) == ("running", "main", 1)
    assert [one["parent_id"] for one in module_server.get(f"/api/sessions/{session}/events")["events"]] == [
        None
    ]
    send(
        module_server,
        ours(
            span(
                trace,
                1,
                name="main",
                agentops__session__end_state="Indeterminate",
                agentops__session__end_state_reason="exit",
                **root,
            )
        ),
    )
    found = module_server.get(f"/api/sessions/{session}")
    assert (found["state"], found["state_reason"]) == ("indeterminate", "exit")


def test_our_session_that_falls_silent_becomes_indeterminate_and_revives(
    start_server: Any, trace: int
) -> None:
    server: Server = start_server(environment={"AGENTOPS_SESSION_SILENCE": "6"})
    session = session_of(trace)
    start = time.time_ns()
    root: dict[str, Any] = {
        "agentops__span__kind": "session",
        "session__id": session,
        "start_ns": start,
        "ms": None,
        "name": "main",
    }
    send(server, ours(span(trace, 1, **root), span(trace, 2, 1, name="call", ms=None, session__id=session)))
    assert server.get(f"/api/sessions/{session}")["state"] == "running"
    assert server.get(f"/api/sessions/{session}/events")["events"][0]["status"] == "running"
    deadline = time.monotonic() + 25
    with httpx.stream("GET", f"{server.url}/api/live", timeout=30) as told:
        for line in told.iter_lines():
            assert time.monotonic() < deadline, "nobody was told"
            if line.startswith("data: ") and session in line:
                break
    found = server.get(f"/api/sessions/{session}")
    assert found["state"] == "indeterminate"
    assert found["state_reason"] == f"stopped reporting at {found['last_seen_at']}"
    assert server.get(f"/api/sessions/{session}/events")["events"][0]["status"] == "interrupted"
    assert [one["session_id"] for one in server.get("/api/sessions", state="indeterminate")["sessions"]] == [
        session
    ]
    send(server, ours(span(trace, 1, agentops__session__heartbeat_ns=time.time_ns(), **root)))
    assert server.get(f"/api/sessions/{session}")["state"] == "running"


def test_a_backlog_that_arrives_late_does_not_look_alive(module_server: Server, trace: int) -> None:
    session = session_of(trace)
    hour_ago = time.time_ns() - 3600 * SECOND
    record = span(
        trace, 1, name="main", start_ns=hour_ago, ms=None, agentops__span__kind="session", session__id=session
    )
    send(module_server, ours(record), x_agentops_sent_at=str(time.time_ns()))
    found = module_server.get(f"/api/sessions/{session}")
    assert found["state"] == "indeterminate"
    # The same record from a machine whose clock is an hour behind is news.
    other = next(TRACES)
    record = span(
        other,
        1,
        name="main",
        start_ns=hour_ago,
        ms=None,
        agentops__span__kind="session",
        session__id=session_of(other),
    )
    send(module_server, ours(record), x_agentops_sent_at=str(hour_ago + MS))
    assert module_server.get(f"/api/sessions/{session_of(other)}")["state"] == "running"


def _shuffled(trace: int, order: random.Random) -> list[list[dict[str, Any]]]:
    """Return the requests that a session comes in: any order, any size, some spans twice."""
    start = 1_790_000_000 * SECOND
    root: dict[str, Any] = {"session__id": f"s-{trace}", "agentops__span__kind": "session"}
    spans = [span(trace, 1, name="root", start_ns=start, ms=900, **root)]
    for number in range(2, 30):
        said: dict[str, Any] = {"name": f"n{number}", "start_ns": start + number * MS}
        ended: dict[str, Any] = {"error": "bad"} if number % 7 == 0 else {}
        if number % 3 == 0:
            ended |= {"gen_ai__operation__name": "chat", "gen_ai__usage__input_tokens": number}
        spans.append(span(trace, number, max(1, number // 2), ms=3, **said, **ended))
        spans.append(span(trace, number, max(1, number // 2), ms=None, **said))
    order.shuffle(spans)
    spans += order.sample(spans, 10)
    requests: list[list[dict[str, Any]]] = []
    while spans:
        take = order.randrange(1, 12)
        requests.append(spans[:take])
        spans = spans[take:]
    return requests


def test_any_order_and_repetition_ends_in_the_same_sessions(module_server: Server) -> None:
    traces = {next(TRACES): random.Random(seed) for seed in range(6)}
    # Side by side: what comes of one session comes in the requests of the others.
    for parts in itertools.zip_longest(*(_shuffled(*one) for one in traces.items()), fillvalue=()):
        send(module_server, body(*itertools.chain(*parts)))
    seen: set[str] = set()
    for number in traces:
        found = module_server.get(f"/api/sessions/s-{number}")
        told = ("state", "event_counts", "tokens", "duration_ms", "name")
        seen.add(repr([found[name] for name in told]))
        events = module_server.get(f"/api/sessions/s-{number}/events", limit=1000)["events"]
        assert [one["name"] for one in events] == [f"n{place}" for place in range(2, 30)]
    assert len(seen) == 1, seen


def test_a_restarted_server_knows_what_it_knew(start_server: Any, trace: int) -> None:
    session, other = f"first-{trace}", f"second-{trace}"
    spans = [
        span(trace, 1, name="in first", session__id=session),
        span(trace, 2, 1, name="under first", gen_ai__operation__name="chat", gen_ai__usage__input_tokens=7),
        span(trace, 3, 2, name="repeats it", gen_ai__operation__name="chat", gen_ai__usage__input_tokens=7),
        span(trace, 4, 1, name="in second", session__id=other),
        span(trace, 5, 4, name="under second"),
    ]
    # Children first, and parents to a fresh server: nothing of this may live in memory only.
    home = None
    for sent in ([spans[4]], [spans[3], spans[2]], [spans[1], spans[0]]):
        server: Server = start_server(home)
        home = server.home
        send(server, body(*sent))
        assert server.get("/api/sessions")["total"] >= 1
        assert server.stop() == 0
    server = start_server(home)
    assert ids(server) == {session, other}
    names = [one["name"] for one in server.get(f"/api/sessions/{session}/events")["events"]]
    assert names == ["in first", "under first", "repeats it"]
    assert server.get(f"/api/sessions/{session}")["tokens"]["input"] == 7
    assert server.get(f"/api/sessions/{other}")["event_counts"]["total"] == 2
    assert server.get("/api/analytics", group_by="kind")["totals"]["tokens"]["input"] == 7
    groups = {one["value"]: one for one in server.get("/api/analytics", group_by="kind")["groups"]}
    assert groups["llm"]["tokens"]["input"] == 7
