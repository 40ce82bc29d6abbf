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

from msgspec import Struct

from agentops.server.query.filters import LAPSED, STATE, Filters, condition, deeper
from agentops.server.query.measured import Elsewhere, bucket, durations, elsewhere, events
from agentops.server.query.money import dollars
from agentops.server.query.times import stamp
from agentops.server.store.client import Store
from agentops.server.store.measures import CALLS

SESSION_GROUPS: Final = {"state": f"[{STATE}]", "tag": "arrayDistinct(tags)", "user": "[user_id]"}
EVENT_GROUPS: Final = {
    "model": ("model", f"kind IN {CALLS}"),
    "agent": ("agent",),
    "tool": ("name", "kind = 'tool'"),
    "kind": ("kind",),
    "name": ("name",),
}
"""The column of each group, as it is stored, which is quicker than its text; and which events have one.

A model is that of its calls: agents name theirs too, and what an agent takes is not what the model takes."""
OF_GROUP: Final = {"model": ["kind", "model"], "tool": ["kind", "name"]}
"""The columns that groups of events need, where these are not their name."""
_MOST_GROUPS: Final = 200
_MOST_BUCKETS: Final = 5_000
_TOKENS: Final = ("input", "output", "cache_read", "cache_write", "reasoning")
_LATENCY: Final = "quantilesExactInclusive(0.5, 0.9, 0.95, 0.99)(duration_ns)"
"""Percentiles as between neighbouring values: what spreadsheets and numpy answer."""
_LATENCY_STATE: Final = "quantilesExactInclusiveArrayState(0.5, 0.9, 0.95, 0.99)(durations)"
_LATENCY_MERGED: Final = "quantilesExactInclusiveArrayMerge(0.5, 0.9, 0.95, 0.99)"
_BEFORE: Final = -1
"""The bucket of the range before."""
_ALL: Final = -2
"""The bucket of all sums of the range itself."""
_ORDER: Final = "bucket < 0 DESC, bucket DESC"
# Several questions of one answer are asked side by side.
_side: Final = ThreadPoolExecutor(4, "agentops-analytics")
_Answer = TypeVar("_Answer")

_SESSION_SUMS: Final = f"""
    count() AS sessions,
    countIf(state = 'running' AND NOT {LAPSED}) AS running, countIf(state = 'success') AS success,
    countIf(state = 'fail') AS fail, countIf(state = 'indeterminate' OR {LAPSED}) AS indeterminate,
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
    latency: list[float | None] = []
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
        interval: `minute`, `hour`, `day` or `week`.
        group_by: one of SESSION_GROUPS or EVENT_GROUPS, or None for no groups.
        tz: the time zone whose clock hours, days and weeks begin by.
        with_latency: whether events are read for percentiles; they are all None otherwise.
    """
    where, values = condition(store, filters)
    at = bucket(interval, tz, values)
    beside = elsewhere(store, filters.project, values)
    groups = _asked(lambda: _groups(store, where, values, group_by, beside) if group_by else [])
    # The range and the one before are read at once: what is before counts as one more bucket.
    before = _since_before(filters)
    both, both_values = condition(store, replace(filters, since_ns=before))
    asked = {**values, **both_values, "most": _MOST_BUCKETS + 2}
    if before is not None:
        asked["begins"] = filters.since_ns
        at = f"if(started_at < {{begins:UInt64}}, {_BEFORE}, toInt64({at}))"
    latency = _asked(lambda: _latency(store, both, asked, at, beside) if with_latency else {})
    series = store.rows(
        f"SELECT {at} AS bucket, {_SESSION_SUMS} FROM sessions FINAL WHERE {both} "
        f"GROUP BY bucket ORDER BY {_ORDER} LIMIT {{most:UInt32}}",
        asked,
        _Sums,
    )
    earlier = series.pop(0) if series and series[0].bucket == _BEFORE else _Sums()
    del series[_MOST_BUCKETS:]
    more_to_see = deeper(filters) if not series else None
    if more_to_see is not None:
        return analytics(
            store, more_to_see, interval=interval, group_by=group_by, tz=tz, with_latency=with_latency
        )
    totals = _summed(series) if len(series) < _MOST_BUCKETS else _sums(store, filters)
    latencies = latency.result()
    return {
        "interval": interval,
        "group_by": group_by,
        "tz": tz,
        "totals": {**_shown(totals), "latency_ms": _percentiles(latencies.get(_ALL))},
        "previous": None
        if before is None
        else {**_shown(earlier), "latency_ms": _percentiles(latencies.get(_BEFORE))},
        "series": [
            {
                "at": stamp(row.bucket * 10**9),
                **_shown(row),
                "latency_ms": _percentiles(latencies.get(row.bucket)),
            }
            for row in reversed(series)
        ],
        "groups": groups.result(),
    }


def grouped(by: str) -> tuple[str, str]:
    """Return the column of one of EVENT_GROUPS, and SQL for whether an event has a value there."""
    column, *which = EVENT_GROUPS[by]
    return column, " AND ".join([*which, f"{column} != ''"])


def _asked(question: Callable[[], _Answer]) -> Future[_Answer]:
    return _side.submit(question)


def _since_before(filters: Filters) -> int | None:
    """Return where the equally long range before begins, or None when the range has no beginning."""
    if filters.since_ns is None:
        return None
    until_ns = filters.now_ns if filters.until_ns is None else filters.until_ns
    return max(0, filters.since_ns - max(0, until_ns - filters.since_ns))


def _sums(store: Store, filters: Filters) -> _Sums:
    where, values = condition(store, filters)
    return store.rows(f"SELECT {_SESSION_SUMS} FROM sessions FINAL WHERE {where}", values, _Sums)[0]


def _latency(
    store: Store, where: str, values: dict[str, Any], at: str, beside: Elsewhere
) -> dict[int, list[float | None]]:
    """Return percentiles by bucket: those of _BEFORE, of _ALL after it, and of each interval."""
    inside = durations(where, beside, f"{at} AS bucket")
    rows = store.rows(
        f"""
        SELECT part AS bucket, {_LATENCY_MERGED}(state) AS latency
        FROM (
            SELECT bucket AS within, {_LATENCY_STATE} AS state FROM ({inside}) GROUP BY bucket
        ) ARRAY JOIN if(within = {_BEFORE}, [{_BEFORE}], [{_ALL}, toInt64(within)]) AS part
        GROUP BY bucket ORDER BY {_ORDER} LIMIT {{most:UInt32}}
        """,
        values,
        _Latency,
    )
    return {row.bucket: row.latency for row in rows}


def _groups(
    store: Store, where: str, values: dict[str, Any], group_by: str, beside: Elsewhere
) -> list[dict[str, Any]]:
    values = {**values, "most_groups": _MOST_GROUPS}
    if group_by in SESSION_GROUPS:
        return _session_groups(store, where, values, SESSION_GROUPS[group_by], beside)
    chosen = ["duration_ns", "failed", *_TOKENS, "cost"]
    chosen += OF_GROUP.get(group_by, [group_by])
    value, which = grouped(group_by)
    sums = ", ".join(f"sum({name}) AS {name}" for name in (*_TOKENS, "cost"))
    measured = events(where, tuple(chosen), beside, of_models=group_by == "model")
    found = store.rows(
        f"""
        SELECT {value} AS group_value, uniqExact(session) AS sessions, count() AS events,
            countIf(failed) AS errors, {_LATENCY} AS latency, {sums}
        FROM ({measured}) WHERE {which} GROUP BY group_value
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
            "cost_usd": dollars(row.cost),
            "error_rate": row.errors / row.events if row.events else None,
            "latency_ms": _percentiles(row.latency),
        }
        for row in found
    ]


def _session_groups(
    store: Store, where: str, values: dict[str, Any], value: str, beside: Elsewhere
) -> list[dict[str, Any]]:
    rows = store.rows(
        f"SELECT toString(arrayJoin({value})) AS group_value, {_SESSION_SUMS} "
        f"FROM sessions FINAL WHERE {where} GROUP BY group_value HAVING group_value != '' "
        "ORDER BY cost DESC NULLS LAST, sessions DESC, group_value LIMIT {most_groups:UInt32}",
        values,
        _Sums,
    )
    inside = durations(where, beside, f"{value} AS group_values")
    latencies = {
        row.group_value: row.latency
        for row in store.rows(
            f"SELECT toString(one) AS group_value, {_LATENCY_MERGED}(state) AS latency FROM ("
            f"SELECT arrayJoin(group_values) AS one, {_LATENCY_STATE} AS state FROM ({inside}) GROUP BY one"
            ") GROUP BY group_value",
            values,
            _Latency,
        )
    }
    return [
        {
            "value": row.group_value,
            **_shown(row),
            "latency_ms": _percentiles(latencies.get(row.group_value)),
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
        "cost_usd": dollars(row.cost),
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


def _percentiles(latency_ns: list[float | None] | None) -> dict[str, float | None]:
    found = [None if one is None or one != one else one / 1e6 for one in latency_ns or [None] * 4]
    return dict(zip(("p50", "p90", "p95", "p99"), found, strict=True))
