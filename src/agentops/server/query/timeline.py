"""Every event of a session at once, column by column: what timeline and tree draw from.

The engine writes the answer; nothing of it becomes a Python value on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agentops.server.query.kept import kept_bytes
from agentops.server.query.scope import Scope, agents
from agentops.server.query.times import iso_sql
from agentops.server.store.client import Store
from agentops.server.store.dialect import OF_TRACES

_COLUMNS: Final = {
    "event_id": "span_id",
    "parent_id": "{parent}",
    "kind": "kind",
    "name": "name",
    "agent": "nullIf({agent}, '')",
    "started_at": "{iso}",
    "start_ms": "(toInt64(s.started_at) - toInt64({{origin:UInt64}})) / 1e6",
    "duration_ms": "if(ended, duration_ns / 1e6, NULL)",
    "status": "{status}",
    "model": "if(model = '', NULL, model)",
    "provider": "if(provider = '', NULL, provider)",
    "tokens_input": "s.tokens_input",
    "tokens_output": "s.tokens_output",
    "tokens_cache_read": "s.tokens_cache_read",
    "tokens_cache_write": "s.tokens_cache_write",
    "tokens_reasoning": "s.tokens_reasoning",
    "tokens_total": "if(s.tokens_input IS NULL AND s.tokens_output IS NULL, NULL, "
    "ifNull(s.tokens_input, 0) + ifNull(s.tokens_output, 0))",
    "cost_usd": "s.cost_usd",
    "error_type": "if(error_type = '', NULL, error_type)",
    "error_message": "nullIf(error_message, '')",
}
_DRAWN: Final = {
    "event_id": "span_id",
    "parent_id": "toLowCardinality(ifNull({parent}, ''))",
    "kind": "toLowCardinality(kind)",
    "status": "toLowCardinality({status})",
    "name": "toLowCardinality(name)",
    "agent": "toLowCardinality({agent})",
    "model": "toLowCardinality(model)",
    "error": "toLowCardinality(multiIf(error_type = '', error_message, error_message = '', "
    "toString(error_type), concat(error_type, ': ', error_message)))",
    "start_ms": _COLUMNS["start_ms"],
    "duration_ms": "if(ended, duration_ns / 1e6, nan)",
    "cost_usd": "toFloat64(ifNull(s.cost_usd, nan))",
    "tokens_total": "if(s.tokens_input IS NULL AND s.tokens_output IS NULL, nan, "
    "toFloat64(ifNull(s.tokens_input, 0) + ifNull(s.tokens_output, 0)))",
}
"""Texts as dictionaries and numbers as they lie in memory: a browser has nothing to parse."""


def timeline(store: Store, scope: Scope, after_ms: int = 0) -> bytes:
    """Return a JSON object of equally long arrays, in start order.

    `start_ms` counts from the session's start, so that readers need not parse `started_at`.

    Args:
        store: the open store.
        scope: the session's spans.
        after_ms: only what was received from then on, unix milliseconds: a page that has the rest asks so.
    """
    answer = _answer(store, scope, after_ms, _COLUMNS, "JSONColumns")
    return answer.rstrip() or b"{}"


def drawing(store: Store, scope: Scope, after_ms: int = 0) -> bytes:
    """Return what a timeline is drawn from, in ClickHouse's Native format, of which nothing must be parsed.

    Unknown numbers are NaN and absent texts are empty. No event, no byte.
    """
    if after_ms:
        return _answer(store, scope, after_ms, _DRAWN, "Native")
    return kept_bytes(
        store,
        ("drawing", scope.project, scope.session_id, scope.running),
        lambda: _answer(store, scope, 0, _DRAWN, "Native"),
    )


def _answer(store: Store, scope: Scope, after_ms: int, columns: Mapping[str, str], form: str) -> bytes:
    agent = agents(store, scope)
    selected = ", ".join(f"{sql} AS {name}" for name, sql in columns.items()).format(
        parent=scope.parent, agent=agent.value, iso=iso_sql("s.started_at"), status=scope.status
    )
    sql = f"""
        {agent.before} SELECT {selected}
        FROM spans AS s FINAL {agent.join}
        WHERE {scope.events_where} {"AND s.received_at >= {after:UInt64}" if after_ms else ""}
        ORDER BY s.started_at, s.span_id, s.trace_id
        {"" if after_ms else OF_TRACES}
    """
    values = {**scope.values, "origin": scope.started_at, "after": after_ms * 10**6}
    return store.answer(sql, values, form=form)
