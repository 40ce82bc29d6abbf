"""Calls that are billed by what is spoken or heard, answers with several choices, and answers made later."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import openai
import pytest

import agentops
from tests.golden import standin
from tests.standin import Models
from tests.unit.instrument.conftest import ask
from tests.unit.instrument.stored import only, stored
from tests.unit.instrument.test_answers import answering

OpenAI: Any = openai.OpenAI
AsyncOpenAI: Any = openai.AsyncOpenAI
SPOKEN: dict[str, Any] = {"model": "tts-1", "voice": "alloy", "input": "Hello there"}
HEARD: dict[str, Any] = {"model": "whisper-1", "file": ("a.wav", b"RIFF", "audio/wav")}


def speak(how: str) -> None:
    with OpenAI() as client:
        speech = client.audio.speech
        if how == "raw":
            speech.with_raw_response.create(**SPOKEN)
        elif how == "read later":
            with speech.with_streaming_response.create(**SPOKEN) as response:
                response.read()
        else:
            speech.create(**SPOKEN)


@pytest.mark.parametrize("how", ["plain", "raw", "read later"])
def test_speech_costs_what_its_characters_do(how: str, home: Path, models: Models) -> None:
    agentops.init()
    speak(how)
    event = only(home)
    # 11 x 15 dollars for a million
    assert (event.name, event.tokens_input, event.cost_usd) == ("Speech", None, 0.000165)
    assert json.loads(event.cost_detail)["terms"] == [["character", 11, 15.0]]


def hear(how: str) -> None:
    with OpenAI() as client:
        transcriptions = client.audio.transcriptions
        if how == "raw":
            transcriptions.with_raw_response.create(**HEARD)
        elif how == "read later":
            with transcriptions.with_streaming_response.create(**HEARD) as response:
                response.parse()
        elif how == "verbose":
            transcriptions.create(**HEARD, response_format="verbose_json")
        else:
            transcriptions.create(**HEARD)


@pytest.mark.parametrize("how", ["plain", "raw", "read later", "verbose"])
def test_a_transcription_costs_what_its_seconds_do(
    how: str, home: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(api: standin.Api, request: dict[str, Any]) -> None:
        del request
        said = {"duration": 8.6, "language": "english"} if how == "verbose" else {}
        api.send(200, {"text": "Good day.", "usage": {"type": "duration", "seconds": 9}, **said})

    answering(models, monkeypatch, answer)
    agentops.init()
    hear(how)
    event = only(home)
    # 9 seconds of an hour at 0.36 dollars
    assert (event.tokens_input, event.cost_usd) == (None, 0.0009)


@pytest.mark.parametrize("stream", [False, True])
def test_each_choice_says_why_it_ended(
    stream: bool, home: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(api: standin.Api, request: dict[str, Any]) -> None:
        whole = standin.chat_answer(request)
        first = whole["choices"][0]
        second = {**first, "index": 1, "finish_reason": "length"}
        if stream:
            chunks = [
                {"index": each["index"], "delta": each["message"], "finish_reason": each["finish_reason"]}
                for each in (first, second)
            ]
            head = {**whole, "object": "chat.completion.chunk", "usage": None}
            api.stream([(None, {**head, "choices": [chunk]}) for chunk in chunks], done=True)
        else:
            api.send(200, {**whole, "choices": [first, second]})

    answering(models, monkeypatch, answer)
    agentops.init()
    with OpenAI() as client:
        answer_or_chunks = client.chat.completions.create(**ask(n=2, stream=stream))
        list(answer_or_chunks)
    assert only(home).finish_reason == "stop, length"


@pytest.mark.parametrize("how", ["plain", "raw", "async"])
def test_an_answer_made_in_the_background_has_its_tokens(how: str, home: Path, models: Models) -> None:
    async def look_up(identity: str) -> None:
        async with AsyncOpenAI() as client:
            await client.responses.retrieve(identity)

    agentops.init()
    with OpenAI() as client:
        begun = client.responses.create(model="gpt-4o", input="Capital of France?", background=True)
        if how == "async":
            asyncio.run(look_up(begun.id))
        elif how == "raw":
            client.responses.with_raw_response.retrieve(begun.id).parse()
        else:
            client.responses.retrieve(begun.id)
    asked, answered = stored(home)
    assert (asked.response_id, asked.input_preview) == (begun.id, "Capital of France?")
    assert (asked.tokens_input, asked.cost_usd) == (None, None)
    assert (answered.kind, answered.response_id) == ("llm", begun.id)
    assert answered.output_preview == "Paris is the capital of France."
    # 30 x 2.50 + 48 x 10.00 dollars for a million
    assert (answered.tokens_input, answered.tokens_output, answered.cost_usd) == (30, 48, 0.000555)
