"""What the first page of a dashboard will ask, asked before anybody does.

The first question of its kind costs a server several times what the next ones cost: the engine reads where
its columns stand, and compiles what it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from msgspec import Struct

from agentops.server.query.analytics import analytics
from agentops.server.query.events import events
from agentops.server.query.facets import facets
from agentops.server.query.filters import Filters
from agentops.server.query.scope import scope
from agentops.server.query.sessions import session, sessions
from agentops.server.query.timeline import drawing
from agentops.server.store.client import Store

_PAGE: Final = 50
_RANGE_NS: Final = 3600 * 10**9
_SHORT: Final = 1_000
"""Events of a session that may be asked for by the way."""
_NO_TAG: Final = "\N{WORD JOINER}"
"""A tag that no session has."""


class _Session(Struct):
    project: str
    session_id: str


def rehearse(store: Store, now_ns: int) -> Iterator[str]:
    """Ask for the first page of sessions, a filtered one, charts, and a short session, where there is one.

    Args:
        store: the open store.
        now_ns: unix nanoseconds.

    Yields:
        What was asked, after each question, so that whoever has no more time stops there.
    """
    found = store.rows(
        f"SELECT project, session_id FROM sessions WHERE NOT deleted AND events <= {_SHORT} LIMIT 1",
        None,
        _Session,
    )
    if not found:
        return
    project, session_id = found[0].project, found[0].session_id
    every = Filters(project, now_ns)
    for name, asked in (("sessions", every), ("filtered sessions", replace(every, tag=[_NO_TAG]))):
        sessions(store, asked, sort="started", order="desc", limit=_PAGE, cursor=None)
        yield name
    facets(store, every, ("tag",))
    yield "facets"
    analytics(store, replace(every, since_ns=now_ns - _RANGE_NS), interval="hour", group_by=None)
    yield "analytics"
    session(store, project, session_id, now_ns)
    yield "session"
    where = scope(store, project, session_id, now_ns)
    if where is not None:
        drawing(store, where)
        yield "timeline"
        events(store, where, limit=1, cursor=None, kinds=[], q="", status=[])
        yield "events"
