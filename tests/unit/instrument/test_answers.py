"""Answers that are not what the program asked for: refused, failed, of another form, cut off by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from pydantic import BaseModel, ValidationError

import agentops
from tests.golden import standin
from tests.standin import Models
from tests.unit.instrument.conftest import ask
from tests.unit.instrument.stored import only

OpenAI: Any = openai.OpenAI
AsyncOpenAI: Any = openai.AsyncOpenAI
Anthropic: Any = anthropic.Anthropic
CLAUDE: dict[str, Any] = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 2048,
    "messages": [{"role": "user", "content": "Capital of France?"}],
}


class Number(BaseModel):
    city: int


def answering(
    models: Models, monkeypatch: pytest.MonkeyPatch, send: Callable[[standin.Api, dict[str, Any]], None]
) -> None:
    def answer(api: standin.Api, path: str, request: dict[str, Any]) -> bool:
        del path
        send(api, request)
        return True

    monkeypatch.setattr(models, "answer", answer)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_refusal_and_its_reasoning_are_in_the_message(
    streamed: bool, home: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(api: standin.Api, request: dict[str, Any]) -> None:
        said = {"role": "assistant", "reasoning_content": "Is that allowed?", "refusal": "I cannot."}
        head = {"id": "chatcmpl-1", "created": 1, "model": request["model"]}
        if streamed:
            chunk: dict[str, Any] = {"index": 0, "delta": said, "finish_reason": None}
            last: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": "stop"}
            object_ = "chat.completion.chunk"
            api.stream([(None, {**head, "object": object_, "choices": [each]}) for each in (chunk, last)],
                       done=True)  # fmt: skip
        else:
            choice = {"index": 0, "message": {**said, "content": None}, "finish_reason": "stop"}
            api.send(200, {**head, "object": "chat.completion", "choices": [choice]})

    answering(models, monkeypatch, refuse)
    agentops.init()
    with OpenAI() as client:
        answer = client.chat.completions.create(**ask(stream=streamed))
        if streamed:
            list(answer)
    assert json.loads(only(home).output) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Is that allowed?"},
                {"type": "refusal", "content": "I cannot."},
            ],
        }
    ]


@pytest.mark.parametrize("how", ["plain", "streamed", "an error event"])
def test_a_response_that_failed_is_an_error(
    how: str, home: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = {"code": "server_error", "message": "The model broke."}

    def fail(api: standin.Api, request: dict[str, Any]) -> None:
        whole = {**standin.response_answer(request), "status": "failed", "error": error}
        events = standin.response_events(request)[:-1]
        match how:
            case "plain":
                api.send(200, whole)
            case "streamed":
                last = {"type": "response.failed", "sequence_number": 99, "response": whole}
                api.stream([*events, ("response.failed", last)], done=False)
            case _:
                last = {"type": "error", "param": None, "sequence_number": 99, **error}
                api.stream([*events, ("error", last)], done=False)

    answering(models, monkeypatch, fail)
    agentops.init()
    with OpenAI() as client:
        answer = client.responses.create(model="gpt-4o-mini", input="Hello", stream=how != "plain")
        if how != "plain":
            list(answer)
    event = only(home)
    assert (event.status, event.error_type, event.error_message) == (
        "error", "server_error", "The model broke."
    )  # fmt: skip


def unparsed(how: str) -> None:
    if how == "anthropic":
        with Anthropic() as client:
            client.messages.parse(**CLAUDE, output_format=Number)
    elif how == "responses":
        with OpenAI() as client:
            client.responses.parse(model="gpt-4o-mini", input="Hello", text_format=Number)
    elif how == "openai":
        with OpenAI() as client:
            client.chat.completions.parse(**ask(response_format=Number))
    else:

        async def main() -> None:
            async with AsyncOpenAI() as client:
                await client.chat.completions.parse(**ask(response_format=Number))

        asyncio.run(main())


@pytest.mark.parametrize("how", ["openai", "openai async", "responses", "anthropic"])
def test_an_answer_that_does_not_parse_keeps_its_tokens(how: str, home: Path, models: Models) -> None:
    agentops.init()
    with pytest.raises(ValidationError):
        unparsed(how)
    event = only(home)
    tokens = (30, 48) if how == "responses" else (21, 8)
    assert (event.status, event.tokens_input, event.tokens_output) == ("error", *tokens)
    assert event.response_id
    assert event.cost_usd


def test_images_have_their_tokens(home: Path, models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = {"input_tokens": 50, "output_tokens": 1000, "total_tokens": 1050}

    def paint(api: standin.Api, request: dict[str, Any]) -> None:
        del request
        api.send(200, {"created": 1, "data": [], "usage": usage})

    answering(models, monkeypatch, paint)
    agentops.init()
    with OpenAI() as client:
        client.images.generate(model="gpt-image-1", prompt="a cat")
    event = only(home)
    # 50 x 5 + 1000 x 40 dollars for a million
    assert (event.tokens_input, event.tokens_output, event.cost_usd) == (50, 1000, 0.04025)


def left() -> None:
    with Anthropic() as client, client.messages.stream(**CLAUDE) as stream:
        for event in stream:
            if event.type == "text":
                raise KeyError("mine")


def test_an_exception_that_leaves_a_stream_of_anthropic_is_its_error(home: Path, models: Models) -> None:
    agentops.init()
    with pytest.raises(KeyError):
        left()
    assert (only(home).status, only(home).error_type) == ("error", "KeyError")
    assert only(home).output_preview.startswith("Paris")
