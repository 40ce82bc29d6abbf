"""What is gathered of an answer of openai's while it is streamed: little of it, and never nothing.

The instrumentor's own classes, with what they leave out: text is held in blocks, and of a response that is
dropped, or ends as incomplete or failed, what had come is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

_LAST_EVENTS: Final = ("ResponseIncompleteEvent", "ResponseFailedEvent")
_BLOCK: Final = 256


def compact(accumulator: Any) -> Any:
    """Return the class that gathers a streamed text, made to hold it in blocks."""

    class Compact(accumulator):
        __slots__ = ("_blocks",)

        def __init__(self) -> None:
            super().__init__()
            self._blocks: list[str] = []

        def __str__(self) -> str:
            return "".join((*self._blocks, *self._fragments))

        def __iadd__(self, value: str | None) -> Any:
            super().__iadd__(value)
            if len(self._fragments) >= _BLOCK:
                self._blocks.append("".join(self._fragments))
                self._fragments.clear()
            return self

    return Compact


def keeping(accumulator: Any) -> Any:
    """Return the class that follows a streamed response, made to keep what came before the end."""

    class Keeping(accumulator):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._texts: list[str] = []
            self._begun: Any = None
            self._failure: dict[str, Any] | None = None

        def process_chunk(self, chunk: Any) -> None:
            kind = getattr(chunk, "type", "")
            if kind == "response.output_text.delta":
                self._texts.append(chunk.delta)
            elif kind == "response.created":
                self._begun = chunk.response
            elif kind == "error":
                self._failure = {"code": chunk.code, "message": chunk.message}
            elif type(chunk).__name__ in _LAST_EVENTS:
                self._is_null = False
                self._values = chunk
            else:
                super().process_chunk(chunk)
                if not self._is_null:
                    self._texts.clear()

        def get_attributes(self) -> Iterator[tuple[str, Any]]:
            if not self._is_null:
                yield from super().get_attributes()
            elif self._begun is not None:
                text = "".join(self._texts)
                message = {"type": "message", "role": "assistant", "status": "incomplete",
                           "content": [{"type": "output_text", "text": text}]}  # fmt: skip
                partial = {"id": self._begun.id, "model": str(self._begun.model), "status": "incomplete",
                           "output": [message] if text else []}  # fmt: skip
                if self._failure is not None:
                    partial |= {"status": "failed", "error": self._failure}
                yield "output.value", json.dumps(partial, ensure_ascii=False)
                yield "output.mime_type", "application/json"
                yield "llm.model_name", str(self._begun.model)
                if text:
                    yield "llm.output_messages.0.message.role", "assistant"
                    yield "llm.output_messages.0.message.content", text

    return Keeping
