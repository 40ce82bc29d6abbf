"""Every form in which openai and anthropic can be called, and what its event holds."""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from opentelemetry.sdk.trace import TracerProvider
from pydantic import BaseModel

import agentops
from agentops.server.normalise.event import Event
from tests.golden import standin
from tests.golden.standin import batch_results
from tests.standin import Models
from tests.unit.instrument.conftest import ask
from tests.unit.instrument.stored import events, only, stored

OpenAI: Any = openai.OpenAI
AsyncOpenAI: Any = openai.AsyncOpenAI
Anthropic: Any = anthropic.Anthropic
AsyncAnthropic: Any = anthropic.AsyncAnthropic
CLAUDE: dict[str, Any] = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 2048,
    "messages": [{"role": "user", "content": "Capital of France?"}],
}
SAID = "Paris is the capital of France."
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]


class City(BaseModel):
    city: str


def attributes(event: Event) -> dict[str, Any]:
    return json.loads(event.attributes)


def sync(form: str) -> Any:
    """Call openai in one form; return what the program gets."""
    with OpenAI() as client:
        chat = client.chat.completions
        match form:
            case "raw":
                return chat.with_raw_response.create(**ask()).parse().choices[0].message.content
            case "raw, streamed":
                return len(list(chat.with_raw_response.create(**ask(stream=True)).parse()))
            case "read later":
                with chat.with_streaming_response.create(**ask()) as response:
                    return "".join(response.iter_text())
            case "read later, parsed":
                with chat.with_streaming_response.create(**ask()) as response:
                    return response.parse().choices[0].message.content
            case "read later, streamed":
                with chat.with_streaming_response.create(**ask(stream=True)) as response:
                    return "".join(response.iter_lines())
            case "structured":
                return chat.parse(**ask(), response_format=City).choices[0].message.parsed
            case "beta structured":
                return client.beta.chat.completions.parse(**ask(), response_format=City).choices[0]
            case "helper":
                with chat.stream(**ask()) as stream:
                    return stream.get_final_completion().choices[0].message.content
            case _:
                return chat.create(**ask(tools=TOOLS, stream=True)).__enter__().response.read()


async def later() -> str:
    async with (
        AsyncOpenAI() as client,
        client.chat.completions.with_streaming_response.create(**ask()) as response,
    ):
        return "".join([text async for text in response.iter_text()])


FORMS = (
    "raw", "raw, streamed", "read later", "read later, parsed", "read later, streamed", "structured",
    "beta structured", "helper",
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_openai_in_each_form(form: str, home: Path, models: Models) -> None:
    without = sync(form)
    agentops.init()
    with_us = sync(form)
    event = only(home)
    if isinstance(without, str) and "golden" not in without:
        assert with_us == without  # The program gets what it gets without us.
    assert event.kind == "llm"
    assert (event.status, event.input_preview) == ("ok", "Capital of France?")
    assert event.output_preview.strip() == ('{"city": "Paris"}' if "structured" in form else SAID)
    assert event.finish_reason == "stop"
    assert (event.first_token_ns is not None) == ("streamed" in form or form == "helper")


def test_openai_read_later_asynchronously(home: Path, models: Models) -> None:
    agentops.init()
    assert SAID in asyncio.run(later())
    event = only(home)
    assert (event.output_preview, event.tokens_output) == (SAID, 8)


def test_nothing_is_read_before_the_program_reads_it(home: Path, models: Models) -> None:
    agentops.init()
    with (
        OpenAI() as client,
        client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input="Hello"
        ) as response,
    ):
        assert not response.http_response.is_stream_consumed
        assert sum(len(piece) for piece in response.iter_bytes()) == 67
    event = only(home)
    assert event.name == "Speech"
    assert json.loads(event.output) == {"content_type": "audio/mpeg", "bytes": 67}


def test_a_response_that_is_dropped_unread_ends_its_event(home: Path, models: Models) -> None:
    agentops.init()
    with OpenAI() as client:
        client.chat.completions.with_streaming_response.create(**ask()).__enter__()
        gc.collect()
    assert only(home).status == "ok"


def left_early(form: str) -> None:
    with OpenAI() as client:
        match form:
            case "chat":
                stream = client.chat.completions.create(**ask(stream=True))
                for _ in range(3):
                    next(stream)
                stream.close()
            case "chat dropped":
                stream = iter(client.chat.completions.create(**ask(stream=True)))
                for _ in range(3):
                    next(stream)
                del stream
            case "chat helper":
                with client.chat.completions.stream(**ask()) as stream:
                    for _, _event in zip(range(6), stream, strict=False):
                        pass
            case _:
                stream = client.responses.create(model="gpt-4o", input="Capital?", stream=True)
                for _ in range(5):
                    next(stream)
                stream.close()


@pytest.mark.parametrize("form", ["chat", "chat dropped", "chat helper", "responses"])
def test_a_stream_left_early_ends_with_what_had_come(form: str, home: Path, models: Models) -> None:
    agentops.init()
    left_early(form)
    event = only(home)
    assert event.status == "ok"
    assert event.output_preview.strip() in ("Paris is", "Paris", "Paris is the")
    assert (event.tokens_input, event.tokens_output, event.cost_usd) == (None, None, None)
    assert event.first_token_ns


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("form", ["create", "stream", "stream closed", "stream dropped"])
def test_an_anthropic_stream_left_early_ends_with_what_had_come(
    form: str, asynchronous: bool, home: Path, models: Models
) -> None:
    def run() -> None:
        with Anthropic() as client:
            if form == "create":
                events = client.messages.create(**CLAUDE, stream=True)
                for _ in range(5):
                    next(events)
                events.close()
            elif form != "stream":
                stream = client.messages.stream(**CLAUDE).__enter__()
                for _ in range(3):
                    next(stream.text_stream)
                if form == "stream closed":
                    stream.close()
            else:
                with client.messages.stream(**CLAUDE) as stream:
                    for _, _text in zip(range(3), stream.text_stream, strict=False):
                        pass

    async def run_async() -> None:
        async with AsyncAnthropic() as client:
            if form == "create":
                events = await client.messages.create(**CLAUDE, stream=True)
                for _ in range(5):
                    await anext(events)
                await events.close()
            elif form != "stream":
                stream = await client.messages.stream(**CLAUDE).__aenter__()
                for _ in range(3):
                    await anext(stream.text_stream)
                if form == "stream closed":
                    await stream.close()
            else:
                async with client.messages.stream(**CLAUDE) as stream:
                    for _ in range(3):
                        await anext(stream.text_stream)

    agentops.init()
    asyncio.run(run_async()) if asynchronous else run()
    gc.collect()
    event = only(home)
    assert event.output_preview.startswith("Paris is")
    assert (event.tokens_input, event.tokens_output, event.cost_usd) == (21, None, None)
    assert event.first_token_ns


def test_anthropic_raw_and_read_later(home: Path, models: Models) -> None:
    agentops.init()
    with Anthropic() as client:
        client.messages.with_raw_response.create(**CLAUDE).parse()
        with client.messages.with_streaming_response.create(**CLAUDE) as response:
            assert SAID in "".join(response.iter_text())
        with client.messages.with_streaming_response.create(**CLAUDE, stream=True) as response:
            assert "Paris" in "".join(response.iter_lines())
    found = stored(home)
    assert [event.output_preview.strip() for event in found] == [SAID] * 3
    assert [event.tokens_output for event in found] == [8] * 3
    assert found[2].first_token_ns


def test_anthropic_tools_and_thinking(home: Path, models: Models) -> None:
    tool: dict[str, Any] = {"name": "get_weather", "input_schema": {"type": "object"}}
    agentops.init()
    with Anthropic() as client:
        for stream in (False, True):
            answer = client.messages.create(**CLAUDE, tools=[tool], stream=stream)
            thought = client.messages.create(
                **CLAUDE, thinking={"type": "enabled", "budget_tokens": 1024}, stream=stream
            )
            for each in (answer, thought) if stream else ():
                list(each)
    parts = [json.loads(event.output)[0]["parts"] for event in stored(home)]
    calls = [part for each in parts for part in each if part["type"] == "tool_call"]
    thoughts = [part for each in parts for part in each if part["type"] == "reasoning"]
    assert [(call["name"], call["arguments"]) for call in calls] == [("get_weather", {"city": "Paris"})] * 2
    assert [thought["content"] for thought in thoughts] == ["A capital is asked for."] * 2


def test_results_of_an_anthropic_batch_are_calls(home: Path, models: Models) -> None:
    async def run() -> None:
        async with AsyncAnthropic() as client:
            batch = await client.messages.batches.create(requests=[{"custom_id": "first", "params": CLAUDE}])
            results = await client.messages.batches.results(batch.id)
            assert [result.custom_id async for result in results] == ["first", "second"]

    agentops.init()
    with Anthropic() as client:
        batch = client.messages.batches.create(requests=[{"custom_id": "first", "params": CLAUDE}])
        assert [each.custom_id for each in client.messages.batches.results(batch.id)] == ["first", "second"]
    sent, first, second = stored(home)
    assert (sent.kind, sent.name) == ("operation", "messages.batches.create")
    assert json.loads(sent.input)[0]["custom_id"] == "first"
    assert attributes(sent)["agentops.llm.request_id"] == "req_golden"
    assert (first.kind, first.output_preview) == ("llm", SAID)
    assert (first.tokens_input, first.tokens_cache_read, first.tokens_output) == (1301, 1024, 8)
    assert (second.status, second.error_message) == ("error", "max_tokens: too many")
    asyncio.run(run())
    assert len(stored(home)) == 6


def openai_results() -> bytes:
    """Return the lines of a file of results: a chat, an embedding, a refusal."""
    data = [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]
    usage = {"prompt_tokens": 9, "total_tokens": 9}
    vectors = {"object": "list", "data": data, "model": "text-embedding-3-small", "usage": usage}
    refused = {"error": {"message": "Unknown model.", "type": "invalid_request_error", "code": "no_model"}}
    answers = [(200, {**standin.chat_answer(ask()), "model": "gpt-4o-mini"}), (200, vectors), (400, refused)]
    lines = [
        {"id": f"batch_req_{number}", "custom_id": f"mine-{number}", "error": None,
         "response": {"status_code": status, "request_id": f"req_{number}", "body": body}}
        for number, (status, body) in enumerate(answers)
    ]  # fmt: skip
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@pytest.mark.parametrize("how", ["plain", "raw", "async"])
def test_results_of_an_openai_batch_are_calls(
    how: str, home: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get(api: standin.Api) -> bool:
        api.body(200, openai_results() if "file-1" in api.path else b"mine", "application/octet-stream")
        return True

    def post(api: standin.Api, path: str, request: dict[str, Any]) -> bool:
        api.send(200, {"id": "batch_1", "object": "batch", "status": "validating", **request})
        return path.endswith("/batches")

    monkeypatch.setattr(models, "get", get)
    monkeypatch.setattr(models, "answer", post)
    asked: dict[str, Any] = {"input_file_id": "file-0", "endpoint": "/v1/chat/completions",
                             "completion_window": "24h"}  # fmt: skip

    async def run() -> None:
        async with AsyncOpenAI() as client:
            await client.batches.create(**asked)
            await client.files.content("file-1")

    agentops.init()
    if how == "async":
        asyncio.run(run())
    else:
        with OpenAI() as made:
            client = made.with_raw_response if how == "raw" else made
            client.batches.create(**asked)
            assert client.files.content("file-0").content == b"mine"
            assert client.files.content("file-1").content == openai_results()
    sent, chat, vector, refused = stored(home)
    assert (sent.kind, sent.name) == ("operation", "batches.create")
    assert json.loads(sent.output)["id"].startswith("batch_1")
    assert (chat.kind, chat.output_preview, chat.finish_reason) == ("llm", SAID, "stop")
    assert (chat.tokens_input, chat.tokens_output) == (21, 8)
    assert attributes(chat)["openai.batch.custom_id"] == "mine-0"
    assert (vector.kind, vector.model, vector.tokens_input) == ("embedding", "text-embedding-3-small", 9)
    # 21 x 0.075 + 8 x 0.30, half of the usual prices.
    assert chat.cost_usd == pytest.approx(0.000003975)
    assert vector.cost_usd
    assert (refused.status, refused.error_type, refused.error_message) == (
        "error", "no_model", "Unknown model."
    )  # fmt: skip


def test_a_raw_answer_to_a_batch_is_read_by_the_program_alone(
    home: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    def post(api: standin.Api, path: str, request: dict[str, Any]) -> bool:
        api.body(200, b"no batch", "application/json")
        return True

    monkeypatch.setattr(models, "answer", post)
    asked: Any = {"input_file_id": "f", "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    agentops.init()
    with OpenAI() as client:
        assert client.batches.with_raw_response.create(**asked).content == b"no batch"
        with client.batches.with_streaming_response.create(**asked) as streamed:
            assert not streamed.is_closed
            assert b"".join(streamed.iter_bytes()) == b"no batch"
    assert [one.status for one in stored(home)] == ["ok", "ok"]


def test_what_a_batch_wrote_for_an_hour_and_searched_is_told(
    home: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    def results(url: str) -> list[dict[str, Any]]:
        first, _ = batch_results(url)
        usage = first["result"]["message"]["usage"]
        usage["cache_creation"] = {"ephemeral_5m_input_tokens": 56, "ephemeral_1h_input_tokens": 200}
        usage["server_tool_use"] = {"web_search_requests": 2}
        return [first]

    monkeypatch.setattr(standin, "batch_results", results)
    agentops.init()
    with Anthropic() as client:
        list(client.messages.batches.results("msgbatch_1"))
    event = only(home)
    assert event.tokens_cache_write == 256
    assert json.loads(event.usage_more) == {"cache_write_1h": 200, "web_searches": 2, "tier": "batch"}


def test_a_stream_left_at_the_end_of_the_program_did_not_fail(home: Path, models: Models) -> None:
    async def run() -> None:
        # asyncio.run() closes what is left of the loop, and cancels that.
        async for _ in await AsyncAnthropic().messages.create(**CLAUDE, stream=True):
            break

    agentops.init()
    asyncio.run(run())
    gc.collect()
    assert (only(home).status, only(home).tokens_input) == ("ok", 21)


@pytest.mark.parametrize("provider", ["openai", "anthropic", "anthropic that traces itself"])
def test_retries_request_id_and_status(provider: str, home: Path, models: Models) -> None:
    agentops.init()
    call: Callable[[str], Any]
    if provider == "openai":
        made = OpenAI()
        call = lambda model: made.chat.completions.create(**{**ask(), "model": model})  # noqa: E731
        gone: Any = openai.NotFoundError
    else:
        # A program's own tracer provider makes the client's span of a request current.
        options = {"open_telemetry": {"tracer_provider": TracerProvider()}} if "itself" in provider else {}
        made = Anthropic(**options)
        call = lambda model: made.messages.create(**{**CLAUDE, "model": model})  # noqa: E731
        gone = anthropic.NotFoundError
    with made:
        call("flaky-2")
        with pytest.raises(gone):
            call("missing-model")
    flaky, missing = stored(home)
    said = attributes(flaky)
    assert said["http.request.resend_count"] == 2
    assert said["http.response.status_code"] == 200
    assert said["agentops.llm.request_id"] == "req_golden"
    said = attributes(missing)
    assert (missing.status, missing.model) == ("error", "missing-model")
    assert said["http.response.status_code"] == 404
    assert said["agentops.llm.request_id"] == "req_golden"
    assert "http.request.resend_count" not in said
    assert "404" in missing.error_message


def test_a_request_is_sent_as_the_program_made_it(home: Path, models: Models) -> None:
    agentops.init()
    with OpenAI() as client:
        list(client.chat.completions.create(**ask(stream=True)))
    body = {key: value for key, value in models.requests[0].items() if key not in ("path", "headers")}
    assert body == ask(stream=True)


def test_what_is_sent_beside_the_clients_own_parameters_is_told(home: Path, models: Models) -> None:
    agentops.init()
    with OpenAI() as client:
        client.chat.completions.create(**ask(extra_body={"top_k": 4}))
    assert models.requests[0]["top_k"] == 4
    said = attributes(only(home))
    assert json.loads(said["llm.invocation_parameters"])["top_k"] == 4


def test_what_is_no_llm_call_is_no_event(home: Path, models: Models) -> None:
    agentops.init()
    with OpenAI() as client:
        client.models.list()
    with Anthropic() as client:
        client.messages.count_tokens(model=CLAUDE["model"], messages=CLAUDE["messages"])
        client.models.list()
        client.messages.stream(**CLAUDE)  # Nothing is sent before its block is entered.
    assert [event for event in events(home) if event.kind != "session"] == []


def test_what_is_no_llm_call_says_nothing_of_the_tool_that_asks(home: Path, models: Models) -> None:
    @agentops.tool
    def choose() -> None:
        with OpenAI() as client:
            client.models.list()

    agentops.init()
    choose()
    event = only(home)
    assert (event.kind, event.provider) == ("tool", "")
    assert not attributes(event).keys() & {"http.response.status_code", "agentops.llm.request_id"}


@pytest.mark.parametrize("by", ["the instrumentor", "session.patch"])
def test_the_memory_of_an_open_stream_is_that_of_its_text(by: str, home: Path, models: Models) -> None:
    def chunks() -> Iterator[dict[str, Any]]:
        for at in range(4_000):
            yield {"choices": [{"index": 0, "delta": {"content": f"w{at:05d} "}}], "model": "m", "id": "r"}

    session = agentops.init()
    assert session is not None
    add: Callable[[Any], Any]
    if by == "session.patch":
        stream = session.patch(chunks)()
        add = lambda _: next(stream)  # noqa: E731
    else:
        types = importlib.import_module("openai.types.chat")
        accumulators = importlib.import_module("openinference.instrumentation.openai._response_accumulator")
        made = accumulators._ChatCompletionAccumulator(
            request_parameters={}, chat_completion_type=types.ChatCompletion
        )
        given = chunks()
        add = lambda _: made.process_chunk(types.ChatCompletionChunk.construct(**next(given)))  # noqa: E731
        OpenAI().close()  # Its import, if this is the first test, is not what is measured.
    for at in range(100):
        add(at)
    gc.collect()
    tracemalloc.start()
    for at in range(3_000):
        add(at)
    gc.collect()
    # Not what the shipper, in its own thread, imports meanwhile.
    ours = [
        tracemalloc.Filter(True, f"*/{place}/*") for place in ("agentops/sdk", "instrument", "openinference")
    ]
    snapshot = tracemalloc.take_snapshot().filter_traces(ours)
    held = sum(each.size for each in snapshot.statistics("filename"))
    tracemalloc.stop()
    # 7 bytes of text each: 20 KiB. As strings of their own they would hold 190.
    assert held < 80_000
