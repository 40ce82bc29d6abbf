"""What the instrumentor of DSPy leaves out: tools' names, what its cache answers, what runs in its threads.

An answer from the cache is no call of a model: nobody was asked, and it costs nothing.
"""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable
from typing import Any, Final

from opentelemetry import trace

from agentops.instrument import kinds
from agentops.instrument.frameworks.told import CALLS, PACKAGE
from agentops.instrument.patches import Patches, found


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell a tool's name, and which answers are from the cache; let threads go on in their context."""
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
    patches.method(found("dspy.clients.cache:Cache"), "get", _looked_up)
    patches.method(found("dspy.utils.parallelizer:ParallelExecutor"), "execute", _in_threads)


_CACHED: Final = "dspy.cache_hit"


def _looked_up(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    del instance
    answer = wrapped(*args, **kwargs)
    if answer is not None:
        try:
            span: Any = trace.get_current_span()
            if span.attributes.get(kinds.KIND) in CALLS:
                kinds.fix(span, "CHAIN")
                span.set_attribute(_CACHED, True)
        except Exception:
            pass  # It is told as its instrumentor tells it.
    return answer


def _in_threads(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    del instance
    if not args:
        return wrapped(**kwargs)
    here = contextvars.copy_context()

    @functools.wraps(args[0])
    def run(*given: Any) -> Any:
        return here.copy().run(args[0], *given)

    return wrapped(run, *args[1:], **kwargs)


def _name(span: Any, name: str) -> None:
    if span.name in (f"{name}.__call__", f"{name}.acall"):  # Not while instrumentation is suppressed.
        span.update_name(name)
        span.set_attribute("tool.name", name)
