"""What the instrumentor of LiteLLM leaves out: answers' ids, first chunks, fallbacks, sound, rankings.

An answer from its cache is no call of a model: nobody was asked, and it costs nothing.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

from opentelemetry import trace

from agentops import semconv
from agentops.instrument import beside, joined, kinds
from agentops.instrument.patches import Patches
from agentops.instrument.registry import BY_MODULE

_FUNCTIONS: Final = BY_MODULE["litellm"].functions
_BESIDE: Final = tuple(
    place for place in _FUNCTIONS if place.endswith(("transcription", "speech", "rerank", "moderation"))
)
_RESPONSES: Final = tuple(place for place in _FUNCTIONS if place.endswith("responses"))
_STREAMS: Final = {"litellm:anthropic_messages": joined.Message}
_CACHED: Final = "cached_response"
"""Whom LiteLLM names as the provider of a stream from its cache."""
_PROVIDERS: Final = {"fireworks_ai": "fireworks", "ollama_chat": "ollama", "together_ai": "together"}
"""LiteLLM's names of providers that others name otherwise."""
_UNTOLD: Final = ("litellm_proxy", "custom", "custom_openai", "openai_like")
"""What LiteLLM names as providers and leads to anybody."""
_STREAMED: Final = dict.fromkeys(_RESPONSES, joined.Response)
"""Of whose streams the instrumentor tells the end alone, and of those of some models nothing."""


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Record what the instrumentor leaves out."""
    beside.record(tracer, patches, _BESIDE, streams=_STREAMS)
    beside.record(tracer, patches, (), streams=_STREAMED, streamed_only=True)
    module = importlib.import_module("openinference.instrumentation.litellm")

    def counted(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        wrapped(*args, **kwargs)
        span, answer = args
        details = getattr(getattr(answer, "usage", None), "prompt_tokens_details", None)
        written = getattr(details, "cache_creation_token_details", None)
        hour = getattr(written, "ephemeral_1h_input_tokens", None)
        if hour:
            span.set_attribute("gen_ai.usage.cache_creation.ephemeral_1h_input_tokens", hour)

    def answered(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        wrapped(*args, **kwargs)
        _identify(*args)
        _tell_cached(*args)

    def streamed(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance, kwargs
        span, stream = args
        _tell_cached(span, stream)
        return wrapped(span, _noting(span, stream))

    def streamed_async(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance, kwargs
        span, stream = args
        _tell_cached(span, stream)
        return wrapped(span, _noting_async(span, stream))

    def begun(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        span, asked = args
        if asked.get("fallbacks"):
            kinds.fix(span, "CHAIN")  # Of the calls that it makes, one after the other, each is one.
        return wrapped(*args, **kwargs)

    def served(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        return wrapped(*args, **kwargs) or _provider(*args, **kwargs)

    patches.method(module, "_get_oi_provider_from_litellm_model_name", served)
    patches.method(module, "_instrument_func_type_completion", begun)
    patches.method(module, "_set_token_counts_from_usage", counted)
    patches.method(module, "_finalize_span", answered)
    patches.method(module, "_finalize_sync_streaming_span", streamed)
    patches.method(module, "_finalize_streaming_span", streamed_async)


def _provider(model_name: str) -> str | None:
    """Return whom LiteLLM asks for a model that its instrumentor names no provider of."""
    try:
        asked: str = importlib.import_module("litellm").get_llm_provider(model=model_name)[1]
    except Exception:
        return None  # LiteLLM does not know, and says so to the program.
    return None if asked in _UNTOLD else _PROVIDERS.get(asked, asked)


def _tell_cached(span: Any, answer: Any) -> None:
    """Tell of an answer, or a stream, that the cache has it."""
    try:
        told: Any = getattr(answer, "_hidden_params", None) or {}
        if told.get("cache_hit") is True or getattr(answer, "custom_llm_provider", "") == _CACHED:
            kinds.fix(span, "CHAIN")
            span.set_attribute("llm.cost.total", 0.0)
    except Exception:
        pass  # It is told as its instrumentor tells it.


def _identify(span: Any, answer: Any) -> None:
    identity = getattr(answer, "id", None)
    if isinstance(identity, str) and identity:
        span.set_attribute("gen_ai.response.id", identity)


def _first(span: Any, chunk: Any) -> None:
    """Note the first chunk of a stream."""
    try:
        span.set_attribute(semconv.FIRST_TOKEN_NS, max(time.time_ns() - span.start_time, 0))
        _identify(span, chunk)
    except Exception:
        pass  # Only this figure is missing.


def _noting(span: Any, stream: Iterator[Any]) -> Iterator[Any]:
    first = True
    for chunk in stream:
        if first:
            _first(span, chunk)
            first = False
        yield chunk


async def _noting_async(span: Any, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
    first = True
    async for chunk in stream:
        if first:
            _first(span, chunk)
            first = False
        yield chunk
