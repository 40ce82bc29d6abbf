"""Edits: what a user says about a session, deletion included."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from agentops.server.store.client import Store
from agentops.server.store.session import Edit
from agentops.server.store.summarise import Summariser

_AT_ONCE: Final = 5_000
_MOST_JOINED: Final = 3
_SAID: Final = ("name", "note", "tags_set", "tags", "gone", "gone_at")


class Trace(Struct):
    """A trace of a session; `whole` when it holds no other session."""

    session_id: str
    trace_id: str
    whole: bool


class _Table(Struct):
    table: str


def current(store: Store, project: str, session_id: str) -> Edit:
    """Return what was said about a session so far."""
    rows = store.rows(
        "SELECT * FROM edits FINAL WHERE project = {project:String} AND session_id = {session:String}",
        {"project": project, "session": session_id},
        Edit,
    )
    return rows[0] if rows else Edit(project=project, session_id=session_id)


def edit(
    store: Store, summariser: Summariser, project: str, session_id: str, change: Mapping[str, Any]
) -> None:
    """Change what is said about a session; what others change meanwhile stays, here and at other servers.

    Args:
        store: the store.
        summariser: its summariser.
        project: the session's.
        session_id: the session.
        change: `name`, `tags`, `note`; None takes one back.
    """
    read: list[Edit] = []

    def said() -> Edit:
        read[:] = [current(store, project, session_id)]
        read.append(changed(read[0], change, time.time_ns()))
        return read[1]

    summariser.edit(said)
    if store.url.embedded:
        return
    before, mine = read
    own = {mine.version}
    for _ in range(_MOST_JOINED):
        # Another server that read when this one did has not seen this change, nor this one that server's.
        unseen = [one for one in _after(store, before) if one.version not in own]
        joined = _joined(before, mine, unseen)
        if joined == mine:
            return
        mine = replace(joined, version=max(time.time_ns(), *(one.version + 1 for one in (mine, *unseen))))
        own.add(mine.version)
        summariser.edit(functools.partial(_same, mine))


def _same(said: Edit) -> Edit:
    return said


def _after(store: Store, before: Edit) -> list[Edit]:
    """Return what was said after an edit, also what is replaced already, the oldest first."""
    return store.rows(
        "SELECT * FROM edits WHERE project = {project:String} AND session_id = {session:String} "
        "AND version > {version:UInt64} ORDER BY version",
        {"project": before.project, "session": before.session_id, "version": before.version},
        Edit,
    )


def _joined(before: Edit, mine: Edit, others: Sequence[Edit]) -> Edit:
    """Return my edit with what others changed of the same one and I did not."""
    joined = mine
    for other in others:
        theirs = {
            name: getattr(other, name)
            for name in _SAID
            if getattr(other, name) != getattr(before, name) and getattr(mine, name) == getattr(before, name)
        }
        joined = replace(joined, **theirs)
    return joined


def changed(before: Edit, change: Mapping[str, Any], version: int) -> Edit:
    """Return an edit with a change applied. None takes a name, tags or note back."""
    # Above what stands, whatever the clock of the server that wrote it.
    said = replace(before, version=max(version, before.version + 1))
    if "name" in change:
        said = replace(said, name=change["name"])
    if "note" in change:
        said = replace(said, note=change["note"])
    if "tags" in change:
        tags = change["tags"]
        said = replace(said, tags_set=tags is not None, tags=list(dict.fromkeys(tags or [])))
    return said


def delete(store: Store, summariser: Summariser, project: str, session_id: str, version: int) -> bool:
    """Remove a session with its spans and logs; False when there is none.

    Its traces are remembered as gone since now: what a process goes on reporting into them brings nothing
    back. What was recorded before and arrives again (an import) does, and so does a foreign session id that
    is used again in new traces.
    """
    traces = traces_of(store, project, [session_id])
    if not traces:
        return False

    def said() -> Edit:
        before = current(store, project, session_id)
        gone = list(dict.fromkeys([*before.gone, *(trace.trace_id for trace in traces)]))
        now = version or time.time_ns()
        above = max(now, before.version + 1)
        return Edit(project=project, session_id=session_id, gone=gone, gone_at=now, version=above)

    summariser.edit(said, lambda: remove(store, project, traces))
    return True


def traces_of(store: Store, project: str, session_ids: Sequence[str]) -> list[Trace]:
    """Return the traces of sessions."""
    return store.rows(
        "SELECT session_id, trace_id, whole FROM session_traces FINAL WHERE project = {project:String} "
        "AND session_id IN {sessions:Array(String)} AND NOT deleted",
        {"project": project, "sessions": list(session_ids)},
        Trace,
    )


def remove(store: Store, project: str, traces: Sequence[Trace]) -> None:
    """Delete the spans and logs of sessions: whole traces, and of mixed ones what is the session's."""
    whole = sorted({trace.trace_id for trace in traces if trace.whole})
    for table in ("logs", "spans", "span_agents", "repeats"):
        for start in range(0, len(whole), _AT_ONCE):
            store.command(
                f"DELETE FROM {table} WHERE project = {{project:String}} AND trace_id IN "
                f"{{ids:Array(String)}}",
                {"project": project, "ids": whole[start : start + _AT_ONCE]},
            )
    mixed: dict[str, list[str]] = {}
    for trace in traces:
        if not trace.whole:
            mixed.setdefault(trace.session_id, []).append(trace.trace_id)
    for session_id, ids in mixed.items():
        store.command(
            "DELETE FROM spans WHERE project = {project:String} AND trace_id IN {ids:Array(String)} AND "
            "(declared_session = {session:String} OR (declared_session = '' AND (trace_id, span_id) IN "
            "(SELECT trace_id, span_id FROM span_sessions FINAL "
            "WHERE project = {project:String} AND session_id = {session:String})))",
            {"project": project, "session": session_id, "ids": ids},
        )


def forget(store: Store, projects: Sequence[str]) -> None:
    """Delete everything that was recorded in projects, from whatever table there is."""
    tables = store.rows(
        # No column may be called otherwise here: an alias `name` would be what the condition means by it.
        "SELECT DISTINCT table FROM system.columns WHERE database = currentDatabase() AND name = 'project' "
        "AND table NOT IN ('projects', 'api_keys', 'sign_ins') AND NOT endsWith(table, '_local') "
        "ORDER BY table",
        None,
        _Table,
    )
    for one in tables:
        store.command(
            # The name is the engine's own; the value is bound.
            f"DELETE FROM `{one.table}` WHERE project IN {{projects:Array(String)}}",
            {"projects": list(projects)},
        )
