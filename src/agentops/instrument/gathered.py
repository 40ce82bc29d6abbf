"""What is gathered of an answer while it is streamed: little of it, and never nothing.

The instrumentors' own classes, with what they leave out: text is held in blocks, and of a response that is
dropped, or ends as incomplete or failed, what had come is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from agentops.instrument.written import BLOCK, Written

_LAST_EVENTS: Final = ("ResponseIncompleteEvent", "ResponseFailedEvent")
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
            if len(self._fragments) >= BLOCK:
                self._blocks.append("".join(self._fragments))
                self._fragments.clear()
            return self

    return Compact


_TAKEN: Final = object()


def patient(accumulator: Any) -> Any:
    """Return the class that follows a streamed message of Claude's, made to let the first event pass.

    Pieces of a text are put together when something else comes.
    """

    class Patient(accumulator):
        __slots__ = ("_at", "_first", "_pieces")

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._first: Any = None
            self._at: Any = None
            self._pieces: list[str] = []

        def process_chunk(self, chunk: Any) -> None:
            if self._first is not _TAKEN:
                if self._first is None:
                    # The program waits for it: it is looked at when the next one is there, or none comes.
                    self._first = chunk
                    return
                self._begin()
            text = _piece(chunk)
            if text is None:
                self._join()
                super().process_chunk(chunk)
                return
            if chunk.index != self._at or len(self._pieces) >= BLOCK:
                self._join()
                self._at = chunk.index
            self._pieces.append(text)

        def _begin(self) -> None:
            first, self._first = self._first, _TAKEN
            if first is not None and first is not _TAKEN:
                super().process_chunk(first)

        def _join(self) -> None:
            if not self._pieces:
                return
            text = "".join(self._pieces)
            self._pieces.clear()
            try:
                block = self._snapshot.content[self._at]
                if block.type == "text":
                    block.text += text
            except Exception:
                pass  # A piece of no block that is there: the client does not take it either.

        def _result(self) -> Any:
            self._begin()
            self._join()
            return super()._result()  # pyright: ignore[reportUnknownVariableType] -- a class given by name

    return Patient


def _piece(event: Any) -> str | None:
    """Return the text that is all that an event of Claude's brings; None when it brings something else."""
    try:
        if event.type != "content_block_delta" or event.delta.type != "text_delta":
            return None
        text = event.delta.text
    except AttributeError:
        return None  # Another version's, or a mere mapping.
    return text if type(text) is str else None


def following(accumulator: Any) -> Any:
    """Return the class that follows a streamed chat, made to let the first chunk pass and know mere text."""

    class Following(accumulator):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._made_of: Any = (args, kwargs)
            self._first: Any = None
            self._waiting = True
            self._shape: Any = None
            self._pieces: list[str] = []

        def process_chunk(self, chunk: Any) -> None:
            if self._waiting:
                # The program waits for it: it is looked at when the next one is there, or none comes.
                self._waiting = False
                self._first = chunk
                return
            if self._made_of is not None:
                self._begin()
            shape = self._shape
            try:
                text = None if shape is None else _more(shape, chunk)
            except Exception:
                text = None  # No model of pydantic's, or another version's.
            if text is None:
                self._join()
                self._take(chunk)
            elif text:
                self._pieces.append(text)
                if len(self._pieces) >= BLOCK:
                    self._join()

        def _join(self) -> None:
            """Add the pieces to the choice that they all are of."""
            if self._pieces:
                text = "".join(self._pieces)
                self._pieces.clear()
                self._cached_result = None
                choice = self._values._values["choices"]._indexed[self._shape[1]["index"]]
                choice._values["message"]._values["content"].__iadd__(text)

        def _take(self, chunk: Any) -> None:
            self._shape = None
            super().process_chunk(chunk)
            try:
                self._shape = _shape(chunk)
            except Exception:
                self._shape = None  # As above.

        def _begin(self) -> None:
            first, self._first = self._first, None
            made_of, self._made_of = self._made_of, None
            if made_of is not None:
                args, kwargs = made_of
                super().__init__(*args, **kwargs)
                with suppress(Exception):  # Another version's: then the last piece is what there is.
                    _add_up(self._values)
            if first is not None:
                self._take(first)

        def _result(self) -> Any:
            self._begin()
            self._join()
            return super()._result()  # pyright: ignore[reportUnknownVariableType] -- a class given by name

    return Following


def _add_up(chunks: Any) -> None:
    """Let the pieces of what is spoken, and of what tools without a schema are given, be added up too."""
    choices = chunks._values["choices"]._indexed
    make = choices.default_factory

    def choice() -> Any:
        made: Any = make()
        message = made._values["message"]._values
        object_: Any = made.__class__
        text: Any = message["content"].__class__
        message["audio"] = object_(data=text(), transcript=text())
        calls = message["tool_calls"]._indexed
        call = calls.default_factory

        def called() -> Any:
            started: Any = call()
            started._values["custom"] = object_(input=text())
            return started

        calls.default_factory = called
        return made

    choices.default_factory = choice


_Shape = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
"""What a chunk, its choice and its delta hold beside the next of them, and the text."""


def _more(shape: _Shape, chunk: Any) -> str | None:
    """Return the text that is all that a chunk adds to one of a plain `shape`; None when it adds more."""
    if len(chunk.choices) != 1:
        return None
    choice = chunk.choices[0]
    delta = choice.delta
    if chunk.__pydantic_extra__ or choice.__pydantic_extra__ or delta.__pydantic_extra__:
        return None
    if (
        {**delta.__dict__, "content": None} != shape[2]
        or {**choice.__dict__, "delta": None} != shape[1]
        or {**chunk.__dict__, "choices": None} != shape[0]
    ):
        return None
    text = delta.content
    return text if type(text) is str else None


def _shape(chunk: Any) -> _Shape | None:
    """Return a chunk's shape when another one of it would add nothing but its text, else None."""
    if len(chunk.choices) != 1:
        return None
    choice = chunk.choices[0]
    for model, but in ((chunk, "choices"), (choice, "delta"), (choice.delta, "content")):
        if model.__pydantic_extra__:
            return None
        for key, value in model.__dict__.items():
            # Other texts of what is said are added up, as its content is.
            single = type(value) in _SINGLE and (but != "content" or key == "role")
            if key != but and value is not None and not single:
                return None
    return (
        {**chunk.__dict__, "choices": None},
        {**choice.__dict__, "delta": None},
        {**choice.delta.__dict__, "content": None},
    )


def keeping(accumulator: Any) -> Any:
    """Return the class that follows a streamed response, made to keep what came before the end."""

    class Keeping(accumulator):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._items: dict[int, _Item] = {}
            self._begun: Any = None
            self._failure: dict[str, Any] | None = None

        def process_chunk(self, chunk: Any) -> None:
            kind = getattr(chunk, "type", "")
            field = _PIECES.get(kind)
            if field is not None:
                self._item(chunk).add(field, chunk.delta)
            elif kind in ("response.output_item.added", "response.output_item.done"):
                self._item(chunk).known = chunk.item
                if kind.endswith("done"):
                    self._item(chunk).pieces.clear()
            elif kind == "response.created":
                self._begun = chunk.response
            elif kind == "error":
                self._failure = {"code": chunk.code, "message": chunk.message}
            else:
                if type(chunk).__name__ in _LAST_EVENTS:
                    self._is_null = False
                    self._values = chunk
                else:
                    super().process_chunk(chunk)
                if not self._is_null:
                    self._items.clear()

        def _item(self, chunk: Any) -> _Item:
            return self._items.setdefault(getattr(chunk, "output_index", 0), _Item())

        def get_attributes(self) -> Iterator[tuple[str, Any]]:
            if not self._is_null:
                yield from super().get_attributes()
            elif self._begun is not None:
                output = [item.so_far() for _, item in sorted(self._items.items())]
                partial = {"id": self._begun.id, "model": str(self._begun.model), "status": "incomplete",
                           "output": output}  # fmt: skip
                if self._failure is not None:
                    partial |= {"status": "failed", "error": self._failure}
                yield "output.value", json.dumps(partial, ensure_ascii=False)
                yield "output.mime_type", "application/json"
                yield "llm.model_name", str(self._begun.model)

    return Keeping


_PIECES: Final = {
    "response.output_text.delta": "output_text",
    "response.refusal.delta": "refusal",
    "response.function_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "input",
    "response.reasoning_summary_text.delta": "summary_text",
    "response.reasoning_text.delta": "reasoning_text",
}
"""Events of a streamed response that bring a piece of an item, and of what of it."""
_TEXTS: Final = {"output_text": "text", "refusal": "refusal"}


class _Item:
    """What has come of one item of a response: `known` as last told, and the pieces that came since."""

    __slots__ = ("known", "pieces")

    def __init__(self) -> None:
        self.known: Any = None
        self.pieces: dict[str, Written] = {}

    def add(self, field: str, text: str) -> None:
        self.pieces.setdefault(field, Written()).write(text)

    def so_far(self) -> dict[str, Any]:
        """Return the item as the answer would hold it."""
        item: dict[str, Any] = {"type": "message", "role": "assistant", "status": "incomplete"}
        if self.known is not None:
            item = self.known.model_dump(mode="json", exclude_unset=True, warnings=False)
        content: list[dict[str, str]] = []
        for field, written in self.pieces.items():
            text = str(written)
            if field in _TEXTS:
                content.append({"type": field, _TEXTS[field]: text})
            elif field == "summary_text":
                item["summary"] = [{"type": field, "text": text}]
            elif field == "reasoning_text":
                item["content"] = [{"type": field, "text": text}]
            else:
                item[field] = text
        if content:
            item["content"] = content
        return item


class Heard:
    """Follows a transcription that is streamed."""

    def __init__(self) -> None:
        self._text = Written()
        self._said: Any = None

    def process_chunk(self, chunk: Any) -> None:
        """Take one event."""
        kind = getattr(chunk, "type", "")
        if kind == "transcript.text.delta":
            self._text.write(chunk.delta)
        elif kind == "transcript.text.done":
            self._said = chunk

    def get_attributes(self) -> Iterator[tuple[str, Any]]:
        """Return what was heard, and its usage, as the answer that is not streamed would say it."""
        said: dict[str, Any] = {"text": str(self._text)}
        if self._said is not None:
            said = self._said.model_dump(mode="json", exclude={"type"}, exclude_unset=True, warnings=False)
        if said["text"]:
            yield "output.value", json.dumps(said, ensure_ascii=False)
            yield "output.mime_type", "application/json"

    def get_extra_attributes(self) -> Iterator[tuple[str, Any]]:
        """Return nothing more."""
        return iter(())
