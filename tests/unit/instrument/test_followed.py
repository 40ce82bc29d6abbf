"""Streams of calls that no instrumentor follows are events: whole, left, dropped, or broken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import agentops
from agentops.instrument import beside, followed
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
    places = {f"{__name__}:Responses.{name}": followed.response for name in ("create", "acreate")}
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


def test_a_message_in_bytes_is_joined() -> None:
    joined = followed.message(message_bytes({"tools": [{}], "thinking": {}}))
    assert joined["content"] == [
        {"type": "text", "text": "Let me look. "},
        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}},
    ]
    assert (joined["stop_reason"], joined["usage"]["output_tokens"]) == ("tool_use", 8)


def test_a_message_that_is_left_keeps_its_text() -> None:
    joined = followed.message(message_bytes({})[:4])
    assert joined["content"] == [{"type": "text", "text": "Paris is "}]


def test_a_conversation_is_joined_by_its_outputs() -> None:
    call = {"type": "function.call.delta", "id": "fc", "tool_call_id": "call_1", "name": "get_weather"}
    events: list[dict[str, Any]] = [
        {"type": "conversation.response.started", "conversation_id": "conv"},
        {**call, "arguments": '{"city": '},
        {**call, "arguments": '"Paris"}'},
        {"type": "message.output.delta", "id": "msg", "model": "m", "content": "Par"},
        {
            "type": "message.output.delta",
            "id": "msg",
            "model": "m",
            "content": {"type": "text", "text": "is"},
        },
        {"type": "conversation.response.done", "usage": {"prompt_tokens": 1}},
    ]
    joined = followed.conversation([{"event": event["type"], "data": event} for event in events])
    assert joined["outputs"][0]["arguments"] == '{"city": "Paris"}'
    assert [piece["text"] for piece in joined["outputs"][1]["content"]] == ["Par", "is"]
    assert (joined["model"], joined["usage"]) == ("m", {"prompt_tokens": 1})
