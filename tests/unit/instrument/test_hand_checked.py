"""Tokens and dollars of real calls of openai and anthropic, worked out by hand, plain and streamed.

The usage is the stand-in's: 21 in and 8 out; 1200 in of which 1024 cached, 48 out of which 40 reasoning;
anthropic's 21 beside 1024 read from the cache and 256 written to it. Prices in dollars for a million tokens,
on the day of the test: gpt-4o 2.50 in, 1.25 cached, 10 out; text-embedding-3-small 0.02; gpt-4o-transcribe
2.50 in, 10 out; claude-sonnet-4-6 3 in, 0.30 cached, 3.75 written, 15 out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

import agentops
from tests.standin import Models
from tests.unit.instrument.stored import only

OpenAI: Any = openai.OpenAI
Anthropic: Any = anthropic.Anthropic

ASK = [{"role": "user", "content": "Capital of France?"}]
CACHED = [{"role": "user", "content": "cached? think"}]
CLAUDE: dict[str, Any] = {"model": "claude-sonnet-4-6", "max_tokens": 2048, "messages": ASK}
CLAUDE_CACHED = {**CLAUDE, "messages": [{"role": "user", "content": "cached?"}]}
USAGE = {"stream": True, "stream_options": {"include_usage": True}}


def drained(stream: Any) -> None:
    for _ in stream:
        pass


def openai_calls() -> dict[str, Callable[[Any], Any]]:
    def chat(client: Any, **more: Any) -> Any:
        return client.chat.completions.create(**{"model": "gpt-4o", "messages": ASK, **more})

    def responses_helper(client: Any) -> None:
        with client.responses.stream(model="gpt-4o", input="Capital?") as stream:
            drained(stream)

    def transcribe(client: Any) -> None:
        client.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.wav", b"RIFF", "audio/wav"))

    return {
        "chat": chat,
        "chat streamed": lambda client: drained(chat(client, **USAGE)),
        "chat streamed without usage": lambda client: drained(chat(client, stream=True)),
        "chat cached, reasoning": lambda client: chat(client, messages=CACHED),
        "responses": lambda client: client.responses.create(model="gpt-4o", input="Capital?"),
        "responses streamed": lambda client: drained(
            client.responses.create(model="gpt-4o", input="Capital?", stream=True)
        ),
        "responses helper": responses_helper,
        "embedding": lambda client: client.embeddings.create(model="text-embedding-3-small", input="Paris"),
        "transcription": transcribe,
    }


def anthropic_calls() -> dict[str, Callable[[Any], Any]]:
    def helper(client: Any) -> None:
        with client.messages.stream(**CLAUDE_CACHED) as stream:
            drained(stream.text_stream)

    def left_early(client: Any) -> None:
        with client.messages.stream(**CLAUDE) as stream:
            next(iter(stream.text_stream))

    return {
        "messages": lambda client: client.messages.create(**CLAUDE),
        "messages streamed": lambda client: drained(client.messages.create(**CLAUDE, stream=True)),
        "messages cached": lambda client: client.messages.create(**CLAUDE_CACHED),
        "messages cached, streamed": lambda client: drained(
            client.messages.create(**CLAUDE_CACHED, stream=True)
        ),
        "messages helper, cached": helper,
        "messages left early": left_early,
    }


# in, out, of which cached, of which written, of which reasoning, dollars
Figures = tuple[int | None, int | None, int, int, int, str | None]

EXPECTED: dict[str, Figures] = {
    # 21 * 2.50 + 8 * 10 = 132.50
    "chat": (21, 8, 0, 0, 0, "0.0001325"),
    "chat streamed": (21, 8, 0, 0, 0, "0.0001325"),
    # Nobody said how many: not zero, and not free.
    "chat streamed without usage": (None, None, 0, 0, 0, None),
    # (1200 - 1024) * 2.50 + 1024 * 1.25 + 48 * 10 = 440 + 1280 + 480
    "chat cached, reasoning": (1200, 48, 1024, 0, 40, "0.0022000"),
    # 30 * 2.50 + 48 * 10 = 75 + 480
    "responses": (30, 48, 0, 0, 40, "0.0005550"),
    "responses streamed": (30, 48, 0, 0, 40, "0.0005550"),
    "responses helper": (30, 48, 0, 0, 40, "0.0005550"),
    # 5 * 0.02
    "embedding": (5, None, 0, 0, 0, "0.0000001"),
    # 14 * 2.50 + 9 * 10 = 35 + 90
    "transcription": (14, 9, 0, 0, 0, "0.0001250"),
    # 21 * 3 + 8 * 15 = 63 + 120
    "messages": (21, 8, 0, 0, 0, "0.0001830"),
    "messages streamed": (21, 8, 0, 0, 0, "0.0001830"),
    # 21 * 3 + 1024 * 0.30 + 256 * 3.75 + 8 * 15 = 63 + 307.20 + 960 + 120
    "messages cached": (1301, 8, 1024, 256, 0, "0.0014502"),
    "messages cached, streamed": (1301, 8, 1024, 256, 0, "0.0014502"),
    "messages helper, cached": (1301, 8, 1024, 256, 0, "0.0014502"),
    # What it had begun with is no count of what came.
    "messages left early": (21, None, 0, 0, 0, None),
}


@pytest.mark.parametrize("case", list(EXPECTED))
def test_tokens_and_dollars_are_those_computed_by_hand(case: str, home: Path, models: Models) -> None:
    agentops.init()
    if case.startswith("messages"):
        with Anthropic() as client:
            anthropic_calls()[case](client)
    else:
        with OpenAI() as client:
            openai_calls()[case](client)
    event = only(home)
    dollars = EXPECTED[case][-1]
    assert (
        event.tokens_input,
        event.tokens_output,
        event.tokens_cache_read or 0,
        event.tokens_cache_write or 0,
        event.tokens_reasoning or 0,
        event.cost_usd if event.cost_usd is None else f"{Decimal(repr(event.cost_usd)):.7f}",
    ) == (*EXPECTED[case][:-1], dollars)


def test_an_async_call_counts_as_a_sync_one(home: Path, models: Models) -> None:
    async def run() -> None:
        client: Any
        async with openai.AsyncOpenAI() as client:
            async for _ in await client.chat.completions.create(model="gpt-4o", messages=ASK, **USAGE):
                pass

    agentops.init()
    asyncio.run(run())
    event = only(home)
    assert (event.tokens_input, event.tokens_output, event.cost_usd) == (21, 8, 0.0001325)
