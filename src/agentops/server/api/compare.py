"""Routes that compare: two sessions, or the sessions of two tags."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from agentops.server.api import compared
from agentops.server.api.answers import documented, json
from agentops.server.api.errors import ApiError
from agentops.server.api.parameters import FilterQuery, only_known
from agentops.server.api.state import now_ns, own_writes, project_of, rooms
from agentops.server.query.cohorts import cohorts
from agentops.server.query.compare import compare
from agentops.server.query.sessions import session

router = APIRouter(prefix="/api/compare", tags=["analytics"], dependencies=[Depends(only_known)])


@router.get(
    "",
    operation_id="compareSessions",
    response_model=None,
    responses=documented(compared.Comparison, 400, 404),
)
def compare_sessions(
    request: Request,
    a: Annotated[str, Query(description="id of a session")],
    b: Annotated[str, Query(description="id of another")],
) -> Response:
    """Return two sessions with their events aligned: where they part, and what differs."""
    here = rooms(request)
    own_writes(here)
    project, now = project_of(request), now_ns()
    found = compare(here.store, project, a, b, now)
    if found is None:
        given = {"a": a, "b": b}
        missing = [name for name, one in given.items() if session(here.store, project, one, now) is None]
        raise ApiError(
            404,
            "session_not_found",
            f"There is no session for {' and '.join(missing) or 'one of them'}.",
            "GET /api/sessions lists them.",
        )
    return json(found)


@router.get(
    "/groups",
    operation_id="compareGroups",
    response_model=None,
    responses=documented(compared.Cohorts, 400),
)
def compare_groups(
    request: Request,
    chosen: FilterQuery,
    tag_a: Annotated[str, Query(description="tag of the first group")],
    tag_b: Annotated[str, Query(description="tag of the second")],
) -> Response:
    """Return how the sessions of two tags are distributed, and which differences chance does not explain."""
    here = rooms(request)
    own_writes(here)
    return json(cohorts(here.store, chosen, tag_a=tag_a, tag_b=tag_b))
