"""Streams of calls that no instrumentor follows are events: whole, left, dropped, or broken."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import agentops
from agentops.instrument import beside, joined
from agentops.instrument.followed import Gathered
from agentops.instrument.patches import Patches
from agentops.sdk.client import client as sdk
from tests.golden import standin
from tests.unit.instrument.stored import only, stored

ASKED: dict[str, Any] = {"model": "gpt-4o", "input": "Capital of France?", "stream": True}


def response_events() -> list[dict[str, Any]]:
    return [event for _, event in standin.response_events({"model": "gpt-4o"})]


def message_bytes(request: dict[str, Any]) -> list[bytes]:
    asked = {"model": "claude-sonnet-4-20250514", "messages": [{"role": "user", "content": "x"}], **request}
    events = standin.message_events(asked)
    return [f"event: {name}\ndata: {json.dumps(event)}\n\n".encode() for name, event in events]


class Responses:
    """A client of which nothing is known."""

    def create(self, model: str, input: str, stream: bool = False) -> Iterator[Any]:  # noqa: A002 -- OpenAI's name
        del input, stream
        return self._events(model)

    def _events(self, model: str) -> Iterator[Any]:
        for at, event in enumerate(response_events()):
            if model == "breaks" and at == 5:
                raise ConnectionError("the line is cut")
            yield event

    async def acreate(self, **asked: Any) -> AsyncIterator[Any]:
        async def events() -> AsyncIterator[Any]:
            for event in self._events(asked["model"]):
                yield event

        return events()


@pytest.fixture
def client(home: Path) -> Iterator[Responses]:
    agentops.init()
    patches = Patches()
    places = {f"{__name__}:Responses.{name}": joined.Response for name in ("create", "acreate")}
    beside.record(sdk.provider.get_tracer("test"), patches, (), streams=places, streamed_only=True)
    yield Responses()
    patches.undo()


def test_a_stream_that_is_read_is_its_answer(client: Responses, home: Path) -> None:
    assert len(list(client.create(**ASKED))) == len(response_events())
    event = only(home)
    assert (event.status, event.output_preview) == ("ok", standin.ANSWER)
    assert (event.input_preview, event.response_id) == ("Capital of France?", "resp_golden2")
    assert event.tokens_output == 48


def test_a_stream_that_is_left_keeps_what_had_come(client: Responses, home: Path) -> None:
    for at, _ in enumerate(client.create(**ASKED)):
        if at == 4:
            break
    event = only(home)
    assert event.output_preview == "Paris is "
    assert event.tokens_output is None


def test_a_stream_that_breaks_failed(client: Responses, home: Path) -> None:
    with pytest.raises(ConnectionError):
        list(client.create(model="breaks", input="x", stream=True))
    event = only(home)
    assert (event.status, event.output_preview) == ("error", "Paris is ")


def test_an_async_stream_that_is_closed_ends_its_event(client: Responses, home: Path) -> None:
    async def main() -> None:
        stream: Any = await client.acreate(**ASKED)
        async for _ in stream:
            break
        await stream.aclose()

    asyncio.run(main())
    assert only(home).status != "error"


def test_a_call_that_is_not_streamed_is_left_to_the_instrumentor(client: Responses, home: Path) -> None:
    list(client.create(model="gpt-4o", input="x"))
    assert stored(home) == []


def answer_of(follower: joined.Joined, chunks: Iterable[Any]) -> dict[str, Any]:
    gathered = Gathered(follower)
    for chunk in chunks:
        gathered.take(chunk)
    return gathered.answer()


@pytest.mark.parametrize("size", [None, 1, 50])
def test_a_message_in_bytes_is_joined(size: int | None) -> None:
    chunks = message_bytes({"tools": [{}], "thinking": {}})
    if size is not None:  # However it was cut on its way.
        whole = b"".join(chunks)
        chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
    answer = answer_of(joined.Message(), chunks)
    assert answer["content"] == [
        {"type": "text", "text": "Let me look. "},
        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}},
    ]
    assert (answer["stop_reason"], answer["usage"]["output_tokens"]) == ("tool_use", 8)


def test_a_message_that_is_left_keeps_its_text() -> None:
    answer = answer_of(joined.Message(), message_bytes({})[:4])
    assert answer["content"] == [{"type": "text", "text": "Paris is "}]


def test_a_conversation_is_joined_by_its_outputs() -> None:
    call = {"type": "function.call.delta", "id": "fc", "tool_call_id": "call_1", "name": "get_weather"}
    said = {"type": "message.output.delta", "id": "msg", "model": "m"}
    events: list[dict[str, Any]] = [
        {"type": "conversation.response.started", "conversation_id": "conv"},
        {**call, "arguments": '{"city": '},
        {**call, "arguments": '"Paris"}'},
        {**said, "content": {"type": "thinking", "thinking": [{"type": "text", "text": "A "}]}},
        {**said, "content": {"type": "thinking", "thinking": [{"type": "text", "text": "capital"}]}},
        {**said, "content": "Par"},
        {**said, "content": {"type": "text", "text": "is"}},
        {"type": "conversation.response.done", "usage": {"prompt_tokens": 1}},
    ]
    chunks = [{"event": event["type"], "data": event} for event in events]
    answer = answer_of(joined.InData(joined.Conversation()), chunks)
    assert answer["outputs"][0]["arguments"] == '{"city": "Paris"}'
    assert answer["outputs"][1]["content"] == [
        {"type": "thinking", "thinking": "A capital"},
        {"type": "text", "text": "Paris"},
    ]
    assert (answer["model"], answer["usage"]) == ("m", {"prompt_tokens": 1})


def test_a_chat_is_joined_from_texts_thoughts_and_tools_of_any_number() -> None:
    deltas: list[dict[str, Any]] = [
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]},
        {"content": "Par"},
        {"content": "is"},
        {"tool_calls": [{"index": 10**9, "id": "a", "function": {"name": "f", "arguments": "{"}}]},
        {"tool_calls": [{"index": 10**9, "function": {"arguments": "}"}}]},
    ]
    message = answer_of(joined.Chat(), ({"choices": [{"delta": delta}]} for delta in deltas))["choices"][0][
        "message"
    ]
    assert message["content"] == [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Paris"}]
    called = {"name": "f", "arguments": "{}"}
    assert message["tool_calls"] == [{"type": "function", "id": "a", "function": called}]


def many(kind: str, count: int) -> Iterator[dict[str, Any]]:
    """As many chunks, made as they are asked for, with a text of their own each."""
    for at in range(count):
        word = f"word{at % 10}"
        if kind == "chat":
            yield {"id": "c", "choices": [{"index": 0, "delta": {"content": word}}]}
        elif kind == "response":
            yield {"type": "response.output_text.delta", "output_index": 0, "delta": word, "at": at}
        elif kind == "message":
            yield {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": word},
            }
        elif kind == "transcription":
            yield {"type": "transcription.text.delta", "text": word}
        else:
            said = {"type": "text", "text": word} if at % 2 else word
            yield {"type": "message.output.delta", "id": "m", "content": said}


FOLLOWERS: dict[str, type[joined.Joined]] = {
    "chat": joined.Chat,
    "response": joined.Response,
    "message": joined.Message,
    "transcription": joined.Transcription,
    "conversation": joined.Conversation,
}


@pytest.mark.parametrize("kind", FOLLOWERS)
def test_a_long_stream_takes_the_memory_of_its_text(kind: str) -> None:
    gathered = Gathered(FOLLOWERS[kind]())
    gathered.take({"type": "content_block_start", "content_block": {"type": "text"}, "choices": []})
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for chunk in many(kind, 50_000):
            gathered.take(chunk)
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    text = len("word0") * 50_000
    assert held < 5 * text  # A text that is being written may take four bytes a letter.
    assert json.dumps(gathered.answer()).count("word") == 50_000
