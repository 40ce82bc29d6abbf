"""Which sessions do traces belong to?"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from msgspec import Struct

from agentops.server.store.client import Store

_AT_ONCE: Final = 5_000


class _Session(Struct):
    session_id: str


def sessions_of(store: Store, project: str, trace_ids: Collection[str]) -> list[str]:
    """Return the ids of the sessions that these traces have spans of, in order."""
    waiting = sorted(trace_ids)
    found: set[str] = set()
    for start in range(0, len(waiting), _AT_ONCE):
        rows = store.rows(
            "SELECT DISTINCT session_id FROM session_traces FINAL WHERE project = {project:String} "
            "AND trace_id IN {ids:Array(String)} AND NOT deleted",
            {"project": project, "ids": waiting[start : start + _AT_ONCE]},
            _Session,
        )
        found.update(row.session_id for row in rows)
    return sorted(found)
