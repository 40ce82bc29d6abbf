"""OTLP/JSON bodies.

Read with msgspec into typed structs in one go. A body in which something has the wrong type, snake_case
names, or text that strict JSON refuses (a lone surrogate, bytes that are not UTF-8, NaN) is read again
loosely and span by span. Tolerated beside the specification: null for absent, enums by name, 64-bit integers
as numbers, ids in base64.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from agentops.model import Attributes, Link, LogRecord, Resource, Scope, Span, SpanEvent
from agentops.otlp.json_fields import (
    KINDS,
    SEVERITIES,
    STATUSES,
    Whole,
    enum,
    identity,
    moment,
    uint32,
    whole,
)
from agentops.otlp.limits import (
    DROPPED,
    DROPPED_ATTRIBUTES,
    DROPPED_EVENTS,
    DROPPED_LINKS,
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_TEXT,
    TOO_DEEP,
    cut,
    cut_values,
    number,
)
from agentops.otlp.noted import BYTES, Note, forget, note, step
from agentops.otlp.refusal import LATEST_NS, MalformedBody, Refusal, Refusals, checked_times

Item = TypeVar("Item")


class _Value(Struct, rename="camel", gc=False):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: Whole = None
    double_value: int | float | str | None = None
    array_value: _Array | None = None
    kvlist_value: _Pairs | None = None
    bytes_value: str | None = None


class _Pair(Struct, gc=False):
    key: str | None = None
    value: _Value | None = None


class _Array(Struct, gc=False):
    values: list[_Value | None] | None = None


class _Pairs(Struct, gc=False):
    values: list[_Pair] | None = None


class _Resource(Struct, rename="camel", gc=False):
    attributes: list[_Pair] | None = None
    dropped_attributes_count: Whole = None


class _Scope(Struct, rename="camel", gc=False):
    name: str | None = None
    version: str | None = None
    attributes: list[_Pair] | None = None
    dropped_attributes_count: Whole = None


class _Event(Struct, rename="camel", gc=False):
    name: str | None = None
    time_unix_nano: Whole = None
    attributes: list[_Pair] | None = None
    dropped_attributes_count: Whole = None


class _Link(Struct, rename="camel", gc=False):
    trace_id: str | None = None
    span_id: str | None = None
    trace_state: str | None = None
    attributes: list[_Pair] | None = None
    dropped_attributes_count: Whole = None
    flags: Whole = None


class _Status(Struct, gc=False):
    code: Whole = None
    message: str | None = None


class _Span(Struct, rename="camel", gc=False):
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    trace_state: str | None = None
    name: str | None = None
    kind: Whole = None
    start_time_unix_nano: Whole = None
    end_time_unix_nano: Whole = None
    attributes: list[_Pair] | None = None
    dropped_attributes_count: Whole = None
    events: list[_Event] | None = None
    dropped_events_count: Whole = None
    links: list[_Link] | None = None
    dropped_links_count: Whole = None
    flags: Whole = None
    status: _Status | None = None


class _Record(Struct, rename="camel", gc=False):
    time_unix_nano: Whole = None
    observed_time_unix_nano: Whole = None
    severity_number: Whole = None
    severity_text: str | None = None
    body: _Value | None = None
    attributes: list[_Pair] | None = None
    dropped_attributes_count: Whole = None
    flags: Whole = None
    trace_id: str | None = None
    span_id: str | None = None
    event_name: str | None = None


class _ScopeSpans(Struct, gc=False):
    scope: _Scope | None = None
    spans: list[_Span] | None = None


class _ResourceSpans(Struct, rename="camel", gc=False):
    resource: _Resource | None = None
    scope_spans: list[_ScopeSpans] | None = None


class _Traces(Struct, rename="camel", gc=False):
    resource_spans: list[_ResourceSpans] | None = None


class _ScopeLogs(Struct, rename="camel", gc=False):
    scope: _Scope | None = None
    log_records: list[_Record] | None = None


class _ResourceLogs(Struct, rename="camel", gc=False):
    resource: _Resource | None = None
    scope_logs: list[_ScopeLogs] | None = None


class _Logs(Struct, rename="camel", gc=False):
    resource_logs: list[_ResourceLogs] | None = None


class _ScopeMetrics(Struct, gc=False):
    metrics: list[dict[str, Any]] | None = None


class _ResourceMetrics(Struct, rename="camel", gc=False):
    scope_metrics: list[_ScopeMetrics] | None = None


class _Metrics(Struct, rename="camel", gc=False):
    resource_metrics: list[_ResourceMetrics] | None = None


_TRACES: Final = msgspec.json.Decoder(_Traces)
_LOGS: Final = msgspec.json.Decoder(_Logs)
_METRICS: Final = msgspec.json.Decoder(_Metrics)


def read_spans(body: bytes, spans: list[Span], refusals: Refusals) -> None:
    """Append the spans of an ExportTraceServiceRequest to `spans`.

    Raises:
        MalformedBody: The body is no such object.
    """
    wide = len(body) > MAX_TEXT
    request = _strict(body, _TRACES, b'_spans"')
    if request is None:
        request = _loose(body, _Traces, ("resourceSpans", "scopeSpans", "spans"), _Span, refusals)
    for group in request.resource_spans or ():
        resource = Resource(_held(group.resource, wide) if group.resource else {})
        for scoped in group.scope_spans or ():
            scope = _scope(scoped.scope, wide)
            for span in scoped.spans or ():
                try:
                    spans.append(_span(span, resource, scope, wide))
                except Refusal as refusal:
                    refusals.add(str(refusal))


def read_logs(body: bytes, records: list[LogRecord], refusals: Refusals) -> None:
    """Append the records of an ExportLogsServiceRequest to `records`.

    Raises:
        MalformedBody: The body is no such object.
    """
    wide = len(body) > MAX_TEXT
    request = _strict(body, _LOGS, b'_logs"')
    if request is None:
        request = _loose(body, _Logs, ("resourceLogs", "scopeLogs", "logRecords"), _Record, refusals)
    for group in request.resource_logs or ():
        resource = Resource(_held(group.resource, wide) if group.resource else {})
        for scoped in group.scope_logs or ():
            scope = _scope(scoped.scope, wide)
            for record in scoped.log_records or ():
                try:
                    records.append(_log(record, resource, scope, wide))
                except Refusal as refusal:
                    refusals.add(str(refusal))


def check_metrics(body: bytes) -> None:
    """See whether this is an ExportMetricsServiceRequest.

    Raises:
        MalformedBody: The body is no such object.
    """
    if _strict(body, _METRICS, b'_metrics"') is None:
        path = ("resourceMetrics", "scopeMetrics", "metrics")
        _loose(body, _Metrics, path, dict[str, Any], Refusals())


def _strict(body: bytes, decoder: msgspec.json.Decoder[Item], snake: bytes) -> Item | None:
    """Return the request, or None when it must be read loosely."""
    if snake in body:
        return None
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _loose(body: bytes, whole: type[Item], path: tuple[str, str, str], item: Any, refusals: Refusals) -> Item:
    """Read the body as plain values, drop the items that do not fit `item`, and convert the rest to `whole`.

    Raises:
        MalformedBody: The body is not JSON, or its frame around the items does not fit.
    """
    try:
        # The standard library's reader accepts lone surrogates and NaN, msgspec's does not.
        plain = _camelled(json.loads(body.decode("utf-8", "replace")))
        for group in _objects(plain, path[0]):
            for scoped in _objects(group, path[1]):
                kept: list[Any] = []
                for raw in scoped.get(path[2]) or ():
                    try:
                        msgspec.convert(raw, item)
                        kept.append(raw)
                    except msgspec.ValidationError as error:
                        refusals.add(_reason(error))
                scoped[path[2]] = kept
        return msgspec.convert(plain, whole)
    except msgspec.ValidationError as error:
        raise MalformedBody(f"The body is not an OTLP/JSON request: {error}.") from None
    except RecursionError:
        raise MalformedBody("The body nests values too deeply to be read.") from None
    except (ValueError, TypeError) as error:
        raise MalformedBody(f"The body is not JSON: {error}.") from None


def _objects(owner: Any, name: str) -> list[dict[str, Any]]:
    listed = owner.get(name) if isinstance(owner, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] -- plain JSON
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []  # pyright: ignore[reportUnknownVariableType] -- plain JSON


_PATH: Final = re.compile(r"^(.*) - at `\$\.?(.*)`$")


def _reason(error: msgspec.ValidationError) -> str:
    """Turn "Expected `str`, got `int` - at `$.events[3].name`" into "events[...].name: Expected ..."."""
    found = _PATH.match(str(error))
    if found is None:
        return f"span or record is not an object: {error}"
    return f"{re.sub(r'[0-9]+', '...', found[2])}: {found[1]}"


_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_SNAKE: Final = re.compile("_([a-z])")


def _camelled(value: Any) -> Any:
    """Return plain JSON with camelCase keys (in OTLP every key is a field) and no lone surrogates."""
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_camelled(item) for item in value]  # pyright: ignore[reportUnknownVariableType] -- plain JSON
    if isinstance(value, dict):
        return {
            _SNAKE.sub(lambda m: m[1].upper(), key): _camelled(item)  # pyright: ignore[reportUnknownArgumentType] -- plain JSON
            for key, item in value.items()  # pyright: ignore[reportUnknownVariableType] -- plain JSON
        }
    return value


def _span(span: _Span, resource: Resource, scope: Scope, wide: bool) -> Span:
    start_ns = whole(span.start_time_unix_nano, "start_time_unix_nano")
    end_ns = whole(span.end_time_unix_nano, "end_time_unix_nano")
    if not 0 < start_ns <= LATEST_NS or not 0 <= end_ns <= LATEST_NS:
        checked_times(start_ns, end_ns)
    trace_id = identity(span.trace_id, 16, "trace_id")
    span_id = identity(span.span_id, 8, "span_id")
    if not trace_id:
        raise Refusal("trace_id must be 16 bytes, not all zero")
    if not span_id:
        raise Refusal("span_id must be 8 bytes, not all zero")
    attributes = _held(span, wide)
    if dropped := uint32(span.dropped_events_count):
        attributes.setdefault(DROPPED_EVENTS, dropped)
    if dropped := uint32(span.dropped_links_count):
        attributes.setdefault(DROPPED_LINKS, dropped)
    status = span.status
    return Span(
        trace_id,
        span_id,
        identity(span.parent_span_id, 8, "parent_span_id"),
        cut(span.name or ""),
        start_ns,
        end_ns,
        resource,
        scope,
        attributes,
        [
            SpanEvent(e.name or "", whole(e.time_unix_nano, "events.time_unix_nano"), _held(e, wide))
            for e in span.events[:MAX_ATTRIBUTES]
        ]
        if span.events
        else [],
        [
            Link(
                identity(k.trace_id, 16, "links.trace_id"),
                identity(k.span_id, 8, "links.span_id"),
                _held(k, wide),
                k.trace_state or "",
                uint32(k.flags),
            )
            for k in span.links[:MAX_ATTRIBUTES]
        ]
        if span.links
        else [],
        enum(span.kind, KINDS, "kind"),
        enum(status.code, STATUSES, "status.code") if status else 0,
        (status.message or "") if status else "",
        span.trace_state or "",
        uint32(span.flags),
    )


def _log(record: _Record, resource: Resource, scope: Scope, wide: bool) -> LogRecord:
    made_at = moment(record.time_unix_nano, "time_unix_nano")
    observed_at = moment(record.observed_time_unix_nano, "observed_time_unix_nano")
    body = _value(record.body, 0, [])
    return LogRecord(
        time_ns=made_at or observed_at,
        severity=enum(record.severity_number, SEVERITIES, "severity_number"),
        severity_text=record.severity_text or "",
        body=cut(body) if isinstance(body, str) else body,
        resource=resource,
        scope=scope,
        attributes=_held(record, wide),
        trace_id=identity(record.trace_id, 16, "trace_id"),
        span_id=identity(record.span_id, 8, "span_id"),
        event_name=record.event_name or "",
        flags=uint32(record.flags),
    )


def _scope(scope: _Scope | None, wide: bool) -> Scope:
    if scope is None:
        return Scope()
    return Scope(scope.name or "", scope.version or "", _held(scope, wide))


def _held(holder: _Resource | _Scope | _Span | _Event | _Link | _Record, wide: bool) -> Attributes:
    """Return the attributes of an object, and how many of them its sender left out."""
    found = _attributes(holder.attributes, wide)
    if dropped := uint32(holder.dropped_attributes_count):
        found.setdefault(DROPPED_ATTRIBUTES, dropped)
    return found


def _attributes(pairs: list[_Pair] | None, wide: bool) -> Attributes:
    """Return the pairs as a dict; a key that comes twice has its last value."""
    found: Attributes = {}
    notes: list[Note] = []
    for pair in pairs or ():
        key, value = pair.key or "", pair.value
        if notes and key in found:
            forget(notes, key)
        text = value.string_value if value is not None else None
        found[key] = text if text is not None else _inside(key, value, 0, notes)
    if notes:
        note(found, notes)
    if len(found) > MAX_ATTRIBUTES:
        kept = dict(list(found.items())[:MAX_ATTRIBUTES])
        kept[DROPPED] = len(found) - MAX_ATTRIBUTES
        found = kept
    if wide:
        cut_values(found)
    return found


def _inside(name: str, value: _Value | None, depth: int, notes: list[Note]) -> Any:
    before = len(notes)
    found = _value(value, depth, notes)
    if len(notes) != before:
        step(notes, before, name)
    return found


def _value(value: _Value | None, depth: int, notes: list[Note]) -> Any:
    if value is None:
        return None
    if value.string_value is not None:
        return value.string_value
    if value.int_value is not None:
        # A number that is none is kept as it came rather than refusing the span for it.
        try:
            return int(value.int_value)
        except (ValueError, OverflowError):
            return str(value.int_value)
    if value.bool_value is not None:
        return value.bool_value
    if value.double_value is not None:
        try:
            return number(float(value.double_value), notes)
        except (ValueError, OverflowError):
            return str(value.double_value)
    if value.array_value is not None:
        if depth >= MAX_DEPTH:
            return TOO_DEEP
        values = value.array_value.values or ()
        return [_inside(str(at), item, depth + 1, notes) for at, item in enumerate(values)]
    if value.kvlist_value is not None:
        if depth >= MAX_DEPTH:
            return TOO_DEEP
        pairs = value.kvlist_value.values or ()
        last = {pair.key or "": pair.value for pair in pairs}
        return {key: _inside(key, inner, depth + 1, notes) for key, inner in last.items()}
    if value.bytes_value is not None:
        notes.append(Note(BYTES, []))
    return value.bytes_value
