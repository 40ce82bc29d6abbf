"""What the instrumentor of Bedrock leaves out: calls whose body is no JSON, streams' first chunks, models."""

from __future__ import annotations

import functools
import importlib
import inspect
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from opentelemetry import trace

from agentops import semconv
from agentops.instrument import kinds
from agentops.instrument.frameworks import bedrock_claude as claude
from agentops.instrument.frameworks import bedrock_models as models
from agentops.instrument.frameworks.told import PACKAGE
from agentops.instrument.patches import Patches, found

_STREAMS: Final = (
    "bedrock._converse_stream_callback:_ConverseStreamCallback",
    "bedrock._wrappers:_NovaStreamCallback",
    "bedrock._wrappers:_OpenAIStreamCallback",
)
"""What the events of a stream pass."""
_CLAUDE: Final = ("bedrock.utils.anthropic._attributes", "bedrock.utils.anthropic._messages")
"""What tells of Claude's requests and answers; the second holds a function of the first."""


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Record a model that is invoked with what is no JSON as the LLM call that it is, and first chunks."""
    del tracer
    asked: ContextVar[Any] = ContextVar("agentops_bedrock_model", default=None)

    async def awaited(answer: Any, model: Any) -> Any:
        token = asked.set(model)
        try:
            return await answer
        finally:
            asked.reset(token)

    def made(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        client = wrapped(*args, **kwargs)
        if "invoke_model" in vars(client):
            inner = client.invoke_model

            @functools.wraps(inner)
            def invoke_model(*given: Any, **named: Any) -> Any:
                model = named.get("modelId")
                token = asked.set(model)
                try:
                    answer = inner(*given, **named)
                finally:
                    asked.reset(token)
                return awaited(answer, model) if inspect.isawaitable(answer) else answer

            client.invoke_model = invoke_model
        return client

    def read(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        try:
            return wrapped(*args, **kwargs)
        except Exception:
            span, body, model = trace.get_current_span(), args[0], asked.get()
            span.set_attribute(kinds.KIND, "LLM")
            span.set_attribute("llm.provider", "aws")
            if isinstance(body, str | bytes | bytearray):
                text = body if isinstance(body, str) else body.decode("utf-8", "replace")
                span.set_attribute("input.value", text)
            if isinstance(model, str):
                span.set_attribute("llm.model_name", model)
            raise

    for place in _STREAMS:
        patches.method(found(PACKAGE + place), "__call__", _heard)
    _tell_models(patches)
    module = importlib.import_module(PACKAGE + "bedrock")
    patches.method(module, "_instrument_client", made)
    patches.method(module, "parse_invoke_model_body", read)


def _heard(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Note when the first event of a stream came."""
    try:
        span = instance._span
        if isinstance(args[0], dict) and semconv.FIRST_TOKEN_NS not in span.attributes:
            span.set_attribute(semconv.FIRST_TOKEN_NS, max(time.time_ns() - span.start_time, 0))
    except Exception:
        pass  # Only this figure is missing.
    return wrapped(*args, **kwargs)


def _tell_models(patches: Patches) -> None:
    """Tell of the models with forms of their own what they are asked, and say."""
    telling = importlib.import_module(PACKAGE + "bedrock.utils._extract_invoke_model_attributes")
    parse = importlib.import_module(PACKAGE + "bedrock.utils.json_utils").parse_invoke_model_body
    utils = importlib.import_module(PACKAGE + "bedrock.utils")
    asking = found(PACKAGE + "bedrock.utils.anthropic._messages:_AnthropicMessagesCallback")

    def asked(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        span, body, given = args
        model = str(given.get("modelId"))
        if "anthropic_version" in body:  # Also where the model is named by an alias of one's own.
            importlib.import_module(PACKAGE + _CLAUDE[0]).set_input_attributes(span, body, model)
            return
        told = {} if models.is_told(model, body) else models.asked(model, body)
        wrapped(*args, **kwargs)
        span.set_attributes(told)

    def answered(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        span, given, body, _ = args
        wrapped(*args, **kwargs)
        model = str(given.get("modelId"))
        if body.get("type") == "message":
            span.set_attributes(claude.told(body, model))
        elif not models.is_told(model, {}):
            span.set_attributes(models.answered(model, body))

    def opened(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        response, given, span = args
        try:
            model, body = str(given.get("modelId")), parse(given["body"])
            if "anthropic_version" in body:
                known = asking(span, {**given, "body": body})._request_attributes
                said = claude.Message(span, known, model, functools.partial(_finished, span, utils))
                response["body"] = utils._EventStream(response["body"], said, utils._use_span(span))
                return response
            if not models.is_told(model, body):
                span.set_attributes(models.asked(model, body))
                said = models.Chunks(span, functools.partial(_finished, span, utils))
                response["body"] = utils._EventStream(response["body"], said, utils._use_span(span))
                return response
        except Exception:
            pass  # No JSON: the instrumentor knows what to do then.
        return wrapped(*args, **kwargs)

    def said(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del wrapped, instance, kwargs
        span, body = args
        span.set_attributes(claude.told(body, str(span.attributes.get(claude.MODEL))))

    for module in _CLAUDE:
        patches.replace(importlib.import_module(PACKAGE + module), "_get_llm_model_name_from_input", str)
    patches.method(importlib.import_module(PACKAGE + _CLAUDE[0]), "set_response_attributes", said)
    patches.method(telling, "set_input_attributes", asked)
    patches.method(telling, "set_response_attributes", answered)
    stream_class = found(PACKAGE + "bedrock._wrappers:_InvokeModelWithResponseStream")
    patches.method(stream_class, "handle_response", opened)
    patches.method(models.Chunks, "__call__", _heard)
    patches.method(claude.Message, "__call__", _heard)


def _finished(span: Any, utils: Any, ended: BaseException) -> None:
    """End the span of a stream, which came to its end, was closed, or broke."""
    if isinstance(ended, StopIteration | StopAsyncIteration):
        utils._finish(span, None, {}, isinstance(ended, utils._StreamClosed))
    else:
        utils._finish(span, ended, {})
