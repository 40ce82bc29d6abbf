"""Routes about sessions: the list, its facets, one session, and what a user says about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from agentops.server.api import models
from agentops.server.api.answers import documented, json
from agentops.server.api.errors import ApiError, no_such_session
from agentops.server.api.gate import address_of
from agentops.server.api.parameters import CursorQuery, FilterQuery, only_known
from agentops.server.api.paths import SessionId
from agentops.server.api.state import Rooms, caller_of, now_ns, own_writes, project_of, rooms
from agentops.server.query.export import MEDIA, Exportable, exported, file_name
from agentops.server.query.facets import FACETS, facets
from agentops.server.query.scope import scope
from agentops.server.query.sessions import existing, session, sessions
from agentops.server.store import edits

_Facet = Literal[
    "state", "tag", "model", "agent", "tool", "user", "error", "min_cost", "min_duration", "since"
]

router = APIRouter(prefix="/api/sessions", tags=["sessions"], dependencies=[Depends(only_known)])


@router.get(
    "", operation_id="listSessions", response_model=None, responses=documented(models.SessionPage, 400)
)
def list_sessions(
    request: Request,
    chosen: FilterQuery,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: CursorQuery = None,
    sort: Literal["started", "duration", "cost", "tokens", "errors", "events"] = "started",
    order: Literal["asc", "desc"] = "desc",
) -> Response:
    """List sessions, newest first unless sorted otherwise."""
    here = rooms(request)
    own_writes(here)
    page = sessions(here.store, chosen, sort=sort, order=order, limit=limit, cursor=cursor or None)
    return json({"sessions": page.sessions, "next_cursor": page.next_cursor, "total": page.total})


@router.get(
    "/facets", operation_id="listFacets", response_model=None, responses=documented(models.Facets, 400)
)
def list_facets(
    request: Request,
    chosen: FilterQuery,
    facet: Annotated[
        list[_Facet] | None, Query(description="count only these, which is quicker; repeatable")
    ] = None,
) -> Response:
    """List the values that the filtered sessions can be narrowed to, with counts."""
    here = rooms(request)
    own_writes(here)
    return json(facets(here.store, chosen, facet or FACETS))


@router.get(
    "/{session_id}",
    operation_id="getSession",
    response_model=None,
    responses=documented(models.SessionDetail, 404),
)
def get_session(request: Request, session_id: SessionId) -> Response:
    """Return one session with its host environment and resource attributes."""
    here = rooms(request)
    own_writes(here)
    found = session(here.store, project_of(request), session_id, now_ns())
    if found is None:
        raise no_such_session(session_id)
    return json(found)


@router.patch(
    "/{session_id}",
    operation_id="editSession",
    response_model=None,
    responses=documented(models.SessionDetail, 400, 404, 422),
)
def edit_session(request: Request, session_id: SessionId, body: models.SessionEdit) -> Response:
    """Change what a user says about a session: name, tags, note."""
    here = rooms(request)
    own_writes(here)
    project = project_of(request)
    if body.name is not None and not body.name.strip():
        hint = "Give the session a name, or null to take its own name back."
        raise ApiError(422, "invalid_body", "name: it is empty.", hint)
    if session(here.store, project, session_id, now_ns()) is None:
        raise no_such_session(session_id)
    _edit(here, project, [session_id], {name: getattr(body, name) for name in body.model_fields_set})
    found = session(here.store, project, session_id, now_ns())
    if found is None:
        raise no_such_session(session_id)
    return json(found)


@router.patch(
    "",
    operation_id="editSessions",
    response_model=None,
    responses=documented(models.SessionsEdited, 400, 422),
)
def edit_sessions(request: Request, body: models.SessionsEdit) -> Response:
    """Tag several sessions, or take tags from them; those that are gone hold the others up in nothing."""
    here = rooms(request)
    own_writes(here)
    project = project_of(request)
    there = existing(here.store, project, body.sessions)
    _edit(here, project, there, {"add_tags": body.add_tags, "remove_tags": body.remove_tags})
    return json(_edited(body.sessions, there))


def _edited(named: list[str], there: list[str]) -> dict[str, list[str]]:
    found = set(there)
    return {"sessions": there, "missing": [one for one in dict.fromkeys(named) if one not in found]}


def _edit(here: Rooms, project: str, session_ids: list[str], change: Mapping[str, Any]) -> None:
    try:
        edits.edit(here.store, here.summariser, project, session_ids, change)
    except edits.ManyTags as error:
        hint = (
            f"A session has {edits.MOST_TAGS} tags at the most; remove some in the same edit (remove_tags)."
        )
        raise ApiError(400, "too_many_tags", str(error), hint) from None


@router.delete("/{session_id}", operation_id="deleteSession", status_code=204, response_model=None,
               responses=documented(None, 404))  # fmt: skip
def delete_session(request: Request, session_id: SessionId) -> Response:
    """Remove a session, its events and its logs."""
    here = rooms(request)
    own_writes(here)
    if not _delete(request, here, [session_id]):
        raise no_such_session(session_id)
    return Response(status_code=204)


@router.post(
    "/delete",
    operation_id="deleteSessions",
    response_model=None,
    responses=documented(models.SessionsEdited, 400, 422),
)
def delete_sessions(request: Request, body: models.Sessions) -> Response:
    """Remove several sessions, their events and their logs; those that are gone already are `missing`."""
    here = rooms(request)
    own_writes(here)
    return json(_edited(body.sessions, _delete(request, here, body.sessions)))


def _delete(request: Request, here: Rooms, session_ids: list[str]) -> list[str]:
    project = project_of(request)
    there = edits.delete(here.store, here.summariser, project, session_ids, now_ns())
    by = caller_of(request).key_id or "anybody"
    address = address_of(request.scope)
    for one in there:
        here.auth.audit.note("session.deleted", by=by, address=address, project=project, session=one[:200])
    return there


@router.get(
    "/{session_id}/export",
    operation_id="exportSession",
    response_model=None,
    responses={
        200: {
            "description": "The session, complete, as a file.",
            "content": {
                media: {
                    "schema": {"type": "object"}
                    if media == "application/json"
                    else {"type": "string", "format": "binary"}
                }
                for media in sorted(set(MEDIA.values()))
            },
        },
        **documented(None, 400, 404),
    },
)
def export_session(
    request: Request,
    session_id: SessionId,
    form: Annotated[Literal["json", "otlp", "html", "csv", "parquet"], Query(alias="format")] = "json",
) -> Response:
    """Return one session, complete: as JSON, OTLP/JSON that can be posted again, HTML, CSV or Parquet."""
    here = rooms(request)
    own_writes(here)
    project = project_of(request)
    now = now_ns()
    where = scope(here.store, project, session_id, now)
    found = session(here.store, project, session_id, now)
    if where is None or found is None:
        raise no_such_session(session_id)
    return StreamingResponse(
        exported(here.store, Exportable(where, found), form),
        media_type=MEDIA[form],
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{file_name(session_id, form)}"',
        },
    )
