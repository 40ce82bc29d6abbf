"""What did a session log? Pages of its log records in time order."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from agentops.server.query import cursors
from agentops.server.query.scope import Scope
from agentops.server.query.sessions import parsed
from agentops.server.query.text import LOGGED, searched
from agentops.server.query.times import iso
from agentops.server.store.client import Store
from agentops.server.store.complete import MADE_AT


class _Log(Struct):
    log_id: str
    trace_id: str
    span_id: str
    made_at: int
    severity: int
    severity_text: str
    name: str
    body: str
    body_format: str
    logger: str
    attributes: str


def logs(
    store: Store, scope: Scope, *, limit: int, cursor: str | None, q: str, min_severity: int
) -> tuple[list[dict[str, Any]], str | None]:
    """Return a page of log records and the cursor of the next.

    Raises:
        BadCursor: the cursor belongs to another list.
    """
    where = f"{scope.logs_where} AND NOT content"
    values = dict(scope.values)
    if cursor is not None:
        values["after"], values["after_id"] = cursors.read(cursor, int, str)
        where += f" AND ({MADE_AT}, log_id) > ({{after:UInt64}}, {{after_id:String}})"
    if min_severity:
        where += " AND severity >= {severity:UInt8}"
        values["severity"] = min_severity
    if q:
        where += f" AND ({searched(q, values, LOGGED)})"
    rows = store.rows(
        f"SELECT log_id, trace_id, span_id, {MADE_AT} AS made_at, severity, severity_text, name, body, "
        "body_format, logger, attributes "
        f"FROM logs FINAL WHERE {where} ORDER BY made_at, log_id LIMIT {{limit:UInt32}}",
        {**values, "limit": limit + 1},
        _Log,
    )
    more = len(rows) > limit
    rows = rows[:limit]
    shown: list[dict[str, Any]] = [
        {
            "log_id": row.log_id,
            "event_id": row.span_id or None,
            "trace_id": row.trace_id or None,
            "at": iso(row.made_at),
            "severity": row.severity,
            "severity_text": row.severity_text or None,
            "name": row.name or None,
            "logger": row.logger or None,
            "body": parsed(row.body) if row.body_format == "json" else row.body,
            "attributes": parsed(row.attributes) if row.attributes else {},
        }
        for row in rows
    ]
    return shown, cursors.written(rows[-1].made_at, rows[-1].log_id) if more else None
