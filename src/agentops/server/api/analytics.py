"""The analytics route."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from agentops.config import nearest
from agentops.server.api import insights, models
from agentops.server.api.answers import documented, json
from agentops.server.api.errors import ApiError
from agentops.server.api.parameters import FilterQuery, only_known
from agentops.server.api.state import Rooms, own_writes, rooms
from agentops.server.query.analytics import analytics
from agentops.server.query.breakdown import breakdown
from agentops.server.query.failures import failures
from agentops.server.query.measured import time_zones

router = APIRouter(prefix="/api", tags=["analytics"], dependencies=[Depends(only_known)])
_known: Final[dict[str, frozenset[str]]] = {}
"""The engine's time zones, asked for once."""

_Zone = Annotated[
    str,
    Query(
        max_length=64,
        description="time zone whose clock hours, days and weeks begin by, such as Europe/Berlin",
    ),
]


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
    tz: _Zone = "UTC",
    latency: Annotated[
        bool, Query(description="false leaves out percentiles, for which every event is read")
    ] = True,
) -> Response:
    """Return totals, a series and groups over the filtered sessions."""
    here = rooms(request)
    own_writes(here)
    _known_zone(here, tz)
    return json(
        analytics(here.store, chosen, interval=interval, group_by=group_by, tz=tz, with_latency=latency)
    )


@router.get(
    "/analytics/breakdown",
    operation_id="getBreakdown",
    response_model=None,
    responses=documented(insights.Breakdown, 400),
)
def get_breakdown(
    request: Request,
    chosen: FilterQuery,
    by: Annotated[insights.Dimension, Query(description="what to break down by")] = "model",
    interval: Annotated[insights.Interval, Query(description="width of each value's series")] = "day",
    tz: _Zone = "UTC",
    sort: Annotated[
        Literal["value", "count", "errors", "error_rate", "p50", "p95", "tokens", "cost"], Query()
    ] = "cost",
    order: Annotated[Literal["asc", "desc"], Query()] = "desc",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Response:
    """Return each value of a dimension: count, errors, durations, tokens, cost, share, and a series."""
    here = rooms(request)
    own_writes(here)
    _known_zone(here, tz)
    return json(
        breakdown(here.store, chosen, by=by, interval=interval, tz=tz, sort=sort, order=order, limit=limit)
    )


@router.get(
    "/analytics/errors",
    operation_id="getErrors",
    response_model=None,
    responses=documented(insights.Failures, 400),
)
def get_errors(
    request: Request, chosen: FilterQuery, limit: Annotated[int, Query(ge=1, le=500)] = 20
) -> Response:
    """Return the most frequent errors, alike ones together, with the first and the last time."""
    here = rooms(request)
    own_writes(here)
    return json(failures(here.store, chosen, limit=limit))


def _known_zone(here: Rooms, tz: str) -> None:
    if tz not in _zones(here):
        meant = nearest(tz, sorted(_zones(here)))
        raise ApiError(
            400,
            "invalid_parameter",
            f"tz: {tz!r} is no time zone.",
            f"Did you mean {meant!r}?" if meant else "Use a name such as UTC, Europe/Berlin or Asia/Kolkata.",
        )


def _zones(here: Rooms) -> frozenset[str]:
    known = _known.get("zones")
    if known is None:
        known = _known["zones"] = time_zones(here.store)
    return known
