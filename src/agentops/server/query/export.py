"""One session, complete, in the formats people take away: JSON, OTLP/JSON, HTML, CSV, Parquet.

A session is read in slices, so that a large one passes through without being held as a whole twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from agentops.server.normalise.attributes import restored
from agentops.server.query.events import AFTER, START_ORDER, WholeEventRow, agents_of, whole, whole_columns
from agentops.server.query.logs import logs
from agentops.server.query.page import page
from agentops.server.query.scope import Scope, agents
from agentops.server.query.sessions import parsed, resource
from agentops.server.query.times import iso_sql
from agentops.server.store.client import Store

FORMATS: Final = ("json", "otlp", "html", "csv", "parquet")
MEDIA: Final = {
    "json": "application/json",
    "otlp": "application/json",
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
_SLICE: Final = 500
_TABLE: Final = """
    span_id AS event_id, {parent} AS parent_id, trace_id, kind, name, {agent} AS agent, {iso} AS started_at,
    if(ended, duration_ns / 1e6, NULL) AS duration_ms, {status} AS status, model, provider, tokens_input,
    tokens_output,
    tokens_cache_read, tokens_cache_write, tokens_reasoning, cost_usd, cost_source, error_type, error_message,
    input, output, attributes
"""


def exported(store: Store, scope: Scope, session: dict[str, Any], form: str) -> Iterator[bytes]:
    """Yield an export's bytes.

    Args:
        store: the open store.
        scope: the session's spans.
        session: the session as the API shows it.
        form: one of FORMATS.
    """
    if form == "json":
        return _json(store, scope, session)
    if form == "html":
        return page(session, whole_events(store, scope), _log_records(store, scope))
    if form == "otlp":
        return _otlp(store, scope)
    return iter([_table(store, scope, "CSVWithNames" if form == "csv" else "Parquet")])


def _slices(store: Store, scope: Scope, where: str) -> Iterator[list[WholeEventRow]]:
    after, after_id, after_trace = 0, "", ""
    while True:
        rows = store.rows(
            f"SELECT {whole_columns(scope)} FROM spans FINAL WHERE ({where}) "
            f"AND {AFTER} ORDER BY {START_ORDER} LIMIT {{limit:UInt32}}",
            {
                **scope.values,
                "after": after,
                "after_id": after_id,
                "after_trace": after_trace,
                "limit": _SLICE,
            },
            WholeEventRow,
        )
        if rows:
            yield rows
        if len(rows) < _SLICE:
            return
        after, after_id, after_trace = rows[-1].started_at, rows[-1].span_id, rows[-1].trace_id


def _resources(
    store: Store, scope: Scope, known: dict[int, dict[str, Any]], resource_id: int
) -> dict[str, Any]:
    if resource_id not in known:
        known[resource_id] = resource(store, scope.project, resource_id)
    return known[resource_id]


def whole_events(store: Store, scope: Scope) -> Iterator[dict[str, Any]]:
    """Yield every event of a session as the API shows it by itself, in start order."""
    known: dict[int, dict[str, Any]] = {}
    for rows in _slices(store, scope, scope.events_where):
        agents = agents_of(store, scope, rows)
        for row in rows:
            yield whole(row, scope, _resources(store, scope, known, row.resource_id), agents)


def _json(store: Store, scope: Scope, session: dict[str, Any]) -> Iterator[bytes]:
    yield b'{"session":' + msgspec.json.encode(session) + b',"events":['
    comma = b""
    for event in whole_events(store, scope):
        yield comma + msgspec.json.encode(event)
        comma = b","
    yield b'],"logs":['
    comma = b""
    for record in _log_records(store, scope):
        yield comma + msgspec.json.encode(record)
        comma = b","
    yield b"]}"


def _log_records(store: Store, scope: Scope) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        found, cursor = logs(store, scope, limit=_SLICE, cursor=cursor, q="", min_severity=0)
        yield from found
        if cursor is None:
            return


def _otlp(store: Store, scope: Scope) -> Iterator[bytes]:
    """Yield an OTLP/JSON export request that, posted to a server, makes the same session again."""
    yield b'{"resourceSpans":['
    known: dict[int, dict[str, Any]] = {}
    comma = b""
    for row in (row for rows in _slices(store, scope, scope.where) for row in rows):
        attributes = _resources(store, scope, known, row.resource_id)
        block = {
            "resource": {"attributes": _pairs(attributes)},
            "scopeSpans": [
                {"scope": {"name": row.scope_name, "version": row.scope_version}, "spans": [_span(row)]}
            ],
        }
        yield comma + msgspec.json.encode(block)
        comma = b","
    yield b"]}"


def _span(row: WholeEventRow) -> dict[str, Any]:
    # Whether a span that did not fail said "ok" or nothing is not kept: it means the same.
    status: dict[str, Any] = {"code": 2} if row.status == "error" else {}
    if row.status_message:
        status["message"] = row.status_message
    events: list[dict[str, Any]] = parsed(row.span_events) if row.span_events else []
    links: list[dict[str, Any]] = parsed(row.links) if row.links else []
    return {
        "traceId": row.trace_id,
        "spanId": row.span_id,
        "parentSpanId": row.parent_id,
        "name": row.name,
        "kind": row.span_kind,
        "traceState": row.trace_state,
        "startTimeUnixNano": str(row.started_at),
        "endTimeUnixNano": str(row.started_at + row.duration_ns) if row.ended else "0",
        "attributes": _pairs(restored(row.attributes, row.input, row.output)),
        "events": [
            {
                "name": event.get("name", ""),
                "timeUnixNano": str(event.get("time_ns", 0)),
                "attributes": _pairs(event.get("attributes") or {}),
            }
            for event in events
        ],
        "links": [
            {
                "traceId": link.get("trace_id", ""),
                "spanId": link.get("span_id", ""),
                "attributes": _pairs(link.get("attributes") or {}),
            }
            for link in links
        ],
        "status": status,
    }


def _pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(one) for one in value]}}  # pyright: ignore[reportUnknownVariableType] -- JSON of unknown shape
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _pairs(value)}}  # pyright: ignore[reportUnknownArgumentType] -- JSON of unknown shape
    return {"stringValue": value} if value is not None else {}


def _table(store: Store, scope: Scope, form: str) -> bytes:
    agent, join = agents(store, scope)
    columns = _TABLE.format(
        parent=scope.parent, status=scope.status, iso=iso_sql("s.started_at"), agent=agent
    )
    return store.answer(
        f"SELECT {columns} FROM spans AS s FINAL {join} WHERE {scope.events_where} "
        "ORDER BY s.started_at, s.span_id, s.trace_id",
        scope.values,
        form=form,
    )
