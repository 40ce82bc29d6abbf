"""Routes for whoever runs the server: is it up, is it ready, how is it doing, what can it be asked."""

from __future__ import annotations

import html
import os
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from agentops.server.api import models
from agentops.server.api.answers import documented, json
from agentops.server.api.errors import ApiError
from agentops.server.api.state import Rooms, rooms
from agentops.server.store.disk import KEPT_FREE

router = APIRouter(tags=["operations"])


@router.get("/healthz", operation_id="getHealth", response_model=None, responses=documented(models.Health))
async def get_health(request: Request) -> Response:
    """Say that the server is up, and who it is."""
    return json(_health(rooms(request)))


@router.get("/readyz", operation_id="getReadiness", response_model=None, responses=documented(models.Health))
def get_readiness(request: Request) -> Response:
    """Say that the store answers, and has room."""
    here = rooms(request)
    here.store.answer("SELECT 1")
    disk = here.store.disk
    if disk is not None and disk.full:
        where = "the store" if here.auth.required else str(here.store.url)
        raise ApiError(
            503,
            "disk_full",
            f"The disk of {where} is full: {disk.free_bytes} bytes are free, and with less than "
            f"{KEPT_FREE} nothing more is stored.",
            "Free space there. What programs record meanwhile waits in their journals; what is stored can be "
            "read.",
            {"Retry-After": "30"},
        )
    return json(_health(here))


@router.get(
    "/metrics",
    operation_id="getMetrics",
    response_model=None,
    responses={
        200: {"description": "Prometheus text.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **documented(None),
    },
)
def get_metrics(request: Request) -> Response:
    """Return counters and gauges in Prometheus text form."""
    here = rooms(request)
    measures: list[tuple[str, str, str, float]] = [
        (
            "agentops_spans_committed_total",
            "counter",
            "Span records committed to the store.",
            here.writer.spans_committed,
        ),
        (
            "agentops_logs_committed_total",
            "counter",
            "Log records committed to the store.",
            here.writer.logs_committed,
        ),
        (
            "agentops_spans_refused_total",
            "counter",
            "Spans refused one by one, with the reason in the answer.",
            here.ingest.spans_refused,
        ),
        (
            "agentops_logs_refused_total",
            "counter",
            "Log records refused one by one, with the reason in the answer.",
            here.ingest.logs_refused,
        ),
        (
            "agentops_requests_turned_away_total",
            "counter",
            "Requests told to come again: more arrived than there was room for.",
            here.ingest.intake.turned_away + here.writer.turned_away,
        ),
        (
            "agentops_intake_bytes",
            "gauge",
            "Bytes of bodies being read or decoded.",
            here.ingest.intake.held_bytes,
        ),
        (
            "agentops_rows_refused_total",
            "counter",
            "Rows that the store would not take.",
            here.writer.rows_refused,
        ),
        (
            "agentops_commits_total",
            "counter",
            "Commits; several requests may share one.",
            here.writer.commits,
        ),
        ("agentops_commit_failures_total", "counter", "Commits that failed.", here.writer.failures),
        ("agentops_queued_bytes", "gauge", "Bytes that wait for a commit.", here.writer.queued_bytes),
        (
            "agentops_summary_passes_total",
            "counter",
            "Passes that rewrote session rows.",
            here.summariser.passes,
        ),
        (
            "agentops_summary_failures_total",
            "counter",
            "Passes that failed and were repeated.",
            here.summariser.failures,
        ),
        (
            "agentops_summary_backlog",
            "gauge",
            "Traces whose session rows are being rewritten.",
            here.summariser.backlog,
        ),
        ("agentops_live_listeners", "gauge", "Open live connections.", here.live.listeners),
        ("process_resident_memory_bytes", "gauge", "Resident memory.", _resident_bytes()),
    ]
    lines: list[str] = []
    for name, kind, text, value in measures:
        lines += [
            f"# HELP {name} {text}",
            f"# TYPE {name} {kind}",
            f"{name} {value:g}" if value != int(value) else f"{name} {int(value)}",
        ]
    if here.backlog is not None:
        lines += here.backlog.lines()
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/docs", include_in_schema=False)
def get_docs(request: Request) -> HTMLResponse:
    """Show the API as one page that needs nothing from elsewhere."""
    document: dict[str, Any] = request.app.openapi()
    rows: list[str] = []
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            parameters = ", ".join(
                html.escape(one["name"]) for one in route.get("parameters", ()) if one["in"] == "query"
            )
            rows.append(
                f"<tr><td>{method.upper()}</td><td><code>{html.escape(path)}</code></td>"
                f"<td>{html.escape(route.get('description', ''))}</td><td>{parameters}</td></tr>"
            )
    return HTMLResponse(
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>AgentOps API</title></head><body>"
        "<h1>AgentOps API</h1><p>The whole description, with every field: <a "
        "href='/openapi.json'>openapi.json</a>.</p>"
        "<table border='1' "
        "cellpadding='6'><thead><tr><th>Method</th><th>Route</th><th>What</th><th>Query "
        "parameters</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></body></html>"
    )


def _health(here: Rooms) -> dict[str, Any]:
    # Asked without a key: where a server with keys keeps what it has is nobody's business.
    store = "private" if here.auth.required else str(here.store.url)
    return {
        "status": "ok",
        "name": "agentops",
        "version": here.version,
        "pid": os.getpid(),
        "store": store,
    }


def _resident_bytes() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)
