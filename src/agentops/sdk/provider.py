"""The tracer provider: where instrumentation's spans meet the rule of which session they belong to.

Three cases. The program has no tracer provider: ours becomes the global one, in a way that lets the program
still set its own later. The program has one: it stays, and `Joined`, a span processor, records those of its
spans that belong to a session. The instrumentors that we enable always get ours, whose spans get a
session's span as parent even where no context was carried; the program's own processors see them too.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider, NoOpMeterProvider, get_meter_provider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, Tracer, TracerProvider
from opentelemetry.trace import INVALID_SPAN, SpanContext, SpanKind
from opentelemetry.util._once import Once

from agentops import semconv
from agentops.ambient import OWN, SPAN, get_current
from agentops.otlp import encode
from agentops.sdk.absorb import Absorbed, absorb_late, outer_call
from agentops.sdk.context import Belonging, marked_session
from agentops.sdk.recorder import EAGER, Recorder, is_agents, kind_of
from agentops.sdk.requests import arrived, mark
from agentops.sdk.spans import RecordedSpan, Scope, tell

if TYPE_CHECKING:
    from agentops.sdk.core import Core

# Pyright: OpenTelemetry's SDK is built to be joined, but some of what a subclass needs is private there.
# pyright: reportPrivateUsage=false

logger: Final = logging.getLogger("agentops")
_MAX_OPEN: Final = 50_000
_SESSION: Final = semconv.SESSION_ID
_MARK: Final = "agentops_session"
"""Where a span of the program's own tracing notes the session that it belongs to."""
_AROUND: Final = "agentops_around"
"""Where a span that is left out keeps the one around it."""


def place(core: Core, context: Context) -> tuple[SpanContext | RecordedSpan | None, RecordedSpan | None]:
    """Return the parent of a span of `core` made in `context`, and the recorded span above it.

    The current span when it is the session's; else the innermost recorded span of the session in this
    context; else the session's root. Never a span of another session or trace.
    """
    current = context.get(SPAN)
    own = context.get(OWN)
    if current is not None:
        current = getattr(current, _AROUND, current)
        if isinstance(current, RecordedSpan):
            # Ask for the span itself: instrumentation wraps spans in proxies.
            current = current.itself
            if current.core is core:
                return current, current
        elif isinstance(current, trace.Span) and _is_of(current, core):
            above = own if isinstance(own, RecordedSpan) and own.core is core else core.root
            return current.get_span_context(), above
    # A span's class is an abstract one's: what is no span would be asked about at length.
    if own is not None and isinstance(own, RecordedSpan) and own.core is core:
        return own, own
    root = core.root
    if root is not None:
        return root, root
    return core.remote, None


def left_out(context: Context) -> trace.Span:
    """Return what stands for a span that is not made: what is begun within is of the span around it."""
    around = context.get(SPAN)
    if not isinstance(around, trace.Span):
        return INVALID_SPAN
    span = trace.NonRecordingSpan(around.get_span_context())
    _note_around(span, around)
    return span


def _note_around(span: trace.Span, around: Any) -> None:
    setattr(span, _AROUND, getattr(around, _AROUND, around))
    core = getattr(around, "core", None)
    if core is not None:
        span.core = core  # type: ignore[attr-defined] # pyright: ignore -- as our own spans have it


def _is_of(span: trace.Span, core: Core) -> bool:
    if getattr(span, _MARK, "") == core.text:
        return True
    return span.get_span_context().is_remote and marked_session(span) == core.trace_id


def _is_called(parent: SpanContext | RecordedSpan | None, attributes: dict[str, Any]) -> bool:
    """Tell whether a server's tool is called by a client of this session: from another process, or this."""
    if isinstance(parent, RecordedSpan):
        above = parent._attributes
        return kind_of(above) == "tool" and above.get(semconv.TOOL_NAME) == attributes.get(semconv.TOOL_NAME)
    return parent is not None and parent.is_remote


class SessionTracer(Tracer):
    """A tracer whose spans belong to sessions; outside of any session it is the SDK's own, or silent."""

    provider: Provider
    scope: Scope

    def silenced(self) -> bool:
        """Whether a span made now is left out, as one that repeats what we record; it is counted as such."""
        return self.provider.silenced(self.scope.name)

    # Instrumentation may call this with a proxy of the tracer as `self`: only attributes are read from it.
    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Any = None,
        links: Any = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> trace.Span:
        """Start a span of the session that the rule finds; outside of any, the SDK's own or none."""
        provider = self.provider
        try:
            if provider.silenced(self.scope.name):
                return left_out(get_current() if context is None else context)
            where = get_current() if context is None else context
            core = provider.belonging.of_span(where, kind)
            if core is not None:
                return provider.start(
                    core, where, name, dict(attributes or {}), self.scope, kind, start_time, links or ()
                )
            if provider.forward is None:
                request = arrived(where, kind, self.scope.name)
                if request is None or request.scope != self.scope.name:
                    provider.unplaced(name)  # A framework's own spans begin before its request can have one.
                nothing = trace.NonRecordingSpan(trace.get_current_span(where).get_span_context())
                mark(nothing, request)
                return nothing
        except Exception as error:
            provider.recorder.failed(error)
        return Tracer.start_span(
            self,
            name,
            context,
            kind,
            attributes,
            links,
            start_time,
            record_exception,
            set_status_on_exception,
        )


def _meters() -> MeterProvider:
    """Return what counts our tracers' spans: nothing, where the environment names what is not there."""
    try:
        return get_meter_provider()
    except Exception as error:
        logger.error(
            "OpenTelemetry cannot load the meter provider that OTEL_PYTHON_METER_PROVIDER names (%s): "
            "recorded spans have none. Install it, or unset the variable.",
            type(error).__name__,
        )
        return NoOpMeterProvider()


class Provider(TracerProvider):
    """Our tracer provider. `forward` are processors of the program, ours to tell about our spans."""

    def __init__(
        self,
        recorder: Recorder,
        belonging: Belonging,
        resource: Resource,
        *,
        unplaced: Callable[[str], None],
        silenced: Callable[[str], bool],
    ) -> None:
        super().__init__(resource=resource, shutdown_on_exit=False)
        self._meter_provider = _meters()
        self.recorder = recorder
        self.belonging = belonging
        self.unplaced = unplaced
        self.silenced = silenced
        """Whether spans of a scope repeat what one of our instrumentors records."""
        self.forward: SpanProcessor | None = None
        self._scopes: dict[str, Scope] = {}

    def _handle_fork(self) -> None:
        """Renew the lock in a forked child, and nothing else.

        The base class starts a thread pool there, to ask for the resource anew. Where the module of thread
        pools was imported after the provider was made, the fork itself holds their lock at that moment: the
        child would wait for ever. What is ours to say of the process is said in the header of its journal.
        """
        self._tracers_lock = threading.Lock()

    def get_tracer(self, *arguments: Any, **named: Any) -> trace.Tracer:
        """Return the tracer of a scope; its spans belong to sessions."""
        tracer = super().get_tracer(*arguments, **named)
        if type(tracer) is Tracer:
            # One object per scope, kept by the base class: give it our start_span, which instrumentation
            # looks up on the class.
            given = tracer._instrumentation_scope
            tail = self.recorder.scope_tail(given)
            tracer.__class__ = SessionTracer
            tracer.provider = self  # type: ignore[attr-defined] # pyright: ignore -- it is a SessionTracer now
            tracer.scope = Scope(given.name, tail, given)  # type: ignore[attr-defined] # pyright: ignore -- the same
        return tracer

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Let a processor of the program see our spans."""
        super().add_span_processor(span_processor)
        self.forward = self._active_span_processor

    def start(
        self,
        core: Core,
        context: Context,
        name: str,
        attributes: dict[str, Any],
        scope: Scope | None,
        kind: SpanKind | None,
        start_ns: int | None,
        links: Any,
    ) -> RecordedSpan:
        """Start a span of a session for instrumentation."""
        parent, above = place(core, context)
        known = kind_of(attributes)
        if kind is SpanKind.SERVER and known == "tool" and _is_called(parent, attributes):
            # The caller recorded the tool; this is its work being done.
            known = attributes[semconv.SPAN_KIND] = "operation"
        outer = outer_call(above, known, attributes)
        if outer is not None and outer.core is core:
            return Absorbed(outer, name, attributes, scope)
        span = RecordedSpan(
            core,
            name,
            attributes,
            parent=parent,
            above=above,
            kind=kind,
            start_ns=start_ns,
            scope=scope,
            links=links,
        )
        span.loose = True
        self.recorder.started(span)
        if not span.announced and known in EAGER:
            self.recorder.announce(span)
        if self.forward is not None:
            self.show(span, context)
        return span

    def kind_known(self, span: Any) -> None:
        """Take note that a span's kind has become known after its start."""
        if isinstance(span, RecordedSpan):
            absorb_late(span)
        if type(span) is RecordedSpan and not span.announced and kind_of(span._attributes) in EAGER:
            self.recorder.announce(span)

    def show(self, span: RecordedSpan, context: Context | None = None) -> None:
        """Let the program's own processors see a span of ours, now and at its end."""
        forward = self.forward
        if forward is not None:
            span.forward = forward
            tell(forward.on_start, span, parent_context=context or Context())


class Joined(SpanProcessor):
    """Records the spans of the program's own tracer provider that belong to a session."""

    def __init__(
        self,
        recorder: Recorder,
        belonging: Belonging,
        silenced: Callable[[str], bool],
        unplaced: Callable[[str], None],
    ) -> None:
        self._recorder = recorder
        self._belonging = belonging
        self._silenced = silenced
        self._unplaced = unplaced
        self._open: dict[int, tuple[Core, int, RecordedSpan | None]] = {}
        """Session, number (0: none yet) and the recorded span above of the open spans, by span id."""
        self._tails: dict[tuple[str, str], bytes] = {}

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note the session of a span of the program's provider; write its start if it is worth it."""
        if isinstance(span, RecordedSpan):
            return
        try:
            context = get_current() if parent_context is None else parent_context
            scope = span.instrumentation_scope
            if scope is not None and self._silenced(scope.name):
                if (around := context.get(SPAN)) is not None:
                    _note_around(span, around)
                return
            core = self._belonging.of_span(context, span.kind)
            if core is None:
                mark(span, arrived(context, span.kind, "" if scope is None else scope.name))
                # Of the program's own tracing only what is an agent's work is missed.
                if is_agents(span.attributes or {}):
                    self._unplaced(span.name)
                return
            setattr(span, _MARK, core.text)
            if _SESSION not in (span.attributes or {}):
                span.set_attribute(_SESSION, core.text)
            _, above = place(core, context)
            if above is not None and above is not core.root:
                if (
                    above.agent is not None
                    and above.agent[0]
                    and "gen_ai.agent.name" not in (span.attributes or {})
                ):
                    span.set_attribute("gen_ai.agent.name", above.agent[0])
                if not above.announced and above.is_recording():
                    self._recorder.announce(above)
            kind = kind_of(span.attributes or {})
            outer = outer_call(above, kind, span.attributes or {})
            if outer is not None and outer.core is core:
                return  # Another instrumentor's record of the call that `outer` records.
            # A number is given with the first record: of a span that never ends there may be none.
            seq = core.number() if kind in EAGER else 0
            if len(self._open) >= _MAX_OPEN:
                self._open.pop(next(iter(self._open)), None)  # Never ended, most likely: forget the oldest.
            self._open[span.get_span_context().span_id] = (core, seq, above)
            if seq:
                self._recorder.foreign(core, span, 0, seq, self._tail(span))
        except Exception as error:
            self._recorder.failed(error)

    def on_end(self, span: ReadableSpan) -> None:
        """Write the end of such a span."""
        if isinstance(span, RecordedSpan) or span.context is None:
            return
        known = self._open.pop(span.context.span_id, None)
        if known is None:
            return
        core, seq, above = known
        self._recorder.foreign(core, span, span.end_time or 0, seq or core.number(), self._tail(span))
        self._recorder.count(core, span.attributes or {}, failed=not span.status.is_ok, above=above)

    def _tail(self, span: ReadableSpan) -> bytes:
        scope = span.instrumentation_scope
        if scope is None:
            return encode.scope("")
        key = (scope.name, scope.version or "")
        tail = self._tails.get(key)
        if tail is None:
            tail = self._tails[key] = self._recorder.scope_tail(scope)
        return tail


class _JoiningOnce(Once):
    """Lets the global provider be set once, by whoever comes, and joins what was set."""

    def __init__(self, joined: Callable[[], None]) -> None:
        super().__init__()
        self._joined = joined

    def do_once(self, func: Callable[[], None]) -> bool:
        done = super().do_once(func)
        if done:
            self._joined()
        return done


def install(provider: Provider, join: Callable[[Any], None]) -> None:
    """Make `provider` the global one when the program has none; else `join` the program's.

    Ours does not use up the one time that a program may set its provider: when it does, later, that one
    becomes the global one, and is joined.
    """
    try:
        existing: Any = trace.get_tracer_provider()
    except Exception:
        existing = None  # The environment names one that is not installed, as OpenTelemetry has just logged.
    if existing is not None and not isinstance(existing, trace.ProxyTracerProvider):
        if existing is not provider:
            join(existing)
        return

    def joined() -> None:
        now = trace.get_tracer_provider()
        if now is not provider:
            join(now)

    if hasattr(trace, "_TRACER_PROVIDER") and hasattr(trace, "_TRACER_PROVIDER_SET_ONCE"):
        trace._TRACER_PROVIDER_SET_ONCE = _JoiningOnce(joined)
        trace._TRACER_PROVIDER = provider
    else:  # A later OpenTelemetry API: set it the public way, once and for all.
        trace.set_tracer_provider(provider)


def uninstall(provider: Provider) -> None:
    """Take `provider` back from being the global one, when it still is."""
    if getattr(trace, "_TRACER_PROVIDER", None) is provider:
        trace._TRACER_PROVIDER = None
        trace._TRACER_PROVIDER_SET_ONCE = Once()
