"""Models of Bedrock whose requests and answers have a form of their own: what they are asked, and say.

Titan's, Llama's, Mistral's and Cohere's, whole or in the chunks of a stream, and what makes embeddings. Of
these the instrumentor tells a part, and of their streams the request alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from agentops.instrument import kinds
from agentops.instrument.shown import to_json

_ASKED: Final = ("prompt", "inputText", "message")
_TEXTS: Final = ("text", "outputText", "generation", "completion", "content")
"""What a model's answer, or a chunk of it, calls its text."""
_LISTS: Final = ("results", "outputs", "generations", "completions", "choices")
_WITHIN: Final = ("delta", "message", "data")
_TOLD: Final = ("amazon.nova", "openai.")
"""Families of which the instrumentor tells all."""
_ENDS: Final = ("completionReason", "stop_reason", "stopReason", "finish_reason", "finishReason")
_EVENTS: Final = ("stream-end",)
_METRICS: Final = "amazon-bedrock-invocationMetrics"
_INPUT: Final = "llm.token_count.prompt"
_OUTPUT: Final = "llm.token_count.completion"
_COUNTS: Final = (
    ("inputTextTokenCount", _INPUT),
    ("prompt_token_count", _INPUT),
    ("totalOutputTextTokenCount", _OUTPUT),
    ("generation_token_count", _OUTPUT),
)
"""Counts of tokens that bodies have; of a stream the last ones hold."""


def is_embedding(model: str) -> bool:
    """Say whether a model makes embeddings."""
    return "embed" in model


def is_told(model: str, body: Mapping[str, Any]) -> bool:
    """Say whether the instrumentor tells all of a request and of its answer."""
    return "anthropic_version" in body or any(family in model for family in _TOLD)


def asked(model: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a request asks for, as attributes."""
    told: dict[str, Any] = {kinds.KIND: "EMBEDDING" if is_embedding(model) else "LLM"}
    told |= {"llm.provider": "aws", "llm.model_name": model}
    text = next((body[name] for name in _ASKED if isinstance(body.get(name), str)), None)
    told["input.value"] = text if text is not None else to_json(body)
    told["input.mime_type"] = "application/json" if text is None else "text/plain"
    rest = {name: value for name, value in body.items() if name not in _ASKED}
    if text is not None and rest:
        told["llm.invocation_parameters"] = to_json(rest)
    return told


def answered(model: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an answer says, as attributes."""
    told: dict[str, Any] = _counted(body)
    if is_embedding(model):
        return {**told, "output.value": to_json(body), "output.mime_type": "application/json"}
    if end := _end(body):
        told["llm.finish_reason"] = end
    text = _text(body)
    if not text and _first(body) is not None:  # It calls tools.
        return {**told, "output.value": to_json(body), "output.mime_type": "application/json"}
    return told if text is None else {**told, "output.value": text, "output.mime_type": "text/plain"}


def _counted(body: Mapping[str, Any]) -> dict[str, int]:
    """Return the tokens that an answer or a chunk says it took."""
    return {key: body[name] for name, key in _COUNTS if isinstance(body.get(name), int)}


def _text(body: Mapping[str, Any]) -> str | None:
    """Return the text of an answer or of a chunk, the first one's where there are several."""
    for name in _TEXTS:
        if isinstance(body.get(name), str):
            return body[name]
    first = _first(body)
    return None if first is None else _text(next((first[name] for name in _WITHIN if first.get(name)), first))


def _end(body: Mapping[str, Any]) -> str | None:
    for name in _ENDS:
        if isinstance(body.get(name), str):
            return body[name]
    first = _first(body)
    return None if first is None else _end(first)


def _first(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the first of the answers that are listed in one."""
    for name in _LISTS:
        listed: Any = body.get(name)
        if isinstance(listed, list) and listed and isinstance(listed[0], dict):
            return cast("Mapping[str, Any]", listed[0])
    return None


class Chunks:
    """Follows the chunks of a stream, and ends its span with what they said."""

    def __init__(self, span: Any, finish: Callable[[Any], None]) -> None:
        self._span = span
        self._finish = finish
        self._said: list[str] = []
        self._told: dict[str, Any] = {}

    def __call__(self, event: Any) -> Any:
        """Take an event, or what ended the stream; return it."""
        if not isinstance(event, BaseException):
            try:
                self._take(json.loads(event["chunk"]["bytes"]))
            except Exception:
                pass  # No chunk of a model's.
        else:
            text = {"output.value": "".join(self._said), "output.mime_type": "text/plain"}
            self._span.set_attributes({**(text if self._said else {}), **self._told})
            self._finish(event)
        return event

    def _take(self, chunk: Mapping[str, Any]) -> None:
        if chunk.get("event_type") not in _EVENTS and (text := _text(chunk)):
            self._said.append(text)  # Cohere's last event says all once more.
        if end := _end(chunk):
            self._told["llm.finish_reason"] = end
        self._told |= _counted(chunk)
        metrics: Mapping[str, Any] = chunk.get(_METRICS) or {}
        for name, key in (("inputTokenCount", _INPUT), ("outputTokenCount", _OUTPUT)):
            if isinstance(metrics.get(name), int):
                self._told[key] = metrics[name]
