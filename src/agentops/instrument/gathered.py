"""What is gathered of an answer while it is streamed: little of it, and never nothing.

The instrumentors' own classes, with what they leave out: text is held in blocks, and of a response that is
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


_TAKEN: Final = object()


def patient(accumulator: Any) -> Any:
    """Return the class that follows a streamed message of Claude's, made to let the first event pass."""

    class Patient(accumulator):
        __slots__ = ("_first",)

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._first: Any = None

        def process_chunk(self, chunk: Any) -> None:
            if self._first is None:
                # The program waits for it: it is looked at when the next one is there, or none comes.
                self._first = chunk
                return
            self._begin()
            super().process_chunk(chunk)

        def _begin(self) -> None:
            first, self._first = self._first, _TAKEN
            if first is not None and first is not _TAKEN:
                super().process_chunk(first)

        def _result(self) -> Any:
            self._begin()
            return super()._result()  # pyright: ignore[reportUnknownVariableType] -- a class given by name

    return Patient


def following(accumulator: Any) -> Any:
    """Return the class that follows a streamed chat, made to let the first chunk pass and know mere text."""

    class Following(accumulator):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._made_of: Any = (args, kwargs)
            self._first: Any = None
            self._last: Any = None
            self._plain = False

        def process_chunk(self, chunk: Any) -> None:
            if self._last is None:
                # The program waits for it: it is looked at when the next one is there, or none comes.
                self._first = self._last = chunk
                return
            self._begin()
            try:
                text = _more(self._last, chunk) if self._plain else None
            except Exception:
                text = None  # No model of pydantic's, or another version's.
            self._last = chunk
            if text is None:
                self._take(chunk)
            elif text:
                self._cached_result = None
                choices = self._values._values["choices"]
                message = choices._indexed[chunk.choices[0].index]._values["message"]
                message._values["content"].__iadd__(text)

        def _take(self, chunk: Any) -> None:
            super().process_chunk(chunk)
            try:
                self._plain = _plain(chunk)
            except Exception:
                self._plain = False  # As above.

        def _begin(self) -> None:
            first, self._first = self._first, None
            made_of, self._made_of = self._made_of, None
            if made_of is not None:
                args, kwargs = made_of
                super().__init__(*args, **kwargs)
            if first is not None:
                self._take(first)

        def _result(self) -> Any:
            self._begin()
            return super()._result()  # pyright: ignore[reportUnknownVariableType] -- a class given by name

    return Following


def _more(last: Any, chunk: Any) -> str | None:
    """Return the text that is all that a chunk adds to a plain `last` one; None when it adds more."""
    if len(chunk.choices) != 1:
        return None
    choice = chunk.choices[0]
    before = last.choices[0]
    same = (
        _same(last, chunk, "choices")
        and _same(before, choice, "delta")
        and _same(before.delta, choice.delta, "content")
    )
    text = choice.delta.content if same else None
    return text if type(text) is str else None


def _same(before: Any, now: Any, but: str) -> bool:
    """Say whether two models hold the same, one field apart."""
    return not now.__pydantic_extra__ and {**before.__dict__, but: None} == {**now.__dict__, but: None}


def _plain(chunk: Any) -> bool:
    """Say whether another chunk with the same fields beside its text would add nothing but its text."""
    if len(chunk.choices) != 1:
        return False
    choice = chunk.choices[0]
    for model, but in ((chunk, "choices"), (choice, "delta"), (choice.delta, "content")):
        if model.__pydantic_extra__:
            return False
        for key, value in model.__dict__.items():
            # Other texts of what is said are added up, as its content is.
            single = type(value) in _SINGLE and (but != "content" or key == "role")
            if key != but and value is not None and not single:
                return False
    return True


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
