"""What the instrumentor of the Model Context Protocol leaves out: the tools that a client calls."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from agentops import semconv
from agentops.instrument.frameworks.told import tool_span
from agentops.instrument.patches import Patches
from agentops.instrument.shown import to_json


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Record the tools that a client of MCP calls, wherever they run."""

    async def called(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        name = args[0] if args else kwargs.get("name")
        arguments = args[1] if len(args) > 1 else kwargs.get("arguments")
        with tool_span(tracer, str(name), arguments) as span:
            result = await wrapped(*args, **kwargs)
            span.set_attribute(semconv.OUTPUT, to_json(_content(result)))
            if getattr(result, "is_error", None) or getattr(result, "isError", None):
                span.set_status(Status(StatusCode.ERROR, str(_content(result))))
            return result

    patches.method(importlib.import_module("mcp").ClientSession, "call_tool", called)


def _content(result: Any) -> Any:
    """Return what an MCP tool answered: the text, when it is one text."""
    content = getattr(result, "content", result)
    if isinstance(content, list) and len(content) == 1 and hasattr(content[0], "text"):  # pyright: ignore[reportUnknownArgumentType] -- the program's
        return content[0].text  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] -- as above
    return content  # pyright: ignore[reportUnknownVariableType] -- as above
