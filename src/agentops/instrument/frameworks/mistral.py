"""What the instrumentor of mistralai leaves out: all but chats, and of these the request, until the end."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

from opentelemetry import trace

from agentops.instrument import beside, joined
from agentops.instrument.frameworks.beginning import beginning
from agentops.instrument.frameworks.told import PACKAGE
from agentops.instrument.gathered import compact
from agentops.instrument.patches import Patches
from agentops.instrument.shown import to_json

_THOUGHT: Final = "reasoning_content"
_BESIDE: Final = tuple(
    f"mistralai.client.{place}{mode}"
    for place in (
        "embeddings:Embeddings.create",
        "fim:Fim.complete",
        "transcriptions:Transcriptions.complete",
        "ocr:Ocr.process",
        "classifiers:Classifiers.moderate",
        "conversations:Conversations.start",
        "conversations:Conversations.append",
        "conversations:Conversations.restart",
    )
    for mode in ("", "_async")
)
_STREAMS: Final[dict[str, beside.Joining]] = {
    f"mistralai.client.{place}{mode}": lambda made=made: joined.InData(made())
    for place, made in (
        ("fim:Fim.stream", joined.Chat),
        ("transcriptions:Transcriptions.stream", joined.Transcription),
        ("conversations:Conversations.start_stream", joined.Conversation),
        ("conversations:Conversations.append_stream", joined.Conversation),
        ("conversations:Conversations.restart_stream", joined.Conversation),
    )
    for mode in ("", "_async")
}


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell at the start what is asked for, and record what is no chat."""
    beginning("mistralai._chat_wrapper:_WithTracer", "mistralai")(tracer, patches)
    accumulators = importlib.import_module(PACKAGE + "mistralai._response_accumulator")
    patches.replace(accumulators, "_StringAccumulator", compact(accumulators._StringAccumulator))
    gathering = accumulators._ChatCompletionAccumulator
    patches.method(gathering, "get_attributes", _said)
    patches.method(gathering, "process_chunk", _thought)
    answers = importlib.import_module(PACKAGE + "mistralai._response_attributes_extractor")
    patches.method(answers, "_get_attributes_from_chat_completion_message", _message)
    beside.record(tracer, patches, _BESIDE, "mistralai", _STREAMS)


def _said(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Tell what a stream said as the answer that is not streamed, and not as the event that brings it."""
    event: dict[str, Any] = instance._result() or {}
    answer: Any = event.get("data")
    if not isinstance(answer, dict):
        yield from wrapped(*args, **kwargs)
        return
    yield "output.value", to_json(answer)
    yield "output.mime_type", "application/json"


def _message(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Tell a message of a chat; one whose content is in parts, as thoughts are, is in the whole answer."""
    del instance
    for key, value in wrapped(*args, **kwargs):
        if key != "message.content" or isinstance(value, str):
            yield key, value


class _Event:
    """An event of a stream whose content in parts is told as texts, what was thought apart."""

    def __init__(self, event: Any) -> None:
        self._event = event

    def model_dump(self, **how: Any) -> dict[str, Any]:
        """Return the event as the accumulator takes it."""
        told: dict[str, Any] = self._event.model_dump(**how)
        for choice in told["data"]["choices"]:
            delta = choice["delta"]
            if isinstance(delta.get("content"), list):
                parts = cast("list[dict[str, Any]]", delta["content"])
                thoughts = [each for part in parts for each in part.get("thinking") or ()]
                delta[_THOUGHT] = "".join(each.get("text") or "" for each in thoughts)
                delta["content"] = "".join(part.get("text") or "" for part in parts)
        return told


def _thought(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Gather what a streamed answer says in parts, which the instrumentor leaves out."""
    try:
        event = args[0]
        if any(isinstance(choice.delta.content, list) for choice in event.data.choices):
            _gather_thoughts(instance._values._values["data"]._values["choices"]._indexed)
            args = (_Event(event),)
    except Exception:
        pass  # Another version's: it is told as its instrumentor tells it.
    return wrapped(*args, **kwargs)


class _Thinking:
    """Makes what gathers a choice, its thoughts too."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def __call__(self) -> Any:
        return _thinking(self._make())


def _thinking(choice: Any) -> Any:
    message = choice._values["message"]._values
    message.setdefault(_THOUGHT, message["content"].__class__())
    return choice


def _gather_thoughts(choices: Any) -> None:
    """Let the thoughts of choices be added up as their texts are."""
    if not isinstance(choices.default_factory, _Thinking):
        choices.default_factory = _Thinking(choices.default_factory)
    for choice in choices.values():
        _thinking(choice)
