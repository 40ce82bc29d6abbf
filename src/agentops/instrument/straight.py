"""Calls of openai, recorded straight: what their instrumentor says of each, in fewer steps.

It asks five layers for a span, and each looks at every attribute. Here attributes are gathered once, and
given to the span as they are. What is to be said of a request and of its answer stays the instrumentor's
affair (but for plain chats, see `chat`), and so do answers that are read later, and images.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, cast

from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY as _SUPPRESSED,  # pyright: ignore[reportPrivateUsage] -- all instrumentors ask it
)
from opentelemetry.context import Context
from opentelemetry.trace import Status, StatusCode

from agentops.ambient import attach_context, get_current, leave, making
from agentops.instrument import chat, lean
from agentops.instrument.gate import quiet
from agentops.instrument.gathered import Heard
from agentops.instrument.hosts import provider_of
from agentops.instrument.patches import Patches, found

_ANSWERS: Final[Mapping[str, str]] = {
    "openai.types.chat:ChatCompletion": "LLM",
    "openai.types:Completion": "LLM",
    "openai.types.responses:Response": "LLM",
    "openai.types:CreateEmbeddingResponse": "EMBEDDING",
}
"""The answers that are told here, and the kind of each."""
_SPOKEN: Final = ("Transcription", "TranscriptionVerbose", "TranscriptionDiarized", "Translation")
"""What is heard, of which streams say text."""
FIRST_CHUNK: Final = "First Token Stream Event"
"""What OpenInference's instrumentors call the arrival of the first chunk."""
_JSON: Final = ("._utils", "._request_attributes_extractor", "._attributes._responses_api")
_FAILED: Final = '"failed"'
_FINISH: Final = "_finish_tracing"
"""What both instrumentors call the function that ends the span of a stream."""
OK: Final = Status(StatusCode.OK)
MODEL: Final = "llm.request.model_name"


def take(request: Any, patches: Patches) -> None:
    """Take the place of the request wrappers in `request`, the instrumentor's module of that name."""
    calls = _Calls(request)
    patches.replace(request._Request, "__call__", calls.sync(request._Request.__call__))
    patches.replace(request._AsyncRequest, "__call__", calls.asynchronous(request._AsyncRequest.__call__))
    quick_json(request.__package__, _JSON, patches)
    finish_once(request.__package__, patches)


def finish_once(package: str, patches: Patches) -> None:
    """Let streams gather what they say when they end only, and not once more when they are dropped."""
    streams: Any = importlib.import_module(package + "._stream")
    finish = getattr(streams, _FINISH, None)
    if finish is None:
        return

    def finished(with_span: Any, *args: Any, **kwargs: Any) -> None:
        if not with_span.is_finished:
            finish(with_span, *args, **kwargs)

    patches.replace(streams, _FINISH, finished)


def quick_json(package: str, names: Iterable[str], patches: Patches) -> None:
    """Let modules of an instrumentor make their JSON as we do."""
    for name in names:
        module = importlib.import_module(package + name)
        if hasattr(module, "safe_json_dumps"):
            patches.replace(module, "safe_json_dumps", chat.to_json)


# `tell` of a call tells a message of its chat; None when all that is known of the request has been told.
class _Calls:
    """How requests are recorded."""

    def __init__(self, request: Any) -> None:
        self._parse = request._parse_request_args
        self._images = found("openai.types:ImagesResponse")
        self._chat = found("openai.types.chat:ChatCompletion")
        # Mere text is what transcriptions and translations answer with, when asked to.
        self._shown = {
            found("openai.types:CreateEmbeddingResponse"): "CreateEmbeddings",
            str: "Transcription",
        }
        self._azure = found("openai.lib.azure:BaseAzureClient")
        self._spoken = {found(f"openai.types.audio:{name}") for name in _SPOKEN} - {None}
        self._kinds = {found(place): kind for place, kind in _ANSWERS.items()}
        self._redact = request.redact_images_from_request_parameters
        self._provider = provider_of(request.infer_llm_provider_from_host)
        self._stream = request._Stream
        self._call: Any = call_class(request._WithSpan, "_extra_attributes")

    def sync(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Return what takes the place of the wrapper of `OpenAI.request`."""

        def request(asker: Any, wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
            if quiet.get():
                return wrapped(*args, **kwargs)
            where = get_current()
            call = self._begun(asker, instance, args, where)
            if call is None:
                return original(asker, wrapped, instance, args, kwargs)
            token = attach_context(making(where, call._span))
            try:
                return self._answered(asker, call, wrapped(*args, **kwargs))
            except BaseException as error:
                call.failed(error)
                raise
            finally:
                leave(token)

        return request

    def asynchronous(self, original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Return what takes the place of the wrapper of `AsyncOpenAI.request`."""

        async def request(
            asker: Any, wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any
        ) -> Any:
            if quiet.get():
                return await wrapped(*args, **kwargs)
            where = get_current()
            call = self._begun(asker, instance, args, where)
            if call is None:
                return await original(asker, wrapped, instance, args, kwargs)
            token = attach_context(making(where, call._span))
            try:
                return self._answered(asker, call, await wrapped(*args, **kwargs))
            except BaseException as error:
                call.failed(error)
                raise
            finally:
                leave(token)

        return request

    def _begun(self, asker: Any, instance: Any, args: Any, where: Context) -> Any:
        """Begin the event of a request; return None to leave it to the instrumentor's own wrapper."""
        try:
            config = asker._tracer._self_config
            cast_to: Any = args[0]
            given: Any = getattr(args[1], "json_data", None)
            asked = cast("dict[str, Any]", given) if type(given) is dict else self._parse(args)[1]
            more_json: Any = getattr(args[1], "extra_json", None)
            if more_json:  # What the client does not know, and sends along all the same (`extra_body`).
                asked = {**asked, **more_json}
            if where.get(_SUPPRESSED) or cast_to is self._images or config.enable_genai_semconv:
                return None
            attributes = self._entered(asker, instance, cast_to, asked, config)
            if type(model := asked.get("model")) is str:
                attributes[MODEL] = model
            attributes.update(lean.told_by(where))
            more = tell = None
            if cast_to is self._chat and type(asked.get("messages")) is list:
                tell = asker._request_attributes_extractor._get_attributes_from_message_param
            else:
                more = dict(
                    asker._get_extra_attributes_from_request(cast_to=cast_to, request_parameters=asked)
                )
            name = self._shown.get(cast_to) or cast_to.__name__
            span = asker._tracer.__wrapped__.start_span(
                name, where, attributes=lean.shown_first(config, attributes)
            )
            call = self._call(span, None, more)
            call.masks, call.cast_to, call.asked, call.tell, call.first_ns = config, cast_to, asked, tell, 0
            return call
        except Exception:  # Another version of the instrumentor: it records the call itself.
            return None

    def _entered(self, asker: Any, instance: Any, cast_to: Any, asked: Any, config: Any) -> dict[str, Any]:
        """Return what is known before the request is sent."""
        kind = self._kinds.get(cast_to)
        if kind is None:
            found = dict(asker._get_attributes_from_request(cast_to=cast_to, request_parameters=asked))
            found.update(asker._get_attributes_from_instance(instance, cast_to=cast_to))
            if "llm.system" in found and (provider := self._provider(instance)):
                found.setdefault("llm.provider", provider)
            return found
        if chat.has_image(asked):
            asked = self._redact(
                dict(asked),
                hide_input_images=config.hide_input_images,
                base64_image_max_length=config.base64_image_max_length,
            )
        azure = self._azure is not None and isinstance(instance, self._azure)
        provider = "azure" if azure else self._provider(instance)
        found = {
            "openinference.span.kind": kind,
            "llm.system": "openai",
            "input.value": chat.to_json(asked),
            "input.mime_type": "application/json",
        }
        if provider:
            found["llm.provider"] = provider
        return found

    def _answered(self, asker: Any, call: Any, response: Any) -> Any:
        try:
            cast_to = call.cast_to
            # Not `isinstance` alone: a model of pydantic's goes a long way for it.
            same = type(response) is cast_to
            if not same and isinstance(response, asker._stream_types):
                make = asker._response_accumulator_factories.get(cast_to)
                heard = Heard() if cast_to in self._spoken else None
                return self._stream(response, call, heard if make is None else make(call.asked))
            if cast_to not in self._kinds or not (same or isinstance(response, cast_to)):
                return asker._finalize_response(
                    response=response, with_span=call, cast_to=cast_to, request_parameters=call.asked
                )
            tell = asker._response_attributes_extractor
            if cast_to is self._chat:
                told = chat.answered(
                    response,
                    tell._get_attributes_from_completion_usage,
                    tell._get_attributes_from_chat_completion_message,
                )
            else:
                told = dict(tell.get_attributes_from_response(response, call.asked))
            said = model_json(response, exclude_unset=True)
            output = {"output.value": said, "output.mime_type": "application/json"}
            call.finish_tracing(OK, output, told)
        except Exception:
            call.finish_tracing()
        return response


def model_json(answer: Any, **how: Any) -> str:
    """Return a model of pydantic's as JSON text."""
    try:
        # What `model_dump_json` comes to.
        return answer.__pydantic_serializer__.to_json(answer, warnings=False, **how).decode()
    except (AttributeError, TypeError):
        return answer.model_dump_json(warnings=False, **how)


def call_class(with_span: Any, known: str) -> Any:
    """Return an instrumentor's class for a span in the making, made to set at once what it ends with.

    Args:
        with_span: the class.
        known: its attribute that holds what is known of the request.
    """

    class Call(with_span):
        __slots__ = ("asked", "cast_to", "first_ns", "masks", "tell")

        @property
        def span(self) -> Any:
            return self._span

        def add_event(self, name: str) -> None:
            if name == FIRST_CHUNK and not self.first_ns:
                self.first_ns = time.time_ns()  # The program waits for the chunk; at the end it does not.
            else:
                super().add_event(name)

        def _of_request(self) -> dict[str, Any]:
            if self.tell is None:
                return dict(getattr(self, known) or ())
            try:
                # Not at the start, for the same reason.
                return chat.asked(self.asked, self.tell)
            except Exception:
                return {}  # Its JSON is there.

        def failed(self, error: BaseException) -> None:
            """End it with the exception that the program gets."""
            self.record_exception(error)
            self.finish_tracing(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))

        def finish_tracing(
            self,
            status: Status | None = None,
            attributes: Mapping[str, Any] | None = None,
            extra_attributes: Mapping[str, Any] | None = None,
        ) -> None:
            if self._is_finished:
                return
            self._is_finished = True
            try:
                if self.first_ns:
                    self._span.add_event(FIRST_CHUNK, timestamp=self.first_ns)
                told = self._of_request()
                told.update(attributes or ())
                told.update(extra_attributes or ())
                self._span.set_attributes(lean.shown(self.masks, told))
                said = told.get("output.value")
                if type(said) is str and _FAILED in said and (status is None or status.is_ok):
                    status = _failure(self._span, said) or status
                if status is not None:
                    self._span.set_status(status)
            except Exception:
                pass  # It ends without what could not be told; the program's call is not at fault.
            finally:
                self._span.end()

    return Call


def ended_as(span: Any, said: str) -> None:
    """Set the status that a response says of itself."""
    span.set_status((_failure(span, said) if _FAILED in said else None) or OK)


def _failure(span: Any, said: str) -> Status | None:
    """Return the status of a response that failed, as the error that it says."""
    try:
        answer: Any = json.loads(said)
    except ValueError:
        return None  # A text that merely has the word in it.
    if not isinstance(answer, dict) or cast("Any", answer).get("status") != "failed":
        return None
    error: Mapping[str, Any] = cast("Any", answer).get("error") or {}
    span.set_attribute("error.type", str(error.get("code") or "failed"))
    return Status(StatusCode.ERROR, str(error.get("message") or "The response failed."))
