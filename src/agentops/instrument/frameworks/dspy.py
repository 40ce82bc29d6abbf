"""What the instrumentor of DSPy leaves out: the names of tools, called by the method that runs them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from opentelemetry import trace

from agentops.instrument.frameworks.told import PACKAGE
from agentops.instrument.patches import Patches, found


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell a tool's name."""
    del tracer

    def called(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        original, tool = args[0], args[1]

        @functools.wraps(original)
        def told(*given: Any, **named: Any) -> Any:
            try:
                _name(trace.get_current_span(), str(tool.name))
            except Exception:
                pass  # It keeps the name that its instrumentor gave it.
            return original(*given, **named)

        return wrapped(told, *args[1:], **kwargs)

    patches.method(found(PACKAGE + "dspy:_ToolCallWrapper"), "__call__", called)
    patches.method(found(PACKAGE + "dspy:_AsyncToolCallWrapper"), "__call__", called)


def _name(span: Any, name: str) -> None:
    if span.name in (f"{name}.__call__", f"{name}.acall"):  # Not while instrumentation is suppressed.
        span.update_name(name)
        span.set_attribute("tool.name", name)
