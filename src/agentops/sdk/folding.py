"""A stream folded into what it says: its memory is that of its text, not of its chunks.

Chunks of any provider's shape: plain text, OpenAI's deltas (of text and of tool calls), Anthropic's events,
or objects with a text. A chunk that says none of that is kept as it is, a few of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from agentops import semconv
from agentops.sdk.events import llm_attributes

_MAX_OTHERS: Final = 100
_BLOCK: Final = 256


class Folded:
    """What the chunks of one stream have said so far."""

    def __init__(self) -> None:
        self.chunks = 0
        self.texts: list[str] = []
        """Its text but the last words, in blocks: a stream has many short words."""
        self._words: list[str] = []
        self.others: list[Any] = []
        """Chunks that hold nothing known, the first of them."""
        self.usage: Any = None
        """The last usage that a chunk named."""
        self._model: str | None = None
        self._id: str | None = None
        self._finish: str | None = None
        self._calls: dict[int, dict[str, str]] = {}

    def add(self, chunk: Any) -> None:
        """Take one chunk in."""
        self.chunks += 1
        if isinstance(chunk, str):
            self._say(chunk)
            return
        known = self._note(chunk)
        text = _text(chunk)
        if text:
            self._say(text)
        elif not known and len(self.others) < _MAX_OTHERS:
            self.others.append(chunk)

    def _say(self, text: str) -> None:
        self._words.append(text)
        if len(self._words) >= _BLOCK:
            self.texts.append("".join(self._words))
            self._words.clear()

    def text(self) -> str:
        """Return the text so far."""
        return "".join((*self.texts, *self._words))

    def said(self) -> Any:
        """Return what the stream said, for a value: its text, else its chunks."""
        return self.text() or self.others

    def attributes(self, client: Any) -> dict[str, Any]:
        """Return what the stream said, as attributes of its event."""
        text = self.text()
        completion: Any = text or None
        if self._calls:
            calls = [
                {"id": call["id"], "type": "function", "function": call}
                for _, call in sorted(self._calls.items())
            ]
            completion = {"role": "assistant", "content": text or None, "tool_calls": calls}
        out = llm_attributes(client, self._model, None, completion)
        out.pop("gen_ai.request.model", None)
        if completion is None:
            out[semconv.OUTPUT] = client.captured(self.others)
        if self._id:
            out["gen_ai.response.id"] = self._id
        if self._finish:
            out["gen_ai.response.finish_reasons"] = [self._finish]
        return out

    def _note(self, chunk: Any) -> bool:
        """Note what a chunk says beside text; say whether it is of a known shape."""
        message = get(chunk, "message")
        for source in (chunk, message):
            model, identity = get(source, "model"), get(source, "id")
            if isinstance(model, str):
                self._model = model
            if isinstance(identity, str) and self._id is None:
                self._id = identity
        usage = get(chunk, "usage") or get(message, "usage") or get(get(chunk, "x_groq"), "usage")
        if usage is not None:
            self.usage = usage
        choices = get(chunk, "choices")
        delta = get(chunk, "delta")
        if isinstance(choices, list) and choices:
            first: Any = cast("list[Any]", choices)[0]
            finish = get(first, "finish_reason")
            self._tool_calls(get(get(first, "delta"), "tool_calls"))
        else:
            finish = get(delta, "stop_reason")
        if isinstance(finish, str):
            self._finish = finish
        return usage is not None or choices is not None or delta is not None or message is not None

    def _tool_calls(self, deltas: Any) -> None:
        for delta in cast("list[Any]", deltas) if isinstance(deltas, list) else ():
            index = get(delta, "index") or 0
            call = self._calls.setdefault(index, {"id": "", "name": "", "arguments": ""})
            call["id"] = call["id"] or get(delta, "id") or ""
            function = get(delta, "function")
            call["name"] += get(function, "name") or ""
            call["arguments"] += get(function, "arguments") or ""


def get(value: Any, name: str) -> Any:
    """Return a field of an object or a mapping, or None."""
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value).get(name)
    return getattr(value, name, None)


def _text(chunk: Any) -> str:
    choices = get(chunk, "choices")
    if isinstance(choices, list) and choices:
        first: Any = cast("list[Any]", choices)[0]
        found = get(get(first, "delta"), "content") or get(first, "text")
    else:
        delta = get(chunk, "delta")
        found = (
            delta
            if isinstance(delta, str)
            else (get(delta, "text") or get(chunk, "text") or get(chunk, "content"))
        )
    return found if isinstance(found, str) else ""
