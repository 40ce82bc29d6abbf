"""Which errors are the most frequent? Errors of the filtered sessions, alike ones together.

Alike are errors of one type whose messages differ in nothing but numbers, ids, addresses and quoted values.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from agentops.server.query.filters import Filters, condition
from agentops.server.query.measured import Elsewhere, elsewhere
from agentops.server.query.times import iso
from agentops.server.store.client import Store
from agentops.server.store.measures import LONGEST_SAID

_ALIKE: Final = (
    (r"\s+", " "),
    (r"https?://[^ \"'<>)]+", "<url>"),
    (r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", "<id>"),
    (r"\b0x[0-9a-fA-F]+\b", "<id>"),
    (r"\b[0-9a-fA-F]*([0-9][a-fA-F]|[a-fA-F][0-9])[0-9a-fA-F]{6,}\b", "<id>"),
    (r"\"[^\"]{1,200}\"", "<text>"),
    (r"\B'[^']{1,200}'\B", "<text>"),
    (r"[0-9]+([.,:][0-9]+)*", "<n>"),
)
"""What is taken for the same (RE2), in the order it is looked for, and what stands for it."""


class _Failure(Struct):
    error_type: str
    shape: str
    count: int
    sessions: int
    first_at: int
    last_at: int
    message: str
    in_session: str
    event_id: str
    names: list[str]
    all_groups: int


def failures(store: Store, filters: Filters, *, limit: int) -> dict[str, Any]:
    """Return the most frequent errors: type, normalised message, how often, where, first and last.

    Args:
        store: the open store.
        filters: which sessions.
        limit: the most groups.
    """
    where, values = condition(store, filters)
    values["limit"] = limit
    beside = elsewhere(store, filters.project, values)
    rows = store.rows(
        f"""
        SELECT error_type, shape, sum(said_times) AS count, uniqExactMerge(said_sessions) AS sessions,
            min(said_first) AS first_at, max(said_last).1 AS last_at,
            max((said_last, said)) AS latest, latest.2 AS message,
            latest.1.2 AS event_id, latest.1.3 AS in_session,
            arraySort(groupUniqArrayArray(5)(said_names)) AS names, count() OVER () AS all_groups
        FROM (
            SELECT error_type, said, {shape("said", values)} AS shape, count() AS said_times,
                uniqExactState(cityHash64(session_id)) AS said_sessions, min(at) AS said_first,
                max((at, span_id, session_id)) AS said_last, groupUniqArray(5)(name) AS said_names
            FROM ({_errors(where, beside)}) GROUP BY error_type, said
        )
        GROUP BY error_type, shape
        ORDER BY count DESC, last_at DESC, error_type, shape LIMIT {{limit:UInt32}}
        """,
        values,
        _Failure,
    )
    messages = _whole(store, filters.project, [row for row in rows if len(row.message) >= LONGEST_SAID])
    return {
        "total": rows[0].all_groups if rows else 0,
        "errors": [
            {
                "error_type": row.error_type,
                "message": row.shape,
                "count": row.count,
                "sessions": row.sessions,
                "first_at": iso(row.first_at),
                "last_at": iso(row.last_at),
                "names": row.names,
                "example": {
                    "session_id": row.in_session,
                    "event_id": row.event_id,
                    "message": messages.get((row.in_session, row.event_id, row.message), row.message),
                },
            }
            for row in rows
        ],
    }


class _Said(Struct):
    session_id: str
    span_id: str
    said: str


def _whole(store: Store, project: str, rows: list[_Failure]) -> dict[tuple[str, str, str], str]:
    """Return the whole messages of examples, by session, event and beginning.

    Traces of a session may have events of one id: the beginning tells whose message it is.
    """
    if not rows:
        return {}
    found = store.rows(
        """
        SELECT m.session_id AS session_id, s.span_id AS span_id,
            if(s.error_message != '', s.error_message, s.status_message) AS said
        FROM spans AS s FINAL INNER JOIN (
            SELECT trace_id, session_id FROM session_traces FINAL
            WHERE project = {project:String} AND session_id IN {sessions:Array(String)} AND NOT deleted
        ) AS m ON m.trace_id = s.trace_id
        WHERE s.project = {project:String} AND s.span_id IN {ids:Array(String)} AND s.trace_id IN (
            SELECT trace_id FROM session_traces
            WHERE project = {project:String} AND session_id IN {sessions:Array(String)}
        )
        """,
        {
            "project": project,
            "sessions": sorted({row.in_session for row in rows}),
            "ids": sorted({row.event_id for row in rows}),
        },
        _Said,
    )
    return {(one.session_id, one.span_id, one.said[:LONGEST_SAID]): one.said for one in found}


def shape(column: str, values: dict[str, Any]) -> str:
    """Return SQL for a message with what varies replaced, and put what it needs into the parameters."""
    found = column
    for number, (pattern, stands) in enumerate(_ALIKE):
        values |= {f"alike{number}": pattern, f"stands{number}": stands}
        found = f"replaceRegexpAll({found}, {{alike{number}:String}}, {{stands{number}:String}})"
    return f"trimBoth({found})"


def _errors(where: str, beside: Elsewhere) -> str:
    """Return SQL for the errors of the sessions: type, what they said, when, whose."""
    measured = f"""
        SELECT error_type, said, at, name, span_id, session_id
        FROM (
            SELECT session_id, failed_type, failed_said, failed_at, failed_name, failed_id
            FROM sessions FINAL WHERE errors > 0 AND measured AND {where}
        ) ARRAY JOIN failed_type AS error_type, failed_said AS said, failed_at AS at, failed_name AS name,
            failed_id AS span_id
    """
    return f"{measured} UNION ALL {_from_spans(where)}" if beside.sessions else measured


def _from_spans(where: str) -> str:
    # An end is written once: among the versions of a span only an end can say that it failed, so that looking
    # for errors before choosing the version finds the same and reads a hundredth.
    return f"""
        SELECT s.error_type AS error_type, s.said AS said, s.started_at AS at, s.name AS name,
            s.span_id AS span_id, m.session_id AS session_id
        FROM (
            SELECT trace_id, span_id, declared_session, name, error_type, started_at,
                substringUTF8(if(error_message != '', error_message, status_message), 1, {LONGEST_SAID})
                    AS said
            FROM spans
            PREWHERE status = 'error' OR kind = 'error'
            WHERE project = {{project:String}} AND kind != 'session'
            ORDER BY version DESC LIMIT 1 BY trace_id, span_id
        ) AS s
        INNER JOIN (
            SELECT trace_id, session_id, whole FROM session_traces FINAL
            WHERE project = {{project:String}} AND NOT deleted
            AND session_id IN (
                SELECT session_id FROM sessions FINAL WHERE errors > 0 AND NOT measured AND {where}
            )
        ) AS m ON m.trace_id = s.trace_id
        LEFT JOIN (
            SELECT trace_id, span_id, session_id FROM span_sessions FINAL
            WHERE project = {{project:String}} AND trace_id IN (
                SELECT trace_id FROM session_traces WHERE project = {{project:String}} AND NOT whole
            )
        ) AS o ON o.trace_id = s.trace_id AND o.span_id = s.span_id
        LEFT JOIN (
            SELECT trace_id, span_id FROM repeats FINAL WHERE project = {{project:String}} AND repeated
        ) AS r ON r.trace_id = s.trace_id AND r.span_id = s.span_id
        WHERE r.span_id = '' AND (m.whole OR s.declared_session = m.session_id
            OR (s.declared_session = '' AND o.session_id = m.session_id))
    """
