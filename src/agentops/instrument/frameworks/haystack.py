"""What the instrumentor of Haystack leaves out: tools, and components that are imported later."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import wrapt
from opentelemetry import trace

from agentops import semconv
from agentops.instrument import kinds
from agentops.instrument.frameworks.told import PACKAGE, tool_span
from agentops.instrument.patches import Patches, found
from agentops.instrument.shown import to_json


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Record the tools that Haystack's agents call; components are recorded whenever they are imported."""
    wrappers: Any = importlib.import_module(PACKAGE + "haystack._wrappers")
    running: ContextVar[Any] = ContextVar("agentops_haystack_tool", default=None)

    def registered(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Do for a component that is imported now what its instrumentor did for those it found."""
        made = wrapped(*args, **kwargs)
        try:
            instrumentor: Any = found(PACKAGE + "haystack:HaystackInstrumentor")()
            for name, kept, around in (
                ("run", instrumentor._original_component_run_methods, wrappers._ComponentRunWrapper),
                (
                    "run_async",
                    instrumentor._original_component_run_async_methods,
                    wrappers._AsyncComponentRunWrapper,
                ),
            ):
                if name in vars(made) and made not in kept:
                    kept[made] = vars(made)[name]
                    setattr(
                        made, name, wrapt.FunctionWrapper(kept[made], around(tracer=instrumentor._tracer))
                    )
        except Exception:
            pass  # It is wrapped when a pipeline runs it.
        return made

    def invoked(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if running.get() is instance:
            return wrapped(*args, **kwargs)  # Its asynchronous face, which is recorded.
        with tool_span(tracer, str(instance.name), kwargs) as span:
            result = wrapped(*args, **kwargs)
            span.set_attribute(semconv.OUTPUT, to_json(result))
            return result

    async def invoked_async(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        token = running.set(instance)
        try:
            with tool_span(tracer, str(instance.name), kwargs) as span:
                result = await wrapped(*args, **kwargs)
                span.set_attribute(semconv.OUTPUT, to_json(result))
                return result
        finally:
            running.reset(token)

    def ran(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Make the span around an agent's run, which is the current one there, an agent's."""
        span = trace.get_current_span()
        try:
            if getattr(span, "name", "").startswith(type(instance).__name__ + ".run"):
                kinds.fix(span, "AGENT")
                span.set_attribute("agent.name", type(instance).__name__)
        except Exception:
            pass  # Its instrumentor tells what it tells.
        return wrapped(*args, **kwargs)

    patches.method(type(found("haystack:component")), "_component", registered)
    agent = found("haystack.components.agents:Agent")
    patches.method(agent, "_initialize_fresh_execution", ran)
    tool = found("haystack.tools:Tool")
    patches.method(tool, "invoke", invoked)
    patches.method(tool, "invoke_async", invoked_async)
