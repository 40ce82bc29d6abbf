"""Who took the money, the time and the errors? The filtered sessions by one dimension, each with a series.

Model, agent, tool, kind and event name are measured on events: how many, how many failed, their durations.
Tag, user, state and session name are measured on sessions: how many, how many failed, their durations.
`counts` says which. Everything of a session counts where the session started: it is in one interval, so that
sums over intervals count no session twice.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from agentops.server.query.analytics import OF_GROUP, grouped
from agentops.server.query.filters import DURATION, STATE, Filters, condition, deeper_if_none
from agentops.server.query.measured import Elsewhere, bucket, elsewhere, events
from agentops.server.query.money import dollars
from agentops.server.query.times import stamp
from agentops.server.store.client import Store

SESSION_DIMENSIONS: Final = {
    "tag": "arrayDistinct(tags)",
    "user": "[user_id]",
    "state": f"[{STATE}]",
    "session": "[name]",
}
SORTS: Final = {
    "value": "group_value",
    "count": "counted",
    "errors": "failed",
    "error_rate": "failed / counted",
    "p50": "latency[1]",
    "p95": "latency[2]",
    "tokens": "tokens",
    "cost": "cost",
}
_QUANTILES: Final = "quantilesExactInclusive"


class _Group(Struct):
    group_value: str
    counted: int
    sessions: int
    failed: int
    latency: list[float | None]
    tokens: int | None
    cost: float | None
    starts: list[int]
    counts: list[int]
    failures: list[int]
    costs: list[float | None]
    all_groups: int
    all_counted: int
    all_cost: float | None


def breakdown(
    store: Store,
    filters: Filters,
    *,
    by: str,
    interval: str,
    tz: str = "UTC",
    sort: str = "cost",
    order: str = "desc",
    limit: int = 100,
) -> dict[str, Any]:
    """Return the values of a dimension with what they count and cost, largest first.

    Args:
        store: the open store.
        filters: which sessions.
        by: one of SESSION_DIMENSIONS or EVENT_GROUPS.
        interval: the width of each value's series: minute, hour, day or week.
        tz: the time zone whose clock hours, days and weeks begin by.
        sort: one of SORTS; unknown values come last either way.
        order: asc or desc.
        limit: the most values.
    """
    where, values = condition(store, filters)
    at = bucket(interval, tz, values)
    values["limit"] = limit
    measured = _of_sessions(where, by, at) if by in SESSION_DIMENSIONS else ""
    if not measured:
        measured = _of_events(where, by, at, elsewhere(store, filters.project, values))
    direction = "ASC" if order == "asc" else "DESC"
    rows = store.rows(
        f"""
        SELECT group_value, sum(part_counted) AS counted, sum(part_sessions) AS sessions,
            sum(part_failed) AS failed, {_QUANTILES}Merge(0.5, 0.95)(part_latency) AS latency,
            sum(part_tokens) AS tokens, sum(part_cost) AS cost,
            groupArray(starts_at) AS starts, groupArray(part_counted) AS counts,
            groupArray(part_failed) AS failures, groupArray(tuple(part_cost)).1 AS costs,
            count() OVER () AS all_groups, sum(counted) OVER () AS all_counted, sum(cost) OVER () AS all_cost
        FROM ({measured})
        GROUP BY group_value
        ORDER BY {SORTS[sort]} {direction} NULLS LAST, counted DESC, group_value
        LIMIT {{limit:UInt32}}
        """,
        values,
        _Group,
    )
    more_to_see = None if rows else deeper_if_none(store, filters)
    if more_to_see is not None:
        return breakdown(
            store, more_to_see, by=by, interval=interval, tz=tz, sort=sort, order=order, limit=limit
        )
    return {
        "by": by,
        "counts": "sessions" if by in SESSION_DIMENSIONS else "events",
        "interval": interval,
        "tz": tz,
        "total": rows[0].all_groups if rows else 0,
        "groups": [_shown(row) for row in rows],
    }


def _of_events(where: str, by: str, at: str, beside: Elsewhere) -> str:
    chosen = ["duration_ns", "failed", "input", "output", "cost"]
    chosen += OF_GROUP.get(by, [by])
    value, which = grouped(by)
    return f"""
        SELECT {value} AS group_value, starts_at, count() AS part_counted, countIf(failed) AS part_failed,
            uniqExact(session) AS part_sessions,
            {_QUANTILES}State(0.5, 0.95)(duration_ns) AS part_latency,
            if(sum(input) IS NULL, sum(output), sum(input) + ifNull(sum(output), 0)) AS part_tokens,
            sum(cost) AS part_cost
        FROM ({events(where, tuple(chosen), beside, f"{at} AS starts_at", of_models=by == "model")})
        WHERE {which} GROUP BY group_value, starts_at
    """


def _of_sessions(where: str, by: str, at: str) -> str:
    return f"""
        SELECT toString(arrayJoin({SESSION_DIMENSIONS[by]})) AS group_value, {at} AS starts_at,
            count() AS part_counted, countIf({STATE} = 'fail') AS part_failed,
            count() AS part_sessions, {_QUANTILES}State(0.5, 0.95)(toNullable({DURATION})) AS part_latency,
            sum(tokens_total) AS part_tokens, sum(cost_usd) AS part_cost
        FROM sessions FINAL WHERE {where}
        GROUP BY group_value, starts_at HAVING group_value != ''
    """


def _shown(row: _Group) -> dict[str, Any]:
    share = row.counted / row.all_counted
    if row.all_cost:
        share = (row.cost or 0) / row.all_cost
    p50, p95 = (None if one is None or one != one else one / 1e6 for one in row.latency or [None, None])
    return {
        "value": row.group_value,
        "count": row.counted,
        "sessions": row.sessions,
        "errors": row.failed,
        "error_rate": row.failed / row.counted,
        "duration_ms": {"p50": p50, "p95": p95},
        "tokens": row.tokens,
        "cost_usd": dollars(row.cost),
        "share": share,
        "series": [
            {"at": stamp(at * 10**9), "count": count, "errors": errors, "cost_usd": dollars(cost)}
            for at, count, errors, cost in sorted(
                zip(row.starts, row.counts, row.failures, row.costs, strict=True), key=lambda one: one[0]
            )
        ],
    }
