"""The gate: an LLM call that could belong to any of several sessions is refused before a byte leaves.

It stands in front of the client's own request method, outside any instrumentor: those may swallow what is
raised while they start a span, and the call would be made, paid for, and lost.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from agentops.instrument.registry import Library


def is_call(library: Library, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Say whether a request, `request(cast_to, options, ...)`, is an LLM call."""
    options = args[1] if len(args) > 1 else kwargs.get("options")
    path = str(getattr(options, "url", ""))
    if str(getattr(options, "method", "post")).lower() != "post":
        return False
    return any(part in path for part in library.calls) and not any(part in path for part in library.not_calls)


def guard(library: Library, check: Callable[[], None]) -> None:
    """Let `check` see every LLM call of a library first; what it raises reaches the caller."""
    import wrapt

    def first(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        if is_call(library, args, kwargs):
            check()
        return wrapped(*args, **kwargs)

    for place in library.requests:
        module, _, name = place.partition(":")
        client = getattr(importlib.import_module(module), name, None)
        if client is not None and hasattr(client, "request"):
            wrapt.wrap_function_wrapper(client, "request", first)
