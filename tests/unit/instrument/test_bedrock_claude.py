"""What Bedrock streams of Claude is put together as the answer that is not streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentops.instrument.frameworks.bedrock_claude import Message, named, told
from tests.unit.normalise.spans import event

MODEL = "global.anthropic.claude-sonnet-4-20250514-v1:0"
USAGE = {"input_tokens": 1000, "cache_read_input_tokens": 1024, "cache_creation_input_tokens": 176}
WHOLE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-20250514",
    "content": [
        {"type": "thinking", "thinking": "Let me see.", "signature": "sig"},
        {"type": "text", "text": "I ask."},
        {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Paris"}},
    ],
    "stop_reason": "tool_use",
    "usage": {**USAGE, "output_tokens": 100},
}


def delta(index: int, kind: str, field: str, text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, field: text}}


def block(index: int, **said: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": said}


EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {**WHOLE, "content": [], "stop_reason": None,
                                          "usage": {**USAGE, "output_tokens": 1}}},
    {"type": "ping"},
    block(0, type="thinking", thinking="", signature=""),
    delta(0, "thinking_delta", "thinking", "Let me "),
    delta(0, "thinking_delta", "thinking", "see."),
    delta(0, "signature_delta", "signature", "sig"),
    block(1, type="text", text=""),
    delta(1, "text_delta", "text", "I "),
    delta(1, "text_delta", "text", "ask."),
    block(2, type="tool_use", id="t1", name="weather", input={}),
    delta(2, "input_json_delta", "partial_json", '{"city": '),
    delta(2, "input_json_delta", "partial_json", '"Paris"}'),
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 100}},
    {"type": "message_stop"},
]  # fmt: skip


class Span:
    """What the attributes are told to."""

    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}

    def set_attributes(self, said: dict[str, Any]) -> None:
        self.attributes |= said


def streamed(events: list[Any], ended: BaseException) -> dict[str, Any]:
    span, ends = Span(), list[Any]()
    follow = Message(span, {"input.value": "asked"}, MODEL, ends.append)
    for each in events:
        chunk = each if isinstance(each, bytes) else json.dumps(each).encode()
        assert follow(given := {"chunk": {"bytes": chunk}}) is given
    assert follow(ended) is ended
    assert ends == [ended]
    return span.attributes


def test_a_stream_is_told_as_the_whole_answer() -> None:
    said = streamed(EVENTS, StopIteration())
    assert json.loads(said["output.value"]) == WHOLE
    assert said == {"input.value": "asked", **told(WHOLE, MODEL), "output.value": said["output.value"]}
    found = event({"openinference.span.kind": "LLM", "llm.provider": "aws", **said})
    assert [part["type"] for part in json.loads(found.output)[0]["parts"]] == [
        "reasoning",
        "text",
        "tool_call",
    ]
    assert (found.model, found.finish_reason, found.tokens_input, found.tokens_output) == (
        WHOLE["model"],
        "tool_use",
        2200,
        100,
    )
    assert (found.tokens_cache_read, found.tokens_cache_write) == (1024, 176)


@pytest.mark.parametrize("ended", [StopIteration(), OSError("reset")])
def test_a_stream_that_breaks_off_keeps_what_had_come(ended: BaseException) -> None:
    said = json.loads(streamed([*EVENTS[:-3], b"no JSON"], ended)["output.value"])
    assert said["usage"] == USAGE
    assert said["content"] == [*WHOLE["content"][:2], {**WHOLE["content"][2], "input": '{"city": '}]
    assert streamed([], ended) == {"input.value": "asked"}


def test_the_model_is_billed_as_the_request_calls_it() -> None:
    assert named(WHOLE, MODEL) == {"llm.model_name": WHOLE["model"], "gen_ai.request.model": MODEL}
    assert named({}, MODEL) == {"llm.model_name": MODEL, "gen_ai.request.model": MODEL}
