"""Models of Bedrock with forms of their own are told as what they are asked, and say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentops.instrument.frameworks import bedrock_models as models


@pytest.mark.parametrize(
    ("model", "body", "text"),
    [
        ("amazon.titan-text-express-v1", {"results": [{"outputText": "Paris."}]}, "Paris."),
        ("meta.llama3-70b-instruct-v1:0", {"generation": "Paris."}, "Paris."),
        ("mistral.mistral-large-2402-v1:0", {"outputs": [{"text": "Paris."}]}, "Paris."),
        ("cohere.command-r-v1:0", {"text": "Paris.", "generations": None}, "Paris."),
        ("cohere.command-text-v14", {"generations": [{"text": "Paris."}]}, "Paris."),
        ("ai21.j2-ultra-v1", {"completions": [{"data": {"text": "Paris."}}]}, "Paris."),
        ("deepseek.r1-v1:0", {"choices": [{"message": {"content": "Paris."}}]}, "Paris."),
        ("cohere.embed-english-v3", {"embeddings": [[0.5]]}, '{"embeddings":[[0.5]]}'),
    ],
)
def test_an_answer_is_its_text(model: str, body: dict[str, Any], text: str) -> None:
    assert models.answered(model, body)["output.value"] == text


@pytest.mark.parametrize(
    ("model", "body", "kind", "asked"),
    [
        ("amazon.titan-embed-text-v2:0", {"inputText": "Paris"}, "EMBEDDING", "Paris"),
        ("cohere.command-r-v1:0", {"message": "Capital?"}, "LLM", "Capital?"),
        ("meta.llama3-70b-instruct-v1:0", {"prompt": "Capital?", "top_p": 1}, "LLM", "Capital?"),
    ],
)
def test_a_request_is_what_it_asks(model: str, body: dict[str, Any], kind: str, asked: str) -> None:
    told = models.asked(model, body)
    assert (told["openinference.span.kind"], told["input.value"]) == (kind, asked)
    assert told["llm.model_name"] == model


def test_an_answer_that_calls_tools_is_told_whole() -> None:
    call = {"id": "t1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    choice = {
        "message": {"role": "assistant", "content": "", "tool_calls": [call]},
        "finish_reason": "tool_calls",
    }
    said = models.answered("qwen.qwen3-32b-v1:0", {"choices": [choice]})
    assert json.loads(said["output.value"]) == {"choices": [choice]}
    assert said["llm.finish_reason"] == "tool_calls"
    said = models.answered(
        "mistral.mistral-large-2402-v1:0", {"outputs": [{"text": "Hi", "stop_reason": "length"}]}
    )
    assert (said["output.value"], said["llm.finish_reason"]) == ("Hi", "length")


class Span:
    """What the attributes are told to."""

    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}

    def set_attributes(self, told: dict[str, Any]) -> None:
        self.attributes |= told


STREAMS: list[list[dict[str, Any]]] = [
    [{"outputText": "Par"}, {"outputText": "is.", "completionReason": "stop"}],
    [{"generation": "Par", "stop_reason": None}, {"generation": "is.", "stop_reason": "stop"}],
    [{"outputs": [{"text": "Par"}]}, {"outputs": [{"text": "is.", "stop_reason": "stop"}]}],
    [
        {"event_type": "text-generation", "text": "Paris."},
        {"event_type": "stream-end", "finish_reason": "stop", "response": {"text": "Paris."}},
    ],
    [
        {"choices": [{"delta": {"content": "Paris."}}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
    ],
]


@pytest.mark.parametrize("chunks", STREAMS)
def test_chunks_of_a_stream_are_joined(chunks: list[dict[str, Any]]) -> None:
    chunks[-1]["amazon-bedrock-invocationMetrics"] = {"inputTokenCount": 7, "outputTokenCount": 4}
    span, ended = Span(), list[Any]()
    follow = models.Chunks(span, ended.append)
    for chunk in chunks:
        follow({"chunk": {"bytes": json.dumps(chunk).encode()}})
    follow(StopIteration())
    assert span.attributes["output.value"] == "Paris."
    assert span.attributes["llm.finish_reason"] == "stop"
    assert span.attributes["llm.token_count.prompt"] == 7
    assert span.attributes["llm.token_count.completion"] == 4
    assert len(ended) == 1
