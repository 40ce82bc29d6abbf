"""Which calls of which sessions may be the same: few, found by what is short to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from msgspec import Struct

from agentops.server.store.client import Store
from agentops.server.store.likeness import COMPARED, MIN_SHARED, SHORTEST_SHARED

SHORTEST: Final = SHORTEST_SHARED
_MOST_NAMED: Final = 100_000
_MOST_SESSIONS: Final = 20_000
_WORTH: Final = {
    "again": "NOT calls_differ",
    "failing": "errors > 0 AND NOT calls_differ",
    "prompting": "NOT prompts_differ",
}
_Row = TypeVar("_Row", bound=Struct)


class _Candidate(Struct):
    id: int


class _Flagged(Struct):
    session_id: str
    again: bool
    failing: bool
    prompting: bool


class _Trace(Struct):
    session_id: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions whose calls are looked at.

    Attributes:
        where: a condition over `sessions FINAL`.
        values: its parameters, and those of `traces`.
        traces: SQL for the set of their traces; "" where they are too many to be named.
    """

    where: str
    values: Mapping[str, Any]
    traces: str = ""


@dataclass(frozen=True, slots=True)
class Worth:
    """The sessions that are worth a look; None where there is none.

    Attributes:
        again: those that may have made a call again.
        failing: those of them with errors.
        prompting: those whose prompts may begin alike.
    """

    again: Sessions | None
    failing: Sessions | None
    prompting: Sessions | None


def worth(store: Store, where: str, values: Mapping[str, Any]) -> Worth:
    """Return which of the sessions of a condition are worth a look, by what their rows say of their calls."""
    flags = ", ".join(f"toBool({said}) AS {name}" for name, said in _WORTH.items())
    found = store.rows(
        f"SELECT session_id, {flags} FROM sessions FINAL "
        f"WHERE {where} AND NOT (calls_differ AND prompts_differ) LIMIT {_MOST_SESSIONS + 1}",
        values,
        _Flagged,
    )
    if len(found) > _MOST_SESSIONS:
        return Worth(**{name: Sessions(f"{where} AND {said}", values) for name, said in _WORTH.items()})
    traces: dict[str, list[str]] = {}
    if found:
        asked = {**values, "looked_into": [one.session_id for one in found]}
        for one in store.rows(
            "SELECT session_id, trace_id FROM session_traces FINAL WHERE project = {project:String} "
            "AND session_id IN {looked_into:Array(String)} AND NOT deleted",
            asked,
            _Trace,
        ):
            traces.setdefault(one.session_id, []).append(one.trace_id)
    of_kind = {name: [one.session_id for one in found if getattr(one, name)] for name in _WORTH}
    return Worth(
        **{name: _named(values, {key: traces.get(key, []) for key in ids}) for name, ids in of_kind.items()}
    )


def _named(values: Mapping[str, Any], traces: Mapping[str, list[str]]) -> Sessions | None:
    if not traces:
        return None
    named = {**values, "looked_into": list(traces)}
    where = "project = {project:String} AND session_id IN {looked_into:Array(String)}"
    of_all = sorted({trace_id for of_one in traces.values() for trace_id in of_one})
    if len(of_all) > _MOST_SESSIONS:
        return Sessions(where, named)
    return Sessions(where, {**named, "traces": of_all}, "{traces:Array(String)}")


COMPARED_KINDS: Final = f"kind IN {COMPARED}"
PROMPTS: Final = f"kind = 'llm' AND tokens_input >= {MIN_SHARED}"


def asked(
    store: Store,
    sessions: Sessions | None,
    candidates: Callable[[Sessions], str],
    question: Callable[[Sessions, str], str],
    row: type[_Row],
) -> list[_Row]:
    """Return the rows of a question about some calls, which hashes of their ids name."""
    if sessions is None:
        return []
    wanted = candidates(sessions)
    ids = store.rows(f"SELECT id FROM ({wanted}) LIMIT {_MOST_NAMED + 1}", dict(sessions.values), _Candidate)
    if not ids:
        return []
    if len(ids) > _MOST_NAMED:
        return store.rows(question(sessions, f"({wanted})"), dict(sessions.values), row)
    values = {**sessions.values, "among": [one.id for one in ids]}
    return store.rows(question(sessions, "{among:Array(UInt64)}"), values, row)


def calls_of(sessions: Sessions, kinds: str, more: str = "", looked_at: str = "") -> str:
    """Return SQL for calls, with further columns; with `looked_at` for those only that it names by hashes."""
    return f"""
        SELECT trace_id, span_id, declared_session, kind, name, model, started_at, ended, duration_ns, status,
            cost_usd, cost_source{f", {more}" if more else ""}
        FROM spans FINAL {_only(sessions, looked_at)}
        WHERE project = {{project:String}} AND {kinds}
    """


def _only(sessions: Sessions, ids: str) -> str:
    """Return the PREWHERE of spans that are in the sessions' traces and, by hashes, among ids; "" for all."""
    both = [f"trace_id IN {sessions.traces}"] if sessions.traces else []
    both += [f"cityHash64(trace_id, span_id) IN {ids}"] if ids else []
    return f"PREWHERE {' AND '.join(both)}" if both else ""


# Bodies are most of a store, but how long one is stands beside it, and its beginning is a column of its own.
# These and other short columns tell which calls can be the same at all: only theirs are read.


def of_one_beginning(sessions: Sessions) -> str:
    """Return SQL for calls whose input is as long as that of another, and may begin as it does."""
    of_one_size = _looked_at(
        sessions, f"{COMPARED_KINDS} AND size > 0", "s.kind, s.name, s.model, s.size", "count() > 1"
    )
    return _looked_at(
        sessions,
        COMPARED_KINDS,
        "s.kind, s.name, s.model, s.size",
        # A body that came in a log record has no beginning beside it.
        """count() > 1 AND (uniqExact(s.begins, s.format) < count() OR uniqExact(s.format) > 1
            OR countIf(s.begins = 0) > 0)""",
        ", input_format AS format, if(input_preview = '', 0, cityHash64(input_preview)) AS begins",
        f"({of_one_size})",
    )


def of_several_prompts(sessions: Sessions) -> str:
    """Return SQL for prompts long enough to begin as another of the session does, not all of them cached."""
    return _looked_at(
        sessions,
        f"{PROMPTS} AND size >= {SHORTEST}",
        "s.provider, s.model",
        "count() > 1 AND countIf(s.cached = 0) > 0",
    )


def _looked_at(
    sessions: Sessions, calls: str, alike: str, having: str, more: str = "", among: str = ""
) -> str:
    """Return SQL for hashes of the ids of those calls of which `having` is true of all alike in a session."""
    return f"""
        SELECT arrayJoin(ids) AS id FROM (
            SELECT groupArray(s.id) AS ids
            FROM (
                SELECT trace_id, cityHash64(trace_id, span_id) AS id, kind, name, model, provider,
                    input.size AS size, ifNull(tokens_cache_read, 0) AS cached{more}
                FROM spans FINAL {_only(sessions, among)}
                WHERE project = {{project:String}} AND {calls}
            ) AS s
            INNER JOIN ({_traces(sessions.where)}) AS m ON m.trace_id = s.trace_id
            GROUP BY cityHash64(m.session_id, {alike}) HAVING {having}
        )
    """


def _traces(where: str) -> str:
    return f"""
        SELECT trace_id, session_id, whole FROM session_traces FINAL
        WHERE project = {{project:String}} AND NOT deleted
        AND session_id IN (SELECT session_id FROM sessions FINAL WHERE {where})
    """


def joined(sessions: Sessions) -> str:
    """Return the joins from calls `s` to their session `m`, without what another call states too (`r`)."""
    among = f" AND trace_id IN {sessions.traces}" if sessions.traces else ""
    return f"""
        INNER JOIN ({_traces(sessions.where)}) AS m ON m.trace_id = s.trace_id
        LEFT JOIN (
            SELECT trace_id, span_id, session_id FROM span_sessions FINAL
            WHERE project = {{project:String}}{among}
        ) AS o ON o.trace_id = s.trace_id AND o.span_id = s.span_id
        LEFT JOIN (
            SELECT trace_id, span_id FROM repeats FINAL
            WHERE project = {{project:String}} AND repeated{among}
        ) AS r ON r.trace_id = s.trace_id AND r.span_id = s.span_id
        WHERE (m.whole OR s.declared_session = m.session_id
            OR (s.declared_session = '' AND o.session_id = m.session_id))
    """
