"""Every event of a session at once, column by column: what timeline and tree draw from.

The engine writes the JSON; nothing of it becomes a Python value on the way.
"""

from __future__ import annotations

from agentops.server.query.scope import Scope, agents
from agentops.server.query.times import iso_sql
from agentops.server.store.client import Store


def timeline(store: Store, scope: Scope) -> bytes:
    """Return a JSON object of equally long arrays, in start order.

    `start_ms` counts from the session's start, so that readers need not parse `started_at`.
    """
    agent, join = agents(store, scope)
    sql = f"""
        SELECT
            span_id AS event_id, {scope.parent} AS parent_id, kind, name, nullIf({agent}, '') AS agent,
            {iso_sql("s.started_at")} AS started_at,
            (toInt64(s.started_at) - toInt64({{origin:UInt64}})) / 1e6 AS start_ms,
            if(ended, duration_ns / 1e6, NULL) AS duration_ms,
            {scope.status} AS status,
            nullIf(toString(model), '') AS model, nullIf(toString(provider), '') AS provider,
            tokens_input, tokens_output, tokens_cache_read, tokens_cache_write, tokens_reasoning,
            if(tokens_input IS NULL AND tokens_output IS NULL, NULL, ifNull(tokens_input, 0) +
            ifNull(tokens_output, 0))
                AS tokens_total,
            cost_usd, nullIf(toString(error_type), '') AS error_type, nullIf(error_message, '') AS
            error_message
        FROM spans AS s FINAL {join}
        WHERE {scope.events_where}
        ORDER BY s.started_at, s.span_id, s.trace_id
    """
    answer = store.answer(sql, {**scope.values, "origin": scope.started_at}, form="JSONColumns")
    return answer.rstrip() or b"{}"
