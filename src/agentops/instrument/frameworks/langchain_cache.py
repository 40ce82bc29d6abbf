"""Answers of LangChain's cache: no model was called for them, and they cost nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from agentops.instrument import kinds
from agentops.instrument.patches import Patches, found

_CHATS: Final = "langchain_core.language_models.chat_models:BaseChatModel"
_MOST: Final = 10_000
_asking: Final[ContextVar[Any]] = ContextVar("agentops_langchain_asking", default=None)
"""The run whose answer may be in the cache."""


def complete(tracer_class: Any, patches: Patches) -> None:
    """Tell which runs the cache has answered."""
    answered: set[Any] = set()

    def asked(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        token = _asking.set(_run_id(kwargs))
        try:
            return wrapped(*args, **kwargs)
        finally:
            _asking.reset(token)

    async def asked_async(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        token = _asking.set(_run_id(kwargs))
        try:
            return await wrapped(*args, **kwargs)
        finally:
            _asking.reset(token)

    def found_there(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        run = _asking.get()
        if run is not None:
            if len(answered) > _MOST:
                answered.clear()  # Nobody asks for their ends.
            answered.add(run)
        return wrapped(*args, **kwargs)

    def ended(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        run = kwargs.get("run_id")
        if run in answered:
            answered.discard(run)
            try:
                kinds.fix(instance.get_span(run), "CHAIN")
            except Exception:
                pass  # It is told as its instrumentor tells it.
        return wrapped(*args, **kwargs)

    chats = found(_CHATS)
    if patches.method(chats, "_convert_cached_generations", found_there):
        patches.method(chats, "_generate_with_cache", asked)
        patches.method(chats, "_agenerate_with_cache", asked_async)
        patches.method(tracer_class, "on_llm_end", ended)


def _run_id(kwargs: dict[str, Any]) -> Any:
    return getattr(kwargs.get("run_manager"), "run_id", None)
