"""The errors of sessions as SQL, and what is taken for the same error.

Alike are errors of one type whose messages differ in nothing but numbers, ids, addresses and quoted values.
"""

from __future__ import annotations

from typing import Any, Final

from agentops.server.query.measured import APART, Elsewhere, elsewhere
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

_TRACES: Final = f"""(
            SELECT trace_id FROM session_traces
            WHERE project = {{project:String}} AND session_id IN (SELECT session_id {APART})
        )"""
"""All traces in which errors may be that stand in no session's row, and a few more."""


def shape(column: str, values: dict[str, Any]) -> str:
    """Return SQL for a message with what varies replaced, and put what it needs into the parameters."""
    found = column
    for number, (pattern, stands) in enumerate(_ALIKE):
        values |= {f"alike{number}": pattern, f"stands{number}": stands}
        found = f"replaceRegexpAll({found}, {{alike{number}:String}}, {{stands{number}:String}})"
    return f"trimBoth({found})"


def sessions_with(store: Store, project: str, where: str, error: str, values: dict[str, Any]) -> str:
    """Return SQL for the sessions of a condition that have an error, and put its needs into the parameters.

    Args:
        store: the open store.
        project: whose sessions.
        where: a condition over `sessions FINAL`, its parameters among `values`.
        error: the name of the parameter that holds its type and normalised message, with ": " between.
        values: the parameters.
    """
    told = shape("said", values)
    return f"""
        SELECT session_id FROM ({errors_of(where, elsewhere(store, project, values))})
        WHERE concat(error_type, if(error_type = '' OR {told} = '', '', ': '), {told}) = {{{error}:String}}
    """


def errors_of(where: str, beside: Elsewhere) -> str:
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
            WHERE project = {{project:String}} AND kind != 'session' AND trace_id IN {_TRACES}
            ORDER BY version DESC LIMIT 1 BY trace_id, span_id
        ) AS s
        INNER JOIN (
            SELECT trace_id, session_id, whole FROM session_traces FINAL
            WHERE project = {{project:String}} AND NOT deleted
            AND session_id IN (
                SELECT session_id FROM sessions FINAL WHERE errors > 0 AND NOT measured AND {where}
            )
        ) AS m ON m.trace_id = s.trace_id
        WHERE (s.trace_id, s.span_id) NOT IN (
                SELECT trace_id, span_id FROM repeats FINAL
                WHERE project = {{project:String}} AND repeated AND trace_id IN {_TRACES}
            ) AND (m.whole OR s.declared_session = m.session_id
                OR (s.declared_session = '' AND (s.trace_id, s.span_id, m.session_id) IN (
                    SELECT trace_id, span_id, session_id FROM span_sessions FINAL
                    WHERE project = {{project:String}} AND trace_id IN {_TRACES}
                )))
    """
