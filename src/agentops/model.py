"""Telemetry as it travels: the decoded form of OTLP, made by the decoder and read by the normaliser.

Ids are lower-case hex, times are integer unix nanoseconds, attributes are plain Python values (str, bool,
int, float, list, dict, bytes as base64 text, None). Nothing here knows where the data came from or goes.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

Attributes = dict[str, Any]


class Resource(Struct, frozen=True):
    """The process that sent the telemetry, once per batch; spans of a batch share the object."""

    attributes: Attributes = field(default_factory=dict[str, Any])


class Scope(Struct, frozen=True):
    """The instrumentation library that made a span."""

    name: str = ""
    version: str = ""
    attributes: Attributes = field(default_factory=dict[str, Any])


class SpanEvent(Struct, frozen=True):
    """Something that happened at one moment of a span, such as an exception."""

    name: str
    time_ns: int = 0
    attributes: Attributes = field(default_factory=dict[str, Any])


class Link(Struct, frozen=True):
    """A pointer from a span to a span of this or another trace."""

    trace_id: str
    span_id: str
    attributes: Attributes = field(default_factory=dict[str, Any])
    trace_state: str = ""
    flags: int = 0


class Span(Struct, frozen=True):
    """A timed operation. `end_ns` 0 means that this record is its start: it has not ended yet.

    `status` is 0 unset, 1 ok, 2 error. `kind` is OTLP's span kind (1 internal, 2 server, 3 client, ...).
    `flags` are W3C's trace flags and OTLP's own, as sent.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_ns: int
    end_ns: int
    resource: Resource
    scope: Scope
    attributes: Attributes = field(default_factory=dict[str, Any])
    events: list[SpanEvent] = field(default_factory=list[SpanEvent])
    links: list[Link] = field(default_factory=list[Link])
    kind: int = 1
    status: int = 0
    status_message: str = ""
    trace_state: str = ""
    flags: int = 0


class LogRecord(Struct, frozen=True):
    """A log record. `trace_id` and `span_id` are empty when it was made outside any span."""

    time_ns: int
    severity: int
    severity_text: str
    body: Any
    resource: Resource
    scope: Scope
    attributes: Attributes = field(default_factory=dict[str, Any])
    trace_id: str = ""
    span_id: str = ""
    event_name: str = ""
    flags: int = 0
