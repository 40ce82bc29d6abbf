"""What a client's own request knows and no instrumentor asks: retries, request id, status, first chunk.

The generated clients (openai, anthropic, groq) share their request methods. Ours stand around three of
them, and write what they see on the LLM span that is current there. An answer that does not fit what the
program wants of it (structured output that does not parse) is kept with its tokens.
"""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Callable, Mapping
from types import CoroutineType
from typing import Any, Final

from agentops import semconv
from agentops.ambient import CALL, OWN, SPAN, get_current
from agentops.instrument.patches import Patches, found
from agentops.instrument.registry import Library

_CLIENTS: Final = ("SyncAPIClient", "AsyncAPIClient")
_KINDS: Final = ("openinference.span.kind", "gen_ai.operation.name", semconv.SPAN_KIND)
_CALLS: Final = frozenset({"llm", "embedding", "chat", "text_completion", "generate_content", "embeddings"})
"""Kinds of spans that are LLM calls, in any dialect."""
_IDS: Final = {
    name: name.encode() for name in ("x-request-id", "request-id", "x-amzn-requestid", "apim-request-id")
}


_KEYS: Final = frozenset(_IDS.values())


def watch(library: Library, patches: Patches) -> None:
    """Let the LLM spans of a library say how their requests went."""
    if not library.client:
        return
    for name in _CLIENTS:
        client = found(f"{library.client}:{name}")
        if client is None:
            continue
        patches.method(client, "_sleep_for_retry", _retried)
        patches.method(client, "_make_status_error_from_response", _refused)
        patches.method(client, "_process_response", _answered)


def current_call() -> Any:
    """Return the LLM span that is current, or None."""
    context = get_current()
    span: Any = context.get(CALL) or context.get(SPAN)
    if span is None or not span.is_recording():
        # An instrumentor that is kept quiet puts a span there that is none.
        span = context.get(OWN)
        if span is None or not span.is_recording():
            return None
    attributes: Mapping[str, Any] = getattr(span, "attributes", None) or {}
    for name in _KINDS:
        kind = attributes.get(name)
        if kind is not None:
            # Or one of ours around a request that sends many.
            return span if str(kind).lower() in _CALLS or "gen_ai.provider.name" in attributes else None
    return None


def _retried(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    del instance
    try:
        span = current_call()
        if span is not None:
            span.set_attribute(semconv.RETRIES, int(kwargs.get("retries_taken", 0)) + 1)
    except Exception:
        pass  # Not worth a word: only this figure is missing.
    return wrapped(*args, **kwargs)


def _refused(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    del instance
    try:
        _note_response(current_call(), args[0] if args else kwargs.get("response"))
    except Exception:
        pass  # As above.
    return wrapped(*args, **kwargs)


def _answered(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    span: Any = None
    try:
        span = current_call()
        if span is not None and semconv.SPAN_KIND in span.attributes:
            # Recorded by ourselves, who know the callable only.
            span.set_attribute("gen_ai.provider.name", type(instance).__module__.partition(".")[0])
        _note_response(span, kwargs.get("response"))
    except Exception:
        pass  # As above.
    if span is None:
        return wrapped(*args, **kwargs)
    try:
        result = wrapped(*args, **kwargs)
    except Exception:
        _keep(span, kwargs)
        raise
    if type(result) is CoroutineType:
        return _awaited(result, span, kwargs)
    return timed(result, span) if kwargs.get("stream") else result


async def _awaited(result: Any, span: Any, kwargs: dict[str, Any]) -> Any:
    try:
        answer = await result
    except Exception:
        _keep(span, kwargs)
        raise
    return timed(answer, span) if kwargs.get("stream") else answer


def _keep(span: Any, kwargs: dict[str, Any]) -> None:
    """Keep an answer that the client could not make of it what the program asked for: it was paid for."""
    try:
        response = kwargs["response"]
        if kwargs.get("stream") or "json" not in response.headers.get("content-type", ""):
            return
        span.set_attribute("output.value", response.text)
        span.set_attribute("output.mime_type", "application/json")
        usage = response.json().get("usage")
        if usage:
            span.set_attribute("gen_ai.usage.raw", json.dumps(usage))
    except Exception:
        pass  # As above.


def _note_response(span: Any, response: Any) -> None:
    if span is None or response is None:
        return
    span.set_attribute("http.response.status_code", int(response.status_code))
    headers = response.headers
    # httpx goes through all of them, and decodes them, for each that is asked for.
    kept = getattr(headers, "_list", None)
    sent = {key for _, key, _ in kept if key in _KEYS} if kept is not None else _KEYS
    for name, key in _IDS.items() if sent else ():
        value = headers.get(name) if key in sent else None
        if value:
            span.set_attribute(semconv.REQUEST_ID, str(value))
            return


def timed(stream: Any, span: Any) -> Any:
    """Return a client's stream, that notes on the span when its first chunk came, and is as before then."""
    iterator = getattr(stream, "_iterator", None)
    if iterator is not None:
        first = _FirstAsync if hasattr(iterator, "__anext__") else _First
        stream._iterator = first(stream, iterator, span)
    return stream


class _First:
    """A stream's iterator up to its first item."""

    __slots__ = ("iterator", "span", "stream")

    def __init__(self, stream: Any, iterator: Any, span: Any) -> None:
        # Weak: a stream that is dropped must go at once, and its connection with it.
        self.stream = weakref.ref(stream)
        self.iterator = iterator
        self.span = span

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        item = next(self.iterator)
        if self.span is not None:
            self.note()
        return item

    def __getattr__(self, name: str) -> Any:
        return getattr(self.iterator, name)

    def note(self) -> None:
        """Note the moment on the span, and step aside."""
        span: Any = self.span
        self.span = None
        try:
            stream = self.stream()
            if stream is not None and stream._iterator is self:
                stream._iterator = self.iterator
            if semconv.FIRST_TOKEN_NS not in (span.attributes or ()):
                span.set_attribute(semconv.FIRST_TOKEN_NS, max(time.time_ns() - span.start_time, 0))
        except Exception:
            pass  # Only this figure is missing.


class _FirstAsync(_First):
    """An async stream's iterator up to its first item."""

    __slots__ = ()

    def __aiter__(self) -> Any:
        return self

    def __anext__(self) -> Any:
        return self.iterator.__anext__() if self.span is None else self._first()

    async def _first(self) -> Any:
        item = await self.iterator.__anext__()
        if self.span is not None:
            self.note()
        return item
