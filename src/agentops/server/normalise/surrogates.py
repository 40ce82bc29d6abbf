"""Text with lone surrogates, which JSON can carry and no store can hold, made storable."""

from __future__ import annotations

import re
from typing import Any, Final

from msgspec.structs import replace

from agentops.model import Link, LogRecord, Span, SpanEvent
from agentops.server.normalise.values import is_list, is_object

_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def mended(value: Any) -> Any:
    """Return a plain value with U+FFFD for each lone surrogate in its texts."""
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if is_list(value):
        return [mended(item) for item in value]
    if is_object(value):
        return {mended(key): mended(item) for key, item in value.items()}
    return value


def mended_span(span: Span) -> Span:
    """Return the span with storable texts."""
    return replace(
        span,
        name=mended(span.name),
        status_message=mended(span.status_message),
        trace_state=mended(span.trace_state),
        scope=replace(
            span.scope,
            name=mended(span.scope.name),
            version=mended(span.scope.version),
            attributes=mended(span.scope.attributes),
        ),
        resource=replace(span.resource, attributes=mended(span.resource.attributes)),
        attributes=mended(span.attributes),
        events=[SpanEvent(mended(e.name), e.time_ns, mended(e.attributes)) for e in span.events],
        links=[
            Link(k.trace_id, k.span_id, mended(k.attributes), mended(k.trace_state), k.flags)
            for k in span.links
        ],
    )


def mended_record(record: LogRecord) -> LogRecord:
    """Return the log record with storable texts."""
    return replace(
        record,
        severity_text=mended(record.severity_text),
        event_name=mended(record.event_name),
        body=mended(record.body),
        scope=replace(record.scope, name=mended(record.scope.name)),
        resource=replace(record.resource, attributes=mended(record.resource.attributes)),
        attributes=mended(record.attributes),
    )
