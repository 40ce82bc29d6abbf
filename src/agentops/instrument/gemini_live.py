"""Live sessions of google-genai: on one connection, each turn of the model's is an LLM call.

A turn begins when something is sent that is to be answered, or with what the model says unasked; it ends
when the model says so, or calls a tool, whose result begins the next. Sound is told by its size, and in
words where it is transcribed.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from agentops import semconv
from agentops.ambient import get_current
from agentops.instrument.chat import to_json
from agentops.instrument.patches import Patches
from agentops.instrument.straight import MODEL, OK
from agentops.instrument.written import Written

_KEPT: Final = "_agentops_turns"
_SENDS: Final = ("send", "send_client_content", "send_realtime_input", "send_tool_response")
_COUNTS: Final = {
    "prompt": "prompt_token_count",
    "prompt_details.cache_read": "cached_content_token_count",
    "completion_details.reasoning": "thoughts_token_count",
}
_SOUND: Final = {
    "prompt_details.audio": "prompt_tokens_details",
    "completion_details.audio": "response_tokens_details",
}


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Record the turns of live sessions."""
    live = importlib.import_module("google.genai.live")

    @asynccontextmanager
    async def connected(
        wrapped: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> AsyncGenerator[Any]:
        async with wrapped(*args, **kwargs) as session:
            turns = _Turns(tracer, kwargs.get("model") or next(iter(args), None))
            setattr(session, _KEPT, turns)
            try:
                yield session
            except BaseException as error:
                turns.end(error if isinstance(error, Exception) else None)
                raise
            finally:
                turns.end(None)

    def connect(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        return connected(wrapped, args, kwargs)

    patches.method(live.AsyncLive, "connect", connect)
    patches.method(live.AsyncSession, "_receive", _received)
    for name in _SENDS:
        patches.method(live.AsyncSession, name, _sent)


async def _sent(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    turns = getattr(instance, _KEPT, None)
    if turns is not None:
        turns.asked(args, kwargs)
    try:
        return await wrapped(*args, **kwargs)
    except Exception as error:
        if turns is not None:
            turns.end(error)
        raise


async def _received(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    turns = getattr(instance, _KEPT, None)
    try:
        message = await wrapped(*args, **kwargs)
    except Exception as error:
        if turns is not None:
            turns.end(error)
        raise
    if turns is not None:
        turns.heard(message)
    return message


class _Side:
    """What one side of a turn has said: its words, its calls or their results, and the size of its sound."""

    def __init__(self) -> None:
        self.words = Written()
        self.parts: list[Any] = []
        self.sound = 0
        self.content_type = ""

    def add_sound(self, blob: Any) -> None:
        self.sound += len(getattr(blob, "data", None) or b"")
        self.content_type = str(getattr(blob, "mime_type", None) or "")

    def said(self, role: str) -> Any:
        """Return it as a message; None when nothing was said."""
        text = str(self.words)
        parts = [*([{"text": text}] if text else []), *self.parts]
        if parts:
            return {"role": role, "parts": parts}
        return {"content_type": self.content_type, "bytes": self.sound} if self.sound else None


class _Turns:
    """The turns of one session, one after the other."""

    def __init__(self, tracer: trace.Tracer, model: Any) -> None:
        self._tracer = tracer
        self._model = str(model or "")
        self._span: Any = None
        self._input, self._output = _Side(), _Side()
        self._first = False

    def asked(self, args: tuple[Any, ...], given: Mapping[str, Any]) -> None:
        """Take what the program sends; never raises."""
        try:
            for part in _parts_sent([*args, *(given.get(name) for name in _ASKS)]):
                if isinstance(part, str):
                    self._input.words.write(part)
                elif part is not None:
                    self._input.parts.append(part)
            for name in ("audio", "video", "media"):
                if (blob := given.get(name)) is not None:
                    self._input.add_sound(blob)
                    return  # Goes on until the model hears that it is over.
            self._begin()
        except Exception:
            pass  # Then only what is answered is told.

    def heard(self, message: Any) -> None:
        """Take a message of the model's; never raises."""
        try:
            self._heard(message)
        except Exception:
            pass  # A message of another version's: the program has it.

    def _heard(self, message: Any) -> None:
        content, called = message.server_content, message.tool_call
        if content is not None and (said := content.input_transcription) is not None:
            self._input.words.write(said.text or "")
        if called is not None or (
            content is not None and (content.model_turn or content.output_transcription)
        ):
            self._begin()
            self._note_first()
        if content is not None:
            self._hear(content)
        if self._span is None:
            return
        if called is not None:
            calls = (each.model_dump(mode="json", exclude_none=True) for each in called.function_calls or ())
            self._output.parts += [{"functionCall": call} for call in calls]
        if message.usage_metadata is not None:
            self._span.set_attributes(_counted(message.usage_metadata))
        if called is not None or (content is not None and content.turn_complete):
            self.end(None, over=True)

    def _hear(self, content: Any) -> None:
        for part in (content.model_turn.parts or ()) if content.model_turn else ():
            if part.text and not part.thought:
                self._output.words.write(part.text)
            elif part.inline_data is not None:
                self._output.add_sound(part.inline_data)
        if content.output_transcription is not None:
            self._output.words.write(content.output_transcription.text or "")

    def _begin(self) -> None:
        if self._span is None:
            attributes = {
                "openinference.span.kind": "LLM",
                "llm.provider": "google",
                "llm.system": "google",
                "llm.model_name": self._model,
                MODEL: self._model,
            }
            self._span = self._tracer.start_span("LiveTurn", get_current(), attributes=attributes)
            self._first = True

    def _note_first(self) -> None:
        if self._first:
            self._first = False
            passed = max(time.time_ns() - self._span.start_time, 0)
            self._span.set_attribute(semconv.FIRST_TOKEN_NS, passed)

    def end(self, error: BaseException | None, *, over: bool = False) -> None:
        """End the turn that is open, if one is: with an error, or over, or left."""
        span, self._span = self._span, None
        if span is None:
            return
        asked, said = self._input.said("user"), self._output.said("model")
        self._input, self._output = _Side(), _Side()
        for key, value in (("input", asked), ("output", said)):
            if value is not None:
                span.set_attribute(f"{key}.value", to_json([value] if "parts" in value else value))
                span.set_attribute(f"{key}.mime_type", "application/json")
        if error is not None:
            span.record_exception(error)
            span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        elif over:
            span.set_status(OK)
        span.end()


_ASKS: Final = ("turns", "text", "function_responses", "input")
"""Arguments that hold what is said to the model."""


def _parts_sent(given: list[Any]) -> list[Any]:
    """Return the texts, and the other parts as JSON, of whatever may be given as what is said."""
    found: list[Any] = []
    for each in given:
        if isinstance(each, str):
            found.append(each)
        elif isinstance(each, list):
            found += _parts_sent(list(each))  # pyright: ignore[reportUnknownArgumentType] -- the program's
        elif each is not None:
            found += _parts_of(_plain(each))
    return found


def _plain(given: Any) -> Any:
    return given.model_dump(mode="json", exclude_none=True) if hasattr(given, "model_dump") else given


def _parts_of(plain: Mapping[str, Any]) -> list[Any]:
    parts: Any = plain.get("parts")
    if parts is not None:
        return [part for each in parts for part in _parts_of(each)]
    if isinstance(text := plain.get("text"), str):
        return [text]
    return [{"functionResponse": dict(plain)}] if "response" in plain else []


def _counted(usage: Any) -> dict[str, int]:
    """Return the tokens of a turn, with what was thought as a part of what was said."""
    counts = {name: getattr(usage, field, None) for name, field in _COUNTS.items()}
    said, thought = getattr(usage, "response_token_count", None), counts["completion_details.reasoning"]
    if said is not None or thought is not None:
        counts["completion"] = (said or 0) + (thought or 0)
    for name, field in _SOUND.items():
        for detail in getattr(usage, field, None) or ():
            if str(getattr(detail.modality, "value", detail.modality)) == "AUDIO":
                counts[name] = detail.token_count
    return {f"llm.token_count.{name}": value for name, value in counts.items() if isinstance(value, int)}
