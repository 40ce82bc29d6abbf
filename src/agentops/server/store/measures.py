"""Measures: what analytics asks of a trace's events, as arrays in the trace's row of session_traces.

A question over a million spans then reads fifty thousand rows of short columns: membership, agents and
repeated calls are settled in them already. A trace of very many events is left out (`measured` false) and
read from its spans, so that a long session that is still running is not written anew with every event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from agentops.semconv import SESSION_KIND
from agentops.server.store.facts import Fact

CALLS: Final = ("llm", "embedding")
"""Kinds whose usage counts."""
MOST_MEASURED: Final = 5_000
"""Events of a trace whose measures stand in its row."""


def measures(facts: Iterable[Fact], agents: Mapping[str, str], repeated: set[str]) -> dict[str, Any]:
    """Return the columns of session_traces that measure a session's events in one trace.

    Args:
        facts: the session's spans of this trace.
        agents: agents of the spans that name none, by span id.
        repeated: ids of calls whose usage another event states too: their tokens and cost are left out.
    """
    events = [one for one in facts if one.kind != SESSION_KIND]
    if len(events) > MOST_MEASURED:
        return {"measured": False}
    counted = [one.kind in CALLS and one.span_id not in repeated for one in events]
    calls = list(zip(events, counted, strict=True))
    return {
        "measured": True,
        "event_kind": [one.kind for one in events],
        "event_name": [one.name for one in events],
        "event_model": [one.model for one in events],
        "event_agent": [one.agent or agents.get(one.span_id, "") for one in events],
        "event_duration_ns": [one.duration_ns if one.ended else None for one in events],
        "event_error": [one.status == "error" or one.kind == "error" for one in events],
        "event_input": [one.tokens_input if counts else None for one, counts in calls],
        "event_output": [one.tokens_output if counts else None for one, counts in calls],
        "event_cache_read": [one.tokens_cache_read if counts else None for one, counts in calls],
        "event_cache_write": [one.tokens_cache_write if counts else None for one, counts in calls],
        "event_reasoning": [one.tokens_reasoning if counts else None for one, counts in calls],
        "event_cost": [
            one.cost_usd if counts or (one.kind == "tool" and one.cost_source == "reported") else None
            for one, counts in calls
        ],
    }
