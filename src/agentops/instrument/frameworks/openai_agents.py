"""What the instrumentor of OpenAI's agents leaves out: what is an agent, and that a run failed.

Of a guardrail it tells the name only, of an agent neither what went in nor what came out, of a tool's failure
that the run survives not what was raised.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
import weakref
from collections.abc import Callable
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from agentops.instrument import kinds
from agentops.instrument.frameworks.told import PACKAGE
from agentops.instrument.patches import Patches, found
from agentops.instrument.shown import to_json


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell that what is around the agents of a run is no agent itself, and that a run which raises failed."""
    del tracer
    processors: list[Any] = []  # The last one that a run began with, weakly.
    agents: dict[str, str] = {}  # Of each open span, the span of the agent that it is within.
    handled: dict[str, int] = {}  # The exception that the program was at when a run began, by its trace.

    def begun(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        result = wrapped(*args, **kwargs)
        try:
            kinds.fix(instance._root_spans[args[0].trace_id], "CHAIN")
            handled[args[0].trace_id] = id(sys.exception())
            processors[:] = [weakref.ref(instance)]
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

    def span_begun(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        try:
            begun_span = args[0]
            is_agent = getattr(begun_span.span_data, "type", None) == "agent"
            inside = begun_span.span_id if is_agent else agents.get(begun_span.parent_id)
            if inside is not None:
                agents[begun_span.span_id] = inside
        except Exception:
            pass  # Then its agent does not tell what it said.
        return wrapped(*args, **kwargs)

    def span_ended(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        try:
            span = instance._otel_spans.get(args[0].span_id)
            agent = instance._otel_spans.get(agents.pop(args[0].span_id, None))
            if agent is not None and agent is not span:
                _tell_agent(agent, args[0].span_data)
            _tell_guardrail(span, args[0].span_data)
            fail(span, args[0].trace_id)
        except Exception:
            pass  # Its instrumentor tells what it tells.
        return wrapped(*args, **kwargs)

    def erred(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        try:
            error, open_spans = sys.exception(), processors[-1]()._otel_spans
            if isinstance(error, Exception):
                open_spans[instance.span_id].set_attribute("error.type", _type_of(error))
        except Exception:
            pass  # Then it failed without saying of what.
        return wrapped(*args, **kwargs)

    processor = found(PACKAGE + "openai_agents._processor:OpenInferenceTracingProcessor")
    patches.method(processor, "on_trace_start", begun)
    patches.method(processor, "on_trace_end", ended)
    patches.method(processor, "on_span_start", span_begun)
    patches.method(processor, "on_span_end", span_ended)
    patches.method(found("agents.tracing.spans:SpanImpl"), "set_error", erred)


def _type_of(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _tell_agent(agent: Any, data: Any) -> None:
    """Tell what an agent was given, and what it said last, by a call of its model that is over."""
    kind = getattr(data, "type", None)
    if kind not in ("response", "generation"):
        return
    if data.input and "input.value" not in agent.attributes:
        _tell(agent, "input", data.input)
    said = getattr(data, "output", None)
    if kind == "response" and data.response is not None:
        said = data.response.output_text or data.response.output
    if said:
        _tell(agent, "output", said)


def _tell(span: Any, direction: str, value: Any) -> None:
    plain = isinstance(value, str)
    span.set_attribute(f"{direction}.value", value if plain else to_json(value))
    span.set_attribute(f"{direction}.mime_type", "text/plain" if plain else "application/json")


def _tell_guardrail(span: Any, data: Any) -> None:
    """Tell whether a guardrail was tripped; one that was is shown as failed."""
    if span is None or getattr(data, "type", None) != "guardrail":
        return
    span.set_attribute("output.value", json.dumps({"triggered": bool(data.triggered)}))
    span.set_attribute("output.mime_type", "application/json")
    if data.triggered:
        span.set_attribute("error.type", "GuardrailTripwireTriggered")
        span.set_status(Status(StatusCode.ERROR, f"Guardrail {data.name} triggered tripwire"))


def _stream_left(error: BaseException) -> bool:
    """Say whether an exception ended a run whose stream its reader has left: that cancels the run's task."""
    frame = inspect.currentframe() if isinstance(error, asyncio.CancelledError) else None
    while frame is not None and frame.f_code.co_name != "start_streaming":
        frame = frame.f_back
    return frame is not None
