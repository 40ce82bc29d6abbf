"""The route about prices in use."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from agentops.server import prices
from agentops.server.api.answers import documented, json
from agentops.server.api.models import Exact
from agentops.server.api.parameters import only_known
from agentops.server.api.state import project_of, rooms
from agentops.server.query.pricing import pricing

router = APIRouter(prefix="/api", tags=["store"], dependencies=[Depends(only_known)])


class OwnPrice(Exact):
    """An entry of the file of one's own prices."""

    model: str = Field(description="as the telemetry has it; * stands for any characters")
    provider: str | None
    rates: dict[str, float] = Field(
        description="dollars: for a million tokens, or for each request or search"
    )


class ModelPrice(Exact):
    """A model that was called, and its prices now: dollars for a million tokens; null where not known."""

    provider: str | None
    model: str
    source: Literal["own", "built_in", "unknown"]
    input: float | None
    cache_read: float | None
    cache_write: float | None
    output: float | None


class Prices(Exact):
    """The prices in use."""

    built_in: str = Field(description="the list of built-in prices and its version")
    file: str | None = Field(description="name of the file of one's own prices")
    own: list[OwnPrice]
    models: list[ModelPrice]


@router.get("/prices", operation_id="getPrices", response_model=None, responses=documented(Prices, 400))
def get_prices(request: Request) -> Response:
    """Return the prices of the models that were called, and the entries of one's own, which win."""
    return json(pricing(rooms(request).store, project_of(request), prices.in_use()))
