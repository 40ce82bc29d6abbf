"""The open LLM call: the one whose making goes on in this context, for frameworks that do not say so.

Some frameworks' instrumentors start the span of a call without making it current, so that the provider's
instrumentor, further in, cannot know that it sees the same call. They note it here.
"""

from __future__ import annotations

import weakref
from contextvars import ContextVar
from typing import Any, Final

from opentelemetry import trace

_open: Final[ContextVar[Any]] = ContextVar("agentops_open_call", default=None)


def note(span: trace.Span) -> None:
    """Note a framework's span as the call that is being made here. Once it has ended it is none any more."""
    _open.set(weakref.ref(getattr(span, "itself", span)))


def noted() -> Any:
    """Return the span noted in this context, or None. It may have ended."""
    reference = _open.get()
    return None if reference is None else reference()
