"""The documented export routes: `GET /v2/sessions/{id}/stats` and `GET /v2/sessions/{id}/export`.

Source: the public API page of the AgentOps documentation. Statistics are event counts, duration, cost and
    tokens; an export is the session, its statistics, and all its events by type.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from agentops.server.api import models
from agentops.server.api.answers import documented, json
from agentops.server.api.errors import no_such_session
from agentops.server.api.parameters import only_known
from agentops.server.api.paths import SessionId
from agentops.server.api.state import now_ns, own_writes, project_of, rooms
from agentops.server.query.export import whole_events
from agentops.server.query.scope import scope
from agentops.server.query.sessions import session

router = APIRouter(prefix="/v2/sessions", tags=["export"], dependencies=[Depends(only_known)])

_TYPES: Final = {"llm": "llms", "tool": "tools", "error": "errors"}
"""Event types of the documented export by our kinds; every other kind is an action there."""


@router.get(
    "/{session_id}/stats",
    operation_id="getSessionStats",
    response_model=None,
    responses=documented(models.SessionStats, 404),
)
def get_session_stats(request: Request, session_id: SessionId) -> Response:
    """Return a session's statistics: event counts, duration, cost, tokens."""
    here = rooms(request)
    own_writes(here)
    found = session(here.store, project_of(request), session_id, now_ns())
    if found is None:
        raise no_such_session(session_id)
    return json(_stats(found))


@router.get(
    "/{session_id}/export",
    operation_id="exportSessionByType",
    response_model=None,
    responses=documented(models.SessionByType, 404),
)
def export_session_by_type(request: Request, session_id: SessionId) -> Response:
    """Return a session with its statistics and all its events by type."""
    here = rooms(request)
    own_writes(here)
    project, now = project_of(request), now_ns()
    found = session(here.store, project, session_id, now)
    where = scope(here.store, project, session_id, now)
    if found is None or where is None:
        raise no_such_session(session_id)
    events: dict[str, list[dict[str, Any]]] = {"actions": [], "llms": [], "tools": [], "errors": []}
    for event in whole_events(here.store, where):
        events[_TYPES.get(event["kind"], "actions")].append(event)
    return json({"session": found, "stats": _stats(found), "events": events})


def _stats(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "session_id": found["session_id"],
        "state": found["state"],
        "event_counts": found["event_counts"],
        "duration_ms": found["duration_ms"],
        "cost_usd": found["cost_usd"],
        "tokens": found["tokens"],
    }
