"""What the instrumentor of smolagents leaves out: the end of a run that fails, and of one that is left."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, cast

from opentelemetry import trace
from opentelemetry.context import attach, get_current
from opentelemetry.trace import Status, StatusCode

from agentops.instrument.frameworks.apart import apart
from agentops.instrument.frameworks.told import PACKAGE
from agentops.instrument.patches import Patches, found


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """End the span of an agent whose run fails; it is left open, and around all that follows."""
    del tracer

    def ran(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        del instance
        before = get_current()
        try:
            answer = wrapped(*args, **kwargs)
            if isinstance(answer, Generator):
                within = get_current()
                attach(before)
                return apart(cast("Generator[Any]", answer), within)
            return answer
        except BaseException as error:
            span: Any = trace.get_current_span()
            if span is not trace.get_current_span(before) and span.is_recording():
                if not isinstance(error, Exception):
                    span.record_exception(error)
                span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
                span.end()
                attach(before)
            raise

    patches.method(found(PACKAGE + "smolagents._wrappers:_RunWrapper"), "__call__", ran)
