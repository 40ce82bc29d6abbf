"""What is done once instead of several times says what it said: masks, images, chunks of a stream."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from openai._models import construct_type
from openai.types.chat import ChatCompletion, ChatCompletionChunk

import agentops
from agentops.instrument import chat, messages
from agentops.instrument.gathered import following, patient
from tests.standin import Models
from tests.unit.instrument.conftest import ask
from tests.unit.instrument.stored import events, only

OpenAI: Any = openai.OpenAI
Anthropic: Any = anthropic.Anthropic
PACKAGE = "openinference.instrumentation.openai."
REDACTED = "__REDACTED__"


def recorded(home: Path, **more: Any) -> dict[str, Any]:
    agentops.init()
    with OpenAI() as client:
        client.chat.completions.create(**ask(**more))
    return json.loads(only(home).attributes)


def test_what_is_to_be_hidden_is_hidden(home: Path, models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENINFERENCE_HIDE_INPUTS", "true")
    found = recorded(home)
    assert found["input.value"] == REDACTED
    assert not any(key.startswith("llm.input_messages") for key in found)
    assert "Paris" in found["output.value"]


@pytest.mark.parametrize("limit", ["", "1000"])
def test_an_image_is_recorded_whole_unless_the_program_limits_it(
    limit: str, home: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    if limit:
        monkeypatch.setenv("OPENINFERENCE_BASE64_IMAGE_MAX_LENGTH", limit)
    small, large = (f"data:image/png;base64,{'A' * length}" for length in (40, 400_000))
    content = [{"type": "image_url", "image_url": {"url": url}} for url in (small, large)]
    found = recorded(home, messages=[{"role": "user", "content": content}])
    prefix = "llm.input_messages.0.message.contents"
    shown = [found[f"{prefix}.{at}.message_content.image.image.url"] for at in (0, 1)]
    assert shown == [small, REDACTED if limit else large]
    asked = json.loads(found["input.value"])["messages"][0]["content"]
    assert [part["image_url"]["url"] for part in asked] == shown


def said(*deltas: Any, **more: Any) -> list[dict[str, Any]]:
    """Return chunks of one choice each, all with `more` beside it."""
    return [
        {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o",
         "choices": [{"index": 0, "delta": delta, "finish_reason": None}], **more}
        for delta in deltas
    ]  # fmt: skip


def text(*texts: str | None) -> list[dict[str, Any]]:
    return said(*({"content": each} for each in texts))


CALL = {"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": "{"}}
MORE = {"index": 0, "function": {"arguments": "}"}}
LAST: dict[str, Any] = {
    "choices": [],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}
STREAMS: dict[str, list[dict[str, Any]]] = {
    "nothing": [],
    "one chunk": text("a"),
    "text": text("a", "b", "", None, "c"),
    "a role first": said({"role": "assistant", "content": ""}, {"content": "a"}, {"content": "b"}),
    "a role each time": said(*({"role": "assistant", "content": each} for each in "abc")),
    "a refusal": said({"content": "a"}, {"refusal": "n"}, {"refusal": "o"}, {"content": "b"}),
    "reasoning": said({"reasoning_content": "a"}, {"reasoning_content": "b"}, {"content": "c"}),
    "of its own": said(*({"content": each, "own": ["x"]} for each in "abc")),
    "beside the choice": said({"content": "a"}, {"content": "b"}, own=["x"]),
    "tools": said({"content": "a"}, {"tool_calls": [CALL]}, {"tool_calls": [MORE]}, {"content": "b"}),
    "usage": [*text("a", "b"), {**text("")[0], **LAST}],
    "usage each time": said({"content": "a"}, {"content": "b"}, usage=LAST["usage"]),
    "an end": [*text("a"), {**text("")[0], "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}],
    "another model": [*text("a"), *said({"content": "b"}, {"content": "c"}, model="gpt-4o-mini"), *text("d")],
    "two choices": [
        {**text("")[0], "choices": [{"index": at % 2, "delta": {"content": letter}, "finish_reason": None}]}
        for at, letter in enumerate("abcdef")
    ],
    "logprobs": [
        {**text("")[0], "choices": [{"index": 0, "delta": {"content": each}, "finish_reason": None,
                                     "logprobs": {"content": [{"token": each, "logprob": -1.0}]}}]}
        for each in "abc"
    ],
}  # fmt: skip


@pytest.mark.parametrize("chunks", STREAMS.values(), ids=STREAMS)
def test_a_stream_is_gathered_as_the_instrumentor_would(chunks: list[dict[str, Any]]) -> None:
    original = importlib.import_module(PACKAGE + "_response_accumulator")._ChatCompletionAccumulator
    extractor = importlib.import_module(PACKAGE + "_response_attributes_extractor")
    told: list[list[Any]] = []
    for kind in (original, following(original)):
        gathering = kind({}, ChatCompletion, extractor._ResponseAttributesExtractor(openai))
        for chunk in chunks:
            gathering.process_chunk(
                construct_type(type_=ChatCompletionChunk, value=json.loads(json.dumps(chunk)))
            )
        told.append([*gathering.get_attributes(), *gathering.get_extra_attributes()])
    assert told[0] == told[1]


def block(index: int, *texts: str | None) -> list[dict[str, Any]]:
    """Return the events of one text of Claude's."""
    begun: dict[str, Any] = {"type": "content_block_start", "index": index,
                             "content_block": {"type": "text", "text": ""}}  # fmt: skip
    pieces: list[dict[str, Any]] = [
        {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": each}}
        for each in texts
    ]
    return [begun, *pieces, {"type": "content_block_stop", "index": index}]


START: dict[str, Any] = {"type": "message_start", "message": {
    "id": "m", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6", "content": [],
    "stop_reason": None, "usage": {"input_tokens": 5, "output_tokens": 1}}}  # fmt: skip
STOP = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}
TOLD_OF: dict[str, list[dict[str, Any]]] = {
    "nothing": [],
    "a start": [START],
    "a text": [START, *block(0, "a", "b", "", "c"), STOP],
    "a text that breaks off": [START, *block(0, "a", "b")[:-1]],
    "a long text": [START, *block(0, *("word ",) * 600), STOP],
    "two texts": [START, *block(0, "a"), *block(1, "b", "c"), STOP],
    "two texts by turns": [START, *(event for pair in zip(
        block(0, "a", "b"), block(1, "c", "d"), strict=True) for event in pair), STOP],
    "a text of nothing": [START, *block(0, None, "a"), STOP],
    "no such text": [START, block(7, "a")[1], *block(0, "b"), STOP],
    "before its message": [*block(0, "a"), START, *block(0, "b"), STOP],
    "thoughts, a tool and a text": [
        START,
        {"type": "content_block_start", "index": 0,
         "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "t"}},
        block(0, "no text of a thought")[1],
        {"type": "content_block_start", "index": 1,
         "content_block": {"type": "tool_use", "id": "u", "name": "f", "input": {}}},
        {"type": "content_block_delta", "index": 1,
         "delta": {"type": "input_json_delta", "partial_json": "{}"}},
        *block(2, "a", "b"), STOP,
    ],
}  # fmt: skip


@pytest.mark.parametrize("sent", TOLD_OF.values(), ids=TOLD_OF)
@pytest.mark.parametrize("is_beta", [False, True], ids=["", "beta"])
def test_a_message_is_gathered_as_the_instrumentor_would(sent: list[dict[str, Any]], is_beta: bool) -> None:
    module = importlib.import_module("openinference.instrumentation.anthropic._stream")
    types: Any = anthropic.types
    kind = types.beta.BetaRawMessageStreamEvent if is_beta else types.RawMessageStreamEvent
    construct: Any = importlib.import_module("anthropic._models").construct_type
    told: list[Any] = []
    for made in (module._MessageResponseAccumulator, patient(module._MessageResponseAccumulator)):
        gathering = made(is_beta=is_beta, request_headers={})
        for event in sent:
            gathering.process_chunk(construct(type_=kind, value=json.loads(json.dumps(event))))
        told.append(dict(module._MessageExtractor(gathering._result()).get_attributes()))
    assert told[0] == told[1]


@pytest.mark.parametrize("made", [following, patient])
def test_the_first_chunk_is_not_looked_at_before_the_next(made: Callable[[Any], Any]) -> None:
    class Looking:
        looked = 0

        def process_chunk(self, chunk: Any) -> None:
            self.looked += 1

    gathering = made(Looking)()
    gathering.process_chunk(object())
    assert gathering.looked == 0
    gathering.process_chunk(object())
    assert gathering.looked == 2


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALLED = {"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ASKED: dict[str, dict[str, Any]] = {
    "text": {"messages": [{"role": "user", "content": "é"}], "temperature": 0.5},
    "nothing": {"messages": []},
    "an empty text": {"messages": [{"role": "user", "content": ""}]},
    "tools": {
        "messages": [
            {"role": "assistant", "content": None, "tool_calls": [CALLED]},
            {"role": "tool", "tool_call_id": "t", "content": "1"},
        ],
        "tools": [TOOL],
    },
    "parts": {
        "messages": [
            {
                "role": "user",
                "name": "Ann",
                "content": [
                    {"type": "text", "text": "a"},
                    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                ],
            }
        ]
    },
}


def read(attributes: Any) -> dict[str, Any]:
    """Return attributes, those that are JSON as what they say."""
    return {
        key: json.loads(value) if key.endswith(("parameters", "json_schema")) else value
        for key, value in dict(attributes).items()
    }


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_a_chat_is_asked_for_as_the_instrumentor_would_say(asked: dict[str, Any]) -> None:
    module = importlib.import_module(PACKAGE + "_request_attributes_extractor")
    extractor = module._RequestAttributesExtractor(openai)
    theirs = extractor.get_attributes_from_request(ChatCompletion, {"model": "gpt-4o", **asked})
    ours = chat.asked({"model": "gpt-4o", **asked}, extractor._get_attributes_from_message_param)
    assert read(ours) == read(theirs)


USAGE = {
    "prompt_tokens": 5,
    "completion_tokens": 3,
    "total_tokens": 8,
    "prompt_tokens_details": {"cached_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
ANSWERED: dict[str, dict[str, Any]] = {
    "text": {"choices": [{"index": 0, "finish_reason": "stop", "message": {
        "role": "assistant", "content": "a"}}]},
    "usage": {"choices": [], "usage": USAGE},
    "tools": {"choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
        "role": "assistant", "content": None, "tool_calls": [CALLED]}}]},
    "a function": {"choices": [{"index": 0, "finish_reason": "function_call", "message": {
        "role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}}]},
    "two choices": {"choices": [{"index": at, "finish_reason": "stop", "message": {
        "role": "assistant", "content": str(at), "refusal": None}} for at in (1, 0)]},
    "half of it": {"choices": [{"index": 0, "message": {"role": "assistant"}}]},
    "nothing": {"choices": None},
}  # fmt: skip


@pytest.mark.parametrize("answer", ANSWERED.values(), ids=ANSWERED)
def test_a_chat_is_answered_as_the_instrumentor_would_say(answer: dict[str, Any]) -> None:
    module = importlib.import_module(PACKAGE + "_response_attributes_extractor")
    extractor = module._ResponseAttributesExtractor(openai)
    made = construct_type(type_=ChatCompletion, value={"id": "c", "model": "gpt-4o", "created": 1, **answer})
    ours = chat.answered(
        made,
        extractor._get_attributes_from_completion_usage,
        extractor._get_attributes_from_chat_completion_message,
    )
    assert ours == dict(extractor.get_attributes_from_response(made, {}))


MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]
WANTED: dict[str, tuple[dict[str, Any], bool]] = {
    "texts": ({"messages": MESSAGES, "max_tokens": 5, "temperature": 0.5, "stream": True}, True),
    "instructed": ({"messages": MESSAGES, "max_tokens": 5, "system": "Be terse."}, True),
    "nothing said": ({"messages": [{"role": "user", "content": ""}]}, False),
    "blocks": ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}, False),
    "thinking": ({"messages": MESSAGES, "thinking": {"type": "enabled", "budget_tokens": 9}}, False),
    "tools": ({"messages": MESSAGES, "tools": [{"name": "f", "input_schema": {"type": "object"}}]}, False),
    "not given": ({"messages": MESSAGES, "system": anthropic.omit, "extra_body": None}, False),
}


@pytest.mark.parametrize(("wanted", "plain"), WANTED.values(), ids=WANTED)
def test_a_message_is_asked_for_as_the_instrumentor_would_say(wanted: dict[str, Any], plain: bool) -> None:
    wrappers = importlib.import_module("openinference.instrumentation.anthropic._wrappers")
    given = {"model": "claude-sonnet-4-6", **wanted}
    ours = messages.asked(given)
    assert (ours is not None) == plain
    assert ours is None or read(ours) == read(wrappers._get_attributes_from_messages_create(given))
    said = messages.request_json(given)
    theirs = dict(wrappers._get_inputs(given))["input.value"]
    assert said is None if "extra_body" in given else json.loads(said or "") == json.loads(theirs)


SPOKEN: dict[str, tuple[list[dict[str, Any]], bool]] = {
    "texts": ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], True),
    "nothing": ([], True),
    "cited": ([{"type": "text", "text": "a", "citations": [
        {"type": "char_location", "cited_text": "a", "document_index": 0,
         "start_char_index": 0, "end_char_index": 1}]}], False),
    "a tool": ([{"type": "tool_use", "id": "t", "name": "f", "input": {}}], False),
    "thoughts": ([{"type": "thinking", "thinking": "a", "signature": "s"}], False),
}  # fmt: skip


@pytest.mark.parametrize(("content", "plain"), SPOKEN.values(), ids=SPOKEN)
def test_a_message_is_answered_as_the_instrumentor_would_say(
    content: list[dict[str, Any]], plain: bool
) -> None:
    wrappers = importlib.import_module("openinference.instrumentation.anthropic._wrappers")
    usage = {"input_tokens": 5, "output_tokens": 3, "cache_read_input_tokens": 2}
    made = anthropic.types.Message.model_validate(
        {"id": "m", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6",
         "content": content, "stop_reason": "end_turn", "usage": usage}
    )  # fmt: skip
    ours = messages.answered(made, MESSAGES, wrappers._get_token_counts)
    theirs: dict[str, Any] = {}
    for tell in ("_get_llm_model_name_from_response", "_get_output_messages",
                 "_get_llm_token_counts_from_response", "_get_outputs"):  # fmt: skip
        theirs.update(getattr(wrappers, tell)(made))
    assert (ours is not None) == plain
    assert ours is None or ours == theirs


def test_a_call_under_way_is_shown_by_its_model(
    home: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []

    def answer(*_: Any) -> bool:
        shown.append(events(home)[-1].model)
        return False

    monkeypatch.setattr(models, "answer", answer)  # Called when the request has come, before its answer.
    agentops.init()
    with OpenAI() as client, Anthropic() as other:
        client.chat.completions.create(**ask())
        other.messages.create(max_tokens=10, **ask())
    assert shown == ["gpt-4o-mini", "gpt-4o-mini"]


def test_nothing_is_gathered_for_a_span_of_the_client_that_repeats_ours(
    home: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_tracing = importlib.import_module("anthropic._tracing")
    gathered: list[str] = []
    original = client_tracing.span_request_attributes

    def attributes(*given: Any, **named: Any) -> Any:
        gathered.append("once")
        return original(*given, **named)

    monkeypatch.setattr(client_tracing, "span_request_attributes", attributes)
    agentops.init()
    with Anthropic() as client:
        client.messages.create(max_tokens=10, **ask())
        assert gathered == []
        assert events(home)[-1].kind == "llm"
        # What a client says of itself is its own affair again.
        agentops.stop_instrumenting()
        client.messages.create(max_tokens=10, **ask())
    assert gathered == ["once"]


@pytest.mark.parametrize("place", ["openai._stream:_Stream", "anthropic._stream:_MessageExtractor"])
def test_a_stream_says_what_it_said_once(
    place: str, home: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _, name = place.partition(":")
    teller = getattr(importlib.import_module("openinference.instrumentation." + module), name)
    told: list[str] = []
    original = teller.get_attributes

    def get_attributes(self: Any) -> Any:
        told.append(name)
        return original(self)

    monkeypatch.setattr(teller, "get_attributes", get_attributes)
    agentops.init()
    with OpenAI() as client, Anthropic() as other:
        for _ in client.chat.completions.create(stream=True, **ask()):
            pass
        for _ in other.messages.create(max_tokens=10, stream=True, **ask()):
            pass
    # Both have been dropped by now, after their ends.
    assert told == [name]
