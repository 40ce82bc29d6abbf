"""What the instrumentor of openai leaves out, or does to the program.

- `with_streaming_response`: it would read the whole body before the program sees a byte of it (and, async,
  not at all). Here the program reads, and what it has read is recorded (`tee`).
- A streamed response that is dropped, or ends as incomplete or failed, keeps what had come.
- A block of `chat.completions.stream` or `responses.stream` that is left early, or by an exception, ends its
  event there.
- A response that the provider answers as failed, streamed or not, is an error.
- Speech is recorded by its size and type, transcriptions and images with their tokens; what is billed by the
  character or the second, with those.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.trace import Status, StatusCode

from agentops import semconv
from agentops.instrument import gist, straight
from agentops.instrument.gathered import compact, following, keeping
from agentops.instrument.patches import Patches, found
from agentops.instrument.tee import Read, Tee, server_sent

_PACKAGE: Final = "openinference.instrumentation.openai."
_HELPERS: Final = (
    "openai.lib.streaming.chat:ChatCompletionStream",
    "openai.lib.streaming.chat:AsyncChatCompletionStream",
    "openai.lib.streaming.responses:ResponseStream",
    "openai.lib.streaming.responses:AsyncResponseStream",
)


def complete(patches: Patches) -> None:
    """Record what the instrumentor leaves out."""
    request = importlib.import_module(_PACKAGE + "_request")
    finishing = _Finishing(request)
    patches.method(request._WithOpenAI, "_finalize_response", finishing.finalize)
    patches.replace(request, "_ResponsesAccumulator", keeping(request._ResponsesAccumulator))
    accumulators = importlib.import_module(_PACKAGE + "_response_accumulator")
    patches.replace(accumulators, "_StringAccumulator", compact(accumulators._StringAccumulator))
    patches.replace(request, "_ChatCompletionAccumulator", following(request._ChatCompletionAccumulator))
    straight.take(request, patches)
    for place in _HELPERS:
        helper = found(place)
        if helper is not None:
            patches.method(helper, "close", _closed)
            manager = found(f"{place}Manager")
            patches.method(manager, "__aexit__" if "Async" in place else "__exit__", _left)


def _closed(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """End the event of a helper's stream with its block."""
    result = wrapped(*args, **kwargs)
    try:
        finish = getattr(instance._raw_stream, "_finish_tracing", None)
        if finish is not None:
            finish(status=None)
    except Exception:
        pass  # Then it ends when it is dropped.
    return result


def _left(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Let the exception that ended the block end the event too."""
    error = args[1] if len(args) > 1 else None
    if isinstance(error, BaseException) and not isinstance(error, GeneratorExit):
        try:
            stream = getattr(instance, f"_{type(instance).__name__}__stream")
            stream._raw_stream._finish_tracing_with_error(error)
        except Exception:
            pass  # Then it ends as left early.
    return wrapped(*args, **kwargs)


class _Finishing:
    """How the event of a request that has been answered ends."""

    def __init__(self, request: Any) -> None:
        self._request = request
        responses = importlib.import_module("openai._response")
        self._read_later = (responses.APIResponse, responses.AsyncAPIResponse)
        self._binary = found("openai._legacy_response:HttpxBinaryResponseContent")
        self._raw: Any = found("openai._legacy_response:LegacyAPIResponse") or ()
        self._construct = importlib.import_module("openai._models").construct_type

    def finalize(
        self, wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Take the cases that the instrumentor does not see, or not right; leave it the others."""
        response: Any = kwargs.get("response")
        try:
            if isinstance(response, self._read_later):
                self._tee(instance, response, kwargs)
                return response
            if self._binary is not None and isinstance(response, self._binary):
                _note_characters(kwargs["with_span"], kwargs["request_parameters"])
                _finish_binary(kwargs["with_span"], str(response.response.headers.get("content-type", "")),
                               len(response.content))  # fmt: skip
                return response
            if isinstance(response, self._raw) and kwargs["cast_to"] is self._binary:
                _note_characters(kwargs["with_span"], kwargs["request_parameters"])
                _finish_binary(kwargs["with_span"], str(response.headers.get("content-type", "")),
                               len(response.content))  # fmt: skip
                return response
            _note_usage(kwargs["with_span"], self._parsed(response, kwargs["cast_to"]))
        except Exception:
            pass  # As without us, then.
        return wrapped(*args, **kwargs)

    def _parsed(self, response: Any, cast_to: Any) -> Any:
        """Return what an answer says that the program takes as an HTTP response."""
        if isinstance(response, self._raw) and getattr(cast_to, "__name__", "") in (*_HEARD, _MODERATED):
            return response.parse()
        return response

    def _tee(self, instance: Any, response: Any, kwargs: dict[str, Any]) -> None:
        with_span, cast_to, asked = kwargs["with_span"], kwargs["cast_to"], kwargs["request_parameters"]
        streamed = bool(asked.get("stream"))

        def first() -> None:
            if streamed:
                with_span.add_event(straight.FIRST_CHUNK)

        def over(read: Read) -> None:
            if read.error is not None:
                with_span.record_exception(read.error)
            status = _status(read.error)
            if read.known:
                told = gist.attributes(read.known, read.content_type, read.length)
                with_span.finish_tracing(status=status, attributes=told)
                return
            if not read.text:
                if read.error is None:
                    _note_characters(with_span, asked)
                _finish_binary(with_span, read.content_type, read.length, status)
                return
            if read.content_type == "text/event-stream":
                told = self._accumulated(instance, cast_to, asked, read.text)
            else:
                answer = self._construct(value=json.loads(read.text), type_=cast_to)
                _note_usage(with_span, answer)
                told = self._request._ResponseAttributes(
                    request_parameters=asked,
                    response=answer,
                    response_attributes_extractor=instance._response_attributes_extractor,
                )
            if told is None:
                with_span.finish_tracing(status=status)
            else:
                self._request._finish_tracing(status=status, with_span=with_span, has_attributes=told)

        def surely_over(read: Read) -> None:
            try:
                over(read)
            finally:
                with_span.finish_tracing(status=_status(read.error))

        Tee(response.http_response, first, surely_over)

    def _accumulated(self, instance: Any, cast_to: Any, asked: Any, text: str) -> Any:
        make = instance._response_accumulator_factories.get(cast_to)
        kind = _CHUNKS.get(cast_to.__name__)
        if make is None or kind is None:
            return None
        made = make(asked)
        chunk_type = found(kind)
        for event in server_sent(text):
            made.process_chunk(self._construct(value=json.loads(event), type_=chunk_type))
        return made


_CHUNKS: Final = {
    "ChatCompletion": "openai.types.chat:ChatCompletionChunk",
    "Completion": "openai.types:Completion",
    "Response": "openai.types.responses:ResponseStreamEvent",
}


def _status(error: BaseException | None) -> Status:
    if error is None:
        return Status(StatusCode.OK)
    return Status(StatusCode.ERROR, f"{type(error).__name__}: {error}")


def _finish_binary(with_span: Any, content_type: str, length: int, status: Status | None = None) -> None:
    if content_type.startswith("audio/"):
        with_span._span.update_name("Speech")
    said = json.dumps({"content_type": content_type, "bytes": length})
    attributes = {"output.value": said, "output.mime_type": "application/json"}
    with_span.finish_tracing(status=status or Status(StatusCode.OK), attributes=attributes)


def _note_characters(with_span: Any, asked: Any) -> None:
    """Note how much was to be spoken."""
    text = asked.get("input") if isinstance(asked, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] -- the program's
    if isinstance(text, str):
        with_span._span.set_attribute(semconv.CHARACTERS, len(text))


def _note_usage(with_span: Any, answer: Any) -> None:
    """Note the tokens of a transcription or of images, or its seconds, and which model moderated."""
    usage = getattr(answer, "usage", None)
    if type(answer).__name__ == _MODERATED and isinstance(answer.model, str):
        with_span._span.set_attribute("llm.response.model_name", answer.model)
    if type(answer).__name__ in _HEARD and not isinstance(getattr(usage, "input_tokens", None), int):
        seconds = getattr(usage, "seconds", None) or getattr(answer, "duration", None)
        if seconds:
            with_span._span.set_attribute(semconv.AUDIO_SECONDS, max(round(float(seconds)), 1))
    if not isinstance(getattr(usage, "input_tokens", None), int) or type(usage).__name__ in _READ_ALREADY:
        return
    detailed = getattr(usage, "input_token_details", None)
    figures = {
        "prompt": getattr(usage, "input_tokens", None),
        "completion": getattr(usage, "output_tokens", None),
        "total": getattr(usage, "total_tokens", None),
        "prompt_details.audio": getattr(detailed, "audio_tokens", None),
    }
    for key, value in figures.items():
        if isinstance(value, int):
            with_span._span.set_attribute(f"llm.token_count.{key}", value)


_HEARD: Final = ("Transcription", "TranscriptionVerbose", "TranscriptionDiarized", "Translation",
                 "TranslationVerbose")  # fmt: skip
_MODERATED: Final = "ModerationCreateResponse"
_READ_ALREADY: Final = ("ResponseUsage",)
