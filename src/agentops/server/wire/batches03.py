"""A batch of events that a 0.3 client posts: each belongs to the session that it, else the token, names."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from agentops.model import Span
from agentops.server.api.errors import ApiError
from agentops.server.auth import Caller
from agentops.server.normalise.values import is_object
from agentops.server.store.client import Store
from agentops.server.wire.events03 import agent_span, agents_span, event_span, id_of, root_of, span_of
from agentops.server.wire.sessions03 import Agent, Agents
from agentops.server.wire.updates03 import Stored, completed, merged, stored

_LONGEST_ID: Final = 1000


def spans_of(store: Store, agents: Agents, caller: Caller, events: list[Any], *, update: bool) -> list[Span]:
    """Return the spans of events, and of the agents that they show at work; what is no event is left out."""
    now = time.time_ns()
    sent = [(session_of(said, caller), said) for said in events if is_object(said)]
    before = _before(store, caller, sent) if update else {}
    spans: list[Span] = []
    busy: dict[tuple[str, str], Agent] = {}
    for session_id, said in sent:
        event: Mapping[str, Any] = said
        known = before.get((session_id, id_of(said)))
        if known is not None:
            event = completed(said, known)
        agent_id = event.get("agent_id")
        agent = agents.of(caller.project, session_id).get(str(agent_id)) if agent_id else None
        parent = agent_span(session_id, str(agent_id)) if agent else root_of(session_id)
        try:
            span = event_span(session_id, event, parent, agent.name if agent else "", now)
        except (ValueError, OverflowError, RecursionError):
            # One event that cannot be read sinks no batch.
            continue
        spans.append(span if known is None else merged(span, known))
        if agent:
            agent.began = min(agent.began, span.start_ns)
            agent.ended = max(agent.ended, span.end_ns)
            busy[session_id, str(agent_id)] = agent
    for (session_id, agent_id), agent in busy.items():
        spans.append(agents_span(session_id, agent_id, agent.name, agent.began, agent.ended))
    return spans


def _before(
    store: Store, caller: Caller, sent: list[tuple[str, dict[str, Any]]]
) -> dict[tuple[str, str], Stored]:
    """Return what is stored of the events that are updated, by session and id."""
    ids: dict[str, dict[str, str]] = {}
    for session_id, said in sent:
        if event_id := id_of(said):
            ids.setdefault(session_id, {})[span_of("event", session_id, event_id)] = event_id
    return {
        (session_id, by_span[span_id]): row
        for session_id, by_span in ids.items()
        for span_id, row in stored(store, caller.project, session_id, by_span).items()
    }


def session_of(said: dict[str, Any], caller: Caller) -> str:
    """Return the session that is meant: the body says it, else the token does.

    Raises:
        ApiError: 400, neither does.
    """
    given: Any = said.get("session_id")
    session_id = str(given).strip() if given else caller.session_id
    if not session_id or len(session_id) > _LONGEST_ID:
        raise ApiError(
            400,
            "invalid_body",
            "session_id: neither the body nor the token names a session.",
            "Send session_id, or the token that /v2/create_session gave.",
        )
    return session_id
