"""What users said about sessions, read for the sessions or traces of one pass."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from agentops.server.store.client import Store
from agentops.server.store.session import Edit
from agentops.server.store.shares import Gone

IDS_PER_QUERY: Final = 5_000


def by_project(keys: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the ids of (project, id) pairs, project by project."""
    found: dict[str, list[str]] = {}
    for project, name in keys:
        found.setdefault(project, []).append(name)
    return found


def edits_of(store: Store, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Edit]:
    """Return what was said about these sessions, given as (project, session id)."""
    found: dict[tuple[str, str], Edit] = {}
    for project, ids in by_project(keys).items():
        for start in range(0, len(ids), IDS_PER_QUERY):
            for row in store.rows(
                "SELECT * FROM edits FINAL WHERE project = {project:String} AND session_id IN "
                "{ids:Array(String)}",
                {"project": project, "ids": ids[start : start + IDS_PER_QUERY]},
                Edit,
            ):
                found[project, row.session_id] = row
    return found


def gone_of(store: Store, traces: Iterable[tuple[str, str]]) -> dict[str, dict[str, Gone]]:
    """Return, by project and session, the deletions that concern these (project, trace id)."""
    gone: dict[str, dict[str, Gone]] = {}
    for project, ids in by_project(traces).items():
        for start in range(0, len(ids), IDS_PER_QUERY):
            for row in store.rows(
                "SELECT * FROM edits FINAL WHERE project = {project:String} AND notEmpty(gone) "
                "AND hasAny(gone, {ids:Array(String)})",
                {"project": project, "ids": ids[start : start + IDS_PER_QUERY]},
                Edit,
            ):
                found = Gone(frozenset(row.gone), row.gone_at or row.version)
                gone.setdefault(project, {})[row.session_id] = found
    return gone
