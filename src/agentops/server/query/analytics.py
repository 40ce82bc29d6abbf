"""Where did time and money go? Totals, series and groups over the filtered sessions.

Sessions, their tokens and their cost come from session rows, so that they say what the list says. Events,
latency and error rate come from the spans of these sessions. Tokens and cost of a group of events (by model,
kind, name) are those of its own calls.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from agentops.server.query.filters import STATE, Filters, condition
from agentops.server.query.times import iso
from agentops.server.store.client import Store

INTERVALS: Final = {"minute": 60, "hour": 3600, "day": 86400, "week": 604800}
"""Seconds of each."""
SESSION_GROUPS: Final = {"state": f"[{STATE}]", "tag": "tags", "user": "[user_id]"}
EVENT_GROUPS: Final = {
    "model": "model",
    "agent": "agent",
    "tool": "if(kind = 'tool', name, '')",
    "kind": "kind",
    "name": "name",
}
_MOST_GROUPS: Final = 200
_MOST_BUCKETS: Final = 5_000
_WEEK_OFFSET: Final = 4 * 86400
"""1970-01-01 was a Thursday; weeks begin on Mondays."""

_SESSION_SUMS: Final = f"""
    count() AS sessions,
    countIf({STATE} = 'running') AS running, countIf({STATE} = 'success') AS success,
    countIf({STATE} = 'fail') AS fail, countIf({STATE} = 'indeterminate') AS indeterminate,
    sum(events) AS all_events, sum(errors) AS all_errors, sum(llm) AS llm_calls, sum(tool) AS tool_calls,
    sum(tokens_input) AS input, sum(tokens_output) AS output, sum(tokens_cache_read) AS cache_read,
    sum(tokens_cache_write) AS cache_write, sum(tokens_reasoning) AS reasoning, sum(tokens_total) AS total,
    sum(cost_usd) AS cost
"""
_LATENCY: Final = "quantilesTDigestIf(0.5, 0.9, 0.95, 0.99)(duration_ns / 1e6, ended) AS latency"


class _Sums(Struct, kw_only=True):
    sessions: int
    running: int
    success: int
    fail: int
    indeterminate: int
    all_events: int
    all_errors: int
    llm_calls: int
    tool_calls: int
    input: int | None
    output: int | None
    cache_read: int | None
    cache_write: int | None
    reasoning: int | None
    total: int | None
    cost: float | None
    bucket: int = 0
    group_value: str = ""


class _Latency(Struct):
    bucket: int
    latency: list[float | None]
    counted: int


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


def analytics(store: Store, filters: Filters, *, interval: str, group_by: str | None) -> dict[str, Any]:
    """Return totals, a series and groups.

    Args:
        store: the open store.
        filters: which sessions.
        interval: one of INTERVALS.
        group_by: one of SESSION_GROUPS or EVENT_GROUPS, or None for no groups.
    """
    where, values = condition(filters)
    seconds = INTERVALS[interval]
    offset = _WEEK_OFFSET if interval == "week" else 0
    values |= {"width": seconds * 10**9, "offset": offset * 10**9, "most": _MOST_BUCKETS}
    inside = _spans_of(where, group_by)
    totals = store.rows(f"SELECT {_SESSION_SUMS} FROM sessions FINAL WHERE {where}", values, _Sums)[0]
    latency = store.rows(
        f"SELECT 0 AS bucket, {_LATENCY}, countIf(ended) AS counted FROM ({inside})", values, _Latency
    )
    bucket = "intDiv(started_at - {offset:UInt64}, {width:UInt64}) * {width:UInt64} + {offset:UInt64}"
    series = store.rows(
        f"SELECT {bucket} AS bucket, {_SESSION_SUMS} FROM sessions FINAL WHERE {where} "
        "GROUP BY bucket ORDER BY bucket DESC LIMIT {most:UInt32}",
        values,
        _Sums,
    )
    latencies = {
        row.bucket: row.latency
        for row in store.rows(
            f"SELECT {bucket} AS bucket, {_LATENCY}, countIf(ended) AS counted FROM ({inside}) "
            "GROUP BY bucket ORDER BY bucket DESC LIMIT {most:UInt32}",
            values,
            _Latency,
        )
    }
    return {
        "interval": interval,
        "group_by": group_by,
        "totals": {**_shown(totals), "latency_ms": _percentiles(latency[0].latency)},
        "series": [
            {"at": iso(row.bucket), **_shown(row), "latency_ms": _percentiles(latencies.get(row.bucket, []))}
            for row in reversed(series)
        ],
        "groups": _groups(store, where, values, inside, group_by) if group_by else [],
    }


def _spans_of(where: str, group_by: str | None) -> str:
    """Return SQL for the events of the filtered sessions, with their session's id."""
    agent, agents = "s.agent", ""
    if group_by == "agent":
        agent = "if(s.agent != '', s.agent, a.agent)"
        agents = """
        LEFT JOIN (
            SELECT trace_id, span_id, agent FROM span_agents FINAL WHERE project = {project:String}
        ) AS a ON a.trace_id = s.trace_id AND a.span_id = s.span_id"""
    return f"""
        SELECT s.started_at AS started_at, s.ended AS ended, s.duration_ns AS duration_ns, s.kind AS kind,
            s.name AS name, s.model AS model, {agent} AS agent, s.status AS status, s.span_id AS span_id,
            s.tokens_input AS tokens_input, s.tokens_output AS tokens_output,
            s.tokens_cache_read AS tokens_cache_read, s.tokens_cache_write AS tokens_cache_write,
            s.tokens_reasoning AS tokens_reasoning, s.cost_usd AS cost_usd, s.cost_source AS cost_source,
            m.session_id AS session_id, r.span_id != '' AS repeated
        FROM (
            SELECT started_at, ended, duration_ns, kind, name, model, agent, status, span_id, trace_id,
                declared_session, tokens_input, tokens_output, tokens_cache_read, tokens_cache_write,
                tokens_reasoning, cost_usd, cost_source
            FROM spans FINAL WHERE project = {{project:String}} AND kind != 'session'
        ) AS s
        INNER JOIN (
            SELECT trace_id, session_id, whole FROM session_traces FINAL
            WHERE project = {{project:String}} AND NOT deleted
            AND session_id IN (SELECT session_id FROM sessions FINAL WHERE {where})
        ) AS m ON m.trace_id = s.trace_id
        LEFT JOIN (
            SELECT trace_id, span_id, session_id FROM span_sessions FINAL WHERE project = {{project:String}}
        ) AS o ON o.trace_id = s.trace_id AND o.span_id = s.span_id
        LEFT JOIN (
            SELECT trace_id, span_id FROM repeats FINAL WHERE project = {{project:String}} AND repeated
        ) AS r ON r.trace_id = s.trace_id AND r.span_id = s.span_id{agents}
        WHERE m.whole OR s.declared_session = m.session_id OR (s.declared_session = '' AND o.session_id =
        m.session_id)
    """


def _groups(
    store: Store, where: str, values: dict[str, Any], inside: str, group_by: str
) -> list[dict[str, Any]]:
    if group_by in SESSION_GROUPS:
        rows = store.rows(
            f"SELECT toString(arrayJoin({SESSION_GROUPS[group_by]})) AS group_value, {_SESSION_SUMS} "
            f"FROM sessions FINAL WHERE {where} GROUP BY group_value ORDER BY cost DESC NULLS LAST, "
            f"sessions DESC "
            "LIMIT {most_groups:UInt32}",
            {**values, "most_groups": _MOST_GROUPS},
            _Sums,
        )
        return [
            {"value": row.group_value, **_shown(row), "latency_ms": None} for row in rows if row.group_value
        ]
    counted = "(kind IN ('llm', 'embedding') AND NOT repeated)"
    paid = f"({counted} OR (kind = 'tool' AND cost_source = 'reported'))"
    found = store.rows(
        f"""
        SELECT toString({EVENT_GROUPS[group_by]}) AS group_value, uniqExact(session_id) AS sessions, count()
        AS events,
            countIf(status = 'error' OR kind = 'error') AS errors, {_LATENCY},
            sumIf(tokens_input, {counted}) AS input, sumIf(tokens_output, {counted}) AS output,
            sumIf(tokens_cache_read, {counted}) AS cache_read, sumIf(tokens_cache_write, {counted}) AS
            cache_write,
            sumIf(tokens_reasoning, {counted}) AS reasoning, sumIf(cost_usd, {paid}) AS cost
        FROM ({inside}) GROUP BY group_value HAVING group_value != ''
        ORDER BY cost DESC NULLS LAST, events DESC LIMIT {{most_groups:UInt32}}
        """,
        {**values, "most_groups": _MOST_GROUPS},
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


def _percentiles(latency: list[float | None]) -> dict[str, float | None]:
    found = [value if value is not None and value == value else None for value in latency] or [None] * 4
    return dict(zip(("p50", "p90", "p95", "p99"), found, strict=True))
