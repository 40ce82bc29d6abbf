"""Tools that anthropic's `tool_runner` runs: each run of one is a tool event, with arguments and result."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from agentops import semconv
from agentops.instrument.patches import Patches, found

_RUNNER: Final = "anthropic.lib.tools._beta_runner:BaseToolRunner"
_tool: Final[ContextVar[Any]] = ContextVar("agentops_claude_tool", default=None)
"""The span of the tool that runs."""


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Record the tools that are run."""

    def running(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        return _recorded(tracer, wrapped(*args, **kwargs), kwargs.get("tool_use", args[-1] if args else None))

    def failed(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        span, error = _tool.get(), args[0] if args else None
        if span is not None and isinstance(error, BaseException):
            span.record_exception(error)
        return wrapped(*args, **kwargs)

    patches.method(found(_RUNNER), "_tool_use_span", running)
    # What makes of an exception what the model is told of it.
    patches.method(sys.modules.get(_RUNNER.partition(":")[0]), "tool_error_content", failed)


@contextmanager
def _recorded(tracer: trace.Tracer, run: AbstractContextManager[Any], use: Any) -> Generator[Any]:
    name = str(getattr(use, "name", "tool"))
    given = json.dumps(getattr(use, "input", None), default=repr, ensure_ascii=False)
    attributes = {semconv.SPAN_KIND: "tool", semconv.TOOL_NAME: name, semconv.INPUT: given}
    with tracer.start_as_current_span(name, attributes=attributes) as span, run as inner:
        token = _tool.set(span)
        try:
            yield inner
        finally:
            _tool.reset(token)
        _tell(span, getattr(inner, "result", None))


def _tell(span: trace.Span, result: Any) -> None:
    """Tell what the tool gave, or how it failed: the model is told so, and the run goes on."""
    if not isinstance(result, dict):
        return
    content: Any = result.get("content")  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] -- the client's
    said = content if isinstance(content, str) else json.dumps(content, default=repr, ensure_ascii=False)
    span.set_attribute(semconv.OUTPUT, said)
    if result.get("is_error"):  # pyright: ignore[reportUnknownMemberType] -- as above
        span.set_status(Status(StatusCode.ERROR, said))
