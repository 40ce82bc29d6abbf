"""OTLP/JSON bodies.

Read with msgspec into typed structs in one go. A body in which something has the wrong type, snake_case
names, or text that strict JSON refuses (a lone surrogate, bytes that are not UTF-8, NaN) is read again
loosely and span by span. Tolerated beside the specification: null for absent, enums by name, 64-bit integers
as numbers, ids in base64.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from agentops.model import Attributes, Link, LogRecord, Resource, Scope, Span, SpanEvent
from agentops.otlp.limits import (
    DROPPED,
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

Whole = int | float | str | None
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


class _Resource(Struct, gc=False):
    attributes: list[_Pair] | None = None


class _Scope(Struct, gc=False):
    name: str | None = None
    version: str | None = None
    attributes: list[_Pair] | None = None


class _Event(Struct, rename="camel", gc=False):
    name: str | None = None
    time_unix_nano: Whole = None
    attributes: list[_Pair] | None = None


class _Link(Struct, rename="camel", gc=False):
    trace_id: str | None = None
    span_id: str | None = None
    attributes: list[_Pair] | None = None


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
    links: list[_Link] | None = None
    status: _Status | None = None


class _Record(Struct, rename="camel", gc=False):
    time_unix_nano: Whole = None
    observed_time_unix_nano: Whole = None
    severity_number: Whole = None
    severity_text: str | None = None
    body: _Value | None = None
    attributes: list[_Pair] | None = None
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
        resource = Resource(_attributes(group.resource.attributes, wide) if group.resource else {})
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
        resource = Resource(_attributes(group.resource.attributes, wide) if group.resource else {})
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
    start_ns = _int(span.start_time_unix_nano, "start_time_unix_nano")
    end_ns = _int(span.end_time_unix_nano, "end_time_unix_nano")
    if not 0 < start_ns <= LATEST_NS or not 0 <= end_ns <= LATEST_NS:
        checked_times(start_ns, end_ns)
    trace_id = _id(span.trace_id, 16, "trace_id")
    span_id = _id(span.span_id, 8, "span_id")
    if not trace_id:
        raise Refusal("trace_id must be 16 bytes, not all zero")
    if not span_id:
        raise Refusal("span_id must be 8 bytes, not all zero")
    attributes = _attributes(span.attributes, wide)
    if span.dropped_attributes_count:
        attributes.setdefault("otel.dropped_attributes_count", span.dropped_attributes_count)
    status = span.status
    return Span(
        trace_id,
        span_id,
        _id(span.parent_span_id, 8, "parent_span_id"),
        cut(span.name or ""),
        start_ns,
        end_ns,
        resource,
        scope,
        attributes,
        [
            SpanEvent(
                e.name or "", _int(e.time_unix_nano, "events.time_unix_nano"), _attributes(e.attributes, wide)
            )
            for e in span.events[:MAX_ATTRIBUTES]
        ]
        if span.events
        else [],
        [
            Link(
                _id(k.trace_id, 16, "links.trace_id"),
                _id(k.span_id, 8, "links.span_id"),
                _attributes(k.attributes, wide),
            )
            for k in span.links[:MAX_ATTRIBUTES]
        ]
        if span.links
        else [],
        _enum(span.kind, _KINDS, "kind"),
        _enum(status.code, _STATUSES, "status.code") if status else 0,
        (status.message or "") if status else "",
        span.trace_state or "",
    )


def _log(record: _Record, resource: Resource, scope: Scope, wide: bool) -> LogRecord:
    made_at = _moment(record.time_unix_nano, "time_unix_nano")
    observed_at = _moment(record.observed_time_unix_nano, "observed_time_unix_nano")
    body = _value(record.body, 0, [])
    return LogRecord(
        time_ns=made_at or observed_at,
        severity=_enum(record.severity_number, _SEVERITIES, "severity_number"),
        severity_text=record.severity_text or "",
        body=cut(body) if isinstance(body, str) else body,
        resource=resource,
        scope=scope,
        attributes=_attributes(record.attributes, wide),
        trace_id=_id(record.trace_id, 16, "trace_id"),
        span_id=_id(record.span_id, 8, "span_id"),
        event_name=record.event_name or "",
    )


def _id(text: str | None, size: int, field: str) -> str:
    """Return an id as lower-case hex, or "" when it is absent, empty or all zero."""
    if not text:
        return ""
    try:
        if len(text) == 2 * size:
            raw = bytes.fromhex(text)
        else:
            raw = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise Refusal(f"{field} must be {2 * size} hex characters") from None
    if len(raw) != size:
        raise Refusal(f"{field} must be {2 * size} hex characters ({size} bytes)")
    return raw.hex() if any(raw) else ""


def _int(value: Whole, field: str) -> int:
    if value is None:
        return 0
    try:
        return int(value)
    except (ValueError, OverflowError):
        raise Refusal(f"{field} must be a whole number") from None


def _moment(value: Whole, field: str) -> int:
    """Return unix nanoseconds; what can be no time is 0, as one that is not said."""
    time_ns = _int(value, field)
    return time_ns if 0 <= time_ns <= LATEST_NS else 0


_KINDS: Final = ("SPAN_KIND_", ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))
_STATUSES: Final = ("STATUS_CODE_", ("UNSET", "OK", "ERROR"))
_LEVELS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_SEVERITIES: Final = (
    "SEVERITY_NUMBER_",
    ("UNSPECIFIED", *(f"{level}{nth or ''}" for level in _LEVELS for nth in (0, 2, 3, 4))),
)


def _enum(value: Whole, names: tuple[str, tuple[str, ...]], field: str) -> int:
    """Return an enum's number, given as a number, as digits or as a name; out of range is 0 (unspecified)."""
    if type(value) is int:
        return value if 0 <= value < len(names[1]) else 0
    if value is None:
        return 0
    name = str(value).upper().removeprefix(names[0])
    if name in names[1]:
        return names[1].index(name)
    try:
        number = int(value)
    except (ValueError, OverflowError):
        raise Refusal(f"{field} must be a number or a name such as {names[0]}{names[1][1]}") from None
    return number if 0 <= number < len(names[1]) else 0


def _scope(scope: _Scope | None, wide: bool) -> Scope:
    if scope is None:
        return Scope()
    return Scope(scope.name or "", scope.version or "", _attributes(scope.attributes, wide))


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
