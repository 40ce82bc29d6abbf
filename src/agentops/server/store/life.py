"""A sign of life that the server gives for a program: the roots of its sessions are stored once more.

They are what the program would have sent, had it been able to: the same start record, seen now.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from msgspec import structs

from agentops.semconv import SESSION_KIND
from agentops.server.store.client import Store
from agentops.server.store.facts import COLUMNS, Fact, TraceKey
from agentops.server.store.summarise import Summariser

_OPEN_ROOTS = (
    "FROM spans FINAL WHERE project = {project:String} AND trace_id IN "
    "(SELECT trace_id FROM session_traces FINAL WHERE project = {project:String} "
    "AND session_id IN {sessions:Array(String)} AND NOT deleted) "
    "AND kind = {kind:String} AND NOT ended AND instance IN {instances:Array(String)}"
)


class _Root(Fact, frozen=True, gc=False):
    trace_id: str
    session_id: str


def sign_of_life(
    store: Store,
    summariser: Summariser,
    project: str,
    sessions: Sequence[str],
    instances: Collection[str],
) -> set[str]:
    """Store the open roots of these sessions again, where they are of these processes.

    Args:
        store: where they are.
        summariser: told of them, so that the sessions' rows follow.
        project: of all the sessions.
        sessions: their ids.
        instances: `service.instance.id` of each process that lives.

    Returns:
        The sessions that a living process keeps open.
    """
    asked = {
        "project": project,
        "sessions": list(sessions),
        "kind": SESSION_KIND,
        "instances": sorted(instances),
    }
    found = store.rows(
        f"SELECT trace_id, declared_session AS session_id, {COLUMNS} {_OPEN_ROOTS}", asked, _Root
    )
    if not found:
        return set()
    now = time.time_ns()
    # The next version of just what was read: a record that comes from the program meanwhile wins over it.
    # Not INSERT SELECT: over Distributed tables the engine may run that on each shard for itself.
    again = store.answer(
        "SELECT * REPLACE (version + 1 AS version, {now:UInt64} AS received_at, "
        f"{{now:UInt64}} AS seen_at) {_OPEN_ROOTS}",
        {**asked, "now": now},
    )
    store.insert("spans", again.splitlines())
    touched: dict[TraceKey, list[Fact]] = {}
    for root in found:
        fact = structs.replace(root, version=root.version + 1, seen_at=now)
        touched.setdefault((project, root.trace_id), []).append(fact)
    summariser.submit(touched)
    return {root.session_id for root in found}
