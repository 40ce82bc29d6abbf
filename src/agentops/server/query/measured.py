"""The events of the filtered sessions as SQL, with what analytics measures of them.

Most of them stand in arrays in their session's row (store/measures.py); those of sessions of several traces,
and of sessions stored by older versions, beside their traces. Those of very large traces are read from their
spans.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct

from agentops.server.store.client import Store
from agentops.server.store.measures import CALLS, PRICED

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
_REPEATED: Final = """(s.trace_id, s.span_id) IN (
            SELECT trace_id, span_id FROM repeats FINAL
            WHERE project = {project:String} AND repeated AND trace_id IN {traces}
        )"""
"""Whether another event states the same call."""
APART: Final = "FROM sessions WHERE project = {project:String} AND NOT measured AND NOT deleted"
"""Sessions whose row does not hold the measures of their events."""


class _Trace(Struct):
    trace_id: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where the events of sessions are whose row does not hold their measures.

    Attributes:
        sessions: whether there are such sessions; those of several traces are.
        traces: SQL for the traces whose events must be read from spans, "" for none.
    """

    sessions: bool
    traces: str


def elsewhere(store: Store, project: str, values: dict[str, Any]) -> Elsewhere:
    """Return where events are beside the sessions' rows, and put what that needs into the parameters."""
    # Without FINAL, which costs ten times as much: one too many is left out again where it is joined.
    asked = {"project": project, "most": _MOST_NAMED + 1}
    if not store.answer(f"SELECT 1 {APART} LIMIT 1", asked):
        return Elsewhere(sessions=False, traces="")
    found = store.rows(
        "SELECT DISTINCT trace_id FROM session_traces WHERE project = {project:String} AND NOT measured "
        "AND NOT deleted LIMIT {most:UInt32}",
        asked,
        _Trace,
    )
    if len(found) > _MOST_NAMED:
        return Elsewhere(
            sessions=True,
            traces="(SELECT trace_id FROM session_traces WHERE project = {project:String} AND NOT measured "
            "AND NOT deleted)",
        )
    values["unmeasured"] = [row.trace_id for row in found]
    return Elsewhere(sessions=True, traces="{unmeasured:Array(String)}" if found else "")


def events(
    where: str, chosen: tuple[str, ...], beside: Elsewhere, of_session: str = "", *, of_models: bool = False
) -> str:
    """Return SQL for the events of sessions, one row an event.

    Args:
        where: a condition over `sessions FINAL`.
        chosen: the COLUMNS wanted, `duration_ns` among them; what is not asked for is not read.
        beside: what `elsewhere` returned.
        of_session: further columns of their session, as expressions with names.
        of_models: whether events without a model are not wanted; `model` is among the chosen then. Most of
            them are left out.

    Returns:
        A SELECT of `session` (a number for each session), the chosen columns, and those of the session.
    """
    arrays = ", ".join(COLUMNS[name] for name in chosen)
    joined = ", ".join(f"{_as_long(COLUMNS[name], of_models)} AS {name}" for name in chosen)
    selects = [
        f"SELECT * EXCEPT ({arrays}), {', '.join(chosen)} FROM ({one}) ARRAY JOIN {joined}"
        for one in _rows(where, chosen, beside, of_session)
    ]
    if beside.traces:
        sessions = _sessions(f"NOT measured AND {where}", of_session)
        which = f" AND kind IN {CALLS} AND model != ''" if of_models else ""
        selects.append(_from_spans(sessions, chosen, beside.traces, which))
    return " UNION ALL ".join(selects)


def _as_long(array: str, of_models: bool) -> str:
    """Return SQL for an array as long as those of models, or as those of all events."""
    if of_models == (array in PRICED):
        return array
    return f"arrayResize({array}, length({COLUMNS['model' if of_models else 'duration_ns']}))"


def durations(where: str, beside: Elsewhere, of_session: str) -> str:
    """Return SQL for the durations of sessions' events, one row a session or trace, as arrays.

    Returns:
        A SELECT of `durations` and the columns of the session.
    """
    selects = [
        f"SELECT * EXCEPT ({COLUMNS['duration_ns']}), {COLUMNS['duration_ns']} AS durations FROM ({one})"
        for one in _rows(where, ("duration_ns",), beside, of_session)
    ]
    if beside.traces:
        sessions = _sessions(f"NOT measured AND {where}", of_session)
        spans = _from_spans(sessions, ("duration_ns",), beside.traces)
        selects.append(
            f"SELECT * EXCEPT duration_ns, groupArray(duration_ns) AS durations FROM ({spans}) GROUP BY ALL"
        )
    return " UNION ALL ".join(selects)


def _sessions(where: str, of_session: str, arrays: str = "session_id") -> str:
    of_session = f", {of_session}" if of_session else ""
    return f"""
        SELECT {arrays}, cityHash64(session_id) AS session{of_session} FROM sessions FINAL WHERE {where}
    """


def _rows(where: str, chosen: tuple[str, ...], beside: Elsewhere, of_session: str) -> list[str]:
    """Return SELECTs of the arrays of the chosen columns, `session`, and the columns of the session."""
    arrays = ", ".join(COLUMNS[name] for name in chosen)
    selects = [_sessions(f"measured AND {where}", of_session, arrays)]
    if beside.sessions:
        selects.append(f"""
            SELECT {arrays}, of.* EXCEPT session_id
            FROM (
                SELECT session_id, {arrays} FROM session_traces FINAL
                PREWHERE session_id IN (SELECT session_id {APART})
                WHERE project = {{project:String}} AND NOT deleted AND measured
            ) AS m INNER JOIN ({_sessions(f"NOT measured AND {where}", of_session)}) AS of
            ON of.session_id = m.session_id
        """)
    return selects


def _from_spans(sessions: str, chosen: tuple[str, ...], traces: str, which: str = "") -> str:
    """Return a SELECT of the chosen columns of the spans of traces, and the columns of their sessions.

    What lies beside the spans is looked up in sets: joins of tables as long as the traces cost ten times as
    much. Only agents are joined, where they are asked for.
    """
    counted = f"(s.kind IN {CALLS} AND NOT {_REPEATED})"
    read: dict[str, str] = {
        "kind": "s.kind",
        "name": "s.name",
        "model": "s.model",
        "agent": "if(s.agent != '', s.agent, a.agent)",
        "duration_ns": "if(s.ended, s.duration_ns, NULL)",
        "failed": f"((s.status = 'error' OR s.kind = 'error') AND NOT {_REPEATED})",
        "input": f"if({counted}, s.tokens_input, NULL)",
        "output": f"if({counted}, s.tokens_output, NULL)",
        "cache_read": f"if({counted}, s.tokens_cache_read, NULL)",
        "cache_write": f"if({counted}, s.tokens_cache_write, NULL)",
        "reasoning": f"if({counted}, s.tokens_reasoning, NULL)",
        "cost": f"if({counted} OR (s.kind = 'tool' AND s.cost_source = 'reported'), s.cost_usd, NULL)",
    }
    named = ", ".join(f"{read[name]} AS {name}" for name in chosen)
    agents = """
        LEFT JOIN (
            SELECT trace_id, span_id, agent FROM span_agents FINAL
            WHERE project = {project:String} AND trace_id IN {traces}
        ) AS a ON a.trace_id = s.trace_id AND a.span_id = s.span_id
    """
    return f"""
        SELECT of.* EXCEPT (session_id, within, whole), {named}
        FROM (
            SELECT trace_id, span_id, declared_session, kind, name, model, agent, ended, duration_ns, status,
                tokens_input, tokens_output, tokens_cache_read, tokens_cache_write, tokens_reasoning,
                cost_usd, cost_source
            FROM spans FINAL
            WHERE project = {{project:String}} AND kind != 'session' AND trace_id IN {{traces}}{which}
        ) AS s
        INNER JOIN (
            SELECT m.within, m.whole, one.*
            FROM (
                SELECT trace_id AS within, session_id AS of_session, whole FROM session_traces FINAL
                WHERE project = {{project:String}} AND trace_id IN {{traces}} AND NOT measured AND NOT deleted
            ) AS m INNER JOIN ({sessions}) AS one ON one.session_id = m.of_session
        ) AS of ON of.within = s.trace_id
        {agents if "agent" in chosen else ""}
        WHERE of.whole OR s.declared_session = of.session_id
            OR (s.declared_session = '' AND (s.trace_id, s.span_id, of.session_id) IN (
                SELECT trace_id, span_id, session_id FROM span_sessions FINAL
                WHERE project = {{project:String}} AND trace_id IN {{traces}}
            ))
    """.replace("{traces}", traces)


def time_zones(store: Store) -> frozenset[str]:
    """Return the names of time zones that the engine knows."""
    answer = store.answer("SELECT time_zone FROM system.time_zones", form="TSV")
    return frozenset(answer.decode().split())


_BY_HALF_HOURS: Final = ("Australia/Lord_Howe", "Australia/LHI")
"""Time zones whose clocks change by half an hour."""


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
    # toStartOfHour, half the price, counts on from the last change of the clock.
    back = f"({clock} - (toMinute({clock}) * 60 + toSecond({clock})))"
    moved = f"({back} + (timezoneOffset({clock}) - timezoneOffset({back})))"
    start = {
        "minute": f"toStartOfMinute({clock})",
        "hour": moved if tz in _BY_HALF_HOURS else f"toStartOfHour({clock})",
        "day": f"toStartOfDay({clock})",
        "week": f"toDateTime(toMonday({clock}), {{tz:String}})",
    }[interval]
    return f"toUnixTimestamp({start})"
