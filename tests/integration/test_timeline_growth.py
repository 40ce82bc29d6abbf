"""What a page that follows a long session asks for: events received lately, as the whole tells them."""

from __future__ import annotations

from typing import Any

from tests.serving import Server
from tests.spans import body, span

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

    drawn = server.get(TIMELINE, fields="drawing")
    assert "started_at" not in drawn
    assert {key: {name: one[name] for name in drawn} for key, one in whole.items()} == rows(drawn)
    assert server.http.get(TIMELINE, params={"after": "yesterday"}).status_code == 400
    assert rows(server.get(TIMELINE, after=2**53)) == {}
