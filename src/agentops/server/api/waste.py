"""The waste route."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from agentops.server.api import insights
from agentops.server.api.answers import documented, json
from agentops.server.api.parameters import FilterQuery, only_known
from agentops.server.api.state import own_writes, rooms
from agentops.server.query.waste import waste

router = APIRouter(prefix="/api", tags=["analytics"], dependencies=[Depends(only_known)])


@router.get(
    "/analytics/waste",
    operation_id="getWaste",
    response_model=None,
    responses=documented(insights.Waste, 400),
)
def get_waste(request: Request, chosen: FilterQuery) -> Response:
    """Return money and time spent on loops, retries, failed tools, repeated calls and uncached prompts."""
    here = rooms(request)
    own_writes(here)
    return json(waste(here.store, chosen))
