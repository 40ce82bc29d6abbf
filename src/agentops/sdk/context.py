"""The one rule of which session a call belongs to, used by functions, decorators, events, patch and tracers.

    1. The session *bound* to the context: by `with session:`, `@session`, `session.patch`, or a remote
       context that our `tracestate` entry marks as a session's. One that ended still receives late events.
    2. Else the only active session.
    3. Else, with no session, none: base functions raise NoSessionException.
    4. Else, with several, none: base functions and LLM calls raise MultiSessionException.

The binding lives in OpenTelemetry's context, so that whatever carries that (threads that copy context,
asyncio tasks, instrumentation) carries the session too. Who leaves a span that was made current before the
session's block was entered takes the binding away with it, as frameworks do around what they call to make a
resource: then the block itself is what binds.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, create_key

from agentops.ambient import OWN, SPAN, attach_context, get_current
from agentops.errors import MultiSessionException, NoSessionException
from agentops.sdk.requests import is_anothers

if TYPE_CHECKING:
    from agentops.sdk.core import Core
    from agentops.sdk.registry import Registry
    from agentops.sdk.session import Session
    from agentops.sdk.spans import RecordedSpan

BOUND: Final = create_key("agentops-session")
"""The bound Session."""
ENTERED: Final[ContextVar[tuple[tuple[Session, Token[Any]], ...]]] = ContextVar("entered", default=())
"""The `with session:` blocks around this point, innermost last, with the token that undoes each."""
TRACE_STATE: Final = "agentops"
"""Key of our `tracestate` entry; its value is the session's id, 32 hex digits."""


def marked_session(span: Any) -> int | None:
    """Return the session that a span's `tracestate` names, as an integer."""
    try:
        text = span.get_span_context().trace_state.get(TRACE_STATE)
        return int(text, 16) if text and len(text) == 32 else None
    except Exception:
        return None  # Somebody's own span class, or somebody's entry under our key.


def enter(context: Context, span: RecordedSpan, handle: Session | None = None) -> Token[Context]:
    """Make `span` current, and bind `handle` when given. Returns the token for `ambient.leave`."""
    if handle is not None:
        return attach_context(Context({**context, SPAN: span, OWN: span, BOUND: handle}))
    return attach_context(Context({**context, SPAN: span, OWN: span}))


def bind(handle: Session) -> Token[Context]:
    """Bind a session to the current context. Returns the token for `ambient.leave`.

    Its root becomes the current span, unless one of its spans is: so that requests to other processes carry
    the session, and that spans of any tracer have a parent in it.
    """
    values = get_current().copy()
    values[BOUND] = handle
    core = handle._core  # pyright: ignore[reportPrivateUsage] -- a Session is the public face of its core
    current = values.get(SPAN)
    if core.root is not None and (current is None or getattr(current, "core", None) is not core):
        values[SPAN] = core.root
    return attach_context(Context(values))


class Belonging:
    """The rule, over the registry of active sessions."""

    def __init__(self, registry: Registry, visit: Any) -> None:
        self.registry = registry
        self._visit = visit
        """From (trace id, remote span context) to the Core of a session of another process."""

    def find(self, context: Context) -> Core | None:
        """Return the session that a call made in `context` belongs to, or None (rules 3 and 4)."""
        handle = context.get(BOUND)
        if handle is not None:
            return handle._core  # type: ignore[attr-defined] # pyright: ignore -- keyed by us: it is a Session
        current = context.get(SPAN)
        if current is not None:
            core = getattr(current, "core", None)
            if core is None:
                marked = marked_session(current)
                if marked is not None:
                    return self._visit(marked, current)
            elif core.root is None:
                return core  # Reached from a span here of a session that came with a remote context.
        entered = ENTERED.get()
        if entered:
            core = entered[-1][0]._core  # pyright: ignore[reportPrivateUsage] -- as above
            if core.running:
                return core
        return self.registry.only

    def of_span(self, context: Context, kind: Any) -> Core | None:
        """Return the session that a span made by instrumentation belongs to, or None."""
        core = self.find(context)
        if core is None or core.request is None or BOUND in context:
            return core
        current = context.get(SPAN)
        if current is not None and marked_session(current) == core.trace_id:
            return core  # The session itself asked, a server in this very process.
        return None if is_anothers(core, context, kind) else core

    def current(self) -> Core | None:
        """Return the session that a call made here belongs to, or None."""
        return self.find(get_current())

    def required(self) -> Core:
        """Return the session that a base function called here acts on.

        Raises:
            NoSessionException: there is none.
            MultiSessionException: there are several, and none is bound.
        """
        core = self.current()
        if core is not None:
            return core
        raise MultiSessionException if self.registry.active else NoSessionException

    def ambiguous(self) -> bool:
        """Say whether an LLM call made here could belong to any of several sessions."""
        return len(self.registry.active) > 1 and self.current() is None
