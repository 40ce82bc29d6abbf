"""Stored rows as OTLP/JSON again: spans and log records that, sent to a server, are what they were.

Beside OTLP's own fields stand those that OTLP has no place for and its readers pass over: when the store
heard of a span (`seenTimeUnixNano`) and a log record's id (`logId`).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from agentops.otlp.limits import DROPPED_ATTRIBUTES, DROPPED_EVENTS, DROPPED_LINKS
from agentops.otlp.noted import BYTES, DOUBLE, NOTED
from agentops.server.normalise.attributes import SCOPE, restored
from agentops.server.normalise.values import is_list, is_object
from agentops.server.query.events import WholeEventRow
from agentops.server.query.scope import Scope
from agentops.server.query.sessions import parsed, resource
from agentops.server.store.client import Store
from agentops.server.store.complete import MADE_AT

_SLICE: Final = 500
_LOG_COLUMNS: Final = (
    f"log_id, trace_id, span_id, at_ns, {MADE_AT} AS made_at, severity, severity_text, name, body, "
    "body_format, logger, attributes, resource_id, flags"
)


_FIELDS: Final = {BYTES: "bytesValue", DOUBLE: "doubleValue"}
_LEFT_OUT: Final = {DROPPED_EVENTS: "droppedEventsCount", DROPPED_LINKS: "droppedLinksCount"}
_ERROR_TYPES: Final = ("error.type", "exception.type")
_NO_NUMBERS: Final = ("NaN", "Infinity", "-Infinity")


class _Typed(Struct, frozen=True):
    """A text with the field of AnyValue that it belongs in."""

    field: str
    text: str


class Resources:
    """Resource attributes by id, each read once."""

    def __init__(self, store: Store, project: str) -> None:
        self._store = store
        self._project = project
        self._known: dict[int, dict[str, Any]] = {}

    def attributes(self, resource_id: int) -> dict[str, Any]:
        """Return a resource's attributes."""
        if resource_id not in self._known:
            self._known[resource_id] = resource(self._store, self._project, resource_id)
        return self._known[resource_id]


class _LogRow(Struct):
    log_id: str
    trace_id: str
    span_id: str
    at_ns: int
    made_at: int
    severity: int
    severity_text: str
    name: str
    body: str
    body_format: str
    logger: str
    attributes: str
    resource_id: int
    flags: int


def resource_spans(row: WholeEventRow, resources: Resources) -> dict[str, Any]:
    """Return a span as an element of `resourceSpans`."""
    attributes = restored(row.attributes, row.input, row.output)
    scope: dict[str, Any] = {"name": row.scope_name, "version": row.scope_version}
    of_scope = {key: attributes.pop(key) for key in list(attributes) if key.startswith(SCOPE)}
    if of_scope:
        scope |= held({key.removeprefix(SCOPE): one for key, one in of_scope.items()})
    return {
        "resource": held(resources.attributes(row.resource_id)),
        "scopeSpans": [{"scope": scope, "spans": [_span(row, attributes)]}],
    }


def _span(row: WholeEventRow, attributes: dict[str, Any]) -> dict[str, Any]:
    events: list[dict[str, Any]] = parsed(row.span_events) if row.span_events else []
    links: list[dict[str, Any]] = parsed(row.links) if row.links else []
    said = core(row)
    if row.status == "ok" and _names_error(attributes, events):
        # It did not fail since it said "ok": otherwise what it names would be its end.
        said["status"]["code"] = 1
    return {
        "traceId": row.trace_id,
        "spanId": row.span_id,
        **said,
        "kind": row.span_kind,
        "traceState": row.trace_state,
        **of_span(attributes, events, links),
    }


def of_span(
    attributes: dict[str, Any], events: list[dict[str, Any]], links: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return a span's attributes, events and links as stored, in OTLP/JSON's fields."""
    attributes = dict(attributes)
    left_out = {field: _taken(attributes, key) for key, field in _LEFT_OUT.items()}
    return {
        **held(attributes),
        **{field: count for field, count in left_out.items() if count},
        "events": [
            {
                "name": event.get("name", ""),
                "timeUnixNano": str(event.get("time_ns", 0)),
                **held(event.get("attributes") or {}),
            }
            for event in events
        ],
        "links": [
            {
                "traceId": link.get("trace_id", ""),
                "spanId": link.get("span_id", ""),
                **held(link.get("attributes") or {}),
                **({"traceState": link["trace_state"]} if link.get("trace_state") else {}),
                **({"flags": link["flags"]} if link.get("flags") else {}),
            }
            for link in links
        ],
    }


def _names_error(attributes: dict[str, Any], events: list[dict[str, Any]]) -> bool:
    return any(key in attributes for key in _ERROR_TYPES) or any(
        event.get("name") == "exception" for event in events
    )


class Core(Struct):
    """What a span is beside its bodies; columns of spans."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    source_name: str
    started_at: int
    ended: bool
    duration_ns: int
    status: str
    status_message: str
    seen_at: int
    flags: int


def core(row: WholeEventRow | Core) -> dict[str, Any]:
    """Return what an event shown by the API does not say of its span, in OTLP/JSON's fields."""
    # Whether a span that did not fail said "ok" or nothing is not kept: it means the same (but see `_span`).
    status: dict[str, Any] = {"code": 2} if row.status == "error" else {}
    if row.status_message:
        status["message"] = row.status_message
    return {
        "parentSpanId": row.parent_id,
        "name": row.source_name or row.name,
        "startTimeUnixNano": str(row.started_at),
        "endTimeUnixNano": str(row.started_at + row.duration_ns) if row.ended else "0",
        "status": status,
        "seenTimeUnixNano": str(row.seen_at),
        **({"flags": row.flags} if row.flags else {}),
    }


def resource_logs(store: Store, scope: Scope, resources: Resources) -> Iterator[dict[str, Any]]:
    """Yield a session's log records, those with the content of its calls among them, for `resourceLogs`."""
    after, after_id = 0, ""
    while True:
        rows = store.rows(
            f"SELECT {_LOG_COLUMNS} FROM logs FINAL WHERE {scope.logs_where} "
            f"AND ({MADE_AT}, log_id) > ({{after:UInt64}}, {{after_id:String}}) ORDER BY made_at, log_id "
            f"LIMIT {_SLICE}",
            {**scope.values, "after": after, "after_id": after_id},
            _LogRow,
        )
        for row in rows:
            yield {
                "resource": held(resources.attributes(row.resource_id)),
                "scopeLogs": [{"scope": {"name": row.logger}, "logRecords": [_record(row)]}],
            }
        if len(rows) < _SLICE:
            return
        after, after_id = rows[-1].made_at, rows[-1].log_id


def _record(row: _LogRow) -> dict[str, Any]:
    record: dict[str, Any] = {
        "timeUnixNano": str(row.at_ns),
        **({} if row.at_ns else {"observedTimeUnixNano": str(row.made_at)}),
        "severityNumber": row.severity,
        "severityText": row.severity_text,
        "eventName": row.name,
        "traceId": row.trace_id,
        "spanId": row.span_id,
        **held(parsed(row.attributes) if row.attributes else {}),
        **({"flags": row.flags} if row.flags else {}),
        "logId": row.log_id,
    }
    if row.body_format:
        record["body"] = value(parsed(row.body) if row.body_format == "json" else row.body)
    return record


def held(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return attributes in OTLP/JSON's field, and how many their sender left out in its own."""
    kept = dict(attributes)
    count = _taken(kept, DROPPED_ATTRIBUTES)
    return {"attributes": pairs(kept), **({"droppedAttributesCount": count} if count else {})}


def _taken(attributes: dict[str, Any], key: str) -> int:
    """Take a count from attributes; what is none stays."""
    count = attributes.get(key)
    if type(count) is not int or not 0 < count < 2**32:
        return 0
    del attributes[key]
    return count


def pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    """Return attributes as OTLP/JSON's list of keys and values, of the types that they came with."""
    return [{"key": key, "value": value(one)} for key, one in _typed(attributes).items()]


def value(one: Any) -> dict[str, Any]:
    """Return a JSON value as OTLP/JSON's AnyValue."""
    if isinstance(one, bool):
        return {"boolValue": one}
    if isinstance(one, int):
        # Beyond 64 bits there is only the nearest double.
        return {"intValue": str(one)} if -(2**63) <= one < 2**63 else {"doubleValue": float(one)}
    if isinstance(one, float):
        return {"doubleValue": one}
    if isinstance(one, list):
        return {"arrayValue": {"values": [value(inner) for inner in one]}}  # pyright: ignore[reportUnknownVariableType] -- JSON of unknown shape
    if isinstance(one, dict):
        return {"kvlistValue": {"values": pairs(one)}}  # pyright: ignore[reportUnknownArgumentType] -- JSON of unknown shape
    if isinstance(one, _Typed):
        return {one.field: one.text}
    return {"stringValue": one} if one is not None else {}


def _typed(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return attributes without their notes, values that were noted as _Typed; changes what is inside."""
    notes = attributes.get(NOTED)
    if not is_object(notes):
        return attributes
    found = {key: one for key, one in attributes.items() if key != NOTED}
    for pointer, came_as in notes.items():
        _put(found, [name.replace("~1", "/").replace("~0", "~") for name in pointer.split("/")[1:]], came_as)
    return found


def _put(holder: Any, steps: list[str], came_as: Any) -> None:
    """Make the value at the end of some steps a _Typed, if there is such a one."""
    for name in steps[:-1]:
        holder = _at(holder, name)
    text = _at(holder, steps[-1]) if steps else None
    if isinstance(text, str) and _is(text, came_as):
        place: Any = int(steps[-1]) if is_list(holder) else steps[-1]
        holder[place] = _Typed(_FIELDS[came_as], text)


def _at(holder: Any, name: str) -> Any:
    if is_object(holder):
        return holder.get(name)
    if is_list(holder) and name.isdecimal() and int(name) < len(holder):
        return holder[int(name)]
    return None


def _is(text: str, came_as: Any) -> bool:
    """Tell whether a text can be what it is said to have been."""
    if came_as == BYTES:
        try:
            base64.b64decode(text, validate=True)
        except (ValueError, binascii.Error):
            return False
        return True
    return came_as == DOUBLE and text in _NO_NUMBERS
