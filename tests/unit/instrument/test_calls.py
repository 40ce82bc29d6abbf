"""Calls made through the providers' real client libraries, as they are recorded, held back and patched."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import openai
import pytest
import wrapt

import agentops
from tests.recorded import Journal, Recorded
from tests.standin import Models
from tests.unit.instrument.conftest import ask

Read = Callable[[], Journal]

# Their types cannot follow arguments that come from a dict.
OpenAI: Any = openai.OpenAI
Anthropic: Any = anthropic.Anthropic
AsyncAnthropic: Any = anthropic.AsyncAnthropic

CLAUDE: dict[str, Any] = {
    "model": "claude-opus-9",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Capital of France?"}],
}


def llm(journal: Journal) -> Recorded:
    """The one LLM call that was recorded."""
    found = [
        span
        for span in journal.events
        if span.kind == "llm" or span.attributes.get("openinference.span.kind") in ("LLM", "EMBEDDING")
    ]
    assert len(found) == 1, [span.name for span in journal.events]
    return found[0]


def begin() -> agentops.Session:
    found = agentops.init()
    assert found is not None
    return found


def drained(stream: Any) -> int:
    return sum(1 for _ in stream)


def openai_call(client: Any, how: str) -> Any:
    match how:
        case "chat":
            return client.chat.completions.create(**ask())
        case "stream":
            return drained(
                client.chat.completions.create(**ask(stream=True, stream_options={"include_usage": True}))
            )
        case "raw":
            return client.chat.completions.with_raw_response.create(**ask()).parse()
        case "responses":
            return client.responses.create(model="gpt-4o-mini", input="Capital of France?")
        case _:
            return client.embeddings.create(model="text-embedding-3-small", input="Paris")


async def openai_call_async(client: Any, how: str) -> Any:
    match how:
        case "chat":
            return await client.chat.completions.create(**ask())
        case "stream":
            stream: Any = await client.chat.completions.create(
                **ask(stream=True, stream_options={"include_usage": True})
            )
            return [chunk async for chunk in stream]
        case "raw":
            return (await client.chat.completions.with_raw_response.create(**ask())).parse()
        case "responses":
            return await client.responses.create(model="gpt-4o-mini", input="Capital of France?")
        case _:
            return await client.embeddings.create(model="text-embedding-3-small", input="Paris")


def anthropic_call(client: Any, how: str) -> Any:
    match how:
        case "create":
            return client.messages.create(**CLAUDE)
        case "create stream":
            return drained(client.messages.create(**CLAUDE, stream=True))
        case _:
            with client.messages.stream(**CLAUDE) as stream:
                return "".join(stream.text_stream)


async def anthropic_call_async(client: Any, how: str) -> Any:
    match how:
        case "create":
            return await client.messages.create(**CLAUDE)
        case "create stream":
            stream: Any = await client.messages.create(**CLAUDE, stream=True)
            return [event async for event in stream]
        case _:
            async with client.messages.stream(**CLAUDE) as manager:
                return [text async for text in manager.text_stream]


OPENAI = ("chat", "stream", "raw", "responses", "embeddings")
ANTHROPIC = ("create", "create stream", "stream")


def make(provider: str, how: str, mode: str) -> None:
    """Make one call."""
    if mode == "sync":
        if provider == "openai":
            with OpenAI() as client:
                openai_call(client, how)
        else:
            with Anthropic() as client:
                anthropic_call(client, how)
        return

    async def run() -> None:
        if provider == "openai":
            async with openai.AsyncOpenAI() as client:
                await openai_call_async(client, how)
        else:
            async with AsyncAnthropic() as client:
                await anthropic_call_async(client, how)

    asyncio.run(run())


EVERY = [("openai", how) for how in OPENAI] + [("anthropic", how) for how in ANTHROPIC]


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize(("provider", "how"), EVERY)
def test_a_call_is_recorded_once_with_what_it_cost(
    home: object, models: Models, journal: Read, provider: str, how: str, mode: str
) -> None:
    session = begin()
    make(provider, how, mode)
    span = llm(journal())
    assert span.session == str(session.session_id)
    assert span.trace_id == session.session_id.hex
    # Once: the Anthropic client traces itself as well.
    assert [event.name for event in journal().events] == [span.name]
    assert span.attributes["llm.token_count.prompt"] > 0
    assert span.starts == 1
    assert span.ended_at
    assert len(models.requests) == 1


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize(("provider", "how"), EVERY)
def test_with_several_sessions_an_unbound_call_is_refused_before_a_byte_leaves(
    home: object, models: Models, journal: Read, provider: str, how: str, mode: str
) -> None:
    first, second = begin(), agentops.start_session()
    with pytest.raises(agentops.MultiSessionException, match=r"session\.patch"):
        make(provider, how, mode)
    assert models.requests == []
    with second:
        make(provider, how, mode)
    assert llm(journal()).session == str(second.session_id)
    make(provider, how, mode)  # One session is left: single-session mode again.
    assert len(models.requests) == 2
    assert first.is_running


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("how", ["realtime", "responses"])
def test_a_connection_that_belongs_to_no_session_is_refused(
    how: str, asynchronous: bool, home: object, models: Models
) -> None:
    begin()
    other = agentops.start_session()
    client: Any = openai.AsyncOpenAI() if asynchronous else OpenAI()
    connect: Any = client.realtime.connect if how == "realtime" else client.responses.connect
    asked: dict[str, Any] = {"model": "gpt-realtime"} if how == "realtime" else {}
    with pytest.raises(agentops.MultiSessionException):
        connect(**asked)
    with other:
        connect(**asked)  # It has not been entered: nothing is sent yet.
    agentops.stop_instrumenting()
    connect(**asked)


def test_fail_safe_lets_the_call_through_unrecorded(home: object, models: Models, journal: Read) -> None:
    agentops.init(fail_safe=True)
    other = agentops.start_session()
    make("openai", "chat", "sync")
    assert len(models.requests) == 1
    assert journal().events == []
    assert other.is_running


def test_what_is_no_llm_call_is_never_refused(home: object, models: Models) -> None:
    begin()
    other = agentops.start_session()
    with OpenAI() as client:
        assert list(client.models.list()) == []
    assert other.is_running


def test_a_failed_call_is_an_error_with_its_message(home: object, models: Models, journal: Read) -> None:
    begin()
    with OpenAI() as client, pytest.raises(openai.NotFoundError):
        client.chat.completions.create(**{**ask(), "model": "missing-model"})
    span = llm(journal())
    assert span.status == 2
    assert "missing-model" in span.message


def test_a_dropped_stream_ends_its_event(home: object, models: Models, journal: Read) -> None:
    begin()
    with OpenAI() as client:
        stream = client.chat.completions.create(**ask(stream=True))
        next(iter(stream))
        stream.close()
    span = llm(journal())
    assert span.ended_at
    assert span.attributes["agentops.llm.first_token_ns"] > 0


def test_a_call_from_a_bare_thread_has_the_session_as_its_parent(
    home: object, models: Models, journal: Read
) -> None:
    session = begin()
    thread = threading.Thread(target=make, args=("openai", "chat", "sync"))
    thread.start()
    thread.join()
    span = llm(journal())
    assert span.trace_id == session.session_id.hex
    assert journal().sessions[0].span_id == span.parent_id


def test_instrument_llm_calls_false_leaves_libraries_alone(
    home: object, models: Models, journal: Read
) -> None:
    before = openai.OpenAI.request
    agentops.init(instrument_llm_calls=False)
    assert openai.OpenAI.request is before
    make("openai", "chat", "sync")
    make("anthropic", "create", "sync")  # It would trace itself, because of our tracer provider.
    assert journal().events == []


# session.patch


def test_patch_assigns_calls_of_an_instrumented_library(home: object, models: Models, journal: Read) -> None:
    begin()
    session = agentops.start_session()
    with OpenAI() as client:
        observed = session.patch(client.chat.completions.create)
        assert inspect.signature(observed) == inspect.signature(client.chat.completions.create)
        first = observed(**ask())
        assert first.choices[0].message.content == "Paris is the capital of France."
        drained(observed(**ask(stream=True)))
    spans = [span for span in journal().events if span.attributes.get("openinference.span.kind") == "LLM"]
    assert [span.session for span in spans] == [str(session.session_id)] * 2
    assert all(span.kind != "llm" for span in journal().events)


def test_patch_around_an_embedding_is_no_second_call(home: object, models: Models, journal: Read) -> None:
    begin()
    session = agentops.start_session()

    def embed(text: str, model: str = "text-embedding-3-small") -> Any:
        with OpenAI() as client:
            return client.embeddings.create(model=model, input=text)

    session.patch(embed)("Paris")
    outer, inner = journal().events
    assert inner.attributes["openinference.span.kind"] == "EMBEDDING"
    assert (outer.kind, outer.name) == ("operation", "test_patch_around_an_embedding_is_no_second_call.embed")
    assert not any(key.startswith("gen_ai.usage") for key in outer.attributes)


def test_patch_around_a_wrapped_generator_function_is_no_second_call(
    home: object, models: Models, journal: Read
) -> None:
    session = begin()
    with OpenAI() as client:

        def chunks() -> Iterator[str]:
            yield "never made: an instrumentor's wrapper may give another stream"

        def around(*_: Any) -> Any:
            return client.chat.completions.create(**ask(stream=True))

        assert drained(session.patch(wrapt.FunctionWrapper(chunks, around))()) > 1
    outer, inner = journal().events
    assert outer.kind == "operation"
    assert inner.parent_id == outer.span_id
    assert inner.attributes["openinference.span.kind"] == "LLM"


def test_patch_reaches_a_call_that_is_made_when_a_block_is_entered(
    home: object, models: Models, journal: Read
) -> None:
    begin()
    session = agentops.start_session()
    with Anthropic() as client, session.patch(client.messages.stream)(**CLAUDE) as stream:
        assert "".join(stream.text_stream).strip() == "Paris is the capital of France."
    assert llm(journal()).session == str(session.session_id)

    async def main() -> None:
        async with AsyncAnthropic() as client:
            message = await session.patch(client.messages.create)(**CLAUDE)
            assert message.stop_reason == "end_turn"
            async with session.patch(client.messages.stream)(**CLAUDE) as stream:
                assert [text async for text in stream.text_stream]

    asyncio.run(main())
    assert {span.session for span in journal().events} == {str(session.session_id)}


def test_patch_keeps_what_a_callable_returns(home: object, models: Models, journal: Read) -> None:
    begin()
    session = agentops.start_session()

    async def main() -> None:
        async with openai.AsyncOpenAI() as client:
            create: Any = client.chat.completions.with_streaming_response.create
            async with session.patch(create)(**ask()) as response:
                assert (await response.parse()).choices[0].message.content

    asyncio.run(main())
    assert llm(journal()).session == str(session.session_id)


REPLY = {
    "id": "r-1",
    "model": "own-1",
    "choices": [{"message": {"role": "assistant", "content": "Paris"}}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 2},
}


class OwnModel:
    """A library that nobody instruments."""

    def ask(self, messages: list[dict[str, str]], *, model: str = "own-1") -> dict[str, Any]:
        if not messages:
            raise ValueError("no messages")
        return REPLY

    async def ask_async(self, messages: list[dict[str, str]], *, model: str = "own-1") -> dict[str, Any]:
        await asyncio.sleep(0)
        return REPLY

    def words(self, prompt: str, model: str = "own-1") -> Iterator[str]:
        yield from ("Pa", "ris")

    async def words_async(self, prompt: str, model: str = "own-1") -> AsyncIterator[str]:
        for word in ("Pa", "ris"):
            await asyncio.sleep(0)
            yield word

    def iterator(self, prompt: str, model: str = "own-1") -> Iterator[str]:
        return iter(["Pa", "ris"])

    @contextmanager
    def opened(self, prompt: str, model: str = "own-1") -> Generator[Iterator[str]]:
        yield iter(["Pa", "ris"])


MESSAGES = [{"role": "user", "content": "Capital?"}]
ASKED = '[{"role":"user","parts":[{"type":"text","content":"Capital?"}]}]'
SAID = '[{"role":"assistant","parts":[{"type":"text","content":"Paris"}]}]'


def checked(journal: Journal, session: agentops.Session, *, stream: bool) -> Recorded:
    span = llm(journal)
    assert span.kind == "llm"
    assert span.name == "own-1"
    assert span.session == str(session.session_id)
    assert span.attributes["gen_ai.request.model"] == "own-1"
    assert span.attributes["gen_ai.input.messages"] == ASKED
    assert span.attributes["gen_ai.output.messages"] == SAID
    if stream:
        assert span.attributes["agentops.llm.first_token_ns"] >= 0
    else:
        assert span.attributes["gen_ai.usage.input_tokens"] == 7
        assert span.attributes["gen_ai.usage.output_tokens"] == 2
    return span


@pytest.mark.parametrize(
    "how", ["method", "partial", "async", "generator", "async generator", "iterator", "block"]
)
def test_patch_records_a_call_that_nothing_instruments(home: object, journal: Read, how: str) -> None:
    begin()
    session = agentops.start_session()
    own = OwnModel()

    async def awaited(call: Any) -> Any:
        return await call(MESSAGES)

    async def gathered(call: Any) -> list[str]:
        return [word async for word in call("Capital?")]

    match how:
        case "method":
            assert session.patch(own.ask)(MESSAGES) == REPLY
        case "partial":
            assert session.patch(functools.partial(own.ask, model="own-1"))(MESSAGES) == REPLY
        case "async":
            assert inspect.iscoroutinefunction(session.patch(own.ask_async))
            assert asyncio.run(awaited(session.patch(own.ask_async))) == REPLY
        case "generator":
            assert inspect.isgeneratorfunction(session.patch(own.words))
            assert list(session.patch(own.words)("Capital?")) == ["Pa", "ris"]
        case "async generator":
            assert asyncio.run(gathered(session.patch(own.words_async))) == ["Pa", "ris"]
        case "iterator":
            assert list(session.patch(own.iterator)("Capital?")) == ["Pa", "ris"]
        case _:
            with session.patch(own.opened)("Capital?") as words:
                assert list(words) == ["Pa", "ris"]
    checked(journal(), session, stream=how in ("generator", "async generator", "iterator", "block"))
    assert agentops.current_session() is None


def test_patch_records_what_a_call_raises(home: object, journal: Read) -> None:
    session = begin()
    with pytest.raises(ValueError, match="no messages"):
        session.patch(OwnModel().ask)([])
    span = llm(journal())
    assert (span.status, span.message) == (2, "ValueError: no messages")


def test_a_patched_function_around_an_instrumented_call_is_not_a_second_llm_call(
    home: object, models: Models, journal: Read
) -> None:
    begin()
    session = agentops.start_session()

    def answer(question: str) -> str | None:
        with OpenAI() as client:
            return client.chat.completions.create(**ask()).choices[0].message.content

    assert session.patch(answer)("Capital?") == "Paris is the capital of France."
    span = llm(journal())
    around = journal().parent(span)
    assert around is not None
    assert (around.kind, around.name.rpartition(".")[2]) == ("operation", "answer")
    assert (around.input, around.output) == ({"question": "Capital?"}, "Paris is the capital of France.")
    assert "gen_ai.input.messages" not in around.attributes
    assert span.session == around.session == str(session.session_id)
