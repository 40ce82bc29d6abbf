"""Routes about what happened in a session: events, timeline, one event, logs."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from agentops.server.api import models
from agentops.server.api.answers import documented, json, ready
from agentops.server.api.errors import ApiError, no_such_session
from agentops.server.api.parameters import CursorQuery, TextQuery, only_known
from agentops.server.api.paths import EventId, SessionId
from agentops.server.api.state import Rooms, now_ns, own_writes, project_of, rooms
from agentops.server.query.events import event, events
from agentops.server.query.logs import logs
from agentops.server.query.scope import Scope, scope
from agentops.server.query.timeline import drawing, timeline

router = APIRouter(prefix="/api/sessions/{session_id}", tags=["events"], dependencies=[Depends(only_known)])


def _scope(here: Rooms, request: Request, session_id: str) -> Scope:
    own_writes(here)
    found = scope(here.store, project_of(request), session_id, now_ns())
    if found is None:
        raise no_such_session(session_id)
    return found


@router.get(
    "/events",
    operation_id="listEvents",
    response_model=None,
    responses=documented(models.EventPage, 400, 404),
)
def list_events(
    request: Request,
    session_id: SessionId,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: CursorQuery = None,
    kind: Annotated[list[models.Kind] | None, Query(description="repeatable")] = None,
    status: Annotated[list[models.Status] | None, Query(description="repeatable")] = None,
    q: TextQuery = "",
) -> Response:
    """List a session's events in start order, without bodies."""
    here = rooms(request)
    where = _scope(here, request, session_id)
    page = events(
        here.store,
        where,
        limit=limit,
        cursor=cursor or None,
        kinds=list(kind or ()),
        q=q.strip(),
        status=list(status or ()),
    )
    return json({"events": page.events, "next_cursor": page.next_cursor})


@router.get(
    "/timeline",
    operation_id="getTimeline",
    response_model=None,
    responses=documented(models.Timeline, 404, other="application/octet-stream"),
)
def get_timeline(
    request: Request,
    session_id: SessionId,
    after: Annotated[
        int,
        Query(
            ge=0,
            le=2**53,
            description="only events received from then on, unix milliseconds. `Timeline-At` of an earlier "
            "answer, less some seconds for what was being stored, asks for what is new",
        ),
    ] = 0,
    fields: Annotated[
        Literal["all", "drawing"],
        Query(
            description="drawing: only what a timeline is drawn from, in ClickHouse's Native format, so that "
            "a browser has nothing to parse"
        ),
    ] = "all",
) -> Response:
    """Return every event of a session at once, column by column."""
    here = rooms(request)
    asked_ms = now_ns() // 10**6
    where = _scope(here, request, session_id)
    if fields == "drawing":
        answer = ready(drawing(here.store, where, after), "application/octet-stream")
    else:
        answer = ready(timeline(here.store, where, after))
    answer.headers["Timeline-At"] = str(asked_ms)
    return answer


@router.get(
    "/events/{event_id}",
    operation_id="getEvent",
    response_model=None,
    responses=documented(models.EventDetail, 404),
)
def get_event(
    request: Request,
    session_id: SessionId,
    event_id: EventId,
    once: Annotated[
        bool,
        Query(
            description="leave out what input and output hold already: `messages` is empty, and `repeats` "
            "names the long attributes that are not told again"
        ),
    ] = False,
) -> Response:
    """Return one event whole: input, output, messages, attributes, error with stack."""
    here = rooms(request)
    found = event(here.store, _scope(here, request, session_id), event_id, once=once)
    if found is None:
        raise ApiError(
            404,
            "event_not_found",
            f"Session {session_id!r} has no event {event_id!r}.",
            f"GET /api/sessions/{session_id}/events lists its events.",
        )
    return json(found)


@router.get(
    "/logs", operation_id="listLogs", response_model=None, responses=documented(models.LogPage, 400, 404)
)
def list_logs(
    request: Request,
    session_id: SessionId,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: CursorQuery = None,
    q: TextQuery = "",
    min_severity: Annotated[
        int, Query(ge=0, le=24, description="OTLP severity number: 9 info, 13 warning, 17 error")
    ] = 0,
) -> Response:
    """List a session's log records in time order."""
    here = rooms(request)
    where = _scope(here, request, session_id)
    found, after = logs(
        here.store,
        where,
        limit=limit,
        cursor=cursor or None,
        q=q.strip(),
        min_severity=min_severity,
    )
    return json({"logs": found, "next_cursor": after})
