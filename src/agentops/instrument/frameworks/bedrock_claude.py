"""Claude's messages as Bedrock streams them: all blocks of the answer, and the tokens by class.

The instrumentor knows texts and tool calls alone: an event of a thought made it lose what came after.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from agentops.instrument.shown import to_json
from agentops.instrument.written import Written

_PIECES: Final = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "partial_json",
}
"""Events' kinds of pieces, and the field that holds the piece."""
_COUNTS: Final = {
    "llm.token_count.prompt_details.cache_read": "cache_read_input_tokens",
    "llm.token_count.prompt_details.cache_write": "cache_creation_input_tokens",
}
MODEL: Final = "llm.model_name"


class Message:
    """Follows the chunks of a stream, and ends its span with the message that they made.

    Args:
        span: the span.
        asked: attributes of the request.
        model: what the request calls the model.
        finish: ends the span, given what ended the stream.
    """

    def __init__(
        self, span: Any, asked: Mapping[str, Any], model: str, finish: Callable[[Any], None]
    ) -> None:
        self._span = span
        self._asked = asked
        self._model = model
        self._finish = finish
        self._message: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._pieces: dict[tuple[int, str], Written] = {}

    def __call__(self, event: Any) -> Any:
        """Take an event, or what ended the stream; return it."""
        if not isinstance(event, BaseException):
            try:
                self._take(json.loads(event["chunk"]["bytes"]))
            except Exception:
                pass  # No event of a message's.
            return event
        self._span.set_attributes(dict(self._asked))
        if self._message:
            self._span.set_attributes(told(self.so_far(), self._model))
        self._finish(event)
        return event

    def _take(self, event: Mapping[str, Any]) -> None:
        match event["type"]:
            case "message_start":
                self._message = dict(event["message"])
            case "content_block_start":
                self._blocks[event["index"]] = dict(event["content_block"])
            case "content_block_delta":
                delta = event["delta"]
                if delta["type"] == "citations_delta":
                    block = self._blocks[event["index"]]
                    block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
                else:
                    field = _PIECES[delta["type"]]
                    self._pieces.setdefault((event["index"], field), Written()).write(delta[field])
            case "message_delta":
                known = cast("dict[str, Any]", self._message.get("usage") or {})
                self._message.update(event["delta"], usage=known | (event.get("usage") or {}))
            case _:
                pass

    def so_far(self) -> dict[str, Any]:
        """Return the message as an answer that is not streamed would hold it."""
        blocks = {index: dict(block) for index, block in self._blocks.items()}
        for (index, field), written in self._pieces.items():
            block = blocks.setdefault(index, {"type": "text"})
            if field == "partial_json":
                block["input"] = _read(str(written))
            else:
                block[field] = block.get(field, "") + str(written)
        message = {**self._message, "content": [block for _, block in sorted(blocks.items())]}
        if message.get("stop_reason") is None:  # What one that broke off began with is no count.
            usage = cast("Mapping[str, Any]", message.get("usage") or {})
            message["usage"] = {name: usage[name] for name in usage if name != "output_tokens"}
        return message


def _read(text: str) -> Any:
    """Return a tool's arguments; as text where they broke off."""
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return text


def told(message: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Return what a message says, as attributes."""
    found: dict[str, Any] = {
        "output.value": to_json(message),
        "output.mime_type": "application/json",
        **named(message, model),
    }
    if message.get("stop_reason"):
        found["llm.finish_reason"] = message["stop_reason"]
    usage = cast("Mapping[str, Any]", message.get("usage") or {})
    cached = {key: usage[name] for key, name in _COUNTS.items() if usage.get(name)}
    if usage.get("input_tokens") is not None:
        found["llm.token_count.prompt"] = usage["input_tokens"] + sum(cached.values())
    if usage.get("output_tokens") is not None:
        found["llm.token_count.completion"] = usage["output_tokens"]
    return found | cached


def named(message: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Return what the model calls itself, and how the request named it: it is billed by that."""
    said = message.get("model")
    return {MODEL: said if isinstance(said, str) else model, "gen_ai.request.model": model}
