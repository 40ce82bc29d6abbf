"""What the public read API of the AgentOps cloud answers, asked of our store: a trace, a span, their sums."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from agentops.server.normalise.attributes import restored
from agentops.server.prices import explained
from agentops.server.query.sessions import resource
from agentops.server.query.times import iso
from agentops.server.query.traces import sessions_of
from agentops.server.store.client import Store

_PROMPT = ("input", "cache_read", "cache_write", "prompt")
_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_STATES = {"ok": "success", "error": "fail"}
_COLUMNS = """
    span_id, trace_id, parent_id, kind, name, source_name, service, span_kind, started_at, ended,
    duration_ns, status, status_message, tags, tokens_input, tokens_output, tokens_cache_read,
    tokens_reasoning, cost_usd, cost_detail, resource_id, declared_session
"""


class _Row(Struct):
    span_id: str
    trace_id: str
    parent_id: str
    kind: str
    name: str
    source_name: str
    service: str
    span_kind: int
    started_at: int
    ended: bool
    duration_ns: int
    status: str
    status_message: str
    tags: list[str]
    tokens_input: int | None
    tokens_output: int | None
    tokens_cache_read: int | None
    tokens_reasoning: int | None
    cost_usd: float | None
    cost_detail: str
    resource_id: int
    declared_session: str
    again: int = 0
    attributes: str = ""
    input: str = ""
    output: str = ""


class _Body(Struct):
    body: str


def _rows(store: Store, project: str, where: str, values: dict[str, Any], more: str = "") -> list[_Row]:
    """Return spans of sessions that there are; what a deleted session's program went on sending is none's."""
    rows = store.rows(
        f"SELECT {_COLUMNS}{more}, (trace_id, span_id) IN (SELECT trace_id, span_id FROM repeats FINAL WHERE "
        f"project = {{project:String}} AND {where} AND repeated) AS again "
        f"FROM spans FINAL WHERE project = {{project:String}} AND {where} ORDER BY started_at, span_id",
        {"project": project, **values},
        _Row,
    )
    sessions = {
        trace_id: sessions_of(store, project, [trace_id]) for trace_id in {row.trace_id for row in rows}
    }
    return [
        row
        for row in rows
        if (found := sessions[row.trace_id]) and (not row.declared_session or row.declared_session in found)
    ]


def trace(store: Store, project: str, trace_id: str) -> dict[str, Any] | None:
    """Return a trace with its spans, in start order, or None."""
    rows = _rows(store, project, "trace_id = {trace:String}", {"trace": trace_id})
    if not rows:
        return None
    tags = dict.fromkeys(tag for row in rows for tag in row.tags)
    return {
        "trace_id": trace_id,
        "project_id": project,
        "tags": list(tags),
        "spans": [_shown(row) for row in rows],
    }


def trace_metrics(store: Store, project: str, trace_id: str) -> dict[str, Any] | None:
    """Return a trace's sums, or None."""
    rows = _rows(store, project, "trace_id = {trace:String}", {"trace": trace_id})
    return {"trace_id": trace_id, **_metrics(rows)} if rows else None


def span(store: Store, project: str, span_id: str) -> dict[str, Any] | None:
    """Return a span with its attributes, or None."""
    rows = _rows(
        store, project, "span_id = {span:String}", {"span": span_id}, more=", attributes, input, output"
    )
    if not rows:
        return None
    row = rows[0]
    attributes = restored(row.attributes, row.input, row.output)
    return {
        **_shown(row),
        "trace_id": row.trace_id,
        "service_name": row.service,
        "attributes": attributes,
        "span_attributes": attributes,
        "resource_attributes": resource(store, project, row.resource_id),
    }


def span_metrics(store: Store, project: str, span_id: str) -> dict[str, Any] | None:
    """Return a span's own numbers, or None."""
    rows = _rows(store, project, "span_id = {span:String}", {"span": span_id})
    if not rows:
        return None
    found = _metrics(rows[:1])
    states = {f"{state}_tokens": 0 for state in ("success", "fail", "indeterminate")}
    states[f"{_STATES.get(rows[0].status, 'indeterminate')}_tokens"] = found["total_tokens"]
    return {"span_id": span_id, **found, **states}


def object_text(store: Store, project: str, name: str, object_id: str) -> str | None:
    """Return an uploaded text, or None."""
    rows = store.rows(
        "SELECT body FROM logs FINAL WHERE project = {project:String} AND trace_id = '' "
        "AND name = {name:String} AND span_id = {object:String} LIMIT 1",
        {"project": project, "name": name, "object": object_id},
        _Body,
    )
    return rows[0].body if rows else None


def _shown(row: _Row) -> dict[str, Any]:
    code = {"ok": "OK", "error": "ERROR"}.get(row.status, "UNSET")
    return {
        "span_id": row.span_id,
        "parent_span_id": row.parent_id or None,
        # As the program sent it: "find_order.tool", where the dashboard shows "find_order".
        "span_name": row.source_name or row.name,
        "span_kind": _KINDS[row.span_kind] if row.span_kind < len(_KINDS) else "UNSPECIFIED",
        "start_time": iso(row.started_at),
        "end_time": iso(row.started_at + row.duration_ns) if row.ended else None,
        "duration": row.duration_ns,
        "status_code": code,
        "status_message": row.status_message,
    }


def _metrics(rows: list[_Row]) -> dict[str, Any]:
    calls = [row for row in rows if row.kind in ("llm", "embedding") and not row.again]
    prompt = completion = 0.0
    for row in calls:
        entered, left = _divided(row)
        prompt += entered
        completion += left
    total = sum(
        row.cost_usd or 0.0 for row in rows if row.kind in ("llm", "embedding", "tool") and not row.again
    )
    prompt_tokens = sum(row.tokens_input or 0 for row in calls)
    completion_tokens = sum(row.tokens_output or 0 for row in calls)
    return {
        "span_count": len(rows),
        "trace_count": len({row.trace_id for row in rows}),
        "success_count": sum(row.status == "ok" for row in rows),
        "fail_count": sum(row.status == "error" for row in rows),
        "indeterminate_count": sum(row.status not in ("ok", "error") for row in rows),
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "cache_read_input_tokens": sum(row.tokens_cache_read or 0 for row in calls),
        "reasoning_tokens": sum(row.tokens_reasoning or 0 for row in calls),
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_cost": f"{prompt:.7f}",
        "completion_cost": f"{completion:.7f}",
        "average_cost_per_trace": f"{total:.7f}",
        "total_cost": f"{total:.7f}",
    }


def _divided(row: _Row) -> tuple[float, float]:
    """Return what of a call's cost is for what went in, and for what came out."""
    entered = left = 0.0
    for said in explained(row.cost_detail):
        cost = said.get("usd")
        if isinstance(cost, int | float):
            if str(said.get("class", "")).startswith(_PROMPT):
                entered += cost
            else:
                left += cost
    return entered, left
