"""Measures: what analytics asks of a trace's events, as arrays.

They stand in the session's row where that trace is all it has, which most sessions are; where it has several,
in the row of the trace (session_traces). A question over a million spans then reads fifty thousand rows of
short columns: membership, agents and repeated calls are settled in them already. A trace of very many events
is left out and read from its spans, so that a long session that is still running is not written anew with
every event.

Events with a model, usage or cost come first, and the arrays of these end with the last of them: most events
have none, and a question about models reads no more than is there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from agentops.semconv import SESSION_KIND
from agentops.server.store.client import Store
from agentops.server.store.facts import Fact
from agentops.server.store.likeness import calls_differ, prompts_differ

CALLS: Final = ("llm", "embedding")
"""Kinds whose usage counts."""
MOST_MEASURED: Final = 5_000
"""Events of a trace whose measures are kept."""
LONGEST_SAID: Final = 300
"""Letters of what a failed event said that are kept with the session: by these errors are grouped."""
PRICED: Final = (
    "event_model",
    "event_input",
    "event_output",
    "event_cache_read",
    "event_cache_write",
    "event_reasoning",
    "event_cost",
)
"""Columns of an element an event that has one of them; these events come first."""
EVENTS: Final = ("event_kind", "event_name", "event_agent", "event_duration_ns", "event_error", *PRICED)
"""Columns of an element an event, but for the PRICED, which may be shorter."""
FAILED: Final = ("failed_type", "failed_said", "failed_name", "failed_at", "failed_id")
"""Columns of an element a failed event."""
UNLIKE: Final = ("calls_differ", "prompts_differ")
"""Columns that say what need not be compared (likeness.py)."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What is measured of a session's events in one trace, as columns by name.

    Attributes:
        events: an element an event; sessions and session_traces both have these columns.
        failed: an element a failed event; columns of sessions.
        unlike: what need not be compared; columns of sessions.
    """

    events: Mapping[str, Any]
    failed: Mapping[str, Any]
    unlike: Mapping[str, Any]


def measures(facts: Iterable[Fact], agents: Mapping[str, str], repeated: set[str]) -> Measures | None:
    """Measure a session's events in one trace; None when they are too many.

    Args:
        facts: the session's spans of this trace.
        agents: agents of the spans that name none, by span id.
        repeated: ids of calls that another event states too: their tokens, cost and failure are left out.
    """
    events = [one for one in facts if one.kind != SESSION_KIND]
    if len(events) > MOST_MEASURED:
        return None
    priced: list[tuple[Any, ...]] = []
    first: list[Fact] = []
    others: list[Fact] = []
    for one in events:
        counts = one.kind in CALLS and one.span_id not in repeated
        costs = counts or (one.kind == "tool" and one.cost_source == "reported")
        if one.model or counts or (costs and one.cost_usd is not None):
            first.append(one)
            priced.append(_priced(one, counts, costs))
        else:
            others.append(one)
    placed = first + others
    measured: dict[str, Sequence[Any]] = {
        "event_kind": [one.kind for one in placed],
        "event_name": [one.name for one in placed],
        "event_agent": [one.agent or agents.get(one.span_id, "") for one in placed],
        "event_duration_ns": [one.duration_ns if one.ended else None for one in placed],
        "event_error": [_failed(one, repeated) for one in placed],
        **dict(zip(PRICED, zip(*priced, strict=True), strict=False)),
    }
    unlike = {"calls_differ": calls_differ(events), "prompts_differ": prompts_differ(events)}
    return Measures(measured, _failures([one for one in events if _failed(one, repeated)]), unlike)


def _priced(one: Fact, counts: bool, costs: bool) -> tuple[Any, ...]:
    """Return an event's values of PRICED."""
    if not counts:
        return (one.model, None, None, None, None, None, one.cost_usd if costs else None)
    return (
        one.model,
        one.tokens_input,
        one.tokens_output,
        one.tokens_cache_read,
        one.tokens_cache_write,
        one.tokens_reasoning,
        one.cost_usd,
    )


def stored(store: Store, project: str, sessions: Sequence[str]) -> dict[str, Measures]:
    """Return the measures that stand in sessions' rows, by session id."""
    answer = store.answer(
        f"SELECT session_id, {', '.join((*EVENTS, *FAILED, *UNLIKE))} FROM sessions FINAL "
        "WHERE project = {project:String} AND session_id IN {ids:Array(String)} AND measured",
        {"project": project, "ids": list(sessions)},
    )
    # What comes out goes in again as it is.
    rows = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode_lines(answer) if answer else []
    return {
        msgspec.json.decode(row["session_id"], type=str): Measures(
            *({name: row[name] for name in names} for names in (EVENTS, FAILED, UNLIKE))
        )
        for row in rows
    }


def _failures(found: Sequence[Fact]) -> dict[str, Any]:
    if not found:
        return {}
    return {
        "failed_type": [one.error_type for one in found],
        "failed_said": [(one.error_message or one.status_message)[:LONGEST_SAID] for one in found],
        "failed_name": [one.name for one in found],
        "failed_at": [one.started_at for one in found],
        "failed_id": [one.span_id for one in found],
    }


def _failed(one: Fact, repeated: Collection[str]) -> bool:
    return (one.status == "error" or one.kind == "error") and one.span_id not in repeated
