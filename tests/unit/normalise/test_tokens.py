"""Tokens by class: the input holds the cached ones, the output the reasoning, and nothing is made up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from agentops.server.normalise.tokens import more
from agentops.server.prices import explained, priced
from tests.unit.normalise.spans import event

CLAUDE = "claude-sonnet-4-20250514"


def counts(said: dict[str, Any], **fields: Any) -> tuple[int | None, ...]:
    found = event(said, **fields)
    return (
        found.tokens_input,
        found.tokens_output,
        found.tokens_cache_read,
        found.tokens_cache_write,
        found.tokens_reasoning,
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(
            {
                "gen_ai.usage.input_tokens": 1301,
                "gen_ai.usage.output_tokens": 8,
                "gen_ai.usage.cache_read.input_tokens": 1024,
                "gen_ai.usage.cache_creation.input_tokens": 256,
                "gen_ai.usage.reasoning.output_tokens": 4,
            },
            (1301, 8, 1024, 256, 4),
            id="otel",
        ),
        pytest.param(
            {
                "gen_ai.usage.input_tokens": 10,
                "gen_ai.usage.output_tokens": 2,
                "gen_ai.usage.cache_write.input_tokens": 3,
            },
            (10, 2, None, 3, None),
            id="the newer name of cache writes",
        ),
        pytest.param(
            {
                "gen_ai.usage.prompt_tokens": 20,
                "gen_ai.usage.completion_tokens": 9,
                "gen_ai.usage.cache_read_input_tokens": 5,
                "gen_ai.usage.reasoning_tokens": 3,
            },
            (20, 9, 5, None, 3),
            id="otel up to 1.36",
        ),
        pytest.param(
            {"llm.usage.prompt_tokens": 20, "llm.usage.completion_tokens": 9},
            (20, 9, None, None, None),
            id="openllmetry",
        ),
        pytest.param(
            {
                "llm.token_count.prompt": 1301,
                "llm.token_count.completion": 8,
                "llm.token_count.prompt_details.cache_read": 1024,
                "llm.token_count.prompt_details.cache_write": 256,
                "llm.token_count.completion_details.reasoning": 0,
            },
            (1301, 8, 1024, 256, 0),
            id="openinference",
        ),
        pytest.param({"gen_ai.usage.input_tokens": 5}, (5, None, None, None, None), id="embedding"),
        pytest.param({}, (None, None, None, None, None), id="nothing"),
        pytest.param(
            {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0},
            (None, None, None, None, None),
            id="a stream without usage",
        ),
        pytest.param({"gen_ai.aggregated_usage.input_tokens": 99}, (None,) * 5, id="sums are not a leaf's"),
        pytest.param(
            {"gen_ai.usage.input_tokens": "12", "gen_ai.usage.output_tokens": 3.0},
            (12, 3, None, None, None),
            id="texts",
        ),
        pytest.param(
            {
                "gen_ai.usage.input_tokens": -1,
                "gen_ai.usage.output_tokens": True,
                "llm.token_count.prompt": 4,
            },
            (4, None, None, None, None),
            id="nonsense gives way to the next name",
        ),
        pytest.param(
            {"gen_ai.usage.output_tokens": 10, "gen_ai.usage.details.thoughts_tokens": 90},
            (None, 100, None, None, 90),
            id="reasoning counted beside the output",
        ),
        pytest.param(
            {
                "llm.token_count.prompt": 32,
                "llm.token_count.completion": 90,
                "llm.token_count.total": 162,
                "llm.token_count.completion_details.reasoning": 40,
            },
            (32, 130, None, None, 40),
            id="less of it beside the output, as the total tells",
        ),
        pytest.param(
            {
                "gen_ai.usage.input_tokens": 2000,
                "gen_ai.usage.output_tokens": 8,
                "gen_ai.usage.total_tokens": 3288,
                "gen_ai.usage.cache_read.input_tokens": 1024,
                "gen_ai.usage.cache_creation.input_tokens": 256,
            },
            (3280, 8, 1024, 256, None),
            id="cached tokens beside the input, as the total tells",
        ),
    ],
)
def test_tokens_are_counted_once_by_class(said: dict[str, Any], expected: tuple[int | None, ...]) -> None:
    assert counts(said) == expected


RAW = {
    "gen_ai.usage.prompt_tokens": 2000,
    "gen_ai.usage.completion_tokens": 8,
    "gen_ai.usage.cache_read_input_tokens": 1024,
    "gen_ai.usage.cache_creation_input_tokens": 256,
}


@pytest.mark.parametrize(
    ("said", "scope", "entered"),
    [
        ({**RAW, "gen_ai.response.model": CLAUDE}, "anthropic", 3280),
        ({**RAW, "gen_ai.system": "Anthropic"}, "agentops", 3280),
        ({**RAW, "gen_ai.system": "Anthropic"}, "opentelemetry.instrumentation.anthropic", 2000),
        ({**RAW, "gen_ai.system": "OpenAI", "gen_ai.response.model": "gpt-4o"}, "openai", 2000),
        ({**RAW, "gen_ai.usage.prompt_tokens": 21, "gen_ai.system": "OpenAI"}, "openai", 1301),
    ],
)
def test_cached_tokens_beside_the_input_are_added_once(
    said: dict[str, Any], scope: str, entered: int
) -> None:
    assert counts(said, scope=scope) == (entered, 8, 1024, 256, None)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            {
                "input_tokens": 21,
                "output_tokens": 8,
                "cache_read_input_tokens": 1024,
                "cache_creation_input_tokens": 256,
            },
            (1301, 8, 1024, 256, None),
        ),
        (
            {
                "prompt_tokens": 1200,
                "completion_tokens": 48,
                "prompt_tokens_details": {"cached_tokens": 1024},
                "completion_tokens_details": {"reasoning_tokens": 40},
            },
            (1200, 48, 1024, None, 40),
        ),
        (
            # xAI's, who counts the reasoning beside the output: only the total tells.
            {
                "prompt_tokens": 32,
                "completion_tokens": 90,
                "total_tokens": 162,
                "completion_tokens_details": {"reasoning_tokens": 40},
            },
            (32, 130, None, None, 40),
        ),
        (
            {"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 7},
            (10, 12, None, None, 7),
        ),
        ("nonsense", (None,) * 5),
        ({"input_tokens": 0, "output_tokens": 0}, (None,) * 5),
    ],
)
def test_a_providers_own_usage_is_read_when_there_is_nothing_else(
    raw: Any, expected: tuple[int | None, ...]
) -> None:
    assert counts({"gen_ai.usage.raw": json.dumps(raw)}) == expected
    assert counts({"gen_ai.usage.raw": raw}) == expected
    assert counts({"gen_ai.usage.raw": raw, "gen_ai.usage.input_tokens": 3})[0] == 3
    answer = {"openinference.span.kind": "LLM", "output.value": json.dumps({"usage": raw})}
    assert counts(answer) == expected
    assert counts({**answer, "llm.token_count.prompt": 3})[:2] == (3, None)
    assert counts({**answer, "openinference.span.kind": "AGENT"}) == (None,) * 5


@pytest.mark.parametrize(
    ("said", "tier"),
    [
        ({"openai.response.service_tier": "flex"}, "flex"),
        ({"gen_ai.openai.response.service_tier": "default"}, ""),
        ({"output.value": '{"service_tier": "priority"}'}, "priority"),
        ({"output.value": '{"service_tier":"default"}'}, ""),
        ({"output.value": '{"usage":{"service_tier":"batch"}}'}, "batch"),
        ({"output.value": '{"usage":{"service_tier":"standard","speed":"fast"}}'}, "fast"),
        ({"output.value": '{"content":[{"input":{"service_tier":"batch"}}]}'}, ""),
        ({"llm.invocation_parameters": '{"service_tier":"flex"}'}, ""),
    ],
)
def test_how_a_call_was_served_is_what_its_answer_says(said: dict[str, Any], tier: str) -> None:
    known = {"openinference.span.kind": "LLM", "llm.token_count.prompt": 10, "llm.token_count.completion": 5}
    assert more(event({**known, **said}).usage_more).tier == tier


PICTURES: list[tuple[dict[str, Any], tuple[int, int]]] = [
    ({"data": [{}], "usage": {"input_tokens_details": {"text_tokens": 4, "image_tokens": 6}}}, (6, 5)),
    ({"data": [{}], "usage": {"input_tokens_details": {"image_tokens": 0},
                              "output_tokens_details": {"text_tokens": 1, "image_tokens": 4}}}, (0, 4)),
    ({"usage": {"input_tokens_details": {"image_tokens": 6}}}, (6, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "pictures"), PICTURES)
def test_pictures_are_counted_apart(answer: dict[str, Any], pictures: tuple[int, int]) -> None:
    answer["usage"] |= {"input_tokens": 10, "output_tokens": 5}
    found = event({"openinference.span.kind": "LLM", "output.value": json.dumps(answer)})
    rare = more(found.usage_more)
    assert (found.tokens_input, found.tokens_output) == (10, 5)
    assert (rare.input_image, rare.output_image) == pictures


SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed"}


@pytest.mark.parametrize(
    ("answer", "searches"),
    [
        ({"usage": {"server_tool_use": {"web_search_requests": 3}}}, 3),
        ({"usage": {"server_tool_use": {"web_search_requests": 0}}}, 0),
        (
            {
                "output": [
                    {**SEARCH, "action": {"type": "search", "query": "x"}},
                    {**SEARCH, "action": {"type": "open_page", "url": "https://example.com"}},
                    SEARCH,
                    {"type": "message", "content": [{"type": "output_text", "text": "web_search_call"}]},
                ]
            },
            2,
        ),
        ({"choices": [{"message": {"content": "web_search_requests"}}]}, 0),
    ],
)
def test_searches_that_the_provider_made_are_in_its_answer(answer: dict[str, Any], searches: int) -> None:
    said = {"openinference.span.kind": "LLM", "llm.token_count.prompt": 10, "llm.token_count.completion": 5}
    found = event({**said, "output.value": json.dumps(answer)})
    assert more(found.usage_more).web_searches == searches


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_cache_hit_tokens": 600, "prompt_cache_miss_tokens": 400},  # DeepSeek
        {"cached_tokens": 600},  # Moonshot
    ],
)
def test_what_was_read_from_a_cache_is_in_the_usage_itself(usage: dict[str, int]) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100, **usage}
    answer = {"openinference.span.kind": "LLM", "output.value": json.dumps({"usage": usage})}
    counted = {"llm.token_count.prompt": 1000, "llm.token_count.completion": 100}
    assert counts(answer) == counts({**answer, **counted}) == (1000, 100, 600, None, None)


def answered(**usage: Any) -> dict[str, Any]:
    return {"openinference.span.kind": "LLM", "output.value": json.dumps({"usage": usage})}


@pytest.mark.parametrize(
    ("said", "cost"),
    [
        ({"gen_ai.usage.cost": 0.25}, 0.25),
        ({"llm.cost.total": 0.5}, 0.5),
        ({"operation.cost": "0.125"}, 0.125),
        ({"gen_ai.usage.total_cost": 0}, 0.0),
        ({"gen_ai.usage.total_cost": -1.0}, None),
        ({"gen_ai.usage.cost": float("nan")}, None),
        ({"gen_ai.usage.cost": 1.7e308}, None),
        ({"gen_ai.usage.cost": "much"}, None),
        (answered(cost=0.0123), 0.0123),
        (answered(cost=0), 0.0),
        (answered(cost=0.01, is_byok=True, cost_details={"upstream_inference_cost": 0.5}), 0.51),
        (answered(cost=0.01, cost_details={"upstream_inference_cost": None}), 0.01),
        (answered(cost={"request_cost": 0.012, "total_cost": 0.0125}), 0.0125),
        ({**answered(cost=0.01), "llm.cost.total": 0.5}, 0.5),
        ({**answered(cost=0.01), "openinference.span.kind": "AGENT"}, None),
    ],
)
def test_a_reported_cost_is_kept(said: dict[str, Any], cost: float | None) -> None:
    found = event(said)
    assert (found.cost_usd, found.cost_source) == (cost, "" if cost is None else "reported")


def _step(kind: str, entered: int, left: int, read: int = 0, hour: int = 0) -> dict[str, Any]:
    return {
        "type": kind,
        "input_tokens": entered,
        "output_tokens": left,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": hour,
        "cache_creation": {"ephemeral_1h_input_tokens": hour},
    }


_SUMS = {
    "openinference.span.kind": "LLM",
    "llm.token_count.prompt": 23_100,
    "llm.token_count.completion": 1_000,
    "llm.token_count.prompt_details.cache_write": 100,
    "llm.token_count.total": 24_100,
}


@pytest.mark.parametrize("attributes", [_SUMS, {"openinference.span.kind": "LLM"}], ids=["told", "raw"])
def test_what_was_compacted_is_counted_beside_the_sums(attributes: dict[str, Any]) -> None:
    steps = [
        _step("compaction", 180_000, 3_500, 7),
        _step("message", 20_000, 600, 0, 60),
        _step("message", 3_000, 400, 0, 40),
        {**_step("advisor_message", 900, 90), "model": "claude-opus-4-8"},
    ]
    usage = {**_step("", 23_000, 1_000, 0, 100), "iterations": steps}
    said = {**attributes, "output.value": json.dumps({"model": CLAUDE, "usage": usage})}
    assert counts(said) == (23_100 + 180_007 + 900, 4_590, 7, 100, None)
    found = event(said)
    assert more(found.usage_more).cache_write_1h == 100
    assert more(found.usage_more).advised == [("claude-opus-4-8", 900, 90, 0, 0)]
    found = priced(replace(found, model="claude-sonnet-4-5", provider="anthropic"))
    # 900 x 5 + 90 x 25, beside 203,000 x 6, 7 x 0.60, 100 x 12 and 4500 x 22.50 (as of a long input).
    assert found.cost_usd == pytest.approx(1.3272042)
    assert [line["class"] for line in explained(found.cost_detail)][-2:] == [
        "input of claude-opus-4-8", "output of claude-opus-4-8"
    ]  # fmt: skip


@pytest.mark.parametrize("steps", [[], None, "compaction", [1, {"type": "compaction"}]])
def test_steps_that_say_nothing_change_nothing(steps: Any) -> None:
    answer = {"usage": {"input_tokens": 1, "output_tokens": 1, "iterations": steps}}
    assert counts({**_SUMS, "output.value": json.dumps(answer)}) == (23_100, 1_000, None, 100, None)
