"""What went in and out: messages of every dialect in one form, and what a reader sees of them first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentops import semconv
from tests.unit.normalise.spans import event, happened, messages, text

LLM = {"gen_ai.operation.name": "chat"}
TOOL = {"gen_ai.operation.name": "execute_tool"}
CALL = {"type": "tool_call", "id": "c1", "name": "search", "arguments": {"q": "x"}}
ANSWER = {"type": "tool_call_response", "id": "c1", "response": {"hits": 2}}


def both(said: dict[str, Any], **fields: Any) -> tuple[Any, Any]:
    found = event({**LLM, **said}, **fields)
    assert {found.input_format, found.output_format} <= {"", "messages"}
    return (
        messages(found.input) if found.input else None,
        messages(found.output) if found.output else None,
    )


def test_messages_in_our_form_are_kept_word_for_word() -> None:
    given = '[ {"role":"user", "parts":[{"type":"text","content":"hi"}]} ]'
    found = event({**LLM, "gen_ai.input.messages": given})
    assert (found.input, found.input_format, found.input_preview) == (given, "messages", "hi")


def test_system_instructions_come_first() -> None:
    said = {
        "gen_ai.system_instructions": '[{"type":"text","content":"Be terse."}]',
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]',
    }
    assert both(said)[0] == [text("system", "Be terse."), text("user", "hi")]


def test_older_and_published_part_names_are_brought_to_one() -> None:
    said = {
        "gen_ai.input.messages": json.dumps(
            [
                {"role": "assistant", "parts": [{**CALL, "arguments": '{"q":"x"}'}]},
                {
                    "role": "tool",
                    "parts": [{"type": "tool_call_response", "id": "c1", "result": {"hits": 2}}],
                },
            ]
        )
    }
    assert both(said)[0] == [{"role": "assistant", "parts": [CALL]}, {"role": "tool", "parts": [ANSWER]}]


def test_arrays_are_read_like_their_json() -> None:
    said = {"gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]}
    assert both(said)[0] == [text("user", "hi")]


def test_flattened_messages_of_openllmetry() -> None:
    said = {
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": "Be terse.",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": '[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"http://x/y"}}]',
        "gen_ai.prompt.2.role": "tool",
        "gen_ai.prompt.2.tool_call_id": "c1",
        "gen_ai.prompt.2.content": '{"hits":2}',
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.finish_reason": "tool_calls",
        "gen_ai.completion.0.tool_calls.0.id": "c1",
        "gen_ai.completion.0.tool_calls.0.name": "search",
        "gen_ai.completion.0.tool_calls.0.arguments": '{"q":"x"}',
    }
    entered, left = both(said)
    assert entered == [
        text("system", "Be terse."),
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "hi"},
                {"type": "uri", "modality": "image", "uri": "http://x/y"},
            ],
        },
        {"role": "tool", "parts": [ANSWER]},
    ]
    assert left == [{"role": "assistant", "parts": [CALL], "finish_reason": "tool_calls"}]


def test_flattened_messages_of_openinference_in_any_order_from_any_index() -> None:
    contents = "llm.input_messages.2.message.contents"
    said = {
        f"{contents}.1.message_content.type": "image",
        f"{contents}.1.message_content.image.image.url": "data:image/png;base64,AAAA",
        f"{contents}.0.message_content.type": "text",
        f"{contents}.0.message_content.text": "what is this",
        "llm.input_messages.2.message.role": "user",
        "llm.input_messages.1.message.content": "Be terse.",
        "llm.input_messages.1.message.role": "system",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "search",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"q":"x"}',
    }
    entered, left = both(said)
    blob = {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AAAA"}
    assert entered == [
        text("system", "Be terse."),
        {"role": "user", "parts": [{"type": "text", "content": "what is this"}, blob]},
    ]
    assert left == [{"role": "assistant", "parts": [CALL]}]


def test_ten_messages_keep_their_order() -> None:
    said = {f"gen_ai.prompt.{n}.content": str(n) for n in (10, 2, 1, 0, 11)}
    assert [each["parts"][0]["content"] for each in both(said)[0]] == ["0", "1", "2", "10", "11"]


def test_per_message_events_become_messages() -> None:
    events = [
        happened("gen_ai.system.message", content="Be terse."),
        happened("gen_ai.user.message", content="hi", role="user"),
        happened(
            "gen_ai.assistant.message",
            tool_calls='[{"id":"c1","function":{"name":"search","arguments":"{\\"q\\":\\"x\\"}"}}]',
        ),
        happened("gen_ai.tool.message", content='{"hits":2}', id="c1"),
        happened(
            "gen_ai.choice", index=0, finish_reason="stop", message='{"role":"assistant","content":"done"}'
        ),
    ]
    entered, left = both({}, events=events)
    assert entered == [
        text("system", "Be terse."),
        text("user", "hi"),
        {"role": "assistant", "parts": [CALL]},
        {"role": "tool", "parts": [ANSWER]},
    ]
    assert left == [text("assistant", "done", finish_reason="stop")]


def test_the_details_event_becomes_messages() -> None:
    said = {
        "gen_ai.system_instructions": [{"type": "text", "content": "Be terse."}],
        "gen_ai.input.messages": [text("user", "hi")],
        "gen_ai.output.messages": json.dumps([text("assistant", "done")]),
    }
    found = happened(
        "gen_ai.client.inference.operation.details", **{k.replace(".", "__"): v for k, v in said.items()}
    )
    assert both({}, events=[found]) == (
        [text("system", "Be terse."), text("user", "hi")],
        [text("assistant", "done")],
    )


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("hi", [{"type": "text", "content": "hi"}]),
        ([{"type": "input_text", "text": "hi"}], [{"type": "text", "content": "hi"}]),
        (
            [{"type": "thinking", "thinking": "hm", "signature": "s"}],
            [{"type": "reasoning", "content": "hm"}],
        ),
        ([{"type": "tool_use", "id": "c1", "name": "search", "input": {"q": "x"}}], [CALL]),
        ([{"type": "tool_result", "tool_use_id": "c1", "content": '{"hits":2}'}], [ANSWER]),
        (
            [
                {
                    "type": "tool_result",
                    "tool_use_id": "c1",
                    "content": [{"type": "text", "text": '{"hits":2}'}],
                }
            ],
            [ANSWER],
        ),
        (
            [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}],
            [{"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AA"}],
        ),
        (
            [{"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}}],
            [{"type": "blob", "modality": "audio", "mime_type": "audio/mp3", "content": "AA"}],
        ),
        ([{"type": "file", "file_id": "f"}], [{"type": "file", "file_id": "f"}]),
        ([{"type": "refusal", "refusal": "no"}], [{"type": "refusal", "content": "no"}]),
        ([{"type": "from_the_future", "x": 1}], [{"type": "from_the_future", "x": 1}]),
        ([{"functionCall": {"id": "c1", "name": "search", "args": {"q": "x"}}}], [CALL]),
        (
            [{"type": "server_tool_use", "id": "c1", "name": "search", "input": {"q": "x"}}],
            [{**CALL, "type": "server_tool_call"}],
        ),
        ([{"type": "web_search_tool_result", "tool_use_id": "c1", "content": {"hits": 2}}], [ANSWER]),
    ],
)
def test_parts_of_every_provider(content: Any, parts: list[Any]) -> None:
    said = {"gen_ai.input.messages": json.dumps([{"role": "user", "content": content}])}
    assert both(said)[0] == [{"role": "user", "parts": parts}]


def test_langchains_serialised_messages() -> None:
    said = {
        "input.value": json.dumps(
            {
                "messages": [
                    [{"lc": 1, "id": ["langchain", "schema", "HumanMessage"], "kwargs": {"content": "hi"}}]
                ]
            }
        ),
        "output.value": json.dumps({"messages": [{"type": "ai", "content": "hello"}]}),
        "openinference.span.kind": "LLM",
    }
    assert both(said) == ([text("user", "hi")], [text("assistant", "hello")])


def test_messages_as_langchain_keeps_them_and_roles_that_say_nothing() -> None:
    asked = {"messages": [{"role": "user", "content": "hi"}]}
    kept = [{"type": "human", "data": {"content": "hi"}}, {"type": "ai", "data": {"content": "hello"}}]
    said = {
        "openinference.span.kind": "AGENT",
        "llm.input_messages.0.message.role": "user",
        "input.value": json.dumps(asked),
        "output.value": json.dumps({"messages": kept}),
    }
    assert both(said) == ([text("user", "hi")], [text("user", "hi"), text("assistant", "hello")])


def test_a_whole_answer_of_the_responses_api_is_its_messages() -> None:
    answer = {"object": "response", "output": [{"type": "message", "role": "assistant", "content": "hello"}]}
    said = {"openinference.span.kind": "LLM", "output.value": json.dumps([answer])}
    assert both(said)[1] == [text("assistant", "hello")]


def test_prompts_of_older_completions() -> None:
    said = {"llm.prompts.0.prompt.text": "Once", "llm.choices.0.completion.text": "upon"}
    assert both(said) == ([text("user", "Once")], [text("assistant", "upon")])


@pytest.mark.parametrize(
    ("said", "entered", "left"),
    [
        (
            {**TOOL, "gen_ai.tool.call.arguments": '{"q":"x"}', "gen_ai.tool.call.result": "2 hits"},
            ('{"q":"x"}', "json"),
            ("2 hits", "text"),
        ),
        ({**TOOL, "gen_ai.tool.call.arguments": {"q": "x"}}, ('{"q":"x"}', "json"), ("", "")),
        ({"tool_arguments": '{"q":"x"}', "tool_response": '["a"]'}, ('{"q":"x"}', "json"), ('["a"]', "json")),
        (
            {
                "openinference.span.kind": "TOOL",
                "input.value": '{"q":"x"}',
                "output.value": "2",
                "tool.parameters": '{"type":"object","properties":{}}',
            },
            ('{"q":"x"}', "json"),
            ("2", "text"),
        ),
        (
            {
                "openinference.span.kind": "TOOL",
                "input.value": "x",
                "output.value": '{"type": "tool", "data": {"content": "2 hits", "status": "success"}}',
            },
            ("x", "text"),
            ("2 hits", "text"),
        ),
        (
            {"openinference.span.kind": "TOOL", "tool.parameters": '{"q":"x"}'},
            ('{"q":"x"}', "json"),
            ("", ""),
        ),
        (
            {"openinference.span.kind": "TOOL", "tool.parameters": '{"type":"object","properties":{}}'},
            ("", ""),
            ("", ""),
        ),
        (
            {
                "traceloop.span.kind": "tool",
                "traceloop.entity.input": '{"args":[1]}',
                "traceloop.entity.output": '"ok"',
            },
            ('{"args":[1]}', "json"),
            ("ok", "text"),
        ),
        (
            {semconv.SPAN_KIND: "tool", semconv.INPUT: '{"city":"Paris"}', semconv.OUTPUT: "21"},
            ('{"city":"Paris"}', "json"),
            ("21", "text"),
        ),
        (
            {
                semconv.SPAN_KIND: "tool",
                "agentops.tool.input": '{"args": []}',
                "agentops.tool.output": "null",
            },
            ('{"args": []}', "json"),
            ("", ""),
        ),
        ({semconv.SPAN_KIND: "operation", semconv.INPUT: '"a \\"b\\""'}, ('a "b"', "text"), ("", "")),
        (
            {"input.value": "plain { text", "output.value": "{not json"},
            ("plain { text", "text"),
            ("{not json", "text"),
        ),
        ({"input.value": 5}, ("5", "json"), ("", "")),
    ],
)
def test_input_and_output_are_read_in_every_form(
    said: dict[str, Any], entered: tuple[str, str], left: tuple[str, str]
) -> None:
    found = event(said)
    assert (found.input, found.input_format) == entered
    assert (found.output, found.output_format) == left


def test_an_llm_call_of_our_own_is_a_conversation() -> None:
    said = {
        semconv.SPAN_KIND: "llm",
        semconv.INPUT: '[{"role":"user","content":"hi"}]',
        semconv.OUTPUT: '"hello"',
    }
    found = event(said, own=True)
    assert (found.input_format, messages(found.input)) == ("messages", [text("user", "hi")])
    assert (found.output, found.output_format) == ("hello", "text")


def test_retrieved_documents_and_embedded_texts() -> None:
    found = event(
        {
            "openinference.span.kind": "RETRIEVER",
            "input.value": "where",
            "retrieval.documents.0.document.id": "d1",
            "retrieval.documents.0.document.content": "here",
            "retrieval.documents.0.document.score": 0.5,
            "retrieval.documents.0.document.metadata": '{"page":1}',
            "retrieval.documents.1.document.content": "there",
        }
    )
    assert json.loads(found.output) == [
        {"id": "d1", "content": "here", "score": 0.5, "metadata": {"page": 1}},
        {"content": "there"},
    ]
    assert (found.input, found.output_preview) == ("where", "here · there")
    found = event({"openinference.span.kind": "EMBEDDING", "embedding.embeddings.0.embedding.text": "Paris"})
    assert (found.input, found.input_format) == ("Paris", "text")


@pytest.mark.parametrize(
    ("said", "entered", "left"),
    [
        (
            {
                "gen_ai.input.messages": [
                    text("user", "first"),
                    text("assistant", "ok"),
                    text("user", "second"),
                ]
            },
            "second",
            "",
        ),
        ({"gen_ai.input.messages": [text("user", "ask"), {"role": "user", "parts": [ANSWER]}]}, "ask", ""),
        ({"gen_ai.input.messages": [text("system", "only")]}, "only", ""),
        ({"gen_ai.output.messages": [{"role": "assistant", "parts": [CALL]}]}, "", 'search({"q":"x"})'),
        (
            {
                "gen_ai.output.messages": [
                    {"role": "assistant", "parts": [{"type": "blob", "modality": "image"}]}
                ]
            },
            "",
            "[image]",
        ),
        ({"gen_ai.output.messages": [text("assistant", "x" * 300)]}, "", "x" * 200),
        ({"gen_ai.input.messages": [text("user", "天" * 300)]}, "天" * 200, ""),
        ({"input.value": '{"a": ' + "1" * 300 + "}"}, '{"a":' + "1" * 195, ""),
        ({"input.value": "y" * 300}, "y" * 200, ""),
    ],
)
def test_previews_show_what_was_said_last(said: dict[str, Any], entered: str, left: str) -> None:
    found = event({**LLM, **said})
    assert (found.input_preview, found.output_preview) == (entered, left)


def test_text_with_lone_surrogates_becomes_storable() -> None:
    found = event(
        {"input.value": "a\ud800" + "b" * 80, "k": "\udfff"},
        name="n\ud800",
        status=2,
        status_message="\ud800",
    )
    assert found.input == "a\ufffd" + "b" * 80
    assert (found.name, found.status_message) == ("n\ufffd", "\ufffd")
    assert json.loads(found.attributes)["k"] == "\ufffd"
