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
from tests.unit.instrument.stored import only, stored

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


def chat_of(*deltas: dict[str, Any]) -> Callable[[standin.Api, dict[str, Any]], None]:
    """Return what streams a chat of these pieces."""

    def send(api: standin.Api, request: dict[str, Any]) -> None:
        head = {
            "id": "chatcmpl-1",
            "created": 1,
            "model": request["model"],
            "object": "chat.completion.chunk",
        }
        choices: list[dict[str, Any]] = [
            {"index": 0, "delta": delta, "finish_reason": None} for delta in deltas
        ]
        choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
        chunks = (json.dumps({**head, "choices": [choice]}, ensure_ascii=False) for choice in choices)
        body = "".join(f"data: {chunk}\n\n" for chunk in (*chunks, "[DONE]"))
        api.body(200, body.encode(), "text/event-stream")

    return send


def test_what_is_streamed_in_pieces_is_put_together(
    home: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: dict[str, Any] = {"index": 0, "id": "call_1", "type": "custom"}
    send = chat_of(
        {"role": "assistant", "audio": {"id": "audio_1", "transcript": "It is "}},
        {"audio": {"transcript": "Paris.", "data": "aGVs"}},
        {"audio": {"data": "bG8="}},
        {"tool_calls": [{**called, "custom": {"name": "run", "input": "print"}}]},
        {"tool_calls": [{"index": 0, "custom": {"input": "(1)"}}]},
    )
    answering(models, monkeypatch, send)
    agentops.init()
    with OpenAI() as client:
        list(client.chat.completions.create(**ask(stream=True)))
    parts = json.loads(only(home).output)[0]["parts"]
    spoken, sound, call = parts
    assert spoken == {"type": "text", "content": "It is Paris."}
    assert (sound["modality"], sound["content"]) == ("audio", "aGVsbG8=")
    assert call == {"type": "tool_call", "id": "call_1", "name": "run", "arguments": "print(1)"}


def test_other_ends_of_lines_end_no_event_of_a_stream(
    home: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "Paris\u2028is\u0085the capital"
    answering(models, monkeypatch, chat_of({"content": said}))
    agentops.init()
    with OpenAI() as client:
        later = client.chat.completions.with_streaming_response.create(**ask(stream=True))
        with later as response:
            assert said in "".join(response.iter_text())
    assert json.loads(only(home).output)[0]["parts"] == [{"type": "text", "content": said}]


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


def test_a_streamed_transcription_is_its_text_and_tokens(
    home: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = {"type": "tokens", "input_tokens": 14, "output_tokens": 3, "total_tokens": 17}

    def hear(api: standin.Api, request: dict[str, Any]) -> None:
        del request
        deltas = [{"type": "transcript.text.delta", "delta": text} for text in ("Good ", "day.")]
        done = {"type": "transcript.text.done", "text": "Good day.", "usage": usage}
        api.stream([(None, each) for each in (*deltas, done)], done=True)

    answering(models, monkeypatch, hear)
    agentops.init()
    with OpenAI() as client:
        file = ("a.wav", b"RIFF", "audio/wav")
        heard: Any = client.audio.transcriptions.create(model="gpt-4o-transcribe", file=file, stream=True)
        assert len(list(heard)) == 3
    event = only(home)
    assert json.loads(event.output)["text"] == "Good day."
    # 14 x 2.50 + 3 x 10.00 dollars for a million
    assert (event.tokens_input, event.tokens_output, event.cost_usd) == (14, 3, 0.000065)


def test_of_a_response_that_breaks_off_every_item_is_kept(
    home: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    def speak(api: standin.Api, request: dict[str, Any]) -> None:
        begun: dict[str, Any] = {
            **standin.response_answer(request),
            "status": "in_progress",
            "output": [],
            "usage": None,
        }
        thought: dict[str, Any] = {"type": "reasoning", "id": "rs_1", "summary": []}
        call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "find", "arguments": ""}
        events: list[dict[str, Any]] = [
            {"type": "response.created", "response": begun},
            {"type": "response.output_item.added", "output_index": 0, "item": thought},
            {"type": "response.reasoning_summary_text.delta", "output_index": 0, "item_id": "rs_1",
             "summary_index": 0, "delta": "Look "},
            {"type": "response.reasoning_summary_text.delta", "output_index": 0, "item_id": "rs_1",
             "summary_index": 0, "delta": "it up."},
            {"type": "response.output_item.added", "output_index": 1, "item": call},
            {"type": "response.function_call_arguments.delta", "output_index": 1, "item_id": "fc_1",
             "delta": '{"order": 10'},
            {"type": "response.function_call_arguments.delta", "output_index": 1, "item_id": "fc_1",
             "delta": "42"},
        ]  # fmt: skip
        api.stream([(each["type"], {"sequence_number": 0, **each}) for each in events], done=False)

    answering(models, monkeypatch, speak)
    agentops.init()
    with OpenAI() as client:
        list(client.responses.create(model="gpt-4o-mini", input="Hello", stream=True))
    parts = [part for each in json.loads(only(home).output) for part in each["parts"]]
    assert parts == [
        {"type": "reasoning", "content": "Look it up."},
        {"type": "tool_call", "id": "call_1", "name": "find", "arguments": '{"order": 1042'},
    ]


def left(how: str) -> None:
    async def main() -> None:
        async with AsyncOpenAI() as client, client.responses.stream(model="gpt-4o", input="Hello") as stream:
            async for event in stream:
                if event.type == "response.output_text.delta":
                    raise KeyError("mine")

    if how == "anthropic":
        with Anthropic() as client, client.messages.stream(**CLAUDE) as stream:
            for event in stream:
                if event.type == "text":
                    raise KeyError("mine")
    elif how == "openai":
        with OpenAI() as client, client.chat.completions.stream(**ask()) as stream:
            for event in stream:
                if event.type == "content.delta" and event.snapshot.startswith("Paris"):
                    raise KeyError("mine")
    else:
        asyncio.run(main())


@pytest.mark.parametrize("how", ["anthropic", "openai", "openai async"])
def test_an_exception_that_leaves_a_helpers_stream_is_its_error(how: str, home: Path, models: Models) -> None:
    agentops.init()
    with pytest.raises(KeyError):
        left(how)
    assert (only(home).status, only(home).error_type) == ("error", "KeyError")
    assert only(home).output_preview.startswith("Paris")


def test_a_tool_of_a_runner_that_fails_says_of_what(home: Path, models: Models) -> None:
    def get_weather(city: str) -> str:
        """Say the weather of a city."""
        raise LookupError(f"No weather in {city}")

    agentops.init()
    with Anthropic() as client:
        client.beta.messages.tool_runner(**CLAUDE, tools=[anthropic.beta_tool(get_weather)]).until_done()
    tool = next(event for event in stored(home) if event.kind == "tool")
    assert (tool.name, tool.status) == ("get_weather", "error")
    assert (tool.error_type, tool.error_message) == ("LookupError", "No weather in Paris")
    assert "get_weather" in tool.error_stack
