"""What the instrumentor of AutoGen leaves out: what agents read and said, tools that failed, streams left."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import StatusCode

from agentops.instrument.frameworks.apart import streamed
from agentops.instrument.frameworks.told import PACKAGE, tool_failed
from agentops.instrument.patches import Patches, found
from agentops.instrument.shown import to_json


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell of agents what they were told and answered, of a tool that failed what it said."""
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
    workbench = found("autogen_core.tools._static_workbench:StaticWorkbench")
    patches.method(workbench, "_format_errors", tool_failed)
    team = found(PACKAGE + "autogen_agentchat._wrappers:_BaseGroupChatRunStreamWrapper")
    patches.method(team, "__call__", streamed)
    for name in ("_AssistantAgentOnMessagesStreamWrapper", "_BaseChatAgentOnMessagesStreamWrapper"):
        patches.method(found(PACKAGE + f"autogen_agentchat._wrappers:{name}"), "__call__", _conversed)


def _conversed(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Let the instrumentor run an agent whose messages, in and out, are told on its span."""
    del instance
    original, agent, given, named = args

    @functools.wraps(original)
    async def told(*asked: Any, **more: Any) -> AsyncGenerator[Any]:
        events = original(*asked, **more)
        try:
            _tell("input.value", asked[0] if asked else more.get("messages"))
            async for event in events:
                if hasattr(event, "chat_message"):
                    _tell("output.value", [event.chat_message])
                yield event
        finally:
            await events.aclose()

    return streamed(wrapped, None, (told, agent, given, named), kwargs)


def _tell(key: str, messages: Any) -> None:
    """Tell messages on the agent's span, as a chat."""
    try:
        # Whoever else speaks, an agent hears it as its user.
        role = "user" if key == "input.value" else "assistant"
        said = [{"role": role, "name": str(each.source), "content": each.to_text()} for each in messages]
        if said:
            trace.get_current_span().set_attribute(key, to_json(said))
    except Exception:
        pass  # Then they are as its instrumentor tells them.
