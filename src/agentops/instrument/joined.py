"""Answers that come in events, put together as these come: no event is kept, only what it says.

Each class follows one kind of stream: it takes events, as plain JSON, and has the answer that the same call
would have given at once, or as much of it as has come.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol, cast

from agentops.instrument.written import Written

Event = Mapping[str, Any]


class Joined(Protocol):
    """What follows a stream."""

    def take(self, event: Event) -> None:
        """Take the next event."""
        ...

    def answer(self) -> dict[str, Any]:
        """Return the answer so far; empty when nothing of one has come."""
        ...


class InData:
    """What follows a stream whose events are the data of others, as all of Mistral's are."""

    def __init__(self, joined: Joined) -> None:
        self._joined = joined
        self.answer = joined.answer

    def take(self, event: Event) -> None:
        """Take the next event."""
        self._joined.take(event["data"])


class _Growing:
    """An object of which some texts come in pieces."""

    __slots__ = ("_texts", "known")

    def __init__(self, known: Mapping[str, Any] | None = None) -> None:
        self.known: dict[str, Any] = dict(known or {})
        self._texts: dict[str, Written] = {}

    def add(self, name: str, text: str) -> None:
        written = self._texts.get(name)
        if written is None:
            before = self.known.get(name)
            written = self._texts[name] = Written()
            written.write(before if isinstance(before, str) else "")
        written.write(text)

    def whole(self) -> dict[str, Any]:
        return {**self.known, **{name: str(written) for name, written in self._texts.items()}}


class _Content:
    """The content of a message: text, or parts, of which neighbours of one type are one."""

    __slots__ = ("_in_parts", "_parts")

    def __init__(self) -> None:
        self._parts: list[_Growing] = []
        self._in_parts = False

    def add(self, content: Any) -> None:
        if isinstance(content, str):
            self._add_text("text", "text", content)
            return
        self._in_parts = True
        for part in cast("list[Any]", content) if isinstance(content, list) else [content]:
            kind: Any = cast("dict[str, Any]", part).get("type") if isinstance(part, dict) else None
            said = _text_of(cast("dict[str, Any]", part).get(kind)) if kind in ("text", "thinking") else None
            if said is not None:
                self._add_text(kind, kind, said)
            elif isinstance(part, dict):
                self._parts.append(_Growing(cast("dict[str, Any]", part)))

    def _add_text(self, kind: str, field: str, text: str) -> None:
        if not text:
            return
        if not self._parts or self._parts[-1].known.get("type") != kind:
            self._parts.append(_Growing({"type": kind}))
        self._parts[-1].add(field, text)

    def whole(self) -> Any:
        parts = [part.whole() for part in self._parts]
        return parts if self._in_parts else "".join(part["text"] for part in parts)


def _text_of(said: Any) -> str | None:
    """Return the text of a part: thoughts hold theirs in a list of parts."""
    if isinstance(said, list):
        inner = [cast("dict[str, Any]", each) for each in cast("list[Any]", said) if isinstance(each, dict)]
        return "".join(str(each.get("text") or "") for each in inner)
    return said if isinstance(said, str) else None


class _Choice:
    """One choice of a chat."""

    def __init__(self) -> None:
        self.finish: Any = None
        self._role = "assistant"
        self._content: _Content | None = None
        self._message = _Growing()
        self._calls: dict[int, tuple[_Growing, _Growing]] = {}

    def take(self, each: Event) -> None:
        self.finish = each.get("finish_reason") or self.finish
        delta: Mapping[str, Any] = each.get("delta") or {}
        if delta.get("content"):
            self._content = self._content or _Content()
            self._content.add(delta["content"])
        if isinstance(thought := delta.get("reasoning"), str) and thought:
            self._message.add("reasoning", thought)
        for call in delta.get("tool_calls") or ():
            made, function = self._calls.setdefault(
                call.get("index", len(self._calls)), (_Growing({"type": "function"}), _Growing())
            )
            made.known["id"] = call.get("id") or made.known.get("id")
            said: Mapping[str, Any] = call.get("function") or {}
            for name, text in said.items():
                function.add(name, text if isinstance(text, str) else json.dumps(text) if text else "")

    def whole(self, index: int) -> dict[str, Any]:
        message: dict[str, Any] = {"role": self._role, **self._message.whole()}
        if self._content is not None:
            message["content"] = self._content.whole()
        if self._calls:
            message["tool_calls"] = [
                {**made.whole(), "function": {"name": "", "arguments": "", **function.whole()}}
                for _, (made, function) in sorted(self._calls.items())
            ]
        return {"index": index, "message": message, "finish_reason": self.finish}


class Chat:
    """A chat as OpenAI streams it, and those who do as OpenAI does: of each choice, texts, tools and end."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._choices: dict[int, _Choice] = {}

    def take(self, event: Event) -> None:
        """Take the next chunk."""
        told: Mapping[str, Any] = event.get("x_groq") or {}
        self._head.update({key: event[key] for key in ("id", "created", "model") if event.get(key)})
        if usage := event.get("usage") or told.get("usage"):
            self._head["usage"] = usage
        for each in event.get("choices") or ():
            self._choices.setdefault(each.get("index", 0), _Choice()).take(each)

    def answer(self) -> dict[str, Any]:
        """Return the chat so far."""
        choices = [choice.whole(at) for at, choice in sorted(self._choices.items())]
        return {"object": "chat.completion", **self._head, "choices": choices}


class Transcription:
    """What a model of Mistral's heard."""

    def __init__(self) -> None:
        self._heard = _Growing({"text": ""})

    def take(self, event: Event) -> None:
        """Take the next event."""
        if event["type"] == "transcription.text.delta":
            self._heard.add("text", event["text"])
        elif event["type"] == "transcription.done":
            self._heard = _Growing({name: value for name, value in event.items() if name != "type"})

    def answer(self) -> dict[str, Any]:
        """Return the transcription so far."""
        return self._heard.whole()


class Conversation:
    """A conversation with Mistral's agents: its outputs, in their order."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._outputs: dict[str, tuple[_Growing, _Content]] = {}

    def take(self, event: Event) -> None:
        """Take the next event."""
        kind: str = event["type"]
        if kind == "conversation.response.started":
            self._head["conversation_id"] = event.get("conversation_id")
        elif kind == "conversation.response.done":
            self._head["usage"] = event.get("usage")
        elif kind == "conversation.response.error":
            self._head["error"] = {"code": event.get("code"), "message": event.get("message")}
        elif isinstance(identity := event.get("id"), str):
            output, content = self._outputs.setdefault(identity, (_Growing({"id": identity}), _Content()))
            _add(output, content, kind, event)

    def answer(self) -> dict[str, Any]:
        """Return the answer so far."""
        outputs = [_output(output, content) for output, content in self._outputs.values()]
        models = [said["model"] for said in outputs if said.get("model")]
        return {**self._head, **({"model": models[-1]} if models else {}), "outputs": outputs}


_ABOUT: Final = ("type", "id", "created_at", "output_index", "content_index")


def _add(output: _Growing, content: _Content, kind: str, event: Event) -> None:
    """Add to an output of a conversation what an event brings of it."""
    output.known["type"] = kind.rpartition(".")[0]
    for name, value in event.items():
        if name == "content":
            output.known[name] = None
            content.add(value)
        elif name == "arguments" and isinstance(value, str):
            output.add(name, value)
        elif name not in _ABOUT:
            output.known[name] = value


def _output(output: _Growing, content: _Content) -> dict[str, Any]:
    said = output.whole()
    return {**said, "content": content.whole()} if "content" in said else said


_TEXTS: Final = {
    "response.output_text.delta": ("output_text", "text"),
    "response.refusal.delta": ("refusal", "refusal"),
}
_ARGUMENTS: Final = "response.function_call_arguments.delta"
_LAST: Final = ("response.completed", "response.incomplete", "response.failed")


class Response:
    """A response of OpenAI's: the whole that ends its events, else what had come."""

    def __init__(self) -> None:
        self._whole: dict[str, Any] | None = None
        self._head: dict[str, Any] = {}
        self._items: dict[int, tuple[_Growing, dict[int, _Growing]]] = {}

    def take(self, event: Event) -> None:
        """Take the next event."""
        kind, at = str(event.get("type")), event.get("output_index", 0)
        if kind in _LAST:
            self._whole = event["response"]
            self._items.clear()
        elif kind == "response.created":
            self._head = {**event["response"], "status": "incomplete"}
        elif kind in ("response.output_item.added", "response.output_item.done"):
            self._items[at] = (_Growing(event["item"]), {})
        elif kind == _ARGUMENTS:
            self._item(at)[0].add("arguments", event["delta"])
        elif kind in _TEXTS:
            part, field = _TEXTS[kind]
            parts = self._item(at)[1]
            parts.setdefault(event.get("content_index", 0), _Growing({"type": part})).add(
                field, event["delta"]
            )
        elif kind == "error":
            self._head["error"] = event.get("error") or {"message": event.get("message")}

    def _item(self, at: int) -> tuple[_Growing, dict[int, _Growing]]:
        return self._items.setdefault(at, (_Growing({"type": "message", "role": "assistant"}), {}))

    def answer(self) -> dict[str, Any]:
        """Return the response so far."""
        if self._whole is not None:
            return self._whole
        output: list[dict[str, Any]] = []
        for _, (item, parts) in sorted(self._items.items()):
            said = item.whole()
            output.append({**said, "content": [each.whole() for each in parts.values()]} if parts else said)
        return {**self._head, "output": output} if self._head or output else {}


class Message:
    """A message of Claude's."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._blocks: list[_Growing] = []

    def take(self, event: Event) -> None:
        """Take the next event."""
        kind, at = event.get("type"), event.get("index", 0)
        if kind == "message_start":
            self._head = {**event["message"]}
        elif kind == "content_block_start":
            self._blocks.append(_Growing(event["content_block"]))
        elif kind == "content_block_delta" and at < len(self._blocks):
            for name in ("text", "thinking", "partial_json"):
                if name in event["delta"]:
                    self._blocks[at].add(name, event["delta"][name])
        elif kind == "message_delta":
            usage: dict[str, Any] = {**(self._head.get("usage") or {}), **(event.get("usage") or {})}
            self._head = {**self._head, **event.get("delta", {}), "usage": usage}
        elif kind == "error":
            self._head["error"] = event.get("error")

    def answer(self) -> dict[str, Any]:
        """Return the message so far."""
        if not self._head and not self._blocks:
            return {}
        return {**self._head, "content": [_block(block.whole()) for block in self._blocks]}


def _block(block: dict[str, Any]) -> dict[str, Any]:
    """Return a block with its input, as far as that came whole."""
    written = block.pop("partial_json", None)
    if written:
        try:
            block["input"] = json.loads(written)
        except ValueError:
            block["input"] = written
    return block
