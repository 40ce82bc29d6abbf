"""What the libraries' files share: where instrumentors are, and how a tool's call is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from opentelemetry import trace

from agentops import semconv
from agentops.instrument import kinds
from agentops.instrument.shown import to_json

PACKAGE: Final = "openinference.instrumentation."
"""Where OpenInference's instrumentors are."""
CALLS: Final = ("LLM", "EMBEDDING")
"""Kinds of spans that are calls of a model."""


def tool_span(tracer: trace.Tracer, name: str, arguments: Any) -> Any:
    """Return the current span of a tool's call, as a context manager."""
    attributes = {semconv.SPAN_KIND: "tool", semconv.TOOL_NAME: name, semconv.INPUT: to_json(arguments)}
    return tracer.start_as_current_span(name, attributes=attributes)


def tool_failed(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Record on the tool's span, around what a library makes of it, the exception that a tool raised."""
    del instance
    error = args[0] if args else None
    span: Any = trace.get_current_span()
    try:
        if isinstance(error, Exception) and span.is_recording() and span.attributes.get(kinds.KIND) == "TOOL":
            span.record_exception(error)
    except Exception:
        pass  # A span of somebody else's; the library makes of the error what it makes.
    return wrapped(*args, **kwargs)
