"""What the instrumentor of anthropic leaves out: requests of `messages.stream`, raw responses, and batches.

`messages.stream` sends its request only when its block is entered: its event begins there, and its span is
current, so that the request is seen to be its own. A batch is recorded as the operation that sends it, and
each of its results, when the program reads them, as the LLM call that it is: with its message, its tokens,
and who asked for it (`custom_id`). A result that is read twice counts once, by its message's id.

Counting tokens is no LLM call. A stream that is dropped has no output tokens: those that it began with are
no count of what came.
"""

from __future__ import annotations

import importlib
import inspect
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from agentops import semconv
from agentops.ambient import attach_context, get_current, leave, making
from agentops.instrument import claude_tools, gate, gist, messages
from agentops.instrument.gathered import patient
from agentops.instrument.patches import Patches, found
from agentops.instrument.shown import to_json
from agentops.instrument.tee import Read, Tee, server_sent

_WRAPPERS: Final = "openinference.instrumentation.anthropic._wrappers"
_MANAGERS: Final = _WRAPPERS + ":"
_BATCHES: Final = "anthropic.resources.messages.batches:"
_BETA_BATCHES: Final = "anthropic.resources.beta.messages.batches:"


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Record what the instrumentor leaves out."""
    for name in ("_MessageStreamManager", "_BetaMessageStreamManager"):
        patches.method(found(_MANAGERS + name), "__enter__", _entered)
        patches.method(found(_MANAGERS + name), "__exit__", _left)
    for name in ("_AsyncMessageStreamManager", "_BetaAsyncMessageStreamManager"):
        patches.method(found(_MANAGERS + name), "__aenter__", _entered_async)
        patches.method(found(_MANAGERS + name), "__aexit__", _left)
    for place in ("anthropic.resources.messages:", "anthropic.resources.beta.messages:"):
        patches.method(found(place + "Messages"), "count_tokens", gate.aside)
        patches.method(found(place + "AsyncMessages"), "count_tokens", gate.aside)
    wrappers = importlib.import_module(_WRAPPERS)
    messages.take(wrappers, patches)
    patches.method(wrappers, "_finish_api_response_tracing", _read_later)
    patches.method(wrappers, "_async_finish_api_response_tracing", _read_later_async)
    streams = importlib.import_module("openinference.instrumentation.anthropic._stream")
    patches.replace(streams, "_MessageResponseAccumulator", patient(streams._MessageResponseAccumulator))
    extractor = found("openinference.instrumentation.anthropic._stream:_MessageExtractor")
    patches.method(extractor, "get_attributes", _without_provisional)
    stream = found("openinference.instrumentation.anthropic._stream:_MessagesStream")
    patches.replace(stream, "__next__", _next)
    patches.replace(stream, "__anext__", _anext)
    patches.replace(stream, "__aiter__", _aiter)
    inner = found("openinference.instrumentation.anthropic._stream:_RawStreamInterceptor")
    patches.replace(inner, "close", _closed)
    patches.replace(inner, "__del__", _dropped)
    claude_tools.complete(tracer, patches)
    batches = _Batches(tracer)
    for place in (_BATCHES, _BETA_BATCHES):
        patches.method(found(place + "Batches"), "create", batches.created)
        patches.method(found(place + "AsyncBatches"), "create", batches.created_async)
        patches.method(found(place + "Batches"), "results", batches.read)
        patches.method(found(place + "AsyncBatches"), "results", batches.read_async)


def _begun(manager: Any) -> Any:
    """Return the span of a manager's request, begun now that it is sent."""
    call = getattr(manager, "_self_with_span", None)
    if isinstance(call, messages.Unsent):
        call = manager._self_with_span = call.begun()
    return getattr(call, "_span", None)


def _entered(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    span = _begun(instance)
    if span is None:
        return wrapped(*args, **kwargs)
    token = attach_context(making(get_current(), span))
    try:
        return wrapped(*args, **kwargs)
    finally:
        leave(token)


async def _entered_async(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    span = _begun(instance)
    if span is None:
        return await wrapped(*args, **kwargs)
    token = attach_context(making(get_current(), span))
    try:
        return await wrapped(*args, **kwargs)
    finally:
        leave(token)


def _left(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Let the exception that ended the block end the event too."""
    error = args[1] if len(args) > 1 else None
    span = getattr(instance, "_self_with_span", None)
    if isinstance(error, BaseException) and not isinstance(error, GeneratorExit) and span is not None:
        span.record_exception(error)
        span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
    return wrapped(*args, **kwargs)


def _next(stream: Any) -> Any:
    """Take one event of a stream as `next(stream)` does, which the instrumentor's proxy has no word for."""
    try:
        event = next(stream.__wrapped__)
    except BaseException as error:
        _ended(stream, error)
        raise
    stream._response_accumulator.process_chunk(event)
    return event


async def _anext(stream: Any) -> Any:
    try:
        event = await anext(stream.__wrapped__)
    except BaseException as error:
        _ended(stream, error)
        raise
    stream._response_accumulator.process_chunk(event)
    return event


async def _aiter(stream: Any) -> AsyncIterator[Any]:
    """Iterate, so that only what fails in the stream is its error, not how its reader leaves it."""
    while True:
        try:
            event = await _anext(stream)
        except StopAsyncIteration:
            return
        yield event


def _ended(stream: Any, error: BaseException) -> None:
    if isinstance(error, StopIteration | StopAsyncIteration):
        stream._finish_tracing(status=Status(StatusCode.OK))
        return
    stream._with_span.record_exception(error)
    stream._finish_tracing(status=Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))


def _closed(stream: Any) -> Any:
    """Close the stream below a helper's, whose block may never be left, and end its event."""
    result = stream.__wrapped__.close()
    if inspect.iscoroutine(result):
        return _closed_async(stream, result)
    stream._finish_tracing()
    return result


async def _closed_async(stream: Any, closing: Any) -> Any:
    result = await closing
    stream._finish_tracing()
    return result


def _dropped(stream: Any) -> None:
    try:
        stream._finish_tracing()
    except BaseException:
        pass  # Nobody is there to be told.


def _without_provisional(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    ended = getattr(instance._snapshot, "stop_reason", None) is not None
    for key, value in wrapped(*args, **kwargs):
        if ended or key not in ("llm.token_count.completion", "llm.token_count.total"):
            yield key, value


def _read_later(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if not _tee(args, kwargs):
        return wrapped(*args, **kwargs)
    return None


async def _read_later_async(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if not _tee(args, kwargs):
        await wrapped(*args, **kwargs)


def _tee(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Record a raw response when the program has read it; say whether it is one that it has yet to read."""
    span, response = args[0], args[1]
    if "finish" in kwargs or response.is_closed:
        return False
    beta = "beta" in str(getattr(response, "_cast_to", ""))

    def first() -> None:
        if kwargs.get("streaming"):
            inner = span._span
            inner.set_attribute(semconv.FIRST_TOKEN_NS, max(time.time_ns() - inner.start_time, 0))

    def over(read: Read) -> None:
        try:
            status = Status(StatusCode.OK)
            if read.error is not None:
                status = Status(StatusCode.ERROR, f"{type(read.error).__name__}: {read.error}")
                span.record_exception(read.error)
                span.set_status(status)
            _told(span, response, read, beta, status)
        finally:
            span.finish_tracing()

    Tee(response.http_response, first, over)
    return True


def _told(span: Any, response: Any, read: Read, beta: bool, status: Status) -> None:
    """End the span of a raw response with the message that was read."""
    if read.length and not read.text:
        span.finish_tracing(status, gist.attributes(read.known, read.content_type, read.length))
    if not read.text:
        return
    construct = importlib.import_module("anthropic._models").construct_type
    streams = importlib.import_module("openinference.instrumentation.anthropic._stream")
    if read.content_type != "text/event-stream":
        message = construct(value=json.loads(read.text), type_=found("anthropic.types:Message"))
        importlib.import_module(_WRAPPERS)._finish_message_tracing(span, message)
        return
    accumulator = streams._MessageResponseAccumulator(
        is_beta=beta, request_headers=response.http_response.request.headers
    )
    event = found(
        "anthropic.types.beta:BetaRawMessageStreamEvent" if beta else "anthropic.types:RawMessageStreamEvent"
    )
    for each in server_sent(read.text):
        accumulator.process_chunk(construct(value=json.loads(each), type_=event))
    told = streams._MessageExtractor(
        accumulator._result(),
        context_metadata=span.context_metadata,
        config=span.config,
        request_messages=span.request_messages,
    )
    streams._finish_tracing(with_span=span, has_attributes=told, status=status)


class _Batches:
    """Records batches and their results."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    def created(
        self, wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Record the sending of a batch."""
        del instance
        with self._sending(kwargs) as span:
            made = wrapped(*args, **kwargs)
            span.set_attribute(semconv.OUTPUT, to_json(made))
            return made

    async def created_async(
        self, wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Record the sending of a batch."""
        del instance
        with self._sending(kwargs) as span:
            made = await wrapped(*args, **kwargs)
            span.set_attribute(semconv.OUTPUT, to_json(made))
            return made

    def _sending(self, kwargs: dict[str, Any]) -> Any:
        asked = kwargs.get("requests")
        attributes = {
            semconv.SPAN_KIND: "operation",
            "gen_ai.provider.name": "anthropic",
            semconv.INPUT: to_json(asked),
        }
        return self._tracer.start_as_current_span("messages.batches.create", attributes=attributes)

    def read(
        self, wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Record the results of a batch as the program reads them."""
        del instance
        decoder = wrapped(*args, **kwargs)
        if hasattr(decoder, "_iterator"):
            decoder._iterator = self._told(decoder._iterator)
        return decoder

    async def read_async(
        self, wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Record the results of a batch as the program reads them."""
        del instance
        decoder = await wrapped(*args, **kwargs)
        if hasattr(decoder, "_iterator"):
            decoder._iterator = self._told_async(decoder._iterator)
        return decoder

    def _told(self, results: Iterator[Any]) -> Iterator[Any]:
        for result in results:
            self._record(result)
            yield result

    async def _told_async(self, results: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for result in results:
            self._record(result)
            yield result

    def _record(self, answer: Any) -> None:
        try:
            kind = getattr(answer.result, "type", "")
            if kind not in ("succeeded", "errored"):
                return  # Canceled or expired: no call was made.
            attributes = _call(answer, getattr(answer.result, "message", None))
            span = self._tracer.start_span("messages.batches.results", attributes=attributes)
            if kind == "errored":
                error = getattr(answer.result.error, "error", answer.result.error)
                span.set_attribute("error.type", str(getattr(error, "type", "error")))
                span.set_status(Status(StatusCode.ERROR, str(getattr(error, "message", error))))
            span.end()
        except Exception:
            pass  # The program's own reading goes on, whatever a result looks like.


def _call(answer: Any, message: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "anthropic.batch.custom_id": str(answer.custom_id),
        "gen_ai.response.service_tier": "batch",
    }
    if message is None:
        return attributes
    attributes["gen_ai.response.id"] = message.id
    attributes["gen_ai.response.model"] = str(message.model)
    attributes["gen_ai.response.finish_reasons"] = [str(message.stop_reason)]
    said = [{"role": "assistant", "content": [_plain(block) for block in message.content]}]
    attributes["gen_ai.output.messages"] = to_json(said)
    usage = message.usage
    read, written = usage.cache_read_input_tokens, usage.cache_creation_input_tokens
    # OpenTelemetry's figure includes the cached tokens, Anthropic's does not.
    attributes["gen_ai.usage.input_tokens"] = usage.input_tokens + (read or 0) + (written or 0)
    attributes["gen_ai.usage.output_tokens"] = usage.output_tokens
    if read is not None:
        attributes["gen_ai.usage.cache_read.input_tokens"] = read
    if written is not None:
        attributes["gen_ai.usage.cache_creation.input_tokens"] = written
    hour = getattr(getattr(usage, "cache_creation", None), "ephemeral_1h_input_tokens", None)
    if hour:
        attributes["gen_ai.usage.cache_creation.ephemeral_1h_input_tokens"] = hour
    searches = getattr(getattr(usage, "server_tool_use", None), "web_search_requests", None)
    if searches:
        attributes["anthropic.usage.server_tool_use.web_search_requests"] = searches
    return attributes


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value
