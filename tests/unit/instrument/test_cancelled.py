"""Tasks that are cancelled in the middle of a stream: what had come is kept, and the error says so."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

import agentops
from tests.golden import standin
from tests.standin import Models
from tests.unit.instrument.conftest import ask
from tests.unit.instrument.stored import only

AsyncOpenAI: Any = openai.AsyncOpenAI
AsyncAnthropic: Any = anthropic.AsyncAnthropic
CLAUDE: dict[str, Any] = {**ask(), "model": "claude-sonnet-4-6", "max_tokens": 64}


@pytest.fixture
def held(models: Models, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let streams stay where they are after their first few events, until this is set."""
    go_on = threading.Event()

    def answer(api: standin.Api, path: str, request: dict[str, Any]) -> bool:
        claude = path.endswith("/messages")
        events = standin.message_events(request) if claude else [
            (None, chunk) for chunk in standin.chat_chunks(request)
        ]  # fmt: skip
        api.send_response(200)
        api.send_header("content-type", "text/event-stream")
        api.end_headers()
        api.close_connection = True
        for name, event in events[:4]:
            head = f"event: {name}\n" if name else ""
            api.wfile.write(f"{head}data: {json.dumps(event)}\n\n".encode())
        go_on.wait(20)
        return True

    monkeypatch.setattr(models, "answer", answer)
    return go_on


async def helper(client: Any) -> AsyncIterator[Any]:
    async with client.messages.stream(**CLAUDE) as stream:
        async for event in stream:
            yield event


async def streamed(client: Any) -> AsyncIterator[Any]:
    async for event in await client.messages.create(**CLAUDE, stream=True):
        yield event


async def read_later(client: Any) -> AsyncIterator[Any]:
    async with client.messages.with_streaming_response.create(**CLAUDE, stream=True) as response:
        async for line in response.iter_lines():
            if line.startswith("data:"):
                yield line


async def chat(client: Any) -> AsyncIterator[Any]:
    async for chunk in await client.chat.completions.create(**ask(stream=True)):
        yield chunk


async def chat_read_later(client: Any) -> AsyncIterator[Any]:
    async with client.chat.completions.with_streaming_response.create(**ask(stream=True)) as response:
        async for line in response.iter_lines():
            if line.startswith("data:"):
                yield line


@pytest.mark.parametrize(
    ("make", "read"),
    [(AsyncAnthropic, helper), (AsyncAnthropic, streamed), (AsyncAnthropic, read_later),
     (AsyncOpenAI, chat), (AsyncOpenAI, chat_read_later)],
)  # fmt: skip
def test_a_cancelled_stream_says_so_and_keeps_what_had_come(
    make: Any, read: Callable[[Any], AsyncIterator[Any]], home: Path, held: threading.Event
) -> None:
    async def main() -> None:
        come = asyncio.Semaphore(0)

        async def reading() -> None:
            async with make() as client:
                async for _ in read(client):
                    come.release()

        task = asyncio.create_task(reading())
        for _ in range(3):
            await within(come.acquire())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    agentops.init()
    asyncio.run(main())
    held.set()
    event = only(home)
    assert (event.status, event.error_type) == ("error", "asyncio.exceptions.CancelledError")
    assert event.error_message == "The task was cancelled."
    assert event.output_preview.startswith("Paris")


async def within(wanted: Awaitable[Any]) -> Any:
    return await asyncio.wait_for(wanted, 20)
