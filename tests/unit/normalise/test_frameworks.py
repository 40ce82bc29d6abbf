"""What single frameworks send: Strands, Google's ADK, Langfuse, LiteLLM, OpenLIT, Logfire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.normalise.spans import event, happened, messages, text

LLM = {"gen_ai.operation.name": "chat"}
TOOL = {"gen_ai.operation.name": "execute_tool"}
CALL = {"type": "tool_call", "id": "c1", "name": "search", "arguments": {"q": "x"}}
ANSWER = {"type": "tool_call_response", "id": "c1"}


def both(said: dict[str, Any], **fields: Any) -> tuple[Any, Any]:
    found = event({**LLM, **said}, **fields)
    return (
        messages(found.input) if found.input else None,
        messages(found.output) if found.output else None,
    )


PARTS = '[{"toolUse": {"toolUseId": "c1", "name": "search", "input": {"q": "x"}}}]'
RESULT = '[{"toolResult": {"toolUseId": "c1", "status": "success", "content": [{"text": "found"}]}}]'


def test_content_in_events_that_is_json_of_bedrocks_parts_is_read_as_them() -> None:
    asked, answered = both(
        {},
        events=[
            happened("gen_ai.system.message", content='[{"text": "Be kind"}]'),
            happened("gen_ai.user.message", content='[{"text": "hi"}]'),
            happened("gen_ai.assistant.message", content=PARTS),
            happened("gen_ai.tool.message", content=RESULT),
            happened(
                "gen_ai.choice",
                finish_reason="end_turn",
                message='[{"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"text": "done"}]',
            ),
        ],
    )
    assert asked == [
        text("system", "Be kind"),
        text("user", "hi"),
        {"role": "assistant", "parts": [CALL]},
        {"role": "tool", "parts": [{**ANSWER, "response": "found"}]},
    ]
    thought = {"type": "reasoning", "content": "hm"}
    said = {"type": "text", "content": "done"}
    assert answered == [{"role": "assistant", "parts": [thought, said], "finish_reason": "end_turn"}]


def test_text_of_a_user_that_is_json_of_something_else_stays_a_text() -> None:
    typed = '[{"text": "a", "score": 1}]'
    assert both({}, events=[happened("gen_ai.user.message", content=typed)])[0] == [text("user", typed)]


def test_a_tool_whose_arguments_and_result_are_in_events_has_them() -> None:
    found = event(
        TOOL,
        events=[
            happened("gen_ai.tool.message", role="tool", content='{"q": "x"}', id="c1"),
            happened("gen_ai.choice", message='[{"text": "found"}]', id="c1"),
        ],
    )
    assert (json.loads(found.input), found.output) == ({"q": "x"}, "found")


def test_a_failed_tool_whose_answer_is_only_in_an_event_has_it() -> None:
    told = {"role": "tool", "parts": [{**ANSWER, "response": "no such thing"}]}
    found = event(
        {**TOOL, "gen_ai.tool.call.arguments": '{"q": "x"}'},
        status=2,
        events=[
            happened("gen_ai.client.inference.operation.details", gen_ai__output__messages=json.dumps([told]))
        ],
    )
    assert (json.loads(found.input), found.output) == ({"q": "x"}, "no such thing")


def test_instructions_of_the_span_stand_before_the_messages_of_its_events() -> None:
    said = {"gen_ai.system_instructions": '[{"type":"text","content":"Be terse."}]'}
    asked = json.dumps([text("user", "hi")])
    details = happened("gen_ai.client.inference.operation.details", gen_ai__input__messages=asked)
    assert both(said, events=[details])[0] == [text("system", "Be terse."), text("user", "hi")]


def test_instructions_that_the_messages_begin_with_are_told_once() -> None:
    whole = [text("system", "Be terse."), text("user", "hi")]
    said = {
        "gen_ai.system_instructions": '[{"type":"text","content":"Be terse."}]',
        "gen_ai.input.messages": json.dumps(whole),
    }
    assert both(said)[0] == whole


def test_a_call_that_stands_beside_an_empty_message_is_its_output() -> None:
    said = {
        "gen_ai.output.messages": '[{"role": "assistant", "parts": [], "finish_reason": "tool_calls"}]',
        "gen_ai.completion.0.function_call.name": "search",
        "gen_ai.completion.0.function_call.arguments": '{"q":"x"}',
    }
    assert both(said)[1] == [{"role": "assistant", "parts": [{**CALL, "id": None}]}]


def test_requests_and_answers_of_googles_agents_are_conversations() -> None:
    asked = {
        "config": {"system_instruction": "Be kind"},
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
    }
    said = {
        "gen_ai.request.model": "gemini-2.5-flash",
        "gen_ai.usage.output_tokens": 8,
        "gcp.vertex.agent.session_id": "s-1",
        "gcp.vertex.agent.llm_request": json.dumps(asked),
        "gcp.vertex.agent.llm_response": '{"content": {"parts": [{"text": "hello"}], "role": "model"}}',
    }
    found = event(said)
    assert (found.kind, found.declared_session) == ("llm", "s-1")
    assert messages(found.input) == [text("system", "Be kind"), text("user", "hi")]
    assert messages(found.output) == [text("assistant", "hello")]


def test_observations_of_langfuse_say_what_they_are() -> None:
    found = event(
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.model.name": "gpt-4o-mini",
            "langfuse.observation.input": '[{"role": "user", "content": "hi"}]',
            "langfuse.observation.output": '{"role": "assistant", "content": "hello"}',
            "langfuse.observation.usage_details": '{"input": 21, "output": 8, "total": 29}',
            "langfuse.trace.tags": ["t1"],
        }
    )
    assert (found.kind, found.model, found.tags) == ("llm", "gpt-4o-mini", ["t1"])
    assert (found.tokens_input, found.tokens_output) == (21, 8)
    assert messages(found.input) == [text("user", "hi")]
    assert messages(found.output) == [text("assistant", "hello")]
    assert event({"langfuse.observation.type": "tool"}).kind == "tool"


def test_usage_as_the_provider_gave_it_tells_the_parts_of_the_sums() -> None:
    raw = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 80},
        "completion_tokens_details": {"reasoning_tokens": 40},
    }
    said = {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.raw": json.dumps(raw),
    }
    found = event({**LLM, **said})
    assert (found.tokens_input, found.tokens_output) == (100, 50)
    assert (found.tokens_cache_read, found.tokens_reasoning) == (80, 40)
    told_otherwise = event({**LLM, **said, "gen_ai.usage.input_tokens": 20})
    assert (told_otherwise.tokens_input, told_otherwise.tokens_cache_read) == (20, None)


def test_a_cost_of_nothing_by_a_library_without_the_price_is_not_known() -> None:
    said = {**LLM, "gen_ai.usage.input_tokens": 21, "gen_ai.usage.output_tokens": 8, "gen_ai.usage.cost": 0}
    assert event(said, scope="openlit.instrumentation.openai").cost_usd is None
    assert event(said, scope="mine").cost_usd == 0


def test_words_of_semantic_kernel_are_model_calls_also_where_they_failed() -> None:
    for word in ("text_completions", "chat.completions"):
        assert event({"gen_ai.operation.name": word}, status=2).kind == "llm"


def test_steps_of_the_ai_sdk_are_of_the_kind_that_they_are() -> None:
    failed = event({"ai.operationId": "ai.streamText.doStream", "ai.model.id": "gpt-4o"}, status=2)
    embedded = event({"ai.operationId": "ai.embed.doEmbed", "ai.usage.tokens": 5})
    called = event(
        {"ai.operationId": "ai.generateText.doGenerate", "ai.response.toolCalls": '[{"toolName":"f"}]'}
    )
    assert (failed.kind, embedded.kind, embedded.tokens_input) == ("llm", "embedding", 5)
    assert json.loads(called.output) == [{"toolName": "f"}]


def test_the_finish_reason_beside_a_message_of_google_is_its() -> None:
    said = happened(
        "gen_ai.choice", finish_reason="stop", content={"role": "model", "parts": [{"text": "yo"}]}
    )
    assert both({}, events=[said])[1] == [text("assistant", "yo", finish_reason="stop")]


@pytest.mark.parametrize(
    ("asked", "shown", "kept"),
    [
        ({"model": "codestral-latest", "prompt": "def a():"}, "def a():", "messages"),
        ({"input": "bad words"}, "bad words", "messages"),
        ({"inputs": "Hello", "agent_id": "a"}, "Hello", "messages"),
        # More than the one text, and no request of a model's.
        ({"input": "Hello", "chat_history": "..."}, '{"input":"Hello","chat_history":"..."}', "json"),
    ],
)
def test_a_request_of_one_text_is_that_text(asked: dict[str, str], shown: str, kept: str) -> None:
    given = json.dumps(asked, separators=(",", ":"))
    found = event({"openinference.span.kind": "LLM", "input.value": given})
    assert (found.input_preview, found.input_format) == (shown, kept)
