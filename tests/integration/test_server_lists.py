"""Lists of sessions: pages, filters, facets, sums, cursors."""

from __future__ import annotations

import base64
import itertools
import random
import time
from typing import Any
from uuid import UUID

import pytest

from tests.serving import Server, error_of
from tests.spans import SECOND, body, span

_traces = itertools.count(random.getrandbits(60) << 60)


@pytest.fixture
def trace() -> int:
    return next(_traces)


def test_pages_walk_every_session_once_in_order(start_server: Any) -> None:
    server: Server = start_server()
    start = time.time_ns() - 3600 * SECOND

    def usage(index: int) -> dict[str, Any]:
        """Return tokens and a cost; of every eighth session nothing is known."""
        if index % 8 == 0:
            return {}
        tokens = 1 + (index * 3) % 5
        return {"gen_ai__usage__input_tokens": tokens, "gen_ai__usage__cost": (tokens - 1) / 100}

    made = [
        span(
            trace := next(_traces),
            1,
            name=f"s{index}",
            start_ns=start + (index // 3) * SECOND,
            ms=(index * 7) % 10,
            gen_ai__operation__name="chat",
            **usage(index),
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
                "/api/sessions", limit=9, sort=sort, order=order, **({"cursor": cursor} if cursor else {})
            )
            assert page["total"] == 37
            seen += [one["session_id"] for one in page["sessions"]]
            values += [
                {
                    "started": one["started_at"],
                    "duration": one["duration_ms"],
                    "tokens": one["tokens"]["total"],
                    "cost": one["cost_usd"],
                }.get(sort)
                for one in page["sessions"]
            ]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 37
        if sort in ("started", "duration", "tokens", "cost"):
            known = [one for one in values if one is not None]
            assert known == sorted(known, reverse=order == "desc")
            # What is unknown comes last either way.
            assert values[len(known) :] == [None] * (0 if sort in ("started", "duration") else 5)
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
    # As Python and its HTTP libraries write them.
    assert names(error="True") == ["failed"]
    assert names(error="FALSE") == ["plain"]
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
    one = server.get("/api/sessions/facets", facet="tag")
    assert one == {name: facets["tag"] if name == "tag" else [] for name in facets}


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


def test_base64_of_nothing_is_no_cursor(module_server: Server) -> None:
    for cursor in (
        base64.urlsafe_b64encode(b"[]").decode(),
        base64.urlsafe_b64encode(b'["started","desc",1,"x","y"]').decode(),
        "é",
    ):
        assert module_server.http.get("/api/sessions", params={"cursor": cursor}).status_code == 400


def test_an_error_about_one_of_several_values_names_the_parameter(module_server: Server, trace: int) -> None:
    module_server.post("/v1/traces", body(span(trace, 1)))
    events = f"/api/sessions/{UUID(int=trace)}/events"
    for path, name in ((events, "kind"), (events, "status"), ("/api/sessions/facets", "facet")):
        answer = module_server.http.get(path, params={name: ["llm" if name == "kind" else "ok", "odd"]})
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith(f"{name}: ")
        assert f"what {name} may be" in answer.json()["error"]["hint"]


def test_a_value_with_a_nul_is_filtered_by_like_any_other(module_server: Server, trace: int) -> None:
    odd = "a\x00b"
    sent = span(trace, 1, name=odd, agentops__span__kind="session", agentops__tags=[odd], user__id=odd)
    call = span(trace, 2, 1, name=odd, agentops__span__kind="tool", gen_ai__agent__name=odd, error=odd)
    module_server.post("/v1/traces", body(sent, call))
    facets = module_server.get("/api/sessions/facets", q=str(UUID(int=trace)))
    for name in ("tag", "user", "agent", "tool"):
        assert facets[name] == [{"value": odd, "count": 1}]
        assert module_server.get("/api/sessions", **{name: odd})["total"] == 1
    for more in ({"name": odd}, {"q": odd}, {"also": f"error:{odd}"}):
        assert module_server.get("/api/sessions", **more)["total"] == 1, more
    assert module_server.get("/api/sessions", tag="a")["total"] == 0
