"""Where do two sessions part? Their events aligned by structure, and what differs between pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, Final

from msgspec import Struct

from agentops.server.query.scope import scope
from agentops.server.query.sessions import session
from agentops.server.query.times import iso
from agentops.server.store.client import Store

MOST: Final = 2_000
"""Events of each session that are compared, from its start."""
DIVERGENT: Final = ("missing", "kind", "name", "model", "status", "input", "output")
"""Differences that make a session take another way; durations and costs always differ a little."""


class _Event(Struct):
    event_id: str
    parent_id: str | None
    kind: str
    name: str
    model: str
    started_at: int
    duration_ns: int | None
    status: str
    tokens: int | None
    cost_usd: float | None
    input_hash: str
    output_hash: str


def compare(store: Store, project: str, a: str, b: str, now_ns: int) -> dict[str, Any] | None:
    """Return both sessions with their events aligned; None when one of them does not exist."""
    whole = [session(store, project, one, now_ns) for one in (a, b)]
    events = [_events(store, project, one, now_ns) for one in (a, b)]
    if whole[0] is None or whole[1] is None or events[0] is None or events[1] is None:
        return None
    rows = [_row(first, second) for first, second in aligned(events[0][:MOST], events[1][:MOST])]
    return {
        "a": whole[0],
        "b": whole[1],
        "cut_off": any(len(one) > MOST for one in events if one is not None),
        "first_divergence": next(
            (place for place, row in enumerate(rows) if any(name in DIVERGENT for name in row["differs"])),
            None,
        ),
        "tools": _tools(events[0][:MOST], events[1][:MOST]),
        "rows": rows,
    }


def _events(store: Store, project: str, session_id: str, now_ns: int) -> list[_Event] | None:
    where = scope(store, project, session_id, now_ns)
    if where is None:
        return None
    found = store.rows(
        f"""
        SELECT span_id AS event_id, {where.parent} AS parent_id, toString(kind) AS kind, name,
            toString(model) AS model, started_at, if(ended, duration_ns, NULL) AS duration_ns,
            {where.status} AS status,
            if(tokens_input IS NULL, tokens_output, tokens_input + ifNull(tokens_output, 0)) AS tokens,
            cost_usd,
            toString(cityHash64(input)) AS input_hash, toString(cityHash64(output)) AS output_hash
        FROM spans FINAL WHERE {where.events_where}
        ORDER BY started_at, span_id LIMIT {{most:UInt32}}
        """,
        {**where.values, "most": MOST + 1},
        _Event,
    )
    return _parents_first(found)


def aligned(a: Sequence[_Event], b: Sequence[_Event]) -> Iterator[tuple[_Event | None, _Event | None]]:
    """Pair events that correspond, in order: by kind, name (its model left out) and depth, then by kind."""
    keys_a, keys_b = _keys(a), _keys(b)
    start = 0
    while start < min(len(a), len(b)) and keys_a[start] == keys_b[start]:
        yield a[start], b[start]
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and keys_a[len(a) - 1 - end] == keys_b[len(b) - 1 - end]:
        end += 1
    matcher = SequenceMatcher(
        None, keys_a[start : len(a) - end], keys_b[start : len(b) - end], autojunk=False
    )
    for _, a_from, a_to, b_from, b_to in matcher.get_opcodes():
        yield from _paired(a[start + a_from : start + a_to], b[start + b_from : start + b_to])
    for place in range(end, 0, -1):
        yield a[len(a) - place], b[len(b) - place]


def _paired(a: Sequence[_Event], b: Sequence[_Event]) -> Iterator[tuple[_Event | None, _Event | None]]:
    waiting = list(b)
    for one in a:
        found = next((place for place, other in enumerate(waiting) if other.kind == one.kind), None)
        if found is None:
            yield one, None
            continue
        for other in waiting[:found]:
            yield None, other
        yield one, waiting[found]
        waiting = waiting[found + 1 :]
    for other in waiting:
        yield None, other


def _keys(events: Sequence[_Event]) -> list[tuple[str, str, int]]:
    depths = _depths(events)
    return [(one.kind, _role(one), depths[one.event_id]) for one in events]


def _role(one: _Event) -> str:
    """Return an event's name without its model: the same step of two models is the same step."""
    if not one.model:
        return one.name
    words = one.name.split()
    return " ".join(word for word in words if not (one.model.startswith(word) or word.startswith(one.model)))


def _depths(events: Sequence[_Event]) -> dict[str, int]:
    """Return how many of these events stand above each; a parent that is not among them is the session."""
    parents = {one.event_id: one.parent_id for one in events}
    depths: dict[str, int] = {}
    for one in events:
        above: list[str] = []
        at: str | None = one.event_id
        # Events may be each other's parents.
        while at is not None and at in parents and at not in depths and at not in above:
            above.append(at)
            at = parents[at]
        depth = depths.get(at or "", -1)
        for event_id in reversed(above):
            depths[event_id] = depth = depth + 1
    return depths


def _parents_first(events: list[_Event]) -> list[_Event]:
    """Return events in start order; of those that start at the same moment, parents before children."""
    depths = _depths(events)
    return sorted(events, key=lambda one: (one.started_at, depths[one.event_id], one.event_id))


def _row(a: _Event | None, b: _Event | None) -> dict[str, Any]:
    differs: list[str] = []
    if a is None or b is None:
        differs.append("missing")
    else:
        fields = ("kind", "name", "model", "status", "tokens", "cost_usd")
        differs += [name for name in fields if getattr(a, name) != getattr(b, name)]
        differs += [
            name for name in ("input", "output") if getattr(a, f"{name}_hash") != getattr(b, f"{name}_hash")
        ]
    return {"a": _shown(a), "b": _shown(b), "differs": differs}


def _shown(one: _Event | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "event_id": one.event_id,
        "parent_id": one.parent_id,
        "kind": one.kind,
        "name": one.name,
        "model": one.model or None,
        "started_at": iso(one.started_at),
        "duration_ms": None if one.duration_ns is None else one.duration_ns / 1e6,
        "status": one.status,
        "tokens": one.tokens,
        "cost_usd": one.cost_usd,
    }


def _tools(a: Sequence[_Event], b: Sequence[_Event]) -> list[dict[str, Any]]:
    names = sorted({one.name for one in (*a, *b) if one.kind == "tool"})
    return [
        {"name": name, **{side: sum(one.kind == "tool" and one.name == name for one in events)
                          for side, events in (("a", a), ("b", b))}}
        for name in names
    ]  # fmt: skip
