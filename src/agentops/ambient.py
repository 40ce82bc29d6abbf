"""OpenTelemetry's current context, read and set the fast way.

OpenTelemetry keeps it in a context variable behind two function calls. Every recorded call needs it several
times; so where that variable can be found, it is used directly.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any, Final, cast

from opentelemetry.context import _RUNTIME_CONTEXT as _runtime  # pyright: ignore[reportPrivateUsage] -- see above
from opentelemetry.context import Context, attach, create_key
from opentelemetry.context import get_current as _get_current
from opentelemetry.trace.propagation import (
    _SPAN_KEY,  # pyright: ignore[reportPrivateUsage] -- get_current_span copies no dict, but costs a call a span
)

_found: Any = getattr(_runtime, "_current_context", None)
_variable: Final[ContextVar[Context] | None] = cast("Any", _found) if isinstance(_found, ContextVar) else None

SPAN: Final = _SPAN_KEY
"""The key of the current span."""
OWN: Final = create_key("agentops-span")
"""The key of the innermost span of our own, whatever foreign span is current."""
CALL: Final = create_key("agentops-call")
"""The key of the span of the LLM call whose request is being made; a client that traces itself hides it."""
get_current: Final[Callable[[], Context]] = _get_current if _variable is None else _variable.get
attach_context: Final[Callable[[Context], Token[Context]]] = attach if _variable is None else _variable.set


def making(where: Context, span: Any) -> Context:
    """Return the context in which the request of an LLM call is made, whose span is `span`."""
    return Context({**where, SPAN: span, CALL: span})


def leave(token: Token[Context] | None) -> None:
    """Undo `attach_context`, if that was done.

    A generator or coroutine that is closed from another context cannot restore this one, and need not: that
    context was never changed. OpenTelemetry's `detach` would log an error for it.
    """
    if token is None:
        return
    try:
        token.var.reset(token)
    except (ValueError, RuntimeError):
        pass
