"""`session.patch` on callables that nothing instruments: what they return, which event is the LLM call."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncGenerator, Callable, Generator
from types import SimpleNamespace as Object
from typing import Any

import pytest

import agentops
from tests.recorded import Journal

Read = Callable[[], Journal]


async def ask(prompt: str) -> str:
    await asyncio.sleep(0)
    return prompt.upper()


def test_calls_at_once_are_each_an_llm_call(session: agentops.Session, journal: Read) -> None:
    kept = session.patch(ask)

    async def both() -> tuple[str, str, str]:
        return await asyncio.gather(kept("a"), kept("b"), kept("c"))

    assert list(asyncio.run(both())) == ["A", "B", "C"]
    assert [event.kind for event in journal().events] == ["llm"] * 3
    assert session.event_counts["llm"] == 3


def test_a_call_around_another_is_an_operation(session: agentops.Session, journal: Read) -> None:
    inner = session.patch(ask)

    @session.patch
    async def outer(prompt: str) -> str:
        return await inner(prompt)

    asyncio.run(outer("a"))
    assert [event.kind for event in journal().events] == ["operation", "llm"]


def test_a_decorated_call_is_what_its_decorator_says_and_nothing_more(
    session: agentops.Session, journal: Read
) -> None:
    @agentops.agent
    class Clerk:
        def answer(self) -> list[str]:
            return list(session.patch(functools.partial(read, "a"))())

    @agentops.tool
    def read(prompt: str) -> Generator[str]:
        yield prompt

    agentops.start_session(name="other")
    assert session.patch(Clerk().answer)() == ["a"]
    assert asyncio.run(session.patch(agentops.operation(ask))("b")) == "B"
    found = [(event.kind, event.name.rpartition(".")[2]) for event in journal().events]
    assert found == [("agent", "Clerk"), ("tool", "read"), ("operation", "ask")]


@contextlib.contextmanager
def block(prompt: str) -> Generator[tuple[str, int]]:
    yield prompt, 1


@contextlib.asynccontextmanager
async def async_block(prompt: str) -> AsyncGenerator[dict[str, Any]]:
    yield {"prompt": prompt}


def test_what_a_block_gives_is_the_object_itself(session: agentops.Session, journal: Read) -> None:
    async def use() -> type:
        async with session.patch(async_block)("x") as given:
            return type(given)

    with session.patch(block)("x") as given:
        assert type(given) is tuple
    assert asyncio.run(use()) is dict
    assert [event.kind for event in journal().events] == ["llm", "llm"]


def said(event: Any) -> tuple[list[Any], Any, tuple[Any, Any]]:
    """Return the parts of an event's messages, why they ended, and its tokens in and out."""
    found = event.attributes
    messages = json.loads(found["gen_ai.output.messages"])
    return (
        [part for message in messages for part in message["parts"]],
        found.get("gen_ai.response.finish_reasons"),
        (found.get("gen_ai.usage.input_tokens"), found.get("gen_ai.usage.output_tokens")),
    )


TEXT = {"type": "text", "content": "Paris"}
WHY = {"type": "reasoning", "content": "A capital."}
CALL = {"type": "tool_call", "id": "c", "name": "f", "arguments": {"a": 1}}
COUNTED = {"prompt_tokens": 5, "completion_tokens": 6}
FUNCTION = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
ANSWERS: dict[str, tuple[Any, list[Any]]] = {
    "openai": (
        {"choices": [{"message": {"role": "assistant", "content": "Paris", "reasoning_content": "A capital.",
                                  "tool_calls": [FUNCTION]}, "finish_reason": "end"}], "usage": COUNTED},
        [WHY, TEXT, CALL],
    ),
    "response": (
        {"output": [{"type": "reasoning", "summary": [{"text": "A capital."}]},
                    {"type": "message", "role": "assistant",
                     "content": [{"type": "output_text", "text": "Paris"}]},
                    {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a": 1}'}],
         "output_text": "Paris", "finish_reason": "end", "usage": {"input_tokens": 5, "output_tokens": 6}},
        [WHY, TEXT, CALL],
    ),
    "claude": (
        Object(role="assistant", stop_reason="end", usage=Object(input_tokens=5, output_tokens=6), content=[
            Object(type="thinking", thinking="A capital."), Object(type="text", text="Paris"),
            Object(type="tool_use", id="c", name="f", input={"a": 1})]),
        [WHY, TEXT, CALL],
    ),
    "gemini": (
        Object(usage_metadata=Object(prompt_token_count=5, candidates_token_count=6),
               text="Paris", candidates=[
            Object(finish_reason=Object(value="end"), content=Object(parts=[
                Object(text="A capital.", thought=True), Object(text="Paris"),
                Object(function_call=Object(id="c", name="f", args={"a": 1}))]))]),
        [WHY, TEXT, CALL],
    ),
    "cohere": (
        Object(finish_reason="end", usage=Object(tokens=Object(input_tokens=5.0, output_tokens=6.0)),
               message=Object(role="assistant", content=[Object(type="text", text="Paris")])),
        [TEXT],
    ),
    "bedrock": (
        {"output": {"message": {"role": "assistant", "content": [
            {"text": "Paris"}, {"toolUse": {"toolUseId": "c", "name": "f", "input": {"a": 1}}}]}},
         "stopReason": "end", "usage": {"inputTokens": 5, "outputTokens": 6}},
        [TEXT, CALL],
    ),
    "ollama": (
        {"message": {"role": "assistant", "content": "Paris", "thinking": "A capital."}, "done_reason": "end",
         "prompt_eval_count": 5, "eval_count": 6},
        [WHY, TEXT],
    ),
}  # fmt: skip


@pytest.mark.parametrize("library", ANSWERS)
def test_the_answer_of_any_library_is_read(library: str, session: agentops.Session, journal: Read) -> None:
    answer, parts = ANSWERS[library]

    def create(model: str, prompt: str) -> Any:
        return answer

    assert session.patch(create)("m", "Capital?") is answer
    assert said(journal().events[0]) == (parts, ["end"], (5, 6))


def delta(**said: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": said}]}


def event(kind: str, **said: Any) -> Object:
    return Object(type=kind, **said)


def of_message(**said: Any) -> Object:
    return Object(message=Object(**said))


def piece(**said: Any) -> Object:
    return Object(candidates=[Object(content=Object(parts=[Object(**said)]))])


STREAMS: dict[str, tuple[list[Any], list[Any]]] = {
    "openai": (
        [delta(reasoning_content="A "), delta(reasoning_content="capital."), delta(content="Pa"),
         delta(content="ris"), delta(refusal="No"), delta(refusal="."),
         delta(tool_calls=[{"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a"'}}]),
         delta(tool_calls=[{"index": 0, "function": {"arguments": ": 1}"}}]),
         {"choices": [{"index": 0, "delta": {}, "finish_reason": "end"}]}, {"choices": [], "usage": COUNTED}],
        [WHY, TEXT, {"type": "refusal", "content": "No."}, CALL],
    ),
    "response": (
        [event("response.output_item.added", output_index=1, item=Object(call_id="c", name="f")),
         event("response.reasoning_summary_text.delta", output_index=0, delta="A capital."),
         event("response.function_call_arguments.delta", output_index=1, delta='{"a": 1}'),
         event("response.output_text.delta", output_index=2, delta="Paris"),
         event("response.completed", response=Object(
             finish_reason="end", usage=Object(input_tokens=5, output_tokens=6)))],
        [WHY, TEXT, CALL],
    ),
    "claude": (
        [event("message_start", message=Object(usage=Object(input_tokens=2, cache_read_input_tokens=3))),
         event("content_block_delta", index=0, delta=Object(type="thinking_delta", thinking="A capital.")),
         event("content_block_delta", index=1, delta=Object(type="text_delta", text="Paris")),
         event("content_block_start", index=2, content_block=Object(id="c", name="f", input={})),
         event("content_block_delta", index=2, delta=Object(partial_json='{"a": 1}')),
         event("message_delta", delta=Object(stop_reason="end"), usage=Object(output_tokens=6))],
        [WHY, TEXT, CALL],
    ),
    "gemini": (
        [piece(text="A capital.", thought=True), piece(text="Pa"), piece(text="ris"),
         piece(function_call=Object(id="c", name="f", args={"a": 1})),
         Object(candidates=[Object(content=None, finish_reason="end")],
                usage_metadata=Object(
                    prompt_token_count=5, candidates_token_count=2, thoughts_token_count=4))],
        [WHY, TEXT, CALL],
    ),
    "cohere": (
        [event("content-delta", delta=of_message(content=Object(text="Pa"))),
         event("content-delta", delta=of_message(content=Object(text="ris"))),
         event("tool-call-start", delta=of_message(
             tool_calls=Object(id="c", function=Object(name="f", arguments="")))),
         event("tool-call-delta", delta=of_message(tool_calls=Object(function=Object(arguments='{"a": 1}')))),
         event("message-end", delta=Object(
             finish_reason="end", usage=Object(tokens=Object(input_tokens=5.0, output_tokens=6.0))))],
        [TEXT, CALL],
    ),
    "ollama": (
        [{"message": {"role": "assistant", "content": "", "thinking": "A capital."}},
         {"message": {"role": "assistant", "content": "Paris"}},
         {"message": {"role": "assistant", "content": ""}, "done_reason": "end", "prompt_eval_count": 5,
          "eval_count": 6}],
        [WHY, TEXT],
    ),
}  # fmt: skip


@pytest.mark.parametrize("library", STREAMS)
def test_the_stream_of_any_library_is_read(library: str, session: agentops.Session, journal: Read) -> None:
    chunks, parts = STREAMS[library]

    def create(model: str, prompt: str) -> Any:
        return iter(chunks)

    assert list(session.patch(create)("m", "Capital?")) == chunks
    assert said(journal().events[0]) == (parts, ["end"], (5, 6))


def test_choices_that_are_streamed_at_once_stay_apart(session: agentops.Session, journal: Read) -> None:
    def create(prompt: str) -> Generator[Any]:
        for index in (0, 1, 0, 1):
            yield {"choices": [{"index": index, "delta": {"content": f"of {index}. "}}]}

    list(session.patch(create)("Capital?"))
    parts, _, _ = said(journal().events[0])
    assert [part["content"] for part in parts] == ["of 0. of 0. ", "of 1. of 1. "]


def test_a_stream_that_breaks_keeps_what_had_come(session: agentops.Session, journal: Read) -> None:
    def create(prompt: str) -> Generator[str]:
        yield "Paris"
        raise ConnectionError("away")

    with pytest.raises(ConnectionError):
        list(session.patch(create)("Capital?"))
    found = journal().events[0]
    assert (found.status, said(found)[0]) == (2, [TEXT])


def test_what_was_read_within_a_block_is_asked_of_its_stream(
    session: agentops.Session, journal: Read
) -> None:
    class Stream:
        def __iter__(self) -> Stream:
            return self

        def __next__(self) -> str:
            raise StopIteration

        def get_final_message(self) -> Any:
            return ANSWERS["claude"][0]

    @contextlib.contextmanager
    def stream(prompt: str) -> Generator[Stream]:
        yield Stream()

    with session.patch(stream)("Capital?") as given:
        given.get_final_message()
    assert said(journal().events[0])[0] == [WHY, TEXT, CALL]
