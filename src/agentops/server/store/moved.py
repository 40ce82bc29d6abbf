"""Spans that were sent again with another start.

The spans table is ordered by start, and merges records of one span only where their starts agree. Hardly any
program corrects a start; for one that does, the record that lost is deleted.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from agentops.server.store.client import Store
from agentops.server.store.disk import NoRoom

_AT_ONCE: Final = 100


class Moved(NamedTuple):
    """A record of a span that another one replaced."""

    project: str
    trace_id: str
    span_id: str
    started_at: int


def drop_moved(store: Store, moved: list[Moved]) -> None:
    """Delete these records and forget them; while the disk has no room for that they wait."""
    waiting = sorted(set(moved))
    try:
        if waiting:
            store.check_room("spans")
    except NoRoom:
        return
    for start in range(0, len(waiting), _AT_ONCE):
        clauses: list[str] = []
        values: dict[str, Any] = {}
        for number, one in enumerate(waiting[start : start + _AT_ONCE]):
            clauses.append(
                f"(project = {{p{number}:String}} AND trace_id = {{t{number}:String}} "
                f"AND started_at = {{n{number}:UInt64}} AND span_id = {{s{number}:String}})"
            )
            values |= {
                f"p{number}": one.project,
                f"t{number}": one.trace_id,
                f"n{number}": one.started_at,
                f"s{number}": one.span_id,
            }
        store.command(f"DELETE FROM spans WHERE {' OR '.join(clauses)}", values)
    moved.clear()
