"""What a page that follows a long session asks for: events received lately, as the whole tells them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from clickhouse_connect.driver.buffer import ResponseBuffer
from clickhouse_connect.driver.query import QueryContext
from clickhouse_connect.driver.transform import NativeTransform

from tests.serving import Server
from tests.spans import MS, SECOND, body, span

TRACE = 0x71E
ID = f"00000000-0000-0000-0000-{TRACE:012x}"
TIMELINE = f"/api/sessions/{ID}/timeline"


def rows(timeline: dict[str, list[Any]]) -> dict[str, dict[str, Any]]:
    """Return the columns as one object an event."""
    names = list(timeline)
    return {
        one["event_id"]: one
        for one in (dict(zip(names, each, strict=True)) for each in zip(*timeline.values(), strict=True))
    }


def test_what_was_received_later_is_asked_for_alone(module_server: Server) -> None:
    server = module_server
    first = [span(TRACE, 1, name="long", ms=None), span(TRACE, 2, 1, ms=None), span(TRACE, 3, 1)]
    assert server.post("/v1/traces", body(*first)).status_code == 200
    answer = server.http.get(TIMELINE)
    before = rows(answer.json())
    asked_ms = int(answer.headers["Timeline-At"])

    # One event ends, one is new; the third is not told again.
    assert server.post("/v1/traces", body(span(TRACE, 2, 1), span(TRACE, 4, 2))).status_code == 200
    news = rows(server.get(TIMELINE, after=asked_ms))
    whole = rows(server.get(TIMELINE))
    assert set(news) == {f"{number:016x}" for number in (2, 4)}
    assert {**before, **news} == whole

    assert server.http.get(TIMELINE, params={"after": "yesterday"}).status_code == 400
    assert rows(server.get(TIMELINE, after=2**53)) == {}


def test_what_a_page_draws_from_is_what_everybody_is_told(module_server: Server) -> None:
    server, trace = module_server, TRACE + 1
    path = f"/api/sessions/00000000-0000-0000-0000-{trace:012x}/timeline"
    # A name in another alphabet, parents that are shared, errors, a call that costs, spans that never end.
    spans = [
        span(trace, 1, name="long", ms=None),
        span(trace, 2, 1, name="計画", error="no"),
        span(trace, 3, 1),
    ]
    spans += [span(trace, number, number // 4, ms=number % 5 or None) for number in range(4, 400)]
    call: dict[str, Any] = {
        "gen_ai__operation__name": "chat",
        "gen_ai__request__model": "gpt-4o",
        "gen_ai__usage__input_tokens": 9,
    }
    spans += [span(trace, 400, 7, **call), span(trace, 401, 7, status=2, error__type="Timeout")]
    assert server.post("/v1/traces", body(*spans)).status_code == 200

    whole = rows(server.get(path))
    answer = server.http.get(path, params={"fields": "drawing"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/octet-stream")
    drawn = read_native(answer.content)
    assert [each["event_id"] for each in drawn] == list(whole)
    assert len(drawn) == len(spans)
    for each in drawn:
        told = whole[each["event_id"]]
        for name in ("parent_id", "kind", "status", "name", "agent", "model"):
            assert each[name] == (told[name] or "")
        for name in ("start_ms", "duration_ms", "cost_usd", "tokens_total"):
            assert each[name] == told[name] or (told[name] is None and math.isnan(each[name]))
        parts = (told["error_type"], told["error_message"])
        assert each["error"] == ": ".join(part for part in parts if part)
    assert {each["error"] for each in drawn} >= {"", "no", "Timeout"}

    nothing = server.http.get(path, params={"fields": "drawing", "after": 2**53})
    assert (nothing.status_code, nothing.content) == (200, b"")


def test_a_session_opened_again_is_drawn_as_it_is_now(module_server: Server) -> None:
    server, trace, begins = module_server, TRACE + 2, time.time_ns() - SECOND
    path = f"/api/sessions/00000000-0000-0000-0000-{trace:012x}"

    def told(number: int, parent: int, at_ms: int = 0, **what: Any) -> None:
        one = span(trace, number, parent, start_ns=begins + (at_ms or number) * MS, **what)
        assert server.post("/v1/traces", body(one)).status_code == 200

    def drawn() -> list[dict[str, Any]]:
        answer = server.http.get(f"{path}/timeline", params={"fields": "drawing"})
        return read_native(answer.content)

    for number in range(1, 5):
        told(number, number - 1)
    before = drawn()
    assert str(drawn()) == str(before)
    # Each is one span told again, with one thing of it new.
    changes: list[tuple[str, Callable[[], None]]] = [
        ("name", lambda: told(2, 1, name="renamed")),
        ("parent_id", lambda: told(3, 1)),
        ("start_ms", lambda: told(4, 3, 9)),
        ("error", lambda: told(4, 3, 9, error="no")),
        ("duration_ms", lambda: told(3, 1, ms=99)),
        ("event_id", lambda: told(5, 1)),
    ]
    for column, change in changes:
        change()
        now = drawn()
        assert [each[column] for each in now] != [each[column] for each in before], column
        assert [each["event_id"] for each in now] == list(rows(server.get(f"{path}/timeline")))
        before = now
    assert server.http.delete(path).status_code == 204
    assert server.http.get(f"{path}/timeline", params={"fields": "drawing"}).status_code == 404


def read_native(answer: bytes) -> list[dict[str, Any]]:
    """Return one object an event, as ClickHouse's own client reads the format."""
    source: Any = SimpleNamespace(gen=iter([answer]), close=lambda: None)
    read: Any = NativeTransform().parse_response(ResponseBuffer(source), QueryContext())
    return [dict(zip(read.column_names, row, strict=True)) for row in read.result_rows]
