"""Retention: sessions that have been silent for longer than their project keeps them go, wholly.

`projects.retention_days` says how long. A project that says nothing (0) keeps what the setting
`retention_days` says, and 0 there keeps everything. A session goes as one, when its last sign is too old,
never by halves. Log records and uploaded texts that are no session's go when they came too long ago.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from agentops.server.store.again import Again
from agentops.server.store.client import Store
from agentops.server.store.edits import OF_TRACES, forget, remove, traces_of
from agentops.server.store.summarise import Summariser

_log: Final = logging.getLogger("agentops.server")
_DAY_NS: Final = 86_400 * 10**9
_FIRST_S: Final = 60.0
_EVERY_S: Final = 3600.0
_AT_ONCE: Final = 2_000
_DERIVED: Final = ("sessions", "session_traces", "edits")


class _Project(Struct):
    project: str
    retention_days: int


class _Deleted(Struct):
    project: str


class _Old(Struct):
    session_id: str


def retention_days(store: Store, default_days: int) -> dict[str, int]:
    """Return how many days each project keeps its sessions; projects that keep them for ever are left out."""
    found = {
        row.project: row.retention_days or default_days
        for row in store.rows(
            "SELECT DISTINCT s.project AS project, p.retention_days AS retention_days FROM "
            "(SELECT project FROM sessions UNION DISTINCT SELECT project FROM logs) AS s LEFT JOIN "
            "(SELECT project, retention_days FROM projects FINAL) AS p ON p.project = s.project",
            None,
            _Project,
        )
    }
    return {project: days for project, days in found.items() if days > 0}


def expire(store: Store, summariser: Summariser, project: str, before_ns: int) -> int:
    """Remove the sessions of a project that were last heard of before a time; return how many.

    Args:
        store: the store.
        summariser: told, so that it writes nothing of them from memory.
        project: whose sessions.
        before_ns: unix nanoseconds.

    Raises:
        Unavailable: the disk has no room for that.
    """
    gone = 0
    while True:
        old = [
            row.session_id
            for row in store.rows(
                "SELECT session_id FROM sessions FINAL WHERE project = {project:String} AND NOT deleted "
                "AND greatest(last_seen_at, ended_at, started_at) < {before:UInt64} LIMIT {most:UInt32}",
                {"project": project, "before": before_ns, "most": _AT_ONCE},
                _Old,
            )
        ]
        if not old:
            return gone
        store.check_room(*OF_TRACES, *_DERIVED)
        traces = traces_of(store, project, old)
        summariser.drop(
            project,
            old,
            [trace.trace_id for trace in traces],
            functools.partial(remove, store, project, traces),
        )
        for table in _DERIVED:
            store.command(
                f"DELETE FROM {table} WHERE project = {{project:String}} "
                "AND session_id IN {ids:Array(String)}",
                {"project": project, "ids": old},
            )
        gone += len(old)


class _Nobodys(Struct):
    trace_id: str
    named: str


def expire_loose(store: Store, project: str, before_ns: int) -> bool:
    """Remove the log records of no session that came before a time (unix nanoseconds); tell whether any did.

    Those are what names no session (an uploaded text), or one that there is not, in no trace or in one
    without spans.
    """
    values: dict[str, Any] = {"project": project, "before": before_ns}
    any_gone = False
    while True:
        found = store.rows(
            "SELECT DISTINCT trace_id, if(trace_id = '', declared_session, '') AS named FROM logs "
            "WHERE project = {project:String} AND received_at < {before:UInt64} AND if(trace_id = '', "
            "declared_session NOT IN (SELECT session_id FROM sessions FINAL WHERE project = {project:String} "
            "AND NOT deleted), trace_id NOT IN (SELECT trace_id FROM session_traces FINAL WHERE project = "
            "{project:String} AND NOT deleted)) LIMIT {most:UInt32}",
            {**values, "most": _AT_ONCE},
            _Nobodys,
        )
        if not found:
            return any_gone
        any_gone = True
        for column, ids in (
            ("trace_id", [row.trace_id for row in found if row.trace_id]),
            ("declared_session", [row.named for row in found if not row.trace_id]),
        ):
            if ids:
                loose = "" if column == "trace_id" else "trace_id = '' AND "
                store.command(
                    "DELETE FROM logs WHERE project = {project:String} AND received_at < {before:UInt64} "
                    f"AND {loose}{column} IN {{ids:Array(String)}}",
                    {**values, "ids": ids},
                )


def purge(store: Store) -> None:
    """Free the disk of what was removed: rewrite the parts that hold rows marked as deleted."""
    for table in (*OF_TRACES, *_DERIVED):
        store.command(f"ALTER TABLE {table} APPLY DELETED MASK")


class _Stray(Struct):
    trace_id: str


def expire_strays(store: Store, project: str, before_ns: int) -> bool:
    """Remove what came of no session before a time (unix nanoseconds); tell whether anything did.

    Those are the spans that a program went on sending after its session was deleted.
    """
    values: dict[str, Any] = {"project": project, "before": before_ns}
    any_gone = False
    while True:
        found = store.rows(
            "SELECT DISTINCT trace_id FROM spans WHERE project = {project:String} AND received_at < "
            "{before:UInt64} AND trace_id NOT IN (SELECT trace_id FROM session_traces FINAL WHERE project = "
            "{project:String} AND NOT deleted) LIMIT {most:UInt32}",
            {**values, "most": _AT_ONCE},
            _Stray,
        )
        if not found:
            return any_gone
        any_gone = True
        store.command(
            "DELETE FROM spans WHERE project = {project:String} AND received_at < {before:UInt64} "
            "AND trace_id IN {ids:Array(String)}",
            {**values, "ids": [row.trace_id for row in found]},
        )


class Retention:
    """The thread that looks once an hour, and a minute after the start.

    Args:
        store: the store.
        summariser: its summariser.
        default_days: for projects that say nothing; 0 keeps for ever.
        on_change: told which sessions of a project went ("*": look at everything).
    """

    def __init__(
        self,
        store: Store,
        summariser: Summariser,
        default_days: int,
        on_change: Callable[[str, list[str]], None],
    ) -> None:
        self._store = store
        self._summariser = summariser
        self._default_days = default_days
        self._on_change = on_change
        self._again = Again(
            "agentops-retention",
            lambda: self.look(time.time_ns()),
            first_s=_FIRST_S,
            every_s=_EVERY_S,
            failed="Removing old sessions failed, trying again in an hour",
        )

    def start(self) -> None:
        """Start the thread."""
        self._again.start()

    def stop(self) -> None:
        """End the thread."""
        self._again.stop()

    def look(self, now_ns: int) -> int:
        """Remove what is too old at a time (unix nanoseconds) and free its disk; return how many sessions."""
        total, loose = 0, False
        late = self._store.rows(
            "SELECT DISTINCT project FROM sessions WHERE project IN "
            "(SELECT project FROM projects FINAL WHERE deleted)",
            None,
            _Deleted,
        )
        if late:
            # What was on its way when its project was deleted.
            forget(self._store, [one.project for one in late])
        for project, days in retention_days(self._store, self._default_days).items():
            gone = expire(self._store, self._summariser, project, now_ns - days * _DAY_NS)
            if gone:
                _log.info(
                    "Removed %d sessions of project %s that were older than %d days", gone, project, days
                )
                self._on_change(project, ["*"])
            total += gone
            loose |= expire_loose(self._store, project, now_ns - days * _DAY_NS)
            loose |= expire_strays(self._store, project, now_ns - days * _DAY_NS)
        if total or late or loose:
            purge(self._store)
        return total
