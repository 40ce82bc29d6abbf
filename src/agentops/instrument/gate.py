"""The gate: an LLM call that could belong to any of several sessions is refused before a byte leaves.

It stands in front of the client's own request method, outside any instrumentor: those may swallow what is
raised while they start a span, and the call would be made, paid for, and lost. Requests that are no LLM call
(lists of models, uploads of files) pass, and are kept from the instrumentors, which would show each as one.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from agentops.instrument.patches import Around, Patches, found
from agentops.instrument.registry import Library

quiet: Final[ContextVar[bool]] = ContextVar("agentops_no_llm_call", default=False)
"""True while a client makes a request that is no LLM call."""

_DECORATED: Final = "original_function"
"""What litellm's decorator calls the function that it decorates."""
# Where instrumentors take the place of a client's `request` themselves: outside of that.
_OUTER: Final = ("OpenAI", "AsyncOpenAI")


def is_call(library: Library, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Say whether a request, `request(cast_to, options, ...)`, is an LLM call."""
    options = args[1] if len(args) > 1 else kwargs.get("options")
    if str(getattr(options, "method", "post")).lower() != "post":
        return False
    return _is_calls(library.calls, library.not_calls, str(getattr(options, "url", "")))


@functools.lru_cache(maxsize=256)
def _is_calls(parts: tuple[str, ...], none_of: tuple[str, ...], path: str) -> bool:
    return any(part in path for part in parts) and not any(part in path for part in none_of)


def guard(library: Library, check: Callable[[], None], patches: Patches) -> None:
    """Let `check` see every LLM call of a library first; what it raises reaches the caller."""
    if library.client:
        _guard_client(library, check, patches)
    for place in library.functions:
        patches.method(_module(place), place.partition(":")[2], _first(check))
    for place in library.connections:
        patches.later(place, _first(check))


def guard_imported(library: Library, check: Callable[[], None], patches: Patches) -> None:
    """Do the same for functions that the program imported by name, before anything takes their place."""
    for place in library.functions:
        patches.inner(found(place), _DECORATED, _first(check))


def _first(check: Callable[[], None]) -> Around:
    def first(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        check()
        return wrapped(*args, **kwargs)

    return first


def _guard_client(library: Library, check: Callable[[], None], patches: Patches) -> None:
    def first(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        if is_call(library, args, kwargs):
            check()
            return wrapped(*args, **kwargs)
        return aside(wrapped, None, args, kwargs)

    outer = [found(f"{library.module}:{name}") for name in _OUTER]
    if library.module != "openai" or None in outer:
        outer = [found(f"{library.client}:{name}") for name in ("SyncAPIClient", "AsyncAPIClient")]
    for client in outer:
        if client is not None:
            patches.method(client, "request", first)


def aside(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Make a request that is no LLM call: no instrumentor's span of it is recorded."""
    del instance
    if inspect.iscoroutinefunction(wrapped):
        return _quietly(wrapped, args, kwargs)
    token = quiet.set(True)
    try:
        return wrapped(*args, **kwargs)
    finally:
        quiet.reset(token)


async def _quietly(wrapped: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    token = quiet.set(True)
    try:
        return await wrapped(*args, **kwargs)
    finally:
        quiet.reset(token)


def _module(place: str) -> Any:
    return importlib.import_module(place.partition(":")[0])
