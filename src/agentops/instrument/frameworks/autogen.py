"""What the instrumentor of AutoGen leaves out: what a tool that failed said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import StatusCode

from agentops.instrument.frameworks.told import PACKAGE
from agentops.instrument.patches import Patches, found


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell of a tool that failed what it said."""
    del tracer

    async def executed(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        original = args[0]

        async def told(*given: Any, **named: Any) -> Any:
            result = await original(*given, **named)
            try:
                if result[1].is_error:
                    trace.get_current_span().set_status(StatusCode.ERROR, str(result[1].content))
            except Exception:
                pass  # Then its instrumentor says that it failed.
            return result

        return await wrapped(told, *args[1:], **kwargs)

    wrapper = found(PACKAGE + "autogen_agentchat._wrappers:_AssistantAgentExecuteToolCallWrapper")
    patches.method(wrapper, "__call__", executed)
