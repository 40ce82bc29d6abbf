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
_SINGLE: Final = frozenset({str, int, bool, type(None)})


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


def following(accumulator: Any) -> Any:
    """Return the class that follows a streamed chat, made to let the first chunk pass and know mere text."""

    class Following(accumulator):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._first: Any = None
            self._last: Any = None

        def process_chunk(self, chunk: Any) -> None:
            if self._last is None:
                # The program waits for it: it is looked at when the next one is there, or none comes.
                self._first = self._last = chunk
                return
            self._begin()
            try:
                text = _more(self._last, chunk)
            except Exception:
                text = None  # No model of pydantic's, or another version's.
            self._last = chunk
            if text is None:
                super().process_chunk(chunk)
            elif text:
                self._cached_result = None
                choices = self._values._values["choices"]
                message = choices._indexed[chunk.choices[0].index]._values["message"]
                message._values["content"].__iadd__(text)

        def _begin(self) -> None:
            first, self._first = self._first, None
            if first is not None:
                super().process_chunk(first)

        def _result(self) -> Any:
            self._begin()
            return super()._result()  # pyright: ignore[reportUnknownVariableType] -- a class given by name

    return Following


def _more(last: Any, chunk: Any) -> str | None:
    """Return the text that is all that a chunk adds to what the last one said; None when it adds more."""
    if type(chunk) is not type(last) or len(chunk.choices or ()) != 1 or len(last.choices or ()) != 1:
        return None
    choice, choice_before = chunk.choices[0], last.choices[0]
    delta, delta_before = choice.delta, choice_before.delta
    if delta is None or delta_before is None or not _same(last, chunk, "choices"):
        return None
    if not _same(choice_before, choice, "delta") or not _same(delta_before, delta, "content"):
        return None
    said = delta.__dict__
    text = said.get("content")
    if any(value is not None for key, value in said.items() if key not in ("content", "role")):
        return None
    return text if type(text) is str else None


def _same(before: Any, now: Any, but: str) -> bool:
    """Say whether two models of a kind hold the same single values, `but` one field apart."""
    if now.__pydantic_extra__ or before.__pydantic_extra__:
        return False
    kept, fields = before.__dict__, now.__dict__
    return kept.keys() == fields.keys() and all(
        type(value) in _SINGLE and value == kept[key] for key, value in fields.items() if key != but
    )


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
