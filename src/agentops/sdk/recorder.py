"""The recorder: spans become journal lines here, and nowhere else.

A span has a start record (it has not ended) and an end record. Starts of sessions, agents, llm and tool
calls are written when they begin, so that a killed process shows what it was doing, and so are those of
other decorated calls as long as they are not many; else when they get their first child, have run for a
while, or at last when their session ends before them. Nothing here raises.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import islice
from operator import is_
from typing import TYPE_CHECKING, Any, Final

from agentops import semconv
from agentops.otlp import encode
from agentops.sdk.bounds import MAX_ATTRIBUTES, bounded, legible
from agentops.sdk.capture import Cutting, is_flat, text_of, to_json
from agentops.sdk.capture import encode as encode_flat
from agentops.sdk.pace import Pace
from agentops.sdk.redact import redacted
from agentops.sdk.settings import word

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from agentops.sdk.core import Core
    from agentops.sdk.spans import RecordedSpan, Scope


# Pyright: a span keeps its parts in private fields, as OpenTelemetry's does; this file reads them.
# pyright: reportPrivateUsage=false

_NONE: Final[Mapping[str, Any]] = {}
_MAX_NAME: Final = 1000
_MAX_MESSAGE: Final = 65_536
logger: Final = logging.getLogger("agentops")

EAGER: Final = frozenset({"agent", "llm", "tool", "embedding", "retrieval", semconv.SESSION_KIND})
"""Kinds worth seeing in flight."""
_STARTS_A_SECOND: Final = 100
_STARTS_AT_ONCE: Final = 100
"""How many starts of other calls are written: a loop of quick ones is not to cost twice."""
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


def _begin_with(attributes: Mapping[str, Any], first: Mapping[str, Any]) -> bool:
    """Say whether the first of some attributes are these very ones."""
    return (
        len(first) <= len(attributes)
        and all(map(is_, attributes, first))
        and all(map(is_, attributes.values(), first.values()))
    )


def in_session(attributes: Mapping[str, Any], session: str) -> dict[str, Any]:
    """Return attributes as a span of a session has them: an id of somebody's own sessions stands apart."""
    found = {**attributes, semconv.SESSION_ID: session}
    theirs = attributes.get(semconv.SESSION_ID)
    if theirs is not None and theirs != session:
        found[semconv.FRAMEWORK_SESSION] = theirs
    return found


def is_agents(attributes: Mapping[str, Any]) -> bool:
    """Say whether a foreign span says that it is of an agent, a model or a tool."""
    return any(key in attributes for key in _FOREIGN_KINDS)


class Recorder:
    """Writes the records of one process. `scope` and `resource` come once OpenTelemetry's SDK is loaded."""

    def __init__(
        self, append: Callable[[bytes], None], limit: int, redact: Callable[[str], str] | None
    ) -> None:
        self.append = append
        self.limit = limit
        """Most bytes of one recorded value."""
        self.cutting = Cutting(redact)
        self.redact = redact
        self.scope: Scope
        self.resource: Any = None
        self.lost: Callable[[], Mapping[str, int]] = dict
        """Says what the journal of this process has lost so far, by reason."""
        self.look: Callable[[], None] | None = None
        """Called at each start that is written."""
        self.pace = Pace(_STARTS_A_SECOND, _STARTS_AT_ONCE)
        self.failures: Counter[str] = Counter()
        """Records that could not be made, by the error's type."""

    def captured(self, value: Any) -> str:
        """Return a value as JSON text, within the limit."""
        # What to_json does first, here: most values are small and plain, and a call costs.
        if type(value) is dict and is_flat(value):
            try:
                return encode_flat(value).decode()
            except UnicodeEncodeError:
                pass
        return to_json(value, self.limit, self.cutting)

    def text(self, value: Any, limit: int | None = None) -> str:
        """Return a value that is text as it is, any other as JSON text; within the limit."""
        return text_of(value, self.limit if limit is None else limit, self.cutting)

    def scope_tail(self, scope: Any) -> bytes:
        """Return how the lines of an instrumentation scope end."""
        name, version, attributes = scope.name, scope.version or "", scope.attributes
        if self.redact is not None:
            name, version = self.redact(name), self.redact(version)
            attributes = redacted(attributes or {}, self.redact)
        return encode.scope(name, version, attributes)

    def mask_with(self, redact: Callable[[str], str] | None) -> None:
        """Mask texts with another function from now on."""
        self.redact = self.cutting.mask = redact

    def started(self, span: RecordedSpan, *, over: bool = False) -> None:
        """Note that a span began; write its start if it is worth seeing in flight and not `over` already."""
        core = span.core
        core.open[span.span_id] = span
        above = span.above
        if above is not None and not above.announced and above._end_time is None:
            self.announce(above)
        if over:
            return
        eager = span._attributes.get(semconv.SPAN_KIND) in EAGER
        # What an instrumentor begins may not say yet what it is.
        if eager or (not span.loose and self.pace.allows(time.monotonic_ns())):
            self.announce(span)

    def announce(self, span: RecordedSpan) -> None:
        """Write the start of a span, once."""
        span.announced = True
        if self.look is not None:
            self.look()
        self._write(span, 0)

    def ended(self, span: RecordedSpan) -> None:
        """Write the end of a span; one that was open at a fork is the parent process's to end."""
        core = span.core
        core.open.pop(span.span_id, None)
        if span.orphaned:
            return
        self._write(span, span._end_time or time.time_ns())
        if not span.counted:
            span.counted = True
            self.count(core, span._attributes, failed=span.status_number == 2, above=span.above)

    def count(
        self, core: Core, attributes: Mapping[str, Any], *, failed: bool, above: RecordedSpan | None
    ) -> None:
        """Add an ended event to what is known locally of its session, and of the spans above it."""
        kind = kind_of(attributes)
        if kind == semconv.SESSION_KIND:
            return
        counts = core.counts
        counts[kind] += 1
        counts["total"] += 1
        # Each failed event once; a recorded ErrorEvent has the kind `error` and counts as that.
        if failed and kind != "error":
            counts["error"] += 1
        if kind == "llm" or kind == "embedding":
            while above is not None and above.holds_call != "llm" and above.holds_call != kind:
                above.holds_call = kind
                above = above.above
        cost = attributes.get(semconv.TOTAL_COST)
        if cost is not None:
            try:
                found = Decimal(str(cost))
            except (InvalidOperation, ValueError):
                return
            if found.is_finite():
                core.cost += found

    def root(self, core: Core, *, alive: bool = False) -> None:
        """Write the start record of a session's root again: its tags or name changed, or a sign of life."""
        root = core.root
        if root is None or not core.running or root.orphaned:
            return
        extra = self.progress(core)
        if alive:
            extra[semconv.HEARTBEAT_NS] = time.time_ns()
        self._write(root, time.time_ns() if core.concluded else 0, extra)

    def progress(self, core: Core) -> dict[str, Any]:
        """Return what a root record says of how far this process has come with a session."""
        said: dict[str, Any] = {semconv.RECORDS_SENT: core.sent}
        lost = self.lost()
        if lost:
            said[semconv.RECORDS_LOST] = json.dumps(lost)
        return said

    def foreign(self, core: Core, span: ReadableSpan, end_ns: int, seq: int, scope_tail: bytes) -> None:
        """Write a record of a span that another tracer provider made."""
        context, parent = span.get_span_context(), span.parent
        if context is None:
            return
        try:
            self._line(
                {**in_session(span.attributes or {}, core.text), semconv.RECORD_SEQ: seq},
                scope_tail,
                context.trace_id,
                context.span_id,
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
                loose=True,
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
                        core.sent += 1
                        span.seq = attributes[semconv.RECORD_SEQ] = core.sent
            if not end_ns or extra:
                # The span may go on in its own thread meanwhile: a copy is written.
                attributes = {**attributes, **(extra or _NONE)}
            if not (
                span.status_number == 2
                or span._events
                or span._links
                or self.redact is not None
                or span.trace_id != core.trace_id
                or span.kind_number != 1
                or type(span._name) is not str
                or len(span._name) > _MAX_NAME
                or not span.parent_id
            ):
                try:
                    pairs = self._pairs(span, attributes, end_ns)
                    self.append(
                        encode.plain_line(
                            core.line_head,
                            span.span_id,
                            span.parent_id,
                            span._name,
                            span._start_time,
                            end_ns,
                            pairs,
                            span.scope.tail,
                            span.status_number,
                        )
                    )
                    return
                except UnicodeEncodeError:
                    pass  # The longer way repairs it.
            self._line(
                attributes,
                span.scope.tail,
                span.trace_id,
                span.span_id,
                span.parent_id,
                span._name,
                span.kind_number,
                span._start_time,
                end_ns,
                span._events,
                span._links,
                span.status_number,
                span._status.description or "" if span.status_number else "",
                core.trace_header,
                loose=span.loose,
            )
        except Exception as error:
            if span.legible:
                self.failed(error)
            else:
                self._make_legible(span)
                self._write(span, end_ns, extra)
        except BaseException:
            # Ctrl-C, in the middle of this. It has its number already: without it there is a gap for ever.
            self._write(span, end_ns, extra)
            raise

    def _make_legible(self, span: RecordedSpan) -> None:
        """Replace what the program put into a span, and what may be the reason that it cannot be written."""

        def text(attributes: Any) -> dict[str, Any]:
            return legible(attributes, self.limit, self.cutting)

        span.legible, span.begun = True, None
        span._attributes = text(span._attributes)
        span._events = [type(one)(one.name, text(one.attributes), one.timestamp) for one in span._events]
        span._links = [type(one)(one.context, text(one.attributes)) for one in span._links]

    def _pairs(self, span: RecordedSpan, attributes: Mapping[str, Any], end_ns: int) -> bytes:
        """Return the attributes of a plain span, within the bounds, as the record has them.

        A call's request stands in its start and in its end: it is encoded once, when it has not changed.
        """
        begun = span.begun
        if begun is not None and _begin_with(attributes, begun[0]):
            more = encode.plain_pairs(dict(islice(attributes.items(), len(begun[0]), None)))
            pairs = begun[1] + b"," + more if more else begun[1]
        else:
            pairs = encode.plain_pairs(attributes)
        # No value is longer than all of them are as JSON.
        if span.loose and (len(pairs) > self.limit or len(attributes) > MAX_ATTRIBUTES):
            span.begun = None
            return encode.plain_pairs(bounded(attributes, self.limit, self.cutting))
        span.begun = (attributes, pairs) if span.loose and not end_ns else None
        return pairs

    def _line(
        self,
        attributes: Mapping[str, Any],
        scope_tail: bytes,
        trace_id: int,
        span_id: int,
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
        *,
        loose: bool,
    ) -> None:
        """Write one record, masked when texts are to be masked, and cut when its values came `loose`."""
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
        cutting = self.cutting
        if loose:
            limit = self.limit
            attributes = bounded(attributes, limit, cutting)
            if shown_events:
                shown_events = [
                    (event, at, bounded(given, limit, cutting)) for event, at, given in shown_events
                ]
            if shown_links:
                shown_links = [
                    (trace, span, bounded(given, limit, cutting)) for trace, span, given in shown_links
                ]
            message = cutting.cut(message, _MAX_MESSAGE)
        if type(name) is not str or len(name) > _MAX_NAME:
            name = cutting.cut(word(name), _MAX_NAME)
        self.append(
            encode.span_line(
                scope_tail,
                trace_id,
                span_id,
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

    def after_fork_in_child(self) -> None:
        """Count anew: what the parent could not record is its own to tell."""
        self.failures = Counter()
        self.cutting.values = 0

    def failed(self, error: BaseException) -> None:
        """Count a record that could not be made, and say so the first time."""
        kind = type(error).__name__
        self.failures[kind] += 1
        if self.failures[kind] == 1:
            logger.warning(
                "A record could not be written (%s: %s); further ones like it are only counted", kind, error
            )
