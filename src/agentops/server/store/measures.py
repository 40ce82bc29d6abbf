"""Measures: what analytics asks of a trace's events, as arrays.

They stand in the session's row where that trace is all it has, which most sessions are; where it has several,
in the row of the trace (session_traces). A question over a million spans then reads fifty thousand rows of
short columns: membership, agents and repeated calls are settled in them already. A trace of very many events
is left out and read from its spans, so that a long session that is still running is not written anew with
every event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from agentops.semconv import SESSION_KIND
from agentops.server.store.client import Store
from agentops.server.store.facts import Fact

CALLS: Final = ("llm", "embedding")
"""Kinds whose usage counts."""
MOST_MEASURED: Final = 5_000
"""Events of a trace whose measures are kept."""
LONGEST_SAID: Final = 300
"""Letters of what a failed event said that are kept with the session: by these errors are grouped."""
EVENTS: Final = (
    "event_kind",
    "event_name",
    "event_model",
    "event_agent",
    "event_duration_ns",
    "event_error",
    "event_input",
    "event_output",
    "event_cache_read",
    "event_cache_write",
    "event_reasoning",
    "event_cost",
)
"""Columns of an element an event."""
FAILED: Final = ("failed_type", "failed_said", "failed_name", "failed_at", "failed_id")
"""Columns of an element a failed event."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What is measured of a session's events in one trace, as columns by name.

    Attributes:
        events: an element an event; sessions and session_traces both have these columns.
        failed: an element a failed event; columns of sessions.
    """

    events: Mapping[str, Any]
    failed: Mapping[str, Any]


def measures(facts: Iterable[Fact], agents: Mapping[str, str], repeated: set[str]) -> Measures | None:
    """Measure a session's events in one trace; None when they are too many.

    Args:
        facts: the session's spans of this trace.
        agents: agents of the spans that name none, by span id.
        repeated: ids of calls whose usage another event states too: their tokens and cost are left out.
    """
    events = [one for one in facts if one.kind != SESSION_KIND]
    if len(events) > MOST_MEASURED:
        return None
    counted = [one.kind in CALLS and one.span_id not in repeated for one in events]
    calls = list(zip(events, counted, strict=True))
    measured: dict[str, list[Any]] = {
        "event_kind": [one.kind for one in events],
        "event_name": [one.name for one in events],
        "event_model": [one.model for one in events],
        "event_agent": [one.agent or agents.get(one.span_id, "") for one in events],
        "event_duration_ns": [one.duration_ns if one.ended else None for one in events],
        "event_error": [_failed(one) for one in events],
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
    return Measures(measured, _failures(events))


def stored(store: Store, project: str, sessions: Sequence[str]) -> dict[str, Measures]:
    """Return the measures that stand in sessions' rows, by session id."""
    answer = store.answer(
        f"SELECT session_id, {', '.join((*EVENTS, *FAILED))} FROM sessions FINAL "
        "WHERE project = {project:String} AND session_id IN {ids:Array(String)} AND measured",
        {"project": project, "ids": list(sessions)},
    )
    # What comes out goes in again as it is.
    rows = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode_lines(answer) if answer else []
    return {
        msgspec.json.decode(row["session_id"], type=str): Measures(
            {name: row[name] for name in EVENTS}, {name: row[name] for name in FAILED}
        )
        for row in rows
    }


def _failures(events: Iterable[Fact]) -> dict[str, Any]:
    found = [one for one in events if _failed(one)]
    if not found:
        return {}
    return {
        "failed_type": [one.error_type for one in found],
        "failed_said": [(one.error_message or one.status_message)[:LONGEST_SAID] for one in found],
        "failed_name": [one.name for one in found],
        "failed_at": [one.started_at for one in found],
        "failed_id": [one.span_id for one in found],
    }


def _failed(one: Fact) -> bool:
    return one.status == "error" or one.kind == "error"
