"""Streams of calls that a library's instrumentor leaves out: followed as the program reads them.

Chunks pass as they are, and are kept until the stream is over: read to its end, closed, left by its block,
dropped, or broken. Joined, they are the answer that the same call would have given at once.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

import wrapt as _wrapt

from agentops.instrument.groq_raw import joined
from agentops.instrument.straight import model_json
from agentops.instrument.tee import server_sent

# What a proxy stands for is the library's: nothing is known of it.
wrapt = cast("Any", _wrapt)


def is_stream(answer: Any) -> bool:
    """Say whether an answer has yet to be read, chunk by chunk."""
    kind = cast("Any", type(answer))
    return hasattr(kind, "__next__") or hasattr(kind, "__anext__")


class Followed(wrapt.ObjectProxy):
    """A stream; `first` is told of its first chunk, `over` of all of them, once, and of what broke it."""

    def __init__(
        self,
        stream: Any,
        first: Callable[[], None],
        over: Callable[[list[Any], BaseException | None], None],
    ) -> None:
        super().__init__(stream)
        self._self_chunks: list[Any] = []
        self._self_first: Callable[[], None] | None = first
        self._self_over: Callable[[list[Any], BaseException | None], None] | None = over

    def __iter__(self) -> Any:
        return self

    def __aiter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        try:
            chunk = next(self.__wrapped__)
        except StopIteration:
            self._self_end(None)
            raise
        except BaseException as error:
            self._self_end(error)
            raise
        self._self_keep(chunk)
        return chunk

    async def __anext__(self) -> Any:
        try:
            chunk = await self.__wrapped__.__anext__()
        except StopAsyncIteration:
            self._self_end(None)
            raise
        except BaseException as error:
            self._self_end(error)
            raise
        self._self_keep(chunk)
        return chunk

    def __enter__(self) -> Any:
        self.__wrapped__.__enter__()
        return self

    def __exit__(self, *left: Any) -> Any:
        try:
            return self.__wrapped__.__exit__(*left)
        finally:
            self._self_end(left[1])

    async def __aenter__(self) -> Any:
        await self.__wrapped__.__aenter__()
        return self

    async def __aexit__(self, *left: Any) -> Any:
        try:
            return await self.__wrapped__.__aexit__(*left)
        finally:
            self._self_end(left[1])

    def close(self) -> Any:
        """Close the stream, whichever way it is closed."""
        closed = self.__wrapped__.close()
        if inspect.isawaitable(closed):
            return self._self_closing(closed)
        self._self_end(None)
        return closed

    async def aclose(self) -> Any:
        """Close the stream."""
        return await self._self_closing(self.__wrapped__.aclose())

    async def _self_closing(self, closed: Any) -> Any:
        try:
            return await closed
        finally:
            self._self_end(None)

    def __del__(self) -> None:
        self._self_end(None)  # Dropped, and never closed.

    def _self_keep(self, chunk: Any) -> None:
        first, self._self_first = self._self_first, None
        if first is not None:
            first()
        self._self_chunks.append(chunk)

    def _self_end(self, error: BaseException | None) -> None:
        over, self._self_over = self._self_over, None
        if over is not None:
            over(self._self_chunks, None if isinstance(error, GeneratorExit) else error)


def chat(chunks: list[Any]) -> dict[str, Any]:
    """Return the chat that events of Mistral's make."""
    return joined([event["data"] for event in _plain(chunks)])


def transcription(chunks: list[Any]) -> dict[str, Any]:
    """Return the transcription that events of Mistral's make."""
    answer: dict[str, Any] = {"text": ""}
    for event in (each["data"] for each in _plain(chunks)):
        if event["type"] == "transcription.text.delta":
            answer["text"] += event["text"]
        elif event["type"] == "transcription.done":
            answer = {name: value for name, value in event.items() if name != "type"}
    return answer


def conversation(chunks: list[Any]) -> dict[str, Any]:
    """Return the answer of a conversation that events of Mistral's make: its outputs, in their order."""
    answer: dict[str, Any] = {}
    outputs: dict[str, dict[str, Any]] = {}
    for event in (each["data"] for each in _plain(chunks)):
        kind: str = event["type"]
        if kind == "conversation.response.started":
            answer["conversation_id"] = event.get("conversation_id")
        elif kind == "conversation.response.done":
            answer["usage"] = event.get("usage")
        elif kind == "conversation.response.error":
            answer["error"] = {"code": event.get("code"), "message": event.get("message")}
        elif isinstance(identity := event.get("id"), str):
            _add(outputs.setdefault(identity, {"id": identity}), kind, event)
    models = [said["model"] for said in outputs.values() if said.get("model")]
    return {**answer, **({"model": models[-1]} if models else {}), "outputs": list(outputs.values())}


def _add(output: dict[str, Any], kind: str, event: Mapping[str, Any]) -> None:
    """Add to an output of a conversation what an event brings of it."""
    output["type"] = kind.rpartition(".")[0]
    for name, value in event.items():
        before = output.get(name)
        if name == "content" and not isinstance(value, str):
            output[name] = [*_pieces(before), *_pieces(value)]
        elif name == "content" and isinstance(before, list):
            output[name] = [*cast("list[Any]", before), *_pieces(value)]
        elif name in ("content", "arguments") and isinstance(before, str) and isinstance(value, str):
            output[name] = before + value
        elif name not in ("type", "id", "created_at", "output_index", "content_index"):
            output[name] = value


def _pieces(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return cast("list[Any]", content) if isinstance(content, list) else [content] if content else []


_DELTAS: Final = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.function_call_arguments.delta": "arguments",
}
_LAST: Final = ("response.completed", "response.incomplete", "response.failed")


def response(chunks: list[Any]) -> dict[str, Any]:
    """Return the response that events of OpenAI's make: the whole that ends them, else what had come."""
    answer: dict[str, Any] = {}
    output: dict[int, dict[str, Any]] = {}
    for event in _plain(chunks):
        kind, at = str(event.get("type")), event.get("output_index", 0)
        if kind in _LAST:
            return event["response"]
        if kind == "response.created":
            answer = {**event["response"], "status": "incomplete"}
        elif kind in ("response.output_item.added", "response.output_item.done"):
            output[at] = {**event["item"]}
        elif kind in _DELTAS:
            _write(
                output.setdefault(at, {"type": "message", "role": "assistant"}), _DELTAS[kind], event["delta"]
            )
        elif kind == "error":
            answer["error"] = event.get("error") or {"message": event.get("message")}
    return {**answer, "output": [output[at] for at in sorted(output)]} if answer or output else {}


def _write(item: dict[str, Any], field: str, delta: str) -> None:
    """Add a piece to an item of a response."""
    if field == "arguments":
        item[field] = (item.get(field) or "") + delta
        return
    if not item.get("content"):
        item["content"] = [{"type": "refusal" if field == "refusal" else "output_text", field: ""}]
    item["content"][-1][field] = item["content"][-1].get(field, "") + delta


def message(chunks: list[Any]) -> dict[str, Any]:
    """Return the message that events of Claude's make, in bytes of server-sent events or plain."""
    answer: dict[str, Any] = {"content": []}
    for event in _claude(chunks):
        kind, at = event.get("type"), event.get("index", 0)
        blocks: list[Any] = answer["content"]
        if kind == "message_start":
            answer = {**event["message"], "content": []}
        elif kind == "content_block_start":
            blocks.append({**event["content_block"]})
        elif kind == "content_block_delta" and at < len(blocks):
            _grow(blocks[at], event["delta"])
        elif kind == "content_block_stop" and at < len(blocks) and "partial" in blocks[at]:
            blocks[at]["input"] = json.loads(blocks[at].pop("partial") or "{}")
        elif kind == "message_delta":
            usage: dict[str, Any] = {**(answer.get("usage") or {}), **(event.get("usage") or {})}
            answer = {**answer, **event.get("delta", {}), "usage": usage}
        elif kind == "error":
            answer["error"] = event.get("error")
    return answer


def _grow(block: dict[str, Any], delta: Mapping[str, Any]) -> None:
    for name in ("text", "thinking"):
        if name in delta:
            block[name] = (block.get(name) or "") + delta[name]
    if "partial_json" in delta:
        block["partial"] = block.get("partial", "") + delta["partial_json"]


def _claude(chunks: list[Any]) -> Iterable[Mapping[str, Any]]:
    if all(isinstance(chunk, bytes) for chunk in chunks):
        text = b"".join(chunks).decode("utf-8", "replace")
        return [json.loads(each) for each in server_sent(text)]
    return _plain(chunks)


def _plain(chunks: list[Any]) -> list[Any]:
    return [chunk if isinstance(chunk, dict) else json.loads(model_json(chunk)) for chunk in chunks]
