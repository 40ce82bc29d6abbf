"""What happened in a session? Pages of its events without bodies, and one event whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct

from agentops.server.normalise.attributes import restored, told_once
from agentops.server.prices import explained
from agentops.server.query import cursors, side
from agentops.server.query.scope import Agents, Scope, above, agents_above
from agentops.server.query.sessions import parsed, resource
from agentops.server.query.text import ATTRIBUTES, SEARCHED, searched
from agentops.server.query.times import iso
from agentops.server.store.client import Store
from agentops.server.store.dialect import FROM_START, OF_TRACES

_LIGHT: Final = """
    span_id, trace_id, kind, name, agent, started_at, ended, duration_ns, model, provider, tokens_input,
    tokens_output,
    tokens_cache_read, tokens_cache_write, tokens_reasoning, cost_usd, error_type, error_message,
    input_preview,
    output_preview
"""
_HEAVY: Final = """
    input, input_format, output, output_format, attributes, span_events, links, error_stack, cost_source,
    cost_detail,
    first_token_ns, finish_reason, source_id, response_id, request_model, status_message, scope_name,
    scope_version,
    resource_id, agent_id, seq, span_kind, trace_state, parent_id, status, source_name, seen_at, flags
"""


START_ORDER: Final = "started_at, span_id, trace_id"
"""Traces of one session may hold equal span ids that start at the same time."""
AFTER: Final = f"({START_ORDER}) > ({{after:UInt64}}, {{after_id:String}}, {{after_trace:String}})"


class EventRow(Struct):
    """An event without bodies; columns of spans, with parent and status as the session has them."""

    span_id: str
    parent: str | None
    trace_id: str
    kind: str
    name: str
    agent: str
    started_at: int
    ended: bool
    duration_ns: int
    shown_status: str
    model: str
    provider: str
    tokens_input: int | None
    tokens_output: int | None
    tokens_cache_read: int | None
    tokens_cache_write: int | None
    tokens_reasoning: int | None
    cost_usd: float | None
    error_type: str
    error_message: str
    input_preview: str
    output_preview: str


class WholeEventRow(EventRow):
    """An event with everything that is stored of it."""

    input: str
    input_format: str
    output: str
    output_format: str
    attributes: str
    span_events: str
    links: str
    error_stack: str
    cost_source: str
    cost_detail: str
    first_token_ns: int | None
    finish_reason: str
    source_id: str
    response_id: str
    request_model: str
    status_message: str
    scope_name: str
    scope_version: str
    resource_id: int
    agent_id: str
    seq: int
    span_kind: int
    trace_state: str
    parent_id: str
    status: str
    source_name: str
    seen_at: int
    flags: int


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of events, as the API shows them."""

    events: list[dict[str, Any]]
    next_cursor: str | None


def events(
    store: Store,
    scope: Scope,
    *,
    limit: int,
    cursor: str | None,
    kinds: list[str],
    q: str,
    status: list[str],
    searching: tuple[str, ...] = SEARCHED,
) -> EventPage:
    """Return a page of a session's events in start order; `searching` are the columns that `q` looks into.

    Raises:
        BadCursor: the cursor belongs to another list.
    """
    where = scope.events_where
    values = dict(scope.values)
    if cursor is not None:
        deep, *after = cursors.read(cursor, bool, int, str, str)
        values["after"], values["after_id"], values["after_trace"] = after
        # What the first page found is gone on with, and nothing else, whatever has come since.
        searching = ATTRIBUTES if deep else SEARCHED
        where += f" AND {AFTER}"
    if kinds:
        where += " AND kind IN {kinds:Array(String)}"
        values["kinds"] = kinds
    if status:
        where += f" AND {scope.status} IN {{status:Array(String)}}"
        values["status"] = status
    if q:
        where += f" AND ({searched(q, values, searching)})"
    how = "" if q else OF_TRACES if kinds or status or cursor is not None else FROM_START
    looked_up = side.ask(lambda: above(store, scope))
    rows = store.rows(
        f"SELECT {_LIGHT}, {scope.parent} AS parent, {scope.status} AS shown_status FROM spans FINAL "
        f"WHERE {where} "
        f"ORDER BY {START_ORDER} LIMIT {{limit:UInt32}} {how}",
        {**values, "limit": limit + 1},
        EventRow,
    )
    if q and not rows and cursor is None and searching != ATTRIBUTES:
        return events(store, scope, limit=limit, cursor=cursor, kinds=kinds, q=q, status=status,
                      searching=ATTRIBUTES)  # fmt: skip
    more = len(rows) > limit
    rows = rows[:limit]
    cursor_after = _cursor(rows[-1], searching == ATTRIBUTES) if more else None
    looked_up.result()
    agents = agents_of(store, scope, rows)
    return EventPage([shown(row, scope.session_id, agents) for row in rows], cursor_after)


def _cursor(last: EventRow, deep: bool) -> str:
    return cursors.written(deep, last.started_at, last.span_id, last.trace_id)


def event(store: Store, scope: Scope, event_id: str, *, once: bool = False) -> dict[str, Any] | None:
    """Return one event with its bodies, or None; `once` leaves out what its input and output hold already."""
    rows = store.rows(
        f"SELECT {whole_columns(scope)} FROM spans FINAL "
        f"WHERE {scope.events_where} AND span_id = {{event:String}} LIMIT 1 {OF_TRACES}, max_threads = 1",
        {**scope.values, "event": event_id},
        WholeEventRow,
    )
    if not rows:
        return None
    found = whole(
        rows[0], scope, resource(store, scope.project, rows[0].resource_id), agents_of(store, scope, rows)
    )
    if once:
        attributes, repeats = told_once(rows[0].attributes, rows[0].input, rows[0].output)
        found |= {"messages": [], "attributes": attributes, "repeats": repeats}
    return found


def whole_columns(scope: Scope) -> str:
    """Return the columns of a WholeEventRow, for a SELECT over spans."""
    return f"{_LIGHT}, {_HEAVY}, {scope.parent} AS parent, {scope.status} AS shown_status"


UNPLACED_COLUMNS: Final = f"{_LIGHT}, {_HEAVY}, CAST(NULL, 'Nullable(String)') AS parent, '' AS shown_status"
"""Columns of a WholeEventRow that `placed` is to tell its parent and status."""


def placed(rows: list[WholeEventRow], scope: Scope) -> list[WholeEventRow]:
    """Return rows of a session with the parents and states that `whole_columns` would have asked for."""
    roots = dict(zip(scope.values["roots"], scope.values["hangs"], strict=True))
    for row in rows:
        row.parent = roots.get(row.parent_id, row.parent_id) or None
        row.shown_status = row.status if row.ended else scope.values["open"]
    return rows


def agents_of(store: Store, scope: Scope, rows: Sequence[EventRow]) -> Agents:
    """Return the agents that the events without an agent's name of their own work for."""
    unnamed = [row for row in rows if not row.agent]
    if not unnamed:
        return {}
    found = above(store, scope)
    if found is not None:
        return found
    within = sorted({row.trace_id for row in unnamed})
    return agents_above(store, scope, within, [row.span_id for row in unnamed])


def shown(row: EventRow, session_id: str, agents: Agents) -> dict[str, Any]:
    """Return an event as the API shows it in lists."""
    known = [value for value in (row.tokens_input, row.tokens_output) if value is not None]
    return {
        "event_id": row.span_id,
        "parent_id": row.parent,
        "session_id": session_id,
        "trace_id": row.trace_id,
        "kind": row.kind,
        "name": row.name,
        "agent": row.agent or agents.get((row.trace_id, row.span_id)) or None,
        "started_at": iso(row.started_at),
        "duration_ms": row.duration_ns / 1e6 if row.ended else None,
        "status": row.shown_status,
        "model": row.model or None,
        "provider": row.provider or None,
        "tokens": {
            "input": row.tokens_input,
            "output": row.tokens_output,
            "cache_read": row.tokens_cache_read,
            "cache_write": row.tokens_cache_write,
            "reasoning": row.tokens_reasoning,
            "total": sum(known) if known else None,
        },
        "cost_usd": row.cost_usd,
        "error_type": row.error_type or None,
        "error_message": row.error_message or None,
        "input_preview": row.input_preview or None,
        "output_preview": row.output_preview or None,
    }


def whole(
    row: WholeEventRow, scope: Scope, resource_attributes: dict[str, Any], agents: Agents
) -> dict[str, Any]:
    """Return an event as the API shows it by itself."""
    went_in = _body(row.input, row.input_format)
    came_out = _body(row.output, row.output_format)
    messages: list[dict[str, Any]] = []
    for body, form, direction in (
        (went_in, row.input_format, "input"),
        (came_out, row.output_format, "output"),
    ):
        if form == "messages" and isinstance(body, list):
            messages += [{**message, "direction": direction} for message in body if isinstance(message, dict)]  # pyright: ignore[reportUnknownVariableType] -- JSON of unknown shape
    failed = bool(row.error_type or row.error_message or row.error_stack)
    return {
        **shown(row, scope.session_id, agents),
        "agent_id": row.agent_id or None,
        "input": went_in,
        "input_format": row.input_format or None,
        "output": came_out,
        "output_format": row.output_format or None,
        "messages": messages,
        "attributes": restored(row.attributes, row.input, row.output),
        "resource": resource_attributes,
        "scope": {"name": row.scope_name, "version": row.scope_version},
        "events": parsed(row.span_events) if row.span_events else [],
        "links": parsed(row.links) if row.links else [],
        "error": {
            "type": row.error_type or None,
            "message": row.error_message or None,
            "stack": row.error_stack or None,
        }
        if failed
        else None,
        "status_message": row.status_message or None,
        "cost_source": row.cost_source or None,
        "cost_detail": explained(row.cost_detail) or None,
        "first_token_ms": None if row.first_token_ns is None else row.first_token_ns / 1e6,
        "finish_reason": row.finish_reason or None,
        "source_id": row.source_id or None,
        "response_id": row.response_id or None,
        "request_model": row.request_model or None,
        "tags": scope.tags,
        "seq": row.seq or None,
        "span_kind": row.span_kind,
        "trace_state": row.trace_state or None,
    }


def _body(text: str, form: str) -> Any:
    if not form:
        return None
    return text if form == "text" else parsed(text)
