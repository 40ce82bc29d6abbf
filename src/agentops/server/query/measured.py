"""The events of the filtered sessions as SQL: one row an event, with what analytics measures of it.

Most of them stand in arrays beside their trace (store/measures.py). Those of very large traces, and of traces
stored by older versions, are read from their spans.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from agentops.server.store.client import Store
from agentops.server.store.measures import CALLS

COLUMNS: Final = {
    "kind": "event_kind",
    "name": "event_name",
    "model": "event_model",
    "agent": "event_agent",
    "duration_ns": "event_duration_ns",
    "failed": "event_error",
    "input": "event_input",
    "output": "event_output",
    "cache_read": "event_cache_read",
    "cache_write": "event_cache_write",
    "reasoning": "event_reasoning",
    "cost": "event_cost",
}
"""What is measured of an event, and the array that holds it."""
_MOST_NAMED: Final = 10_000


class _Trace(Struct):
    trace_id: str


def unmeasured(store: Store, project: str, values: dict[str, Any]) -> str:
    """Return SQL for the traces whose events must be read from spans, "" for none, and its parameters."""
    # Without FINAL, which costs ten times as much: a trace too many is left out again where it is joined.
    found = store.rows(
        "SELECT DISTINCT trace_id FROM session_traces WHERE project = {project:String} AND NOT measured "
        "AND NOT deleted LIMIT {most:UInt32}",
        {"project": project, "most": _MOST_NAMED + 1},
        _Trace,
    )
    if len(found) > _MOST_NAMED:
        return (
            "(SELECT trace_id FROM session_traces WHERE project = {project:String} AND NOT measured "
            "AND NOT deleted)"
        )
    values["unmeasured"] = [row.trace_id for row in found]
    return "{unmeasured:Array(String)}" if found else ""


def events(where: str, chosen: tuple[str, ...], traces: str, of_session: str = "") -> str:
    """Return SQL for the events of sessions.

    Args:
        where: a condition over `sessions FINAL`.
        chosen: the COLUMNS wanted; what is not asked for is not read.
        traces: what `unmeasured` returned.
        of_session: further columns of their session, as expressions with names.

    Returns:
        A SELECT of `session` (a number for each session), the chosen columns, and those of the session.
    """
    of_session = f", {of_session}" if of_session else ""
    sessions = (
        f"SELECT session_id, cityHash64(session_id) AS session{of_session} FROM sessions FINAL WHERE {where}"
    )
    arrays = ", ".join(COLUMNS[name] for name in chosen)
    named = ", ".join(f"{COLUMNS[name]} AS {name}" for name in chosen)
    measured = f"""
        SELECT of.* EXCEPT session_id, {named}
        FROM (
            SELECT session_id, {arrays} FROM session_traces FINAL
            WHERE project = {{project:String}} AND NOT deleted AND measured
        ) AS m INNER JOIN ({sessions}) AS of ON of.session_id = m.session_id
        ARRAY JOIN {arrays}
    """
    if not traces:
        return measured
    return f"{measured} UNION ALL {_from_spans(sessions, chosen, traces)}"


def _from_spans(sessions: str, chosen: tuple[str, ...], traces: str) -> str:
    counted = f"(s.kind IN {CALLS} AND r.span_id = '')"
    read: dict[str, str] = {
        "kind": "s.kind",
        "name": "s.name",
        "model": "s.model",
        "agent": "if(s.agent != '', s.agent, a.agent)",
        "duration_ns": "if(s.ended, s.duration_ns, NULL)",
        "failed": "(s.status = 'error' OR s.kind = 'error')",
        "input": f"if({counted}, s.tokens_input, NULL)",
        "output": f"if({counted}, s.tokens_output, NULL)",
        "cache_read": f"if({counted}, s.tokens_cache_read, NULL)",
        "cache_write": f"if({counted}, s.tokens_cache_write, NULL)",
        "reasoning": f"if({counted}, s.tokens_reasoning, NULL)",
        "cost": f"if({counted} OR (s.kind = 'tool' AND s.cost_source = 'reported'), s.cost_usd, NULL)",
    }
    named = ", ".join(f"{read[name]} AS {name}" for name in chosen)
    return f"""
        SELECT of.* EXCEPT session_id, {named}
        FROM (
            SELECT trace_id, span_id, declared_session, kind, name, model, agent, ended, duration_ns, status,
                tokens_input, tokens_output, tokens_cache_read, tokens_cache_write, tokens_reasoning,
                cost_usd, cost_source
            FROM spans FINAL
            WHERE project = {{project:String}} AND kind != 'session' AND trace_id IN {traces}
        ) AS s
        INNER JOIN (
            SELECT trace_id, session_id, whole FROM session_traces FINAL
            WHERE project = {{project:String}} AND trace_id IN {traces} AND NOT measured AND NOT deleted
        ) AS m ON m.trace_id = s.trace_id
        INNER JOIN ({sessions}) AS of ON of.session_id = m.session_id
        LEFT JOIN (
            SELECT trace_id, span_id, session_id FROM span_sessions FINAL
            WHERE project = {{project:String}} AND trace_id IN {traces}
        ) AS o ON o.trace_id = s.trace_id AND o.span_id = s.span_id
        LEFT JOIN (
            SELECT trace_id, span_id FROM repeats FINAL
            WHERE project = {{project:String}} AND repeated AND trace_id IN {traces}
        ) AS r ON r.trace_id = s.trace_id AND r.span_id = s.span_id
        LEFT JOIN (
            SELECT trace_id, span_id, agent FROM span_agents FINAL
            WHERE project = {{project:String}} AND trace_id IN {traces}
        ) AS a ON a.trace_id = s.trace_id AND a.span_id = s.span_id
        WHERE m.whole OR s.declared_session = m.session_id
            OR (s.declared_session = '' AND o.session_id = m.session_id)
    """


def time_zones(store: Store) -> frozenset[str]:
    """Return the names of time zones that the engine knows."""
    answer = store.answer("SELECT time_zone FROM system.time_zones", form="TSV")
    return frozenset(answer.decode().split())


def bucket(interval: str, tz: str, values: dict[str, Any]) -> str:
    """Return SQL for the start of the interval that a session started in, unix seconds, and its parameters.

    Args:
        interval: minute, hour, day or week (from Monday).
        tz: a time zone that the engine knows; days, weeks and hours begin by its clock.
        values: the parameters of the query.
    """
    values["tz"] = tz
    # The engine's clock ends in 2106; spans may claim to be of any year.
    clock = "toDateTime(least(intDiv(started_at, 1000000000), 4294967295), {tz:String})"
    start = {
        "minute": f"toStartOfMinute({clock})",
        "hour": f"toStartOfHour({clock})",
        "day": f"toStartOfDay({clock})",
        "week": f"toDateTime(toMonday({clock}), {{tz:String}})",
    }[interval]
    return f"toUnixTimestamp({start})"
