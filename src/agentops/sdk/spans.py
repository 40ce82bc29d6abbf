"""RecordedSpan: an OpenTelemetry span of a session, written to the journal by itself.

It is a real `opentelemetry.sdk.trace.Span`, so that any processor, exporter or instrumentation works with
it, with a leaner life: plain dicts instead of locked ones, no snapshot at the end unless somebody else
wants one.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.sdk.trace import Event, ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from agentops import semconv
from agentops.sdk.capture import cut
from agentops.sdk.ids import new_span_id
from agentops.sdk.moments import moment
from agentops.sdk.recorder import in_session

if TYPE_CHECKING:
    from types import TracebackType

    from agentops.sdk.core import Core

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_SESSION: Final = semconv.SESSION_ID
_UNSET: Final = Status(StatusCode.UNSET)
_FIRST_CHUNK_EVENT: Final = "First Token Stream Event"
"""What OpenInference's instrumentors call the arrival of the first chunk."""
_MAX_STACK: Final = 65_536
_MAX_FRAMES: Final = 100
"""The innermost of a stack: a failure that comes up through many recorded calls is formatted at each."""
_MAX_EVENTS: Final = 128

Agent = tuple[str, str]
"""An agent's name and id, either may be empty."""

# Pyright: the base class declares its private fields by assigning them in its constructor, which this one
# replaces. pyright: reportPrivateUsage=false, reportIncompatibleVariableOverride=false


class RecordedSpan(Span):
    """A span of a session."""

    # Values that most spans share; set on the instance when they differ.
    _end_time: int | None = None
    _kind = SpanKind.INTERNAL
    _status = _UNSET
    _events: Any = ()
    _links: Any = ()
    _instrumentation_info = None
    _record_end_metrics: Callable[[], None] | None = None
    _record_exception = True
    _set_status_on_exception = True
    seq = 0
    """The event's number in its session and process; 0 until its first record, and for roots."""
    parent_id = 0
    """The parent's span id; 0 without one."""
    kind_number = 1
    """OTLP's number of the span kind."""
    status_number = 0
    """OTLP's number of the status."""
    counted = False
    """It is among its session's local counts."""
    orphaned = False
    """It was open when this process was forked off: the parent process ends it."""
    announced = False
    """Its start is on disk."""
    loose = False
    """It holds values that others than our own capture put there, of any size."""
    legible = False
    """Its values are text and numbers: what others put there could not be written as it was."""
    begun: tuple[Mapping[str, Any], bytes] | None = None
    """The attributes in its start record, and how they stand there, for its end to say again."""
    forward: SpanProcessor | None = None
    """Processors of the program itself, which see our spans as any other."""
    holds_call = ""
    """`llm` once an LLM call below it has been recorded, `embedding` when only such a one has."""
    stands_for = 0
    """`id` of the instance of a decorated class that the span stands for; 0 for none."""
    absorbed: Sequence[RecordedSpan] | None = None
    """Spans of other instrumentors of the same call, that have ended; see absorb.py."""

    def __init__(  # pyright: ignore[reportMissingSuperCall] -- the leaner life is the point; see the class
        self,
        core: Core,
        name: str,
        attributes: dict[str, Any],
        *,
        parent: SpanContext | RecordedSpan | None,
        above: RecordedSpan | None,
        kind: SpanKind | None = None,
        start_ns: int | None = None,
        span_id: int | None = None,
        scope: Scope | None = None,
        agent: Agent | None = None,
        links: Any = (),
    ) -> None:
        self.core = core
        self.above = above
        self._name = name
        if kind is not None and kind is not SpanKind.INTERNAL:
            self._kind = kind
            self.kind_number = kind.value + 1
        self._below = parent
        self.span_id = span_id or new_span_id()
        if parent is None:
            self.trace_id: int = core.trace_id
        else:
            self.trace_id = parent.trace_id
            self.parent_id = parent.span_id
        self._ids: SpanContext | None = None
        if _SESSION in attributes:
            attributes = in_session(attributes, core.text)
        self._attributes = attributes
        attributes[_SESSION] = core.text
        if agent is None and above is not None:
            agent = above.agent
        self.agent: Agent | None = agent
        if agent is not None:
            if agent[0]:
                attributes.setdefault(semconv.AGENT_NAME, agent[0])
            if agent[1]:
                attributes.setdefault(semconv.AGENT_ID, agent[1])
        self.scope = scope or core.recorder.scope
        if links:
            self._links = list(links)
        self._start_time = time.time_ns() if start_ns is None else moment(start_ns)

    # What the base class keeps for others to look at.
    @property
    def _resource(self) -> Any:
        return self.core.recorder.resource

    @property
    def _instrumentation_scope(self) -> Any:
        return self.scope.instrumentation

    # Made when somebody asks: most spans are never asked, and ids are the dearest part of a span.
    @property
    def _context(self) -> SpanContext:
        found = self._ids
        if found is None:
            found = self._ids = SpanContext(
                self.trace_id, self.span_id, False, _SAMPLED, self.core.trace_state
            )
        return found

    @_context.setter
    def _context(self, context: SpanContext) -> None:
        self._ids, self.trace_id, self.span_id = context, context.trace_id, context.span_id

    @property
    def _parent(self) -> SpanContext | None:
        parent = self._below
        return parent._context if isinstance(parent, RecordedSpan) else parent

    @property
    def itself(self) -> RecordedSpan:
        """The span, also when asked through somebody's proxy around it."""
        return self

    def get_span_context(self) -> SpanContext:
        """Return the span's ids."""
        return self._context

    def is_recording(self) -> bool:
        """Say whether the span has not ended."""
        return self._end_time is None

    def set_attribute(self, key: str, value: Any) -> None:
        """Set an attribute, until the end."""
        if self._end_time is None:
            self.loose = True
            if key == _SESSION:
                self.set_attributes({key: value})
            else:
                self._attributes[key] = value

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes, until the end."""
        if self._end_time is None:
            self.loose = True
            self._attributes.update(
                in_session(attributes, self.core.text) if _SESSION in attributes else attributes
            )

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        """Add an event at a moment of the span; the first chunk of a stream also sets its time."""
        if self._end_time is not None:
            return
        at_ns = time.time_ns() if timestamp is None else moment(timestamp)
        if name == _FIRST_CHUNK_EVENT:
            self._attributes.setdefault(semconv.FIRST_TOKEN_NS, max(at_ns - self._start_time, 0))
        self.loose = True
        self._add_event(Event(name, dict(attributes) if attributes else {}, at_ns))

    def _add_event(self, event: Any) -> None:
        if self._end_time is None:
            events = cast("list[Any]", self._events or [])
            if len(events) < _MAX_EVENTS:
                events.append(event)
                self._events = events

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        """Add a link to another span."""
        from opentelemetry.trace import Link

        self.loose = True
        self._add_link(Link(context, attributes))

    def _add_link(self, link: Any) -> None:
        if self._end_time is None and len(self._links) < _MAX_EVENTS:
            self._links = [*self._links, link]

    def update_name(self, name: str) -> None:
        """Change the name, until the end."""
        if self._end_time is None:
            self._name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the status; ok is final, as OpenTelemetry has it."""
        if self._end_time is not None:
            return
        if not isinstance(status, Status):
            status = Status(status, description if status is StatusCode.ERROR else None)
        number = status.status_code._value_  # Not `value`, nor as a key: both are calls.
        if number and self.status_number != 1:
            self._status = status
            self.status_number = number

    def record_exception(
        self,
        exception: BaseException,
        attributes: Any = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Add an exception as an event."""
        found = exception_attributes(exception)
        found["exception.escaped"] = str(escaped)
        if attributes:
            found.update(attributes)
        self.add_event("exception", found, timestamp)

    def fail(self, exception: BaseException) -> None:
        """Record the exception that ends the span."""
        found = exception_attributes(exception)
        self.add_event("exception", found)
        kind = found["exception.type"]
        self._attributes.setdefault("error.type", kind)
        self.status_number = 2
        self._status = Status(StatusCode.ERROR, f"{type(exception).__name__}: {found['exception.message']}")

    def fail_with(self, message: str) -> None:
        """Set the status to error, with a message."""
        self.status_number = 2
        self._status = Status(StatusCode.ERROR, message)

    def end(self, end_time: int | None = None) -> None:
        """End the span and write its record. Never raises."""
        if self._end_time is not None:
            return
        if self.absorbed is not None:
            from agentops.sdk.absorb import add

            add(self)
        ended = time.time_ns() if end_time is None else moment(end_time)
        self._end_time = max(ended, self._start_time)
        self.core.recorder.ended(self)
        if self.forward is not None:
            tell(self.forward.on_end, self._readable_span())

    def reopen(self) -> None:
        """Let an ended span be changed once more, before `extend`."""
        self._end_time = None

    def unsay(self, key: str) -> None:
        """Take back an attribute, and that the span failed."""
        self._attributes.pop(key, None)
        self.status_number, self._status = 0, _UNSET

    def extend(self) -> None:
        """End the span again, now: what it stands for went on."""
        self._end_time = None
        self.end()

    def _readable_span(self) -> ReadableSpan:
        return ReadableSpan(
            name=self._name,
            context=self._context,
            parent=self._parent,
            resource=self._resource,
            attributes=self._attributes,
            events=self._events,
            links=self._links,
            kind=self._kind,
            status=self._status,
            start_time=self._start_time,
            end_time=self._end_time,
            instrumentation_scope=self._instrumentation_scope,
        )


class Scope:
    """An instrumentation scope, with the tail that its lines end in."""

    __slots__ = ("instrumentation", "name", "tail")

    def __init__(self, name: str, tail: bytes, instrumentation: Any) -> None:
        self.name = name
        self.tail = tail
        self.instrumentation = instrumentation


def exception_attributes(exception: BaseException) -> dict[str, Any]:
    """Return what OpenTelemetry's conventions say about an exception: its type, message and stack."""
    kind = type(exception)
    module = kind.__module__
    try:
        message = cut(str(exception), _MAX_STACK)
    except Exception:
        message = "<its str() failed>"
    try:
        stack = "".join(traceback.format_exception(exception, limit=-_MAX_FRAMES))
        left_out = _depth(exception.__traceback__) - _MAX_FRAMES
        if left_out > 0:
            stack = f"… [cut: the {left_out} outermost frames]\n{stack}"
    except Exception:
        stack = ""
    if len(stack) > _MAX_STACK:
        stack = f"{stack[: _MAX_STACK // 2]}\n… [cut: {len(stack)} characters]\n{stack[-_MAX_STACK // 2 :]}"
    return {
        "exception.type": kind.__qualname__
        if module in (None, "builtins")
        else f"{module}.{kind.__qualname__}",
        "exception.message": message,
        "exception.stacktrace": stack,
    }


def _depth(trace: TracebackType | None) -> int:
    found = 0
    while trace is not None:
        found, trace = found + 1, trace.tb_next
    return found


def tell(hook: Callable[..., Any], *arguments: Any, **named: Any) -> None:
    """Call somebody else's span hook; what it raises is its own affair, not the recorded program's."""
    try:
        hook(*arguments, **named)
    except Exception:
        import logging

        logging.getLogger("agentops").debug("A span processor of the program raised", exc_info=True)
