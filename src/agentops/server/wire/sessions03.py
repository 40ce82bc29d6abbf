"""What the store knows of a 0.3 session: asked when a client says something about the session itself."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Struct

from agentops import semconv
from agentops.server.normalise.attributes import restored
from agentops.server.store.client import Store
from agentops.server.wire.events03 import UNNAMED_SERVICE, root_of, trace_of
from agentops.server.wire.roots03 import Known

_MOST_SESSIONS: Final = 1000


class _Root(Struct):
    span_id: str
    started_at: int
    ended_at: int
    tags: list[str]
    host_env: str
    service: str
    end_state: str
    end_reason: str
    attributes: str


class _AgentRow(Struct):
    agent_id: str
    name: str
    started_at: int
    duration_ns: int


def known_root(store: Store, project: str, session_id: str) -> Known | None:
    """Return what is stored of a session's root, or None when nobody began it."""
    rows = store.rows(
        "SELECT span_id, started_at, if(ended, started_at + duration_ns, 0) AS ended_at, tags, host_env, "
        "service, end_state, end_reason, attributes FROM spans FINAL WHERE project = {project:String} "
        "AND trace_id = {trace:String} AND kind = 'session' ORDER BY started_at LIMIT 100",
        {"project": project, "trace": trace_of(session_id)},
        _Root,
    )
    own = root_of(session_id)
    for row in rows:
        if row.span_id == own:
            return _known(row, foreign=any(one.span_id != own for one in rows))
    # Whether another client's session has ended is no concern of the span that contributes to it.
    return _known(msgspec.structs.replace(rows[0], ended_at=0), foreign=True) if rows else None


def _known(row: _Root, *, foreign: bool) -> Known:
    attributes = restored(row.attributes, "", "")
    return Known(
        started_at=row.started_at,
        ended_at=row.ended_at,
        tags=row.tags,
        host_env=row.host_env,
        service="" if row.service == UNNAMED_SERVICE else row.service,
        end_state=row.end_state,
        end_reason=row.end_reason,
        video=str(attributes.get(semconv.VIDEO, "")),
        foreign=foreign,
    )


@dataclass(slots=True)
class Agent:
    """An agent of a session: its name, and from when to when it did something (unix nanoseconds)."""

    name: str
    began: int
    ended: int


class Agents:
    """The agents of sessions that report now; those of others are in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._sessions: OrderedDict[tuple[str, str], dict[str, Agent]] = OrderedDict()

    def of(self, project: str, session_id: str) -> dict[str, Agent]:
        """Return a session's agents by id; the dictionary is the session's own."""
        key = (project, session_id)
        with self._lock:
            known = self._sessions.get(key)
            if known is not None:
                self._sessions.move_to_end(key)
                return known
        rows = self._store.rows(
            "SELECT agent_id, name, started_at, duration_ns FROM spans FINAL "
            "WHERE project = {project:String} AND trace_id = {trace:String} AND kind = 'agent' "
            "AND agent_id != ''",
            {"project": project, "trace": trace_of(session_id)},
            _AgentRow,
        )
        found = {
            row.agent_id: Agent(row.name, row.started_at, row.started_at + row.duration_ns) for row in rows
        }
        with self._lock:
            found = self._sessions.setdefault(key, found)
            while len(self._sessions) > _MOST_SESSIONS:
                self._sessions.popitem(last=False)
        return found
