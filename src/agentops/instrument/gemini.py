"""What the instrumentor of google-genai leaves out: that one call with Python functions makes many requests.

The client asks, calls the function that the model wants, and asks again. The whole is recorded as an
operation; in it each request is an LLM call, with its own tokens, and each function a tool. Streams are read
in `gemini_streams`. Answers are told with their ids.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Final, cast

from opentelemetry import trace

from agentops import semconv
from agentops.ambient import get_current
from agentops.instrument import beside, gemini_live
from agentops.instrument import gemini_streams as streams
from agentops.instrument.chat import to_json
from agentops.instrument.gathered import compact
from agentops.instrument.patches import Patches, found

_WRAPPERS: Final = "openinference.instrumentation.google_genai._wrappers"
_STREAM: Final = "openinference.instrumentation.google_genai._stream"
_EMBEDDINGS: Final = (
    "openinference.instrumentation.google_genai._embedding_attributes_extractor"
    ":_EmbeddingResponseAttributesExtractor"
)
_PAINTERS: Final = tuple(
    f"google.genai.models:{models}.{name}"
    for models in ("Models", "AsyncModels")
    for name in ("generate_images", "edit_image", "upscale_image", "generate_videos")
)
_looping: Final[ContextVar[Any]] = ContextVar("agentops_gemini_loop", default=None)
"""The instrumentor's wrapper that is to record each request, while such a call is made."""


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Record each request, and each function that is called between two."""
    wrappers = importlib.import_module(_WRAPPERS)
    models = importlib.import_module("google.genai.models")
    helpers = importlib.import_module("google.genai._extra_utils")

    def asked(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        call, client, given, named = args
        if _looping.get() is not None or not _calls_functions(helpers, named.get("config")):
            return wrapped(*args, **kwargs)
        del client
        with _whole(tracer, named, instance) as span:
            answer = call(*given, **named)
            span.set_attribute(semconv.OUTPUT, to_json(_text(answer)))
            return answer

    async def asked_async(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        call, client, given, named = args
        if _looping.get() is not None or not _calls_functions(helpers, named.get("config")):
            return await wrapped(*args, **kwargs)
        del client
        with _whole(tracer, named, instance) as span:
            answer = await call(*given, **named)
            span.set_attribute(semconv.OUTPUT, to_json(_text(answer)))
            return answer

    def requested(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        wrapper = _looping.get()
        return wrapped(*args, **kwargs) if wrapper is None else wrapper(wrapped, instance, args, kwargs)

    def identified(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Iterator[tuple[str, Any]]:
        del instance
        yield from wrapped(*args, **kwargs)
        identity = getattr(args[0] if args else kwargs.get("response"), "response_id", None)
        if isinstance(identity, str):
            yield streams.RESPONSE_ID, identity

    def called(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        with _function(tracer, args) as span:
            result = wrapped(*args, **kwargs)
            span.set_attribute(semconv.OUTPUT, to_json(result))
            return result

    async def called_async(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        with _function(tracer, args) as span:
            result = await wrapped(*args, **kwargs)
            span.set_attribute(semconv.OUTPUT, to_json(result))
            return result

    stream = importlib.import_module(_STREAM)
    patches.replace(stream, "_StringAccumulator", compact(stream._StringAccumulator))
    embeddings = found(_EMBEDDINGS)
    patches.method(embeddings, "get_attributes", _counted)
    patches.method(wrappers._SyncGenerateContent, "__call__", asked)
    patches.method(wrappers._AsyncGenerateContentWrapper, "__call__", asked_async)
    patches.method(wrappers._ResponseAttributesExtractor, "get_attributes", identified)
    patches.method(models.Models, "_generate_content", requested)
    patches.method(models.AsyncModels, "_generate_content", requested)
    _complete_streams(tracer, patches)
    gemini_live.complete(tracer, patches)
    beside.record(tracer, patches, _PAINTERS, "google")
    patches.method(helpers, "invoke_function_from_dict_args", called)
    patches.method(helpers, "invoke_function_from_dict_args_async", called_async)


def _counted(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Tell the tokens of embeddings: of all together, or of each."""
    del instance
    yield from wrapped(*args, **kwargs)
    try:
        response: Any = args[0] if args else kwargs["response"]
        counted = getattr(getattr(response, "usage_metadata", None), "prompt_token_count", None)
        if counted is None:
            counted = sum(each.statistics.token_count for each in response.embeddings)
    except Exception:
        return  # They are not known.
    yield "llm.token_count.prompt", int(counted)


def _complete_streams(tracer: trace.Tracer, patches: Patches) -> None:
    wrappers = importlib.import_module(_WRAPPERS)
    models = importlib.import_module("google.genai.models")
    helpers = importlib.import_module("google.genai._extra_utils")

    def begun(asked: dict[str, Any], where: Any, wrapper: Any) -> streams.Whole:
        attributes = {semconv.SPAN_KIND: "operation", semconv.INPUT: to_json(asked.get("contents"))}
        span = tracer.start_span("GenerateContentStream", where, attributes=attributes)
        return streams.Whole(span, wrapper, _looping, where)

    def streamed(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        call, client, given, named = args
        where = get_current()
        if _looping.get() is not None:
            return wrapped(*args, **kwargs)
        if not _calls_functions(helpers, named.get("config")):
            return streams.one(lambda: wrapped(*args, **kwargs), where)
        del client
        return streams.lazily(lambda: begun(named, where, instance), lambda: call(*given, **named))

    async def streamed_async(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        call, client, given, named = args
        where = get_current()
        if _looping.get() is not None:
            return await wrapped(*args, **kwargs)
        if not _calls_functions(helpers, named.get("config")):
            return streams.one_async(lambda: wrapped(*args, **kwargs), where)
        del client
        chunks = await call(*given, **named)
        return streams.lazily_async(lambda: begun(named, where, instance), chunks)

    def requested(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        wrapper = _looping.get()
        if wrapper is None:
            return wrapped(*args, **kwargs)
        return streams.noted(wrapper(wrapped, instance, args, kwargs))

    async def requested_async(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        wrapper = _looping.get()
        if wrapper is None:
            return await wrapped(*args, **kwargs)
        return streams.noted_async(await wrapper(wrapped, instance, args, kwargs))

    patches.method(wrappers._SyncGenerateContentStream, "__call__", streamed)
    patches.method(wrappers._AsyncGenerateContentStream, "__call__", streamed_async)
    patches.method(models.Models, "_generate_content_stream", requested)
    patches.method(models.AsyncModels, "_generate_content_stream", requested_async)


def _calls_functions(helpers: Any, config: Any) -> bool:
    """Say whether a call will call functions of the program by itself."""
    if not config:
        return False
    try:
        if helpers.should_disable_afc(config):
            return False
        tools = cast("Any", config).get("tools") if isinstance(config, dict) else config.tools
        return any(callable(each) for each in tools or ())
    except Exception:  # A configuration that the client itself will refuse, or another version's.
        return False


@contextmanager
def _within(span: AbstractContextManager[trace.Span], wrapper: Any) -> Generator[trace.Span]:
    """Be in a span, with the wrapper that is to record each request in it; None for as usual."""
    with span as entered:
        token = _looping.set(wrapper)
        try:
            yield entered
        finally:
            _looping.reset(token)


def _whole(tracer: trace.Tracer, asked: dict[str, Any], wrapper: Any) -> AbstractContextManager[trace.Span]:
    attributes = {semconv.SPAN_KIND: "operation", semconv.INPUT: to_json(asked.get("contents"))}
    return _within(tracer.start_as_current_span("GenerateContent", attributes=attributes), wrapper)


def _function(tracer: trace.Tracer, args: tuple[Any, ...]) -> AbstractContextManager[trace.Span]:
    arguments, function = args[0], args[1]
    name = str(getattr(function, "__name__", type(function).__name__))
    attributes = {
        semconv.SPAN_KIND: "tool",
        semconv.TOOL_NAME: name,
        semconv.INPUT: to_json(arguments),
    }
    return _within(tracer.start_as_current_span(name, attributes=attributes), None)


def _text(answer: Any) -> Any:
    try:
        return answer.text
    except Exception:  # The property raises for answers without text.
        return None
