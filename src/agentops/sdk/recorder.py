"""The recorder: spans become journal lines here, and nowhere else.

A span has a start record (it has not ended) and an end record. Starts of sessions, agents, llm and tool
calls are written when they begin, so that a killed process shows what it was doing; other spans' starts are
written when they get their first child, or at last when their session ends before them. Nothing here
raises.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from agentops import semconv
from agentops.otlp import encode

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext

    from agentops.sdk.core import Core
    from agentops.sdk.spans import RecordedSpan, Scope


# Pyright: a span keeps its parts in private fields, as OpenTelemetry's does; this file reads them.
# pyright: reportPrivateUsage=false

_NONE: Final[Mapping[str, Any]] = {}
logger: Final = logging.getLogger("agentops")

EAGER: Final = frozenset({"agent", "llm", "tool", "embedding", "retrieval", semconv.SESSION_KIND})
"""Kinds worth seeing in flight."""
_FOREIGN_KINDS: Final = (
    "openinference.span.kind",
    "gen_ai.operation.name",
    "traceloop.span.kind",
    "llm.request.type",
)
"""Attributes whose presence makes a foreign span worth seeing in flight."""
_KIND_WORDS: Final[Mapping[str, str]] = {
    "llm": "llm", "chat": "llm", "completion": "llm", "text_completion": "llm", "generate_content": "llm",
    "tool": "tool", "execute_tool": "tool",
    "agent": "agent", "invoke_agent": "agent", "create_agent": "agent",
    "embedding": "embedding", "embeddings": "embedding", "retriever": "retrieval", "retrieval": "retrieval",
    "reranker": "retrieval", "guardrail": "guardrail",
}  # fmt: skip


def kind_of(attributes: Mapping[str, Any]) -> str:
    """Return the kind of event that a span's attributes make it, as far as the recorder needs to know."""
    own = attributes.get(semconv.SPAN_KIND)
    if own is not None:
        return "operation" if own in ("task", "workflow") else str(own)
    for key in _FOREIGN_KINDS:
        word = attributes.get(key)
        if word is not None:
            return _KIND_WORDS.get(str(word).lower(), "operation")
    return "operation"


class Recorder:
    """Writes the records of one process. `scope` and `resource` come once OpenTelemetry's SDK is loaded."""

    def __init__(
        self, append: Callable[[bytes], None], limit: int, redact: Callable[[str], str] | None
    ) -> None:
        self.append = append
        self.limit = limit
        """Most bytes of one recorded value."""
        self.redact = redact
        self.scope: Scope
        self.resource: Any = None
        self.failures: Counter[str] = Counter()
        """Records that could not be made, by the error's type."""

    def started(self, span: RecordedSpan, *, over: bool = False) -> None:
        """Note that a span began; write its start if it is worth seeing in flight and not `over` already."""
        core = span.core
        core.open[span._context.span_id] = span
        above = span.above
        if above is not None and not above.announced and above._end_time is None:
            self.announce(above)
        if not over and span._attributes.get(semconv.SPAN_KIND) in EAGER:
            self.announce(span)

    def announce(self, span: RecordedSpan) -> None:
        """Write the start of a span, once."""
        span.announced = True
        # The span may go on in its own thread meanwhile: a copy of its attributes is written.
        self._write(span, 0, {})

    def ended(self, span: RecordedSpan) -> None:
        """Write the end of a span; one that was open at a fork is the parent process's to end."""
        core = span.core
        core.open.pop(span._context.span_id, None)
        if span.orphaned:
            return
        self._write(span, span._end_time or time.time_ns())
        if not span.counted:
            span.counted = True
            self.count(core, span._attributes, failed=span.status_number == 2)

    def count(self, core: Core, attributes: Mapping[str, Any], *, failed: bool) -> None:
        """Add an ended event to what is known locally of its session."""
        kind = kind_of(attributes)
        if kind == semconv.SESSION_KIND:
            return
        core.counts[kind] += 1
        core.counts["total"] += 1
        # Each failed event once; a recorded ErrorEvent has the kind `error` and counts as that.
        if failed and kind != "error":
            core.counts["error"] += 1
        cost = attributes.get(semconv.TOTAL_COST)
        if cost is not None:
            try:
                core.cost += Decimal(str(cost))
            except (InvalidOperation, ValueError):
                pass

    def root(self, core: Core, *, alive: bool = False) -> None:
        """Write the start record of a session's root again: its tags or name changed, or a sign of life."""
        root = core.root
        if root is None or not core.running or root.orphaned:
            return
        extra = {semconv.RECORDS_SENT: core.sent}
        if alive:
            extra[semconv.HEARTBEAT_NS] = time.time_ns()
        self._write(root, 0, extra)

    def foreign(self, core: Core, span: ReadableSpan, end_ns: int, seq: int, scope_tail: bytes) -> None:
        """Write a record of a span that another tracer provider made."""
        context, parent = span.get_span_context(), span.parent
        if context is None:
            return
        try:
            self._line(
                {**(span.attributes or {}), semconv.SESSION_ID: core.text, semconv.RECORD_SEQ: seq},
                scope_tail,
                context,
                parent.span_id if parent is not None else 0,
                span.name,
                span.kind.value + 1,
                span.start_time or 0,
                end_ns,
                span.events,
                span.links,
                span.status.status_code.value,
                span.status.description or "",
                context.trace_state.to_header(),
            )
        except Exception as error:
            self.failed(error)

    def _write(self, span: RecordedSpan, end_ns: int, extra: Mapping[str, Any] | None = None) -> None:
        try:
            attributes = span._attributes
            core = span.core
            if not span.seq and span is not core.root:
                with core.lock:  # Its start may be written from another thread than its end.
                    if not span.seq:
                        span.seq = core.number()
                        attributes[semconv.RECORD_SEQ] = span.seq
            if extra is not None:
                attributes = {**attributes, **extra}
            parent = span._parent
            self._line(
                attributes,
                span.scope.tail,
                span._context,
                parent.span_id if parent is not None else 0,
                span._name,
                span.kind_number,
                span._start_time,
                end_ns,
                span._events,
                span._links,
                span.status_number,
                span._status.description or "" if span.status_number else "",
                core.trace_header,
            )
        except Exception as error:
            self.failed(error)

    def _line(
        self,
        attributes: Mapping[str, Any],
        scope_tail: bytes,
        context: SpanContext,
        parent_id: int,
        name: str,
        kind: int,
        start_ns: int,
        end_ns: int,
        events: Sequence[Any],
        links: Sequence[Any],
        status: int,
        message: str,
        trace_state: str,
    ) -> None:
        """Write one record, masked when texts are to be masked."""
        shown_events = (
            [(one.name, one.timestamp, one.attributes or _NONE) for one in events] if events else ()
        )
        shown_links = (
            [(one.context.trace_id, one.context.span_id, one.attributes or _NONE) for one in links]
            if links
            else ()
        )
        redact = self.redact
        if redact is not None:
            attributes = redacted(attributes, redact)
            name, message = redact(name), redact(message)
            shown_events = [(redact(event), at, redacted(given, redact)) for event, at, given in shown_events]
            shown_links = [(trace, span, redacted(given, redact)) for trace, span, given in shown_links]
        self.append(
            encode.span_line(
                scope_tail,
                context.trace_id,
                context.span_id,
                parent_id,
                name,
                kind,
                start_ns,
                end_ns,
                attributes,
                shown_events,
                shown_links,
                status,
                message,
                trace_state,
            )
        )

    def log(
        self,
        trace_id: int,
        span_id: int,
        time_ns: int,
        severity: int,
        level: str,
        body: str,
        attributes: dict[str, Any],
    ) -> None:
        """Write a log record of a session."""
        try:
            if self.redact is not None:
                body, attributes = self.redact(body), redacted(attributes, self.redact)
            line = encode.log_line(
                scope_tail=self.scope.tail,
                time_ns=time_ns,
                severity=severity,
                severity_text=level,
                body=body,
                attributes=attributes,
                trace_id=trace_id,
                span_id=span_id,
            )
            self.append(line)
        except Exception as error:
            self.failed(error)

    def failed(self, error: BaseException) -> None:
        """Count a record that could not be made, and say so the first time."""
        kind = type(error).__name__
        self.failures[kind] += 1
        if self.failures[kind] == 1:
            logger.warning(
                "A record could not be written (%s: %s); further ones like it are only counted", kind, error
            )


_STRUCTURE: Final = frozenset({
    semconv.SESSION_ID, semconv.SPAN_KIND, semconv.RECORD_SEQ, semconv.RECORDS_SENT, semconv.HEARTBEAT_NS,
    semconv.END_STATE, semconv.INHERITED, semconv.EVENT_ID, semconv.TRIGGER_EVENT_ID,
})  # fmt: skip
"""The recorder's own, with nothing of the program in them: a mask over one would lose the event."""


def redacted(attributes: Mapping[str, Any], redact: Callable[[str], str]) -> dict[str, Any]:
    """Return attributes with every text masked, except those that say only what and where the event is."""
    return {
        key: value if key in _STRUCTURE else encode.mapped(value, redact) for key, value in attributes.items()
    }
