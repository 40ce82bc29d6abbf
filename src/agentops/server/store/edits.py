"""Edits: what a user says about a session, deletion included."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from agentops.server.store.client import Store
from agentops.server.store.session import Edit
from agentops.server.store.summarise import Summariser


class _Trace(Struct):
    trace_id: str
    whole: bool


def current(store: Store, project: str, session_id: str) -> Edit:
    """Return what was said about a session so far."""
    rows = store.rows(
        "SELECT * FROM edits FINAL WHERE project = {project:String} AND session_id = {session:String}",
        {"project": project, "session": session_id},
        Edit,
    )
    return rows[0] if rows else Edit(project=project, session_id=session_id)


def changed(store: Store, project: str, session_id: str, change: Mapping[str, Any], version: int) -> Edit:
    """Return the edit with a change applied. None takes a name, tags or note back."""
    edit = replace(current(store, project, session_id), version=version)
    if "name" in change:
        edit = replace(edit, name=change["name"])
    if "note" in change:
        edit = replace(edit, note=change["note"])
    if "tags" in change:
        tags = change["tags"]
        edit = replace(edit, tags_set=tags is not None, tags=list(dict.fromkeys(tags or [])))
    return edit


def delete(store: Store, summariser: Summariser, project: str, session_id: str, version: int) -> bool:
    """Remove a session with its spans and logs; False when there is none.

    Its traces are remembered as gone: a process that still reports into them brings nothing back. A foreign
    session id that is used again in new traces starts anew.
    """
    asked = {"project": project, "session": session_id}
    traces = store.rows(
        "SELECT trace_id, whole FROM session_traces FINAL "
        "WHERE project = {project:String} AND session_id = {session:String} AND NOT deleted",
        asked,
        _Trace,
    )
    if not traces:
        return False
    before = current(store, project, session_id)
    gone = list(dict.fromkeys([*before.gone, *(trace.trace_id for trace in traces)]))
    summariser.edit(
        Edit(project=project, session_id=session_id, gone=gone, version=version or time.time_ns())
    )
    whole = [trace.trace_id for trace in traces if trace.whole]
    mixed = [trace.trace_id for trace in traces if not trace.whole]
    for table in ("logs", "spans", "span_agents"):
        if whole:
            store.command(
                f"DELETE FROM {table} WHERE project = {{project:String}} AND trace_id IN "
                f"{{ids:Array(String)}}",
                {"project": project, "ids": whole},
            )
    if mixed:
        belongs = (
            "(declared_session = {session:String} OR (declared_session = '' AND (trace_id, span_id) IN "
            "(SELECT trace_id, span_id FROM span_sessions FINAL "
            "WHERE project = {project:String} AND session_id = {session:String})))"
        )
        store.command(
            "DELETE FROM spans WHERE project = {project:String} AND trace_id IN {ids:Array(String)} AND "
            + belongs,
            {**asked, "ids": mixed},
        )
    return True
