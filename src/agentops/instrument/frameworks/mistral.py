"""What the instrumentor of mistralai leaves out: all but chats, and of these the request, until the end."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from opentelemetry import trace

from agentops.instrument import beside, joined
from agentops.instrument.frameworks.beginning import beginning
from agentops.instrument.frameworks.told import PACKAGE
from agentops.instrument.gathered import compact
from agentops.instrument.patches import Patches, found
from agentops.instrument.shown import to_json

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
    patches.method(found(PACKAGE + "mistralai._response_accumulator:_ChatCompletionAccumulator"),
                   "get_attributes", _said)  # fmt: skip
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
