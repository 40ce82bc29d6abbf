"""Many sessions read together for an export: a few questions for a page of them, and not ten for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct

from agentops.server.query.events import START_ORDER, UNPLACED_COLUMNS, WholeEventRow, placed
from agentops.server.query.export import SMALL, Exportable, Read
from agentops.server.query.filters import Filters
from agentops.server.query.scope import Scope, agents_above, scopes
from agentops.server.query.sessions import detailed, sessions
from agentops.server.store.client import Store
from agentops.server.store.dialect import OF_TRACES
from agentops.server.store.said import edits_of
from agentops.server.store.session import Edit

_PAGE: Final = 100
_MOST: Final = 2 * SMALL
"""Events that are read at once."""


class _Logged(Struct):
    trace_id: str
    named: str
    """A session, where there is no trace."""


def exportables(store: Store, filters: Filters) -> Iterator[Exportable]:
    """Yield the sessions that pass the filters, newest first, as they are to be exported."""
    cursor: str | None = None
    while True:
        page = sessions(store, filters, sort="started", order="desc", limit=_PAGE, cursor=cursor)
        yield from _of_page(store, filters, [one["session_id"] for one in page.sessions])
        cursor = page.next_cursor
        if cursor is None:
            return


def _of_page(store: Store, filters: Filters, session_ids: Sequence[str]) -> Iterator[Exportable]:
    where = scopes(store, filters.project, session_ids, filters.now_ns)
    traces = {session_id: one.values["traces"] for session_id, one in where.items()}
    found = detailed(store, filters.project, traces, filters.now_ns)
    # One that was deleted meanwhile is not there any more.
    several = [Exportable(where[one], found[one]) for one in session_ids if one in found]
    batch: list[Exportable] = []
    events = 0
    for one in several:
        mine = int(one.session["event_counts"]["total"])
        if mine >= SMALL or events + mine > _MOST:
            yield from _read(store, batch)
            batch, events = [], 0
        if mine >= SMALL:
            yield one
        else:
            batch.append(one)
            events += mine
    yield from _read(store, batch)


def _read(store: Store, several: Sequence[Exportable]) -> Iterator[Exportable]:
    """Yield small sessions with what is in them."""
    # A trace of several sessions says by more than its id whose a span is.
    alone = [one for one in several if "mixed" not in one.scope.values]
    if not alone:
        yield from several
        return
    project = alone[0].scope.project
    of_trace = {trace: one.scope.session_id for one in alone for trace in one.scope.values["traces"]}
    rows: dict[str, list[WholeEventRow]] = {}
    for row in _rows(store, project, list(of_trace)):
        rows.setdefault(of_trace[row.trace_id], []).append(row)
    agents = agents_above(store, alone[0].scope, list(of_trace))
    said = edits_of(store, [(project, one.scope.session_id) for one in alone])
    logged = _logged(store, project, alone)
    for one in several:
        if "mixed" in one.scope.values:
            yield one
            continue
        session_id = one.scope.session_id
        yield one._replace(
            read=Read(
                placed(rows.pop(session_id, []), one.scope),
                agents,
                _has_logs(one.scope, logged),
                said.get((project, session_id)) or Edit(project=project, session_id=session_id),
            )
        )


def _rows(store: Store, project: str, traces: list[str]) -> list[WholeEventRow]:
    return store.rows(
        f"SELECT {UNPLACED_COLUMNS} FROM spans FINAL WHERE project = {{project:String}} "
        f"AND trace_id IN {{traces:Array(String)}} ORDER BY {START_ORDER} {OF_TRACES}",
        {"project": project, "traces": traces},
        WholeEventRow,
    )


def _logged(store: Store, project: str, several: Sequence[Exportable]) -> set[tuple[str, str]]:
    """Return where these sessions have log records: in which traces, and under which ids without a trace."""
    values: dict[str, Any] = {
        "project": project,
        "traces": [trace for one in several for trace in one.scope.values["traces"]],
        "sessions": [one.scope.session_id for one in several],
    }
    rows = store.rows(
        "SELECT DISTINCT trace_id, if(trace_id = '', declared_session, '') AS named FROM logs "
        "WHERE project = {project:String} AND (trace_id IN {traces:Array(String)} "
        "OR (trace_id = '' AND declared_session IN {sessions:Array(String)}))",
        values,
        _Logged,
    )
    return {(row.trace_id, row.named) for row in rows}


def _has_logs(scope: Scope, logged: set[tuple[str, str]]) -> bool:
    return ("", scope.session_id) in logged or any((one, "") in logged for one in scope.values["traces"])
