"""A text is stored once: attributes refer to the bodies that hold it, and reading puts it back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentops.server.normalise.attributes import restored, told_once
from agentops.server.normalise.flattened import trees
from agentops.server.normalise.tokens import More, more
from tests.unit.normalise.spans import event

QUESTION = "What does the refund policy say about orders that arrive later than promised?"
ANSWER = "Orders that arrive late may be returned within thirty days, and shipping is refunded."


def said(**more_attributes: Any) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": json.dumps(
            [{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}]
        ),
        "gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": [{"type": "text", "content": ANSWER}]}]
        ),
        **more_attributes,
    }


def test_a_text_of_a_message_is_not_stored_again_in_other_attributes() -> None:
    given = said(**{"input.value": QUESTION, "output.value": ANSWER, "llm.prompts.0": QUESTION})
    found = event(given)
    assert QUESTION not in found.attributes
    assert ANSWER not in found.attributes
    assert restored(found.attributes, found.input, found.output) == given


def test_a_long_attribute_that_a_body_holds_is_told_by_its_place() -> None:
    question, answer = QUESTION * 20, "Ü" + ANSWER * 20
    messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": question}]}])
    given = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": messages,
        "llm.prompts.0": question,
        "output.value": json.dumps({"said": answer}),
        "a.reference": {"$ref": "input"},
        "short": ANSWER,
    }
    found = event(given)
    kept, places = told_once(found.attributes, found.input, found.output)
    assert places == {
        "gen_ai.input.messages": "input",
        "llm.prompts.0": "input/0/parts/0/content",
        "output.value": "output",
    }
    assert kept == {name: one for name, one in given.items() if name not in places}


@pytest.mark.parametrize("text", ["Привет 退款 😀 Ä", 'a "b" \\u0416 \\\\', "\x00\x7f\u2028é", "ÿ" * 90])
def test_escaped_letters_are_stored_as_letters_and_come_back_escaped(text: str) -> None:
    messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": text}]}])
    given = said(
        **{"gen_ai.input.messages": messages, "output.value": json.dumps({"a": text, "b": QUESTION})}
    )
    del given["gen_ai.output.messages"]
    found = event(given)
    assert json.loads(found.input) == json.loads(messages)
    assert not any(f"{ord(letter):04x}" in found.input for letter in "Пé退ÿ")
    assert restored(found.attributes, found.input, found.output) == given


@pytest.mark.parametrize("escape", ["\\u00DC", "\\ud83d", "\\u00fc ü", "\\\\u00fc"])
def test_escapes_that_would_not_come_back_stay(escape: str) -> None:
    given = {"gen_ai.operation.name": "chat", "output.value": f'{{"a": "{escape}", "b": "{QUESTION}"}}'}
    found = event(given)
    assert restored(found.attributes, found.input, found.output) == given
    assert found.output == given["output.value"]


def test_flattened_messages_are_stored_once() -> None:
    given: dict[str, Any] = {"openinference.span.kind": "LLM"}
    for number in range(3):
        given[f"llm.input_messages.{number}.message.role"] = "user"
        given[f"llm.input_messages.{number}.message.content"] = f"{number} {QUESTION}"
    found = event(given)
    assert "policy" not in found.attributes
    assert restored(found.attributes, found.input, found.output) == given


@pytest.mark.parametrize("value", [{"$ref": "input"}, {"$ref": {"is": 1}}, {"$ref": "input/0", "more": 1}])
def test_a_value_that_looks_like_a_reference_comes_back_as_it_was(value: Any) -> None:
    given = said(config=value, other={"nested": value})
    found = event(given)
    assert restored(found.attributes, found.input, found.output) == given


def test_a_reference_that_leads_nowhere_is_shown_as_it_is() -> None:
    text = '{"a":{"$ref":"input/7/parts/0/content"},"b":{"$ref":"elsewhere"},"c":{"$ref":3}}'
    assert restored(text, "[]", "") == json.loads(text)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 70}, More(cache_write_1h=70)),
        (
            {
                "output.value": json.dumps(
                    {
                        "usage": {
                            "cache_creation": {
                                "ephemeral_1h_input_tokens": 30,
                                "ephemeral_5m_input_tokens": 70,
                            }
                        }
                    }
                )
            },
            More(cache_write_1h=30),
        ),
        ({"output.value": '{"usage": {"cache_creation": {"ephemeral_1h_input_tokens": 0}}}'}, More()),
        ({"output.value": '{"usage": {"cache_creation": {"ephemeral_1h_input_tokens": 101}}}'}, More()),
        (
            {
                "llm.token_count.prompt_details.audio": 12,
                "llm.token_count.completion_details.audio": 7,
                "gen_ai.usage.details.web_search_requests": 2,
            },
            More(input_audio=12, output_audio=7, web_searches=2),
        ),
    ],
)
def test_classes_of_tokens_that_few_calls_have_are_kept_apart(given: dict[str, Any], expected: More) -> None:
    usage = {
        "openinference.span.kind": "LLM",
        "llm.token_count.prompt": 120,
        "llm.token_count.completion": 9,
        "llm.token_count.prompt_details.cache_write": 100,
    }
    found = event({**usage, **given})
    assert (found.tokens_input, found.tokens_cache_write) == (120, 100)
    assert more(found.usage_more) == expected


def test_the_name_as_sent_is_kept_where_readers_see_another() -> None:
    found = event(
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}, name="execute_tool search"
    )
    assert (found.name, found.source_name) == ("search", "execute_tool search")
    assert event({}, name="same").source_name == ""


def test_attributes_that_meet_in_one_structure_stay_as_they_were_sent() -> None:
    sent: dict[str, Any] = {
        "llm.input_messages.0": {"role": "user"},
        "llm.input_messages.0.message": {"content": "hello"},
    }
    kept = json.dumps(sent)
    for _ in range(2):
        assert trees(sent, ("llm.input_messages.",)) == {
            "llm.input_messages": [{"role": "user", "content": "hello"}]
        }
    assert json.dumps(sent) == kept
