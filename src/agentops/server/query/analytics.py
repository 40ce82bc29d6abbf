"""Where did time and money go? Totals, series and groups over the filtered sessions.

Sessions, their tokens and their cost come from session rows, so that they say what the list says. Latency and
groups of events (by model, agent, tool, kind, name) come from their events; tokens and cost of such a group
are those of its own calls. Everything of a session counts where the session started.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from agentops.server.query.filters import STATE, Filters, condition, deeper
from agentops.server.query.measured import bucket, events, unmeasured
from agentops.server.query.times import iso
from agentops.server.store.client import Store

INTERVALS: Final = ("minute", "hour", "day", "week")
SESSION_GROUPS: Final = {"state": f"[{STATE}]", "tag": "arrayDistinct(tags)", "user": "[user_id]"}
EVENT_GROUPS: Final = {
    "model": "model",
    "agent": "agent",
    "tool": "if(kind = 'tool', name, '')",
    "kind": "kind",
    "name": "name",
}
_MOST_GROUPS: Final = 200
_MOST_BUCKETS: Final = 5_000
_TOKENS: Final = ("input", "output", "cache_read", "cache_write", "reasoning")
_LATENCY: Final = "quantilesExactInclusive(0.5, 0.9, 0.95, 0.99)(duration_ns)"
"""Percentiles as between neighbouring values: what spreadsheets and numpy answer."""
# Several questions of one answer are asked side by side.
_side: Final = ThreadPoolExecutor(4, "agentops-analytics")
_Answer = TypeVar("_Answer")

_SESSION_SUMS: Final = f"""
    count() AS sessions,
    countIf({STATE} = 'running') AS running, countIf({STATE} = 'success') AS success,
    countIf({STATE} = 'fail') AS fail, countIf({STATE} = 'indeterminate') AS indeterminate,
    sum(events) AS all_events, sum(errors) AS all_errors, sum(llm) AS llm_calls, sum(tool) AS tool_calls,
    sum(tokens_input) AS input, sum(tokens_output) AS output, sum(tokens_cache_read) AS cache_read,
    sum(tokens_cache_write) AS cache_write, sum(tokens_reasoning) AS reasoning, sum(tokens_total) AS total,
    sum(cost_usd) AS cost
"""


class _Sums(Struct, kw_only=True):
    sessions: int = 0
    running: int = 0
    success: int = 0
    fail: int = 0
    indeterminate: int = 0
    all_events: int = 0
    all_errors: int = 0
    llm_calls: int = 0
    tool_calls: int = 0
    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    total: int | None = None
    cost: float | None = None
    bucket: int = 0
    group_value: str = ""


class _Latency(Struct):
    latency: list[float | None]
    bucket: int = 0
    group_value: str = ""


class _Group(Struct):
    group_value: str
    sessions: int
    events: int
    errors: int
    latency: list[float | None]
    input: int | None
    output: int | None
    cache_read: int | None
    cache_write: int | None
    reasoning: int | None
    cost: float | None


class _WithTotals(Struct):
    data: list[_Latency]
    totals: _Latency


def analytics(
    store: Store,
    filters: Filters,
    *,
    interval: str,
    group_by: str | None,
    tz: str = "UTC",
    with_latency: bool = True,
) -> dict[str, Any]:
    """Return totals, those of the range before, a series and groups.

    Args:
        store: the open store.
        filters: which sessions.
        interval: one of INTERVALS.
        group_by: one of SESSION_GROUPS or EVENT_GROUPS, or None for no groups.
        tz: the time zone whose clock hours, days and weeks begin by.
        with_latency: whether events are read for percentiles; they are all None otherwise.
    """
    where, values = condition(filters)
    at = bucket(interval, tz, values)
    large = unmeasured(store, filters.project, values)
    latency = _asked(lambda: _latency(store, where, values, at, large) if with_latency else _no_latency())
    groups = _asked(lambda: _groups(store, where, values, group_by, large) if group_by else [])
    before = _before(filters)
    earlier = _asked(lambda: _totals(store, before, with_latency) if before is not None else None)
    series = store.rows(
        f"SELECT {at} AS bucket, {_SESSION_SUMS} FROM sessions FINAL WHERE {where} "
        "GROUP BY bucket ORDER BY bucket DESC LIMIT {most:UInt32}",
        {**values, "most": _MOST_BUCKETS},
        _Sums,
    )
    more_to_see = deeper(filters) if not series else None
    if more_to_see is not None:
        return analytics(
            store, more_to_see, interval=interval, group_by=group_by, tz=tz, with_latency=with_latency
        )
    totals = _summed(series) if len(series) < _MOST_BUCKETS else _sums(store, filters)
    latencies, latency_ms = latency.result()
    return {
        "interval": interval,
        "group_by": group_by,
        "tz": tz,
        "totals": {**_shown(totals), "latency_ms": latency_ms},
        "previous": earlier.result(),
        "series": [
            {
                "at": iso(row.bucket * 10**9),
                **_shown(row),
                "latency_ms": latencies.get(row.bucket, _percentiles([])),
            }
            for row in reversed(series)
        ],
        "groups": groups.result(),
    }


def _asked(question: Callable[[], _Answer]) -> Future[_Answer]:
    return _side.submit(question)


def _before(filters: Filters) -> Filters | None:
    """Return the filters for the equally long range before, or None when the range has no beginning."""
    if filters.since_ns is None:
        return None
    until_ns = filters.now_ns if filters.until_ns is None else filters.until_ns
    length = max(0, until_ns - filters.since_ns)
    return replace(filters, since_ns=max(0, filters.since_ns - length), until_ns=filters.since_ns)


def _sums(store: Store, filters: Filters) -> _Sums:
    where, values = condition(filters)
    return store.rows(f"SELECT {_SESSION_SUMS} FROM sessions FINAL WHERE {where}", values, _Sums)[0]


def _totals(store: Store, filters: Filters, with_latency: bool) -> dict[str, Any]:
    found = _sums(store, filters)
    latency = _latency_of(store, filters) if with_latency and found.all_events else []
    return {**_shown(found), "latency_ms": _percentiles(latency)}


def _latency_of(store: Store, filters: Filters) -> list[float | None]:
    where, values = condition(filters)
    inside = events(where, ("duration_ns",), unmeasured(store, filters.project, values))
    return store.rows(f"SELECT {_LATENCY} AS latency FROM ({inside})", values, _Latency)[0].latency


def _latency(
    store: Store, where: str, values: dict[str, Any], at: str, large: str
) -> tuple[dict[int, dict[str, float | None]], dict[str, float | None]]:
    """Return percentiles by bucket, and those of all."""
    inside = events(where, ("duration_ns",), large, f"{at} AS bucket")
    answer = store.answer(
        f"SELECT bucket, {_LATENCY} AS latency FROM ({inside}) GROUP BY bucket WITH TOTALS "
        "ORDER BY bucket DESC LIMIT {most:UInt32}",
        {**values, "most": _MOST_BUCKETS},
        form="JSON",
    )
    if not answer.startswith(b"{"):
        # Without a row the engine writes the totals before everything else, which is no JSON.
        return _no_latency()
    found = msgspec.json.decode(answer, type=_WithTotals)
    return {row.bucket: _percentiles(row.latency) for row in found.data}, _percentiles(found.totals.latency)


def _no_latency() -> tuple[dict[int, dict[str, float | None]], dict[str, float | None]]:
    return {}, _percentiles([])


def _groups(
    store: Store, where: str, values: dict[str, Any], group_by: str, large: str
) -> list[dict[str, Any]]:
    values = {**values, "most_groups": _MOST_GROUPS}
    if group_by in SESSION_GROUPS:
        return _session_groups(store, where, values, SESSION_GROUPS[group_by], large)
    chosen = ["duration_ns", "failed", *_TOKENS, "cost"]
    chosen += {"tool": ["kind", "name"]}.get(group_by, [group_by])
    value = f"toString({EVENT_GROUPS[group_by]})"
    sums = ", ".join(f"sum({name}) AS {name}" for name in (*_TOKENS, "cost"))
    found = store.rows(
        f"""
        SELECT {value} AS group_value, uniqExact(session) AS sessions, count() AS events,
            countIf(failed) AS errors, {_LATENCY} AS latency, {sums}
        FROM ({events(where, tuple(chosen), large)}) WHERE {value} != '' GROUP BY group_value
        ORDER BY cost DESC NULLS LAST, events DESC, group_value LIMIT {{most_groups:UInt32}}
        """,
        values,
        _Group,
    )
    return [
        {
            "value": row.group_value,
            "sessions": {"total": row.sessions},
            "events": {"total": row.events, "error": row.errors},
            "tokens": _tokens(row, None),
            "cost_usd": row.cost,
            "error_rate": row.errors / row.events if row.events else None,
            "latency_ms": _percentiles(row.latency),
        }
        for row in found
    ]


def _session_groups(
    store: Store, where: str, values: dict[str, Any], value: str, large: str
) -> list[dict[str, Any]]:
    rows = store.rows(
        f"SELECT toString(arrayJoin({value})) AS group_value, {_SESSION_SUMS} "
        f"FROM sessions FINAL WHERE {where} GROUP BY group_value HAVING group_value != '' "
        "ORDER BY cost DESC NULLS LAST, sessions DESC, group_value LIMIT {most_groups:UInt32}",
        values,
        _Sums,
    )
    inside = events(where, ("duration_ns",), large, f"{value} AS group_values")
    latencies = {
        row.group_value: row.latency
        for row in store.rows(
            f"SELECT toString(one) AS group_value, {_LATENCY} AS latency FROM ({inside}) "
            "ARRAY JOIN group_values AS one GROUP BY group_value",
            values,
            _Latency,
        )
    }
    return [
        {
            "value": row.group_value,
            **_shown(row),
            "latency_ms": _percentiles(latencies.get(row.group_value, [])),
        }
        for row in rows
    ]


def _summed(series: list[_Sums]) -> _Sums:
    found = _Sums()
    for name in _Sums.__struct_fields__:
        if name in ("bucket", "group_value"):
            continue
        known = [value for row in series if (value := getattr(row, name)) is not None]
        if known:
            setattr(found, name, sum(known))
    return found


def _shown(row: _Sums) -> dict[str, Any]:
    return {
        "sessions": {
            "total": row.sessions,
            "running": row.running,
            "success": row.success,
            "fail": row.fail,
            "indeterminate": row.indeterminate,
        },
        "events": {
            "total": row.all_events,
            "error": row.all_errors,
            "llm": row.llm_calls,
            "tool": row.tool_calls,
        },
        "tokens": _tokens(row, row.total),
        "cost_usd": row.cost,
        "error_rate": row.all_errors / row.all_events if row.all_events else None,
    }


def _tokens(row: _Sums | _Group, total: int | None) -> dict[str, int | None]:
    known = [value for value in (row.input, row.output) if value is not None]
    return {
        "input": row.input,
        "output": row.output,
        "cache_read": row.cache_read,
        "cache_write": row.cache_write,
        "reasoning": row.reasoning,
        "total": total if total is not None else sum(known) if known else None,
    }


def _percentiles(latency_ns: list[float | None]) -> dict[str, float | None]:
    found = [None if one is None or one != one else one / 1e6 for one in latency_ns] or [None] * 4
    return dict(zip(("p50", "p90", "p95", "p99"), found, strict=True))
