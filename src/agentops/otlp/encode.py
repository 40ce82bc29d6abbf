"""Spans, log records and resources as OTLP/JSON bytes: what the recorder writes into its journal.

A journal line is one ScopeSpans (or ScopeLogs) object holding one record, the signal's key first, so that
lines join into a request body without being parsed. Only this file knows the JSON form; it never fails on a
value: what OTLP has no type for is written as text, lone surrogates as replacement characters.
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, cast

import msgspec
from msgspec import Struct

Attributes = Mapping[str, Any]


class _Text(Struct):
    stringValue: str


class _Flag(Struct):
    boolValue: bool


class _Whole(Struct):
    intValue: str


class _Real(Struct):
    doubleValue: float | str


class _Bytes(Struct):
    bytesValue: str


class _Values(Struct):
    values: list[Any]


class _Array(Struct):
    arrayValue: _Values


class _Map(Struct):
    kvlistValue: _Values


class _Pair(Struct):
    key: str
    value: Any


class _Status(Struct, omit_defaults=True):
    code: int
    message: str = ""


class _Event(Struct, omit_defaults=True):
    timeUnixNano: str
    name: str
    attributes: list[_Pair] = []


class _Link(Struct, omit_defaults=True):
    traceId: str
    spanId: str
    attributes: list[_Pair] = []


class _Span(Struct, omit_defaults=True):
    traceId: str
    spanId: str
    name: str
    kind: int
    startTimeUnixNano: str
    parentSpanId: str = ""
    endTimeUnixNano: str = ""
    traceState: str = ""
    attributes: list[_Pair] = []
    events: list[_Event] = []
    links: list[_Link] = []
    status: _Status | None = None


class _LogRecord(Struct, omit_defaults=True):
    timeUnixNano: str
    severityNumber: int
    severityText: str
    body: Any
    attributes: list[_Pair] = []
    traceId: str = ""
    spanId: str = ""


_type: Final = cast("Callable[[Any], Any]", type)
"""`type`, of which nothing is known: attributes may hold anything."""
_encode: Final = msgspec.json.Encoder().encode
_MAX_DEPTH: Final = 32
_INT64: Final = 2**63


def _value(value: Any, depth: int = 0) -> Any:
    kind = _type(value)
    if kind is str:
        return _Text(value)
    if kind is bool:
        return _Flag(value)
    if kind is int:
        # Beyond 64 bits OTLP has no integer; text keeps every digit.
        return _Whole(str(value)) if -_INT64 <= value < _INT64 else _Text(str(value))
    if kind is float:
        return _Real(value) if math.isfinite(value) else _Real(_special(value))
    if value is None:
        return {}
    if depth >= _MAX_DEPTH:
        return _Text("…")
    if isinstance(value, str):
        return _Text(str.__str__(value))
    if isinstance(value, int):
        return _Whole(str(int(value)))
    if isinstance(value, float):
        return _value(float(value), depth)
    if isinstance(value, bytes | bytearray | memoryview):
        return _Bytes(base64.b64encode(bytes(cast("bytes", value))).decode("ascii"))
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return _Map(_Values([_Pair(_key(key), _value(item, depth + 1)) for key, item in items]))
    if isinstance(value, Sequence | set | frozenset):
        return _Array(_Values([_value(item, depth + 1) for item in cast("Iterable[Any]", value)]))
    return _Text(str(value))


def _special(number: float) -> str:
    return "NaN" if math.isnan(number) else ("Infinity" if number > 0 else "-Infinity")


def _exact(text: str) -> str:
    """Return text itself, of whatever class it is: a library's own is none that can be encoded."""
    return text if type(text) is str else str.__str__(text)


def _pairs(attributes: Attributes) -> list[_Pair]:
    # Text is the common case: one look at the type, no call.
    return [
        _Pair(key if type(key) is str else _key(key), _Text(item) if type(item) is str else _value(item))
        for key, item in attributes.items()
    ]


def _key(key: Any) -> str:
    """Return an attribute's name as text, whatever a program named it."""
    try:
        return str(key)
    except Exception:
        return f"<{_type(key).__name__}>"


def _whole_text(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _repaired(value: Any) -> Any:
    """Return a copy of builtin values in which every text can be encoded as UTF-8."""
    if isinstance(value, str):
        return _whole_text(value)
    if isinstance(value, list):
        return [_repaired(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {_repaired(key): _repaired(item) for key, item in cast("dict[Any, Any]", value).items()}
    return value


def _bytes(record: Struct) -> bytes:
    try:
        return _encode(record)
    except UnicodeEncodeError:
        return _encode(_repaired(msgspec.to_builtins(record)))


def scope(name: str, version: str = "", attributes: Attributes | None = None) -> bytes:
    """Return the tail of a line: the instrumentation scope, to be given to `span_line` and `log_line`."""
    content: dict[str, Any] = {"name": _exact(name)}
    if version:
        content["version"] = _exact(version)
    if attributes:
        content["attributes"] = _pairs(attributes)
    try:
        return b'],"scope":' + _encode(content) + b"}"
    except UnicodeEncodeError:
        return scope(_whole_text(name), _whole_text(version))


def span_line(
    scope_tail: bytes,
    trace_id: int,
    span_id: int,
    parent_id: int,
    name: str,
    kind: int,
    start_ns: int,
    end_ns: int,
    attributes: Attributes,
    events: Iterable[tuple[str, int, Attributes]] = (),
    links: Iterable[tuple[int, int, Attributes]] = (),
    status: int = 0,
    status_message: str = "",
    trace_state: str = "",
) -> bytes:
    """Return the journal line of one span, without newline.

    Args:
        scope_tail: what `scope()` returned for the span's instrumentation scope.
        trace_id: 128 bits.
        span_id: 64 bits.
        parent_id: 64 bits; 0 for none.
        name: shown name.
        kind: OTLP's span kind (1 internal, 2 server, 3 client, 4 producer, 5 consumer).
        start_ns: unix nanoseconds.
        end_ns: unix nanoseconds; 0 while the span runs (a start record).
        attributes: any values; what OTLP cannot hold becomes text.
        events: name, unix nanoseconds and attributes of each.
        links: trace id, span id and attributes of each.
        status: 0 unset, 1 ok, 2 error.
        status_message: why, for status 2.
        trace_state: W3C header text.
    """
    record = _Span(
        f"{trace_id:032x}",
        f"{span_id:016x}",
        _exact(name),
        kind,
        str(start_ns),
        f"{parent_id:016x}" if parent_id else "",
        str(end_ns) if end_ns else "",
        trace_state,
        _pairs(attributes),
    )
    if events:
        record.events = [_Event(str(at_ns), _exact(event), _pairs(given)) for event, at_ns, given in events]
    if links:
        record.links = [_Link(f"{trace:032x}", f"{span:016x}", _pairs(given)) for trace, span, given in links]
    if status:
        record.status = _Status(status, _exact(status_message))
    return b'{"spans":[' + _bytes(record) + scope_tail


def line_head(trace_id: int, trace_state: str) -> bytes:
    """Return the beginning that the plain lines of one trace share, for `plain_line`."""
    return b'{"spans":[{"traceId":"%032x","kind":1,"traceState":%b,"spanId":"' % (
        trace_id,
        _encode(_whole_text(trace_state)),
    )


_MAX_KEYS: Final = 4096
_text_keys: Final[dict[str, bytes]] = {}
"""The beginning of a text attribute's JSON, by its key."""


def _text_key(key: str) -> bytes:
    made = b'{"key":%b,"value":{"stringValue":' % _encode(_key(key))
    if len(_text_keys) < _MAX_KEYS:
        _text_keys[key] = made
    return made


_number_keys: Final[dict[str, bytes]] = {}
"""A whole-number attribute's JSON but for its digits, by its key."""


def _number_key(key: str) -> bytes:
    made = b'{"key":%b,"value":{"intValue":"%%d"}}' % _encode(_key(key)).replace(b"%", b"%%")
    if len(_number_keys) < _MAX_KEYS:
        _number_keys[key] = made
    return made


def plain_pairs(attributes: Attributes) -> bytes:
    """Return attributes as the inside of a JSON list, for `plain_line`; such pieces join with a comma.

    Raises:
        UnicodeEncodeError: a text holds a lone surrogate, which `span_line` repairs.
    """
    return b",".join(
        [
            (_text_keys.get(key) or _text_key(key)) + _encode(item) + b"}}"
            if type(item) is str
            else (_number_keys.get(key) or _number_key(key)) % item
            if type(item) is int and -_INT64 <= item < _INT64
            else _encode(_Pair(_key(key), _value(item)))
            for key, item in attributes.items()
        ]
    )


def plain_line(
    head: bytes,
    span_id: int,
    parent_id: int,
    name: str,
    start_ns: int,
    end_ns: int,
    attributes: bytes,
    scope_tail: bytes,
    status: int = 0,
) -> bytes:
    """Return the journal line of an internal span with a parent, and attributes only, as most are.

    It says what `span_line` says, at half its price. `head` is what `line_head()` returned for its trace,
    `attributes` what `plain_pairs()` returned for its attributes; `end_ns` is 0 while the span runs, `status`
    0 or 1.

    Raises:
        UnicodeEncodeError: the name holds a lone surrogate, which `span_line` repairs.
    """
    return b'%b%016x","parentSpanId":"%016x","startTimeUnixNano":"%d",%b"name":%b,"attributes":[%b]%b}%b' % (
        head,
        span_id,
        parent_id,
        start_ns,
        b'"endTimeUnixNano":"%d",' % end_ns if end_ns else b"",
        _encode(name),
        attributes,
        b',"status":{"code":1}' if status else b"",
        scope_tail,
    )


def log_line(
    *,
    scope_tail: bytes,
    time_ns: int,
    severity: int,
    severity_text: str,
    body: str,
    attributes: Attributes,
    trace_id: int,
    span_id: int,
) -> bytes:
    """Return the journal line of one log record, without newline. `severity` is OTLP's number, 1 to 24."""
    record = _LogRecord(
        str(time_ns),
        severity,
        _exact(severity_text),
        _Text(_exact(body)),
        _pairs(attributes),
        f"{trace_id:032x}" if trace_id else "",
        f"{span_id:016x}" if span_id else "",
    )
    return b'{"logRecords":[' + _bytes(record) + scope_tail


def resource(attributes: Attributes) -> bytes:
    """Return the OTLP/JSON Resource object of a recording process."""
    content = {"attributes": _pairs(attributes)}
    try:
        return _encode(content)
    except UnicodeEncodeError:
        return _encode(_repaired(msgspec.to_builtins(content)))


TextMap = Callable[[str], str]


def mapped(value: Any, text: TextMap, depth: int = 0) -> Any:
    """Return an attribute value with `text` applied to every text in it, keys of maps included."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, bytes):
        shown = value.decode("utf-8", "backslashreplace")
        found = text(shown)
        return value if found == shown else found
    if depth >= _MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return {text(str(key)): mapped(item, text, depth + 1) for key, item in items}
    if isinstance(value, Sequence | set | frozenset):
        return [mapped(item, text, depth + 1) for item in cast("Iterable[Any]", value)]
    return text(str(value))
