"""Edits: what a user says about a session, deletion included."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from agentops.server.store.client import Store
from agentops.server.store.said import edits_of
from agentops.server.store.session import Edit
from agentops.server.store.summarise import Summariser

_AT_ONCE: Final = 5_000
_MOST_JOINED: Final = 3
MOST_TAGS: Final = 100
"""Of a session, and of an edit."""
_TAGS_BY_HAND: Final = ("tags_added", "tags_removed")
OF_TRACES: Final = ("logs", "spans", "span_agents", "repeats")
_SAID: Final = ("name", "note", "tags_set", "tags", *_TAGS_BY_HAND, "gone", "gone_at")


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
    store: Store,
    summariser: Summariser,
    project: str,
    session_ids: Sequence[str],
    change: Mapping[str, Any],
    *,
    most_tags: int = MOST_TAGS,
) -> None:
    """Change what is said about sessions; what others change meanwhile stays, here and at other servers.

    Args:
        store: the store.
        summariser: its summariser.
        project: the sessions'.
        session_ids: the sessions.
        change: `name`, `tags`, `note`, of which None takes one back; `add_tags` and `remove_tags` to the tags
            that a session shows by then, whatever else its program records later.
        most_tags: that a session may have by an edit.

    Raises:
        ManyTags: a session would have more tags than one may have; nothing is changed.
    """
    read: list[_Said] = []

    def said() -> list[Edit]:
        read[:] = _said(store, project, session_ids, change, most_tags)
        return [one.mine for one in read]

    summariser.edit(said)
    if store.url.embedded:
        return
    own = {one.mine.version for one in read}
    for _ in range(_MOST_JOINED):
        # Another server that read when this one did has not seen this change, nor this one that server's.
        unseen = [one for one in _after(store, project, read) if one.version not in own]
        read = [one for one in (_rejoined(said, unseen) for said in read) if one is not None]
        if not read:
            return
        own.update(one.mine.version for one in read)
        summariser.edit(functools.partial(_same, [one.mine for one in read]))


def _same(said: list[Edit]) -> list[Edit]:
    return said


class ManyTags(ValueError):
    """A session would have more tags than one may have."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"The session {session_id!r} would have more than {MOST_TAGS} tags.")


class _Said(Struct, frozen=True):
    """What was said about a session before, and is now."""

    before: Edit
    mine: Edit


class _Shown(Struct):
    session_id: str
    tags: list[str]


def _said(
    store: Store, project: str, session_ids: Sequence[str], change: Mapping[str, Any], most_tags: int
) -> list[_Said]:
    by_hand = change.get("add_tags") or change.get("remove_tags")
    shown = _shown(store, project, session_ids) if by_hand and "tags" not in change else {}
    known = edits_of(store, [(project, one) for one in session_ids])
    now = time.time_ns()
    found: list[_Said] = []
    for session_id in dict.fromkeys(session_ids):
        before = known.get((project, session_id)) or Edit(project=project, session_id=session_id)
        tags = shown.get(session_id, [])
        mine = changed(before, change, now, tags)
        if len(retagged(mine.tags if "tags" in change else tags, change)) > max(most_tags, len(tags)):
            raise ManyTags(session_id)
        if replace(mine, version=before.version) != before:
            found.append(_Said(before, mine))
    return found


def _shown(store: Store, project: str, session_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the tags that sessions show."""
    rows = store.rows(
        "SELECT session_id, tags FROM sessions FINAL WHERE project = {project:String} "
        "AND session_id IN {ids:Array(String)} AND NOT deleted",
        {"project": project, "ids": list(session_ids)},
        _Shown,
    )
    return {row.session_id: row.tags for row in rows}


def _after(store: Store, project: str, read: Sequence[_Said]) -> list[Edit]:
    """Return what was said since these were read, also what is replaced already, the oldest first."""
    if not read:
        return []
    return store.rows(
        "SELECT * FROM edits WHERE project = {project:String} AND session_id IN {ids:Array(String)} "
        "AND version > {version:UInt64} ORDER BY version",
        {
            "project": project,
            "ids": [one.mine.session_id for one in read],
            "version": min(one.before.version for one in read),
        },
        Edit,
    )


def _rejoined(said: _Said, unseen: Sequence[Edit]) -> _Said | None:
    """Return what is to be said now that others' edits are seen; None when it stands already."""
    others = [
        one for one in unseen if one.session_id == said.mine.session_id and one.version > said.before.version
    ]
    joined = _joined(said, others)
    if joined == said.mine:
        return None
    version = max(time.time_ns(), *(one.version + 1 for one in (said.mine, *others)))
    return replace(said, mine=replace(joined, version=version))


def _joined(said: _Said, others: Sequence[Edit]) -> Edit:
    """Return my edit with what others changed of the same one and I did not, and with the tags of both."""
    before, mine = said.before, said.mine
    joined = mine
    for other in others:
        theirs = {
            name: getattr(other, name)
            for name in _SAID
            if getattr(other, name) != getattr(before, name) and getattr(mine, name) == getattr(before, name)
        }
        both = {
            name: _both(getattr(before, name), getattr(joined, name), getattr(other, name))
            for name in _TAGS_BY_HAND
            if name not in theirs
        }
        joined = replace(joined, **theirs, **both)
    return joined


def _both(before: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """Return what two made of a list: what either added, without what either took."""
    taken = {one for one in before if one not in mine or one not in theirs}
    return [one for one in dict.fromkeys([*mine, *theirs]) if one not in taken]


def changed(before: Edit, change: Mapping[str, Any], version: int, shown: Sequence[str] = ()) -> Edit:
    """Return an edit with a change applied, to a session that shows these tags."""
    # Above what stands, whatever the clock of the server that wrote it.
    said = replace(before, version=max(version, before.version + 1))
    if "name" in change:
        said = replace(said, name=change["name"])
    if "note" in change:
        said = replace(said, note=change["note"])
    if "tags" in change:
        tags = change["tags"]
        said = replace(
            said,
            tags_set=tags is not None,
            tags=list(dict.fromkeys(tags or [])),
            tags_added=[],
            tags_removed=[],
        )
        shown = said.tags
    now = retagged(shown, change)
    # Tags that are there, or gone, already are nothing that was said.
    came = [tag for tag in now if tag not in shown]
    went = [tag for tag in shown if tag not in now]
    return replace(
        said,
        tags_added=[*(tag for tag in said.tags_added if tag not in went), *came],
        tags_removed=[*(tag for tag in said.tags_removed if tag not in came), *went],
    )


def retagged(tags: Sequence[str], change: Mapping[str, Any]) -> list[str]:
    """Return what becomes of these tags by `add_tags` and `remove_tags`."""
    gone = set(change.get("remove_tags") or ())
    return [tag for tag in dict.fromkeys([*tags, *(change.get("add_tags") or ())]) if tag not in gone]


def delete(
    store: Store, summariser: Summariser, project: str, session_ids: Sequence[str], version: int
) -> list[str]:
    """Remove sessions with their spans and logs; return those that there were, in the order they were named.

    Their traces are remembered as gone since now: what a process goes on reporting into them brings nothing
    back. What was recorded before and arrives again (an import) does, and so does a foreign session id that
    is used again in new traces.

    Raises:
        Unavailable: none is removed, as the disk has no room for that.
    """
    store.check_room(*OF_TRACES)
    traces = traces_of(store, project, session_ids)
    of_session: dict[str, list[str]] = {}
    for trace in traces:
        of_session.setdefault(trace.session_id, []).append(trace.trace_id)
    there = [one for one in dict.fromkeys(session_ids) if one in of_session]
    if not there:
        return []

    def said() -> list[Edit]:
        known = edits_of(store, [(project, one) for one in there])
        now = version or time.time_ns()
        return [
            _gone(known.get((project, one)) or Edit(project=project, session_id=one), of_session[one], now)
            for one in there
        ]

    summariser.edit(said, lambda: remove(store, project, traces))
    return there


def _gone(before: Edit, traces: Sequence[str], now: int) -> Edit:
    """Return the deletion of a session with these traces; nothing else that was said of it stays."""
    return Edit(
        project=before.project,
        session_id=before.session_id,
        gone=list(dict.fromkeys([*before.gone, *traces])),
        gone_at=now,
        version=max(now, before.version + 1),
    )


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
    for table in OF_TRACES:
        for start in range(0, len(whole), _AT_ONCE):
            store.command(
                f"DELETE FROM {table} WHERE project = {{project:String}} AND trace_id IN "
                f"{{ids:Array(String)}}",
                {"project": project, "ids": whole[start : start + _AT_ONCE]},
            )
    _remove_loose_logs(store, project, sorted({trace.session_id for trace in traces}))
    mixed: dict[str, list[str]] = {}
    for trace in traces:
        if not trace.whole:
            mixed.setdefault(trace.session_id, []).append(trace.trace_id)
    for session_id, ids in mixed.items():
        values = {"project": project, "session": session_id, "ids": ids}
        of_session = "project = {project:String} AND trace_id IN {ids:Array(String)} AND (declared_session = "
        of_session += "{session:String} OR (declared_session = '' AND ("
        members = (
            "(trace_id, span_id) IN (SELECT trace_id, span_id FROM span_sessions FINAL "
            "WHERE project = {project:String} AND session_id = {session:String})"
        )
        # A log record belongs where its span does: they go while the spans can still be asked.
        spans = (
            "(trace_id, span_id) IN (SELECT trace_id, span_id FROM spans WHERE project = {project:String} "
            "AND trace_id IN {ids:Array(String)} AND declared_session = {session:String})"
        )
        store.command(f"DELETE FROM logs WHERE {of_session}{members} OR {spans})))", values)
        store.command(f"DELETE FROM spans WHERE {of_session}{members})))", values)


class _Loose(Struct):
    declared_session: str


def _remove_loose_logs(store: Store, project: str, session_ids: Sequence[str]) -> None:
    """Delete the log records that name a session and no trace; most sessions have none."""
    named = "project = {project:String} AND trace_id = '' AND declared_session IN {ids:Array(String)}"
    found = store.rows(
        f"SELECT DISTINCT declared_session FROM logs WHERE {named}",
        {"project": project, "ids": list(session_ids)},
        _Loose,
    )
    if found:
        ids = [row.declared_session for row in found]
        store.command(f"DELETE FROM logs WHERE {named}", {"project": project, "ids": ids})


def forget(store: Store, projects: Sequence[str]) -> None:
    """Delete everything that was recorded in projects, from whatever table there is."""
    for table in recorded_tables(store):
        store.command(
            # The name is the engine's own; the value is bound.
            f"DELETE FROM `{table}` WHERE project IN {{projects:Array(String)}}",
            {"projects": list(projects)},
        )


def recorded_tables(store: Store) -> list[str]:
    """Return the tables that hold what is recorded in projects."""
    tables = store.rows(
        # No column may be called otherwise here: an alias `name` would be what the condition means by it.
        "SELECT DISTINCT table FROM system.columns WHERE database = currentDatabase() AND name = 'project' "
        "AND table NOT IN ('projects', 'api_keys', 'sign_ins') AND NOT endsWith(table, '_local') "
        "ORDER BY table",
        None,
        _Table,
    )
    return [one.table for one in tables]
