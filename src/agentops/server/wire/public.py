"""The public read API of the AgentOps cloud, under `/public/v1`: project, traces, spans, their metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel
from starlette.responses import Response

from agentops.server.api.answers import documented, json
from agentops.server.api.errors import ApiError
from agentops.server.api.parameters import only_known
from agentops.server.api.state import caller_of, own_writes, rooms
from agentops.server.query import public
from agentops.server.store.client import Store

router = APIRouter(prefix="/public/v1", tags=["public read API"], dependencies=[Depends(only_known)])
_TraceId = Annotated[str, Path(description="32 hex characters, or the same as a UUID")]
_SpanId = Annotated[str, Path(description="16 hex characters")]


class ProjectShown(BaseModel):
    """The key's project."""

    id: str
    name: str
    environment: str


class SpanShown(BaseModel):
    """A span; times are ISO 8601, its duration nanoseconds."""

    span_id: str
    parent_span_id: str | None
    span_name: str
    span_kind: str
    start_time: str
    end_time: str | None
    duration: int
    status_code: str
    status_message: str


class TraceShown(BaseModel):
    """A trace with its spans."""

    trace_id: str
    project_id: str
    tags: list[str]
    spans: list[SpanShown]


class SpanWhole(SpanShown):
    """A span with everything that it said."""

    trace_id: str
    service_name: str
    attributes: dict[str, Any]
    span_attributes: dict[str, Any]
    resource_attributes: dict[str, Any]


class Metrics(BaseModel):
    """Sums; costs are US dollars as text with 7 decimals."""

    span_count: int
    trace_count: int
    success_count: int
    fail_count: int
    indeterminate_count: int
    prompt_tokens: int
    completion_tokens: int
    cache_read_input_tokens: int
    reasoning_tokens: int
    total_tokens: int
    prompt_cost: str
    completion_cost: str
    average_cost_per_trace: str
    total_cost: str


class SpanMetrics(Metrics):
    """A span's own sums, its tokens also by how it ended."""

    success_tokens: int
    fail_tokens: int
    indeterminate_tokens: int


@router.get(
    "/project", operation_id="publicGetProject", response_model=None, responses=documented(ProjectShown)
)
def get_project(request: Request) -> Response:
    """Return the key's project."""
    here = rooms(request)
    caller = caller_of(request)
    here.auth.load()
    name = next(
        (one.name for one in here.auth.projects.listed() if one.project == caller.project), caller.project
    )
    return json({"id": caller.project, "name": name, "environment": "production"})


@router.get(
    "/traces/{trace_id}",
    operation_id="publicGetTrace",
    response_model=None,
    responses=documented(TraceShown, 404),
)
def get_trace(request: Request, trace_id: _TraceId) -> Response:
    """Return a trace with its spans, in start order."""
    return _answer(request, "trace", _hex(trace_id), public.trace)


@router.get(
    "/traces/{trace_id}/metrics",
    operation_id="publicGetTraceMetrics",
    response_model=None,
    responses=documented(Metrics, 404),
)
def get_trace_metrics(request: Request, trace_id: _TraceId) -> Response:
    """Return a trace's counts, tokens and cost."""
    return _answer(request, "trace", _hex(trace_id), public.trace_metrics)


@router.get(
    "/spans/{span_id}",
    operation_id="publicGetSpan",
    response_model=None,
    responses=documented(SpanWhole, 404),
)
def get_span(request: Request, span_id: _SpanId) -> Response:
    """Return a span with its attributes."""
    return _answer(request, "span", span_id.lower(), public.span)


@router.get(
    "/spans/{span_id}/metrics",
    operation_id="publicGetSpanMetrics",
    response_model=None,
    responses=documented(SpanMetrics, 404),
)
def get_span_metrics(request: Request, span_id: _SpanId) -> Response:
    """Return a span's own tokens and cost."""
    return _answer(request, "span", span_id.lower(), public.span_metrics)


def _answer(
    request: Request, noun: str, wanted: str, ask: Callable[[Store, str, str], dict[str, Any] | None]
) -> Response:
    here = rooms(request)
    own_writes(here)
    found = ask(here.store, caller_of(request).project, wanted)
    if found is None:
        raise ApiError(
            404,
            f"{noun}_not_found",
            f"There is no {noun} {wanted!r}.",
            "GET /api/sessions lists the sessions.",
        )
    return json(found)


def _hex(text: str) -> str:
    try:
        return UUID(text).hex
    except ValueError:
        return text.lower()
