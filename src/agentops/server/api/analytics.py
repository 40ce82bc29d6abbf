"""The analytics route."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from agentops.server.api import models
from agentops.server.api.answers import documented, json
from agentops.server.api.parameters import FilterQuery, only_known
from agentops.server.api.state import own_writes, rooms
from agentops.server.query.analytics import analytics

router = APIRouter(prefix="/api", tags=["analytics"], dependencies=[Depends(only_known)])


@router.get(
    "/analytics",
    operation_id="getAnalytics",
    response_model=None,
    responses=documented(models.Analytics, 400),
)
def get_analytics(
    request: Request,
    chosen: FilterQuery,
    interval: Annotated[
        Literal["minute", "hour", "day", "week"], Query(description="width of the series")
    ] = "day",
    group_by: Annotated[
        Literal["model", "agent", "tool", "tag", "state", "user", "kind", "name"] | None, Query()
    ] = None,
) -> Response:
    """Return totals, a series and groups over the filtered sessions."""
    here = rooms(request)
    own_writes(here)
    return json(analytics(here.store, chosen, interval=interval, group_by=group_by))
