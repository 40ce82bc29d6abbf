"""What the instrumentor of OpenAI's agents leaves out: what is an agent, and that a run failed."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from agentops.instrument import kinds
from agentops.instrument.frameworks.told import PACKAGE
from agentops.instrument.patches import Patches, found


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell that what is around the agents of a run is no agent itself, and that a run which raises failed."""
    del tracer
    handled: dict[str, int] = {}  # The exception that the program was at when a run began, by its trace.

    def begun(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        result = wrapped(*args, **kwargs)
        try:
            kinds.fix(instance._root_spans[args[0].trace_id], "CHAIN")
            handled[args[0].trace_id] = id(sys.exception())
        except Exception:
            pass  # Its instrumentor tells what it tells.
        return result

    def fail(span: Any, trace_id: str) -> None:
        error = sys.exception()
        if span is None or error is None or id(error) == handled.get(trace_id) or _stream_left(error):
            return
        span.record_exception(error)
        span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))

    def ended(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        try:
            fail(instance._root_spans.get(args[0].trace_id), args[0].trace_id)
            handled.pop(args[0].trace_id, None)
        except Exception:
            pass  # Its instrumentor tells what it tells.
        return wrapped(*args, **kwargs)

    def span_ended(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        try:
            fail(instance._otel_spans.get(args[0].span_id), args[0].trace_id)
        except Exception:
            pass  # Its instrumentor tells what it tells.
        return wrapped(*args, **kwargs)

    processor = found(PACKAGE + "openai_agents._processor:OpenInferenceTracingProcessor")
    patches.method(processor, "on_trace_start", begun)
    patches.method(processor, "on_trace_end", ended)
    patches.method(processor, "on_span_end", span_ended)


def _stream_left(error: BaseException) -> bool:
    """Say whether an exception ended a run whose stream its reader has left: that cancels the run's task."""
    frame = inspect.currentframe() if isinstance(error, asyncio.CancelledError) else None
    while frame is not None and frame.f_code.co_name != "start_streaming":
        frame = frame.f_back
    return frame is not None
