"""What the instrumentor of Agno leaves out: where a team's run ends, streams left, why tools fail."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import attach, get_current

from agentops.instrument.frameworks.apart import streamed
from agentops.instrument.frameworks.told import tool_failed
from agentops.instrument.patches import Patches

_STREAMS: Final = ("_run_stream", "_arun_stream", "_continue_run_stream", "_acontinue_run_stream")


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Let what follows a team's run stand beside it: its span is left current."""
    del tracer

    def ran(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        del instance
        before = get_current()
        try:
            return wrapped(*args, **kwargs)
        finally:
            attach(before)

    async def ran_async(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        before = get_current()
        try:
            return await wrapped(*args, **kwargs)
        finally:
            attach(before)

    # With which it logs what a tool raised, before it keeps the text alone.
    patches.method(importlib.import_module("agno.tools.function"), "log_exception", tool_failed)
    module = importlib.import_module("agno.team._run")
    for name in ("_run", "_continue_run"):
        patches.method(module, name, ran)
    for name in ("_arun", "_acontinue_run"):
        patches.method(module, name, ran_async)
    for place in ("agno.agent._run", "agno.team._run"):
        module = importlib.import_module(place)
        for name in _STREAMS:
            if hasattr(module, name):
                patches.method(module, name, streamed)
