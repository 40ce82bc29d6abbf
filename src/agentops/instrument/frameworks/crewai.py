"""What the instrumentor of CrewAI leaves out: what agents are asked and answer; a flow's name; delegation.

It tells all arguments of the method that runs a task, the agent with its tools among them, and of an answer
the whole conversation that led to it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

from opentelemetry import trace

from agentops import semconv
from agentops.instrument import kinds
from agentops.instrument.frameworks.told import PACKAGE
from agentops.instrument.patches import Patches, found
from agentops.instrument.shown import to_json

_WRAPPERS: Final = ("_ExecuteCoreWrapper", "_AgentKickoffWrapper")


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell of an agent what it is asked, its task with its context or the message, and what it answers."""

    def ran(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        del instance
        original, asked, given, named = args

        def told(*again: Any, **more: Any) -> Any:
            try:
                text = _words(asked, given, named)
                if text:
                    span = trace.get_current_span()
                    span.set_attribute("input.value", text)
                    span.set_attribute("input.mime_type", "text/plain")
            except Exception:
                pass  # Then all arguments are told.
            return original(*again, **more)

        return wrapped(told, asked, given, named, **kwargs)

    def answered(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        raw = getattr(args[0], "raw", None)
        return wrapped(raw, **kwargs) if isinstance(raw, str) and raw else wrapped(*args, **kwargs)

    def flow_name(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        name, flow = wrapped(*args, **kwargs), args[0]
        # Not its id: each run of it has another.
        return type(flow).__name__ if name == f"Flow_{getattr(flow, 'flow_id', None)}" else name

    def delegated(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        role = getattr(instance, "role", None)
        above: Any = trace.get_current_span()
        # A task that a crew runs is the agent's event already; one that comes through a tool is nobody's.
        if not isinstance(role, str) or (getattr(above, "attributes", None) or {}).get(kinds.KIND) != "TOOL":
            return wrapped(*args, **kwargs)
        asked = args[0] if args else kwargs.get("task")
        attributes = {
            semconv.SPAN_KIND: "agent",
            semconv.AGENT_NAME: role,
            semconv.INPUT: to_json(_words(asked, args, kwargs)),
        }
        with tracer.start_as_current_span(role, attributes=attributes) as span:
            answer = wrapped(*args, **kwargs)
            span.set_attribute(semconv.OUTPUT, to_json(answer))
            return answer

    patches.method(found("crewai:Agent"), "execute_task", delegated)
    module = importlib.import_module(PACKAGE + "crewai._wrappers")
    patches.method(module, "get_output_attributes", answered)
    patches.method(module, "_get_flow_name", flow_name)
    for name in _WRAPPERS:
        patches.method(found(PACKAGE + f"crewai._wrappers:{name}"), "__call__", ran)


def _words(asked: Any, given: tuple[Any, ...], named: dict[str, Any]) -> str:
    """Return the words of a task, or of the message that an agent is given without one."""
    description = getattr(asked, "description", None)
    if isinstance(description, str):
        context = given[1] if len(given) > 1 else named.get("context")
        return f"{description}\n\n{context}" if isinstance(context, str) and context else description
    message = given[0] if given else named.get("messages")
    return message if isinstance(message, str) else ""
