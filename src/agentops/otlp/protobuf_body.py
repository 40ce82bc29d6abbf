"""OTLP/protobuf bodies.

The hot path of ingest: generated classes, one pass, no call per attribute for the common case (text). A body
that the generated classes refuse (one text that is not UTF-8, one value nested too deeply) is read again span
by span.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as WireLogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as WireResource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from agentops.model import Attributes, Link, LogRecord, Resource, Scope, Span, SpanEvent
from agentops.otlp import protobuf_repair
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
from agentops.otlp.refusal import LATEST_NS, Refusal, Refusals, checked_times

_Holder = WireResource | InstrumentationScope | WireSpan | WireSpan.Event | WireSpan.Link | WireLogRecord
_NO_TRACE: Final = bytes(16)
_NO_SPAN: Final = bytes(8)


def read_spans(body: bytes, spans: list[Span], refusals: Refusals) -> None:
    """Append the spans of an ExportTraceServiceRequest to `spans`.

    Raises:
        MalformedBody: The body is no such message.
    """
    wide = len(body) > MAX_TEXT
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        request, broken = protobuf_repair.repaired_traces(body)
        refusals.add("span is not a readable message (nested too deeply, or cut off)", broken)
    for group in request.resource_spans:
        resource = Resource(_held(group.resource, wide))
        for scoped in group.scope_spans:
            scope = _scope(scoped.scope, wide)
            for span in scoped.spans:
                try:
                    spans.append(_span(span, resource, scope, wide))
                except Refusal as refusal:
                    refusals.add(str(refusal))


def read_logs(body: bytes, records: list[LogRecord], refusals: Refusals) -> None:
    """Append the records of an ExportLogsServiceRequest to `records`.

    Raises:
        MalformedBody: The body is no such message.
    """
    wide = len(body) > MAX_TEXT
    try:
        request = ExportLogsServiceRequest.FromString(body)
    except DecodeError:
        request, broken = protobuf_repair.repaired_logs(body)
        refusals.add("log record is not a readable message (nested too deeply, or cut off)", broken)
    for group in request.resource_logs:
        resource = Resource(_held(group.resource, wide))
        for scoped in group.scope_logs:
            scope = _scope(scoped.scope, wide)
            for record in scoped.log_records:
                try:
                    records.append(_log(record, resource, scope, wide))
                except Refusal as refusal:
                    refusals.add(str(refusal))


def _span(span: WireSpan, resource: Resource, scope: Scope, wide: bool) -> Span:
    trace_id = span.trace_id
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        raise Refusal("trace_id must be 16 bytes, not all zero")
    span_id = span.span_id
    if len(span_id) != 8 or span_id == _NO_SPAN:
        raise Refusal("span_id must be 8 bytes, not all zero")
    parent_id = span.parent_span_id
    if parent_id:
        if len(parent_id) != 8:
            raise Refusal("parent_span_id must be 8 bytes or empty")
        if parent_id == _NO_SPAN:
            parent_id = b""
    start_ns = span.start_time_unix_nano
    end_ns = span.end_time_unix_nano
    if not 0 < start_ns <= LATEST_NS or end_ns > LATEST_NS:
        checked_times(start_ns, end_ns)
    name = span.name
    attributes = _held(span, wide)
    if span.dropped_events_count:
        attributes.setdefault(DROPPED_EVENTS, span.dropped_events_count)
    if span.dropped_links_count:
        attributes.setdefault(DROPPED_LINKS, span.dropped_links_count)
    events = span.events
    links = span.links
    status = span.status
    return Span(
        trace_id.hex(),
        span_id.hex(),
        parent_id.hex(),
        name if len(name) <= MAX_TEXT else cut(name),
        start_ns,
        end_ns,
        resource,
        scope,
        attributes,
        [SpanEvent(e.name, _ns(e.time_unix_nano), _held(e, wide)) for e in events[:MAX_ATTRIBUTES]]
        if events
        else [],
        [
            Link(k.trace_id.hex(), k.span_id.hex(), _held(k, wide), k.trace_state, k.flags)
            for k in links[:MAX_ATTRIBUTES]
        ]
        if links
        else [],
        span.kind,
        status.code,
        status.message,
        span.trace_state,
        span.flags,
    )


def _log(record: WireLogRecord, resource: Resource, scope: Scope, wide: bool) -> LogRecord:
    trace_id = record.trace_id
    if trace_id and len(trace_id) != 16:
        raise Refusal("trace_id must be 16 bytes or empty")
    span_id = record.span_id
    if span_id and len(span_id) != 8:
        raise Refusal("span_id must be 8 bytes or empty")
    body = _value(record.body, 0, [])
    return LogRecord(
        time_ns=_ns(record.time_unix_nano) or _ns(record.observed_time_unix_nano),
        severity=record.severity_number,
        severity_text=record.severity_text,
        body=cut(body) if isinstance(body, str) else body,
        resource=resource,
        scope=scope,
        attributes=_held(record, wide),
        trace_id="" if trace_id == _NO_TRACE else trace_id.hex(),
        span_id="" if span_id == _NO_SPAN else span_id.hex(),
        event_name=record.event_name,
        flags=record.flags,
    )


def _ns(time_ns: int) -> int:
    return time_ns if time_ns <= LATEST_NS else 0


def _scope(scope: InstrumentationScope, wide: bool) -> Scope:
    return Scope(scope.name, scope.version, _held(scope, wide))


def _held(holder: _Holder, wide: bool) -> Attributes:
    """Return the attributes of a message, and how many of them its sender left out."""
    found = _attributes(holder.attributes, wide)
    if holder.dropped_attributes_count:
        found.setdefault(DROPPED_ATTRIBUTES, holder.dropped_attributes_count)
    return found


def _attributes(pairs: Iterable[KeyValue], wide: bool) -> Attributes:
    """Return the pairs as a dict; a key that comes twice has its last value."""
    found: Attributes = {}
    notes: list[Note] = []
    for pair in pairs:
        value = pair.value
        if notes and pair.key in found:
            forget(notes, pair.key)
        # Most values are text or numbers, and reading one is cheaper than asking which kind of value it is.
        found[pair.key] = value.string_value or value.int_value or _inside(pair.key, value, 0, notes)
    if notes:
        note(found, notes)
    if len(found) > MAX_ATTRIBUTES:
        kept = dict(list(found.items())[:MAX_ATTRIBUTES])
        kept[DROPPED] = len(found) - MAX_ATTRIBUTES
        found = kept
    if wide:
        cut_values(found)
    return found


def _inside(name: str, value: AnyValue, depth: int, notes: list[Note]) -> Any:
    before = len(notes)
    found = _value(value, depth, notes)
    if len(notes) != before:
        step(notes, before, name)
    return found


def _value(value: AnyValue, depth: int, notes: list[Note]) -> Any:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "int_value":
            return value.int_value
        case "double_value":
            return number(value.double_value, notes)
        case "bool_value":
            return value.bool_value
        case "array_value":
            if depth >= MAX_DEPTH:
                return TOO_DEEP
            values = value.array_value.values
            return [_inside(str(at), item, depth + 1, notes) for at, item in enumerate(values)]
        case "kvlist_value":
            if depth >= MAX_DEPTH:
                return TOO_DEEP
            pairs = value.kvlist_value.values
            last = {pair.key: pair.value for pair in pairs}
            return {key: _inside(key, inner, depth + 1, notes) for key, inner in last.items()}
        case "bytes_value":
            notes.append(Note(BYTES, []))
            return base64.b64encode(value.bytes_value).decode("ascii")
        case _:
            return None
