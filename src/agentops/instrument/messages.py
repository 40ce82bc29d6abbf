"""Calls of Claude, recorded straight: what the instrumentor of anthropic says of each, in fewer steps.

As `straight` does for openai: the common case is written out, a request of plain texts and an answer of
texts. What else is in one is left to the instrumentor's own ways.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, Final, cast

import msgspec
from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY as _SUPPRESSED,  # pyright: ignore[reportPrivateUsage] -- all instrumentors ask it
)
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Status, StatusCode

from agentops.ambient import attach_context, get_current, leave, making
from agentops.instrument import chat, lean, straight
from agentops.instrument.patches import Patches, found

_OWN_SPAN: Final = "start_api_call_span"
"""The function with which the client begins a span of its own."""
_NOTHING: Final = nullcontext[Any](())
_TEXT: Final = frozenset({"role", "content"})
_SCALARS: Final = frozenset({str, int, float, bool})
_APART: Final = ("extra_headers", "output_format")
"""What is no parameter of the model's."""
_PERHAPS: Final = frozenset({"extra_query", "extra_body"})
"""What is left out when it is None."""
_OF_MESSAGES: Final = frozenset(
    {"id", "content", "model", "role", "stop_reason", "stop_sequence", "type", "usage"}
)
"""What every message has."""
_PERHAPS_TEXT: Final = (str, type(None))
_type: Final = cast("Callable[[Any], Any]", type)
"""`type`, of which nothing is known: a request may hold anything."""
_strict: Final = msgspec.json.Encoder().encode


def take(wrappers: Any, patches: Patches) -> None:
    """Take the place of how calls are recorded in `wrappers`, the module of the instrumentor."""
    calls = _Calls(wrappers)
    plain, asynchronous = wrappers._MessagesWrapper, wrappers._AsyncMessagesWrapper
    patches.replace(plain, "__call__", calls.sync(plain.__call__))
    patches.replace(asynchronous, "__call__", calls.asynchronous(asynchronous.__call__))
    patches.replace(wrappers._WithTracer, "_start_as_current_span", calls.started())
    content = importlib.import_module(wrappers.__package__ + "._content")
    patches.replace(content, "_get_response_metadata", _metadata(content._get_response_metadata))
    straight.quick_json(wrappers.__package__, ("._wrappers", "._content", "._utils"), patches)
    straight.finish_once(wrappers.__package__, patches)
    client: Any = importlib.import_module("anthropic._base_client")
    trace = getattr(client, _OWN_SPAN, None)
    if trace is not None:
        patches.replace(client, _OWN_SPAN, _unless_repeated(trace))


def _unless_repeated(trace: Callable[..., Any]) -> Callable[..., Any]:
    """Return what begins the client's own span of a call, and gathers nothing for one that is left out."""

    def begun(tracer: Any, *args: Any, **kwargs: Any) -> Any:
        # Made before our provider was there, a tracer is a proxy of ours.
        silenced = getattr(getattr(tracer, "_real_tracer", None) or tracer, "silenced", None)
        if silenced is not None and silenced():
            return None
        return trace(tracer, *args, **kwargs)

    return begun


class _Calls:
    """How requests are recorded."""

    def __init__(self, wrappers: Any) -> None:
        self._wrappers = wrappers
        self._make = straight.call_class(wrappers._WithSpan, "_params")
        self._message = found("anthropic.types:Message")

    def sync(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Return what takes the place of the wrapper of `Messages.create`."""

        def create(asker: Any, wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
            where = get_current()
            call = self._begun(asker, instance, kwargs, where)
            if call is None:
                return original(asker, wrapped, instance, args, kwargs)
            token = attach_context(making(where, call._span))
            try:
                with call._params:
                    response = wrapped(*args, **kwargs)
            except BaseException as error:
                _failed(call, error)
                raise
            finally:
                leave(token)
            if type(response) is not self._message and self._wrappers._is_api_response(response):
                self._wrappers._finish_api_response_tracing(
                    call, response, streaming=kwargs.get("stream", False)
                )
                return response
            return self._answered(asker, call, response, kwargs)

        return create

    def asynchronous(self, original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Return what takes the place of the wrapper of `AsyncMessages.create`."""

        async def create(
            asker: Any, wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any
        ) -> Any:
            where = get_current()
            call = self._begun(asker, instance, kwargs, where)
            if call is None:
                return await original(asker, wrapped, instance, args, kwargs)
            token = attach_context(making(where, call._span))
            try:
                with call._params:
                    response = await wrapped(*args, **kwargs)
            except BaseException as error:
                _failed(call, error)
                raise
            finally:
                leave(token)
            if type(response) is not self._message and self._wrappers._is_api_response(response):
                await self._wrappers._async_finish_api_response_tracing(
                    call, response, streaming=kwargs.get("stream", False)
                )
                return response
            return self._answered(asker, call, response, kwargs)

        return create

    def _begun(self, asker: Any, instance: Any, given: Mapping[str, Any], where: Context) -> Any:
        """Begin the event of a request; return None to leave it to the instrumentor's own wrapper."""
        try:
            if not asker._active or where.get(_SUPPRESSED):
                return None
            known = {
                "llm.provider": self._provider(instance),
                "llm.system": "anthropic",
                "openinference.span.kind": "LLM",
            }
            value = request_json(given)
            if value is None:
                known.update(self._wrappers._get_inputs(given))
            else:
                known["input.value"] = value
                known["input.mime_type"] = "application/json"
            theirs = asker._get_attributes_from_request

            def tell(params: Mapping[str, Any]) -> Any:
                plain = asked(params)
                return theirs(params) if plain is None else iter(plain.items())

            return self._call(asker, known, self._wrappers._Params(given, get_attributes=tell), where)
        except Exception:  # Another version of the instrumentor: it records the call itself.
            return None

    def _call(self, asker: Any, known: dict[str, Any], params: Any, where: Context) -> Any:
        """Begin an event of which `known` is known; return None when it is to be told otherwise."""
        tracer = asker._tracer
        config = tracer._self_config
        if config.enable_genai_semconv:
            return None
        known.update(lean.told_by(where))
        if type(model := getattr(params, "_kwargs", {}).get("model")) is str:
            known[straight.MODEL] = model
        span = tracer.__wrapped__.start_span(
            asker._span_name, where, attributes=lean.shown_first(config, known)
        )
        call = self._make(span, params, context_metadata=known.get("metadata"), config=asker._config)
        call.masks, call.tell, call.first_ns = config, None, 0
        return call

    def _begun_late(self, asker: Any, known: dict[str, Any], params: Any, where: Context) -> Any:
        """Begin the event of a request that is about to be sent; never raises."""
        try:
            return self._call(asker, known, params, where)
        except Exception:
            call = self._make(INVALID_SPAN, params)
            call.masks, call.tell, call.first_ns = None, None, 0
            return call

    def _provider(self, instance: Any) -> str:
        return _provider_of(self._wrappers._get_llm_provider, instance._client.__class__, instance)

    def _answered(self, asker: Any, call: Any, response: Any, given: Mapping[str, Any]) -> Any:
        wrappers = self._wrappers
        if given.get("stream", False):
            return wrappers._MessagesStream(response, call, is_beta=asker._span_name.startswith("beta."))
        told: dict[str, Any] | None = None
        try:
            if type(response) is self._message and call.context_metadata is None:
                told = answered(response, call.request_messages, wrappers._get_token_counts)
        except Exception:
            told = None
        if told is None:
            wrappers._finish_message_tracing(call, response)
        else:
            call.finish_tracing(straight.OK, told)
        return response

    def started(self) -> Callable[..., Any]:
        """Return what takes the place of how the other wrappers begin their spans."""
        original = self._wrappers._WithTracer._start_as_current_span
        streams = (self._wrappers._MessagesStreamWrapper, self._wrappers._AsyncMessagesStreamWrapper)

        @contextmanager
        def started(
            asker: Any, attributes: dict[str, Any] | None = None, params: Any = _NOTHING
        ) -> Generator[Any]:
            where = get_current()
            known = dict(attributes or {})
            if isinstance(asker, streams) and not asker._tracer._self_config.enable_genai_semconv:
                with params:
                    yield Unsent(lambda: self._begun_late(asker, known, params, where))
                return
            try:
                call = self._call(asker, known, params, where)
            except Exception:
                call = None
            if call is None:
                with original(asker, attributes, params) as theirs:
                    yield theirs
                return
            token = attach_context(making(where, call._span))
            try:
                with params:
                    yield call
            finally:
                leave(token)

        return started


class Unsent:
    """A call whose request is sent when its block is entered, if ever: until then it is no event."""

    def __init__(self, begin: Callable[[], Any]) -> None:
        self.begun = begin

    def record_exception(self, error: BaseException) -> None:
        """Record nothing: no request was made."""

    def set_status(self, status: Any) -> None:
        """Set nothing."""

    def finish_tracing(self) -> None:
        """End nothing."""


def _failed(call: Any, error: BaseException) -> None:
    call.record_exception(error)
    call.finish_tracing(Status(StatusCode.ERROR, str(error)))


_providers: Final[dict[type, str]] = {}


def _provider_of(ask: Callable[[Any], Any], client: type, instance: Any) -> str:
    known = _providers.get(client)
    if known is None:
        known = _providers[client] = dict(ask(instance))["llm.provider"]
    return known


def request_json(given: Mapping[str, Any]) -> str | None:
    """Return a request as JSON text; None when something is in it that JSON does not hold."""
    if not _PERHAPS.isdisjoint(given):
        return None
    try:
        return _strict(given).decode()
    except (TypeError, ValueError, RecursionError):
        return None


def asked(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the attributes of a request of plain texts beside its JSON; None when it has more."""
    rest = dict(given)
    model, messages, system = rest.pop("model", None), rest.pop("messages", None), rest.pop("system", None)
    for name in _APART:
        rest.pop(name, None)
    if _type(model) is not str or _type(messages) is not list or _type(system) not in _PERHAPS_TEXT:
        return None
    if not _SCALARS.issuperset(map(type, rest.values())):
        return None
    found: dict[str, Any] = {"llm.model_name": model, straight.MODEL: model}
    at = 0
    if system:
        found["llm.input_messages.0.message.role"] = "system"
        found["llm.input_messages.0.message.content"] = system
        at = 1
    for message in messages:
        if _type(message) is not dict or message.keys() != _TEXT:
            return None
        role, content = message["role"], message["content"]
        if _type(role) is not str or _type(content) is not str or not role or not content:
            return None
        found[f"llm.input_messages.{at}.message.role"] = role
        found[f"llm.input_messages.{at}.message.content"] = content
        at += 1
    found["llm.invocation_parameters"] = chat.to_json(rest)
    return found


def answered(message: Any, request_messages: Any, counts: Callable[[Any], Any]) -> dict[str, Any] | None:
    """Return the attributes of an answer of texts; None when it has more."""
    if not _is_plain(message, request_messages):
        return None
    found: dict[str, Any] = {
        "llm.model_name": message.model,
        "llm.response.model_name": message.model,
        "llm.output_messages.0.message.role": message.role,
        **dict(counts(message.usage)),
    }
    if message.stop_reason:
        found["llm.finish_reason"] = message.stop_reason
    for at, block in enumerate(message.content):
        found[f"llm.output_messages.0.message.contents.{at}.message_content.type"] = "text"
        found[f"llm.output_messages.0.message.contents.{at}.message_content.text"] = block.text
    found["output.value"] = straight.model_json(message, by_alias=True)
    found["output.mime_type"] = "application/json"
    return found


def _is_plain(message: Any, request_messages: Any) -> bool:
    """Say whether a message is of texts, with nothing to be said of it as metadata."""
    usage = message.usage
    if message.__pydantic_extra__ or usage.__pydantic_extra__:
        return False
    for key, value in message.__dict__.items():
        if value is not None and key not in _OF_MESSAGES and key[0] != "_":
            return False
    counted = usage.__dict__
    if counted.get("iterations") or counted.get("server_tool_use"):
        return False
    for block in message.content:
        if block.type != "text" or block.citations:
            return False
    return all(type(each["content"]) is str for each in request_messages)


def _metadata(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return what looks for eleven things in a message, made to see at once that a plain one has none."""

    def metadata(message: Any, config: Any = None, request_messages: Any = None) -> dict[str, Any]:
        try:
            plain = _is_plain(message, request_messages)
        except Exception:
            plain = False
        return {} if plain else original(message, config, request_messages)

    return metadata
