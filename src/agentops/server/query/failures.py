"""Which errors are the most frequent? Errors of the filtered sessions, alike ones together.

Alike are errors of one type whose messages differ in nothing but numbers, ids, addresses and quoted values.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from agentops.server.query.failed import errors_of, shape
from agentops.server.query.filters import Filters, condition, deeper_if_none
from agentops.server.query.measured import elsewhere
from agentops.server.query.times import iso
from agentops.server.store.client import Store
from agentops.server.store.measures import LONGEST_SAID


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
            FROM ({errors_of(where, beside)}) GROUP BY error_type, said
        )
        GROUP BY error_type, shape
        ORDER BY count DESC, last_at DESC, error_type, shape LIMIT {{limit:UInt32}}
        """,
        values,
        _Failure,
    )
    more_to_see = None if rows else deeper_if_none(store, filters)
    if more_to_see is not None:
        return failures(store, more_to_see, limit=limit)
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
