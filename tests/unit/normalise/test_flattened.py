"""What messages in pieces of attributes leave out is read from the whole answer beside them."""

from __future__ import annotations

import json

import pytest

from tests.unit.normalise.spans import event, messages


def test_parts_that_flattening_leaves_out_are_read_from_the_whole() -> None:
    asked = {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Listen."},
                    {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
                    {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERg=="}},
                ],
            }
        ]
    }
    said = {
        "openinference.span.kind": "LLM",
        "input.value": json.dumps(asked),
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.contents.0.message_content.type": "text",
        "llm.input_messages.0.message.contents.0.message_content.text": "Listen.",
    }
    assert messages(event(said).input) == [
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "Listen."},
                {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "UklGRg=="},
                {
                    "type": "blob",
                    "modality": "document",
                    "mime_type": "application/pdf",
                    "content": "JVBERg==",
                },
            ],
        }
    ]


def test_what_flattening_has_no_messages_for_is_read_from_the_whole() -> None:
    items = [
        {"type": "web_search_call", "id": "ws", "status": "completed", "action": "x"},
        {"type": "mcp_call", "id": "m", "name": "find", "arguments": '{"q": 1}', "output": "found"},
        {"type": "image_generation_call", "id": "i", "status": "completed", "result": "AA"},
        {"type": "compaction", "id": "c", "encrypted_content": "x"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done."},
                                                             {"type": "refusal", "refusal": "No more."}]},
    ]  # fmt: skip
    flat = "llm.output_messages.4.message."
    said = {
        "openinference.span.kind": "LLM",
        "output.value": json.dumps({"object": "response", "instructions": "Be terse.", "output": items}),
        f"{flat}role": "assistant",
        f"{flat}contents.0.message_content.type": "text",
        f"{flat}contents.0.message_content.text": "Done.",
    }
    speak = [each["parts"] for each in messages(event(said).output)]
    assert speak == [
        [{"type": "server_tool_call", "id": "ws", "name": "web_search", "arguments": {"action": "x"}}],
        [
            {"type": "server_tool_call", "id": "m", "name": "find", "arguments": {"q": 1}},
            {"type": "tool_call_response", "id": "m", "response": "found"},
        ],
        [
            {"type": "server_tool_call", "id": "i", "name": "image_generation", "arguments": {}},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AA"},
        ],
        [{"type": "compaction", "id": "c", "encrypted_content": "x"}],
        [{"type": "text", "content": "Done."}, {"type": "refusal", "content": "No more."}],
    ]


def test_a_tool_of_another_sort_is_called_by_its_name() -> None:
    call = {"id": "c1", "type": "custom", "custom": {"name": "run", "input": "1 + 1"}}
    choice = {"message": {"role": "assistant", "content": None, "tool_calls": [call]}}
    said = {
        "openinference.span.kind": "LLM",
        "output.value": json.dumps({"choices": [choice]}),
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
    }
    assert messages(event(said).output)[0]["parts"] == [
        {"type": "tool_call", "id": "c1", "name": "run", "arguments": "1 + 1"}
    ]


def test_a_call_without_arguments_has_none_that_are_unknown() -> None:
    said = {
        "openinference.span.kind": "LLM",
        "llm.output_messages.0.message.role": "assistant",
        # OpenInference leaves out arguments that are `{}`.
        "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "now",
    }
    assert messages(event(said).output)[0]["parts"] == [
        {"type": "tool_call", "id": "c1", "name": "now", "arguments": {}}
    ]


@pytest.mark.parametrize(
    ("data", "kind"), [("UklGRg==", "wav"), ("SUQzBA==", "mp3"), ("T2dnUw==", "opus"), ("QUFB", "pcm")]
)
def test_what_a_model_says_aloud_is_its_words_and_their_sound(data: str, kind: str) -> None:
    audio = {"id": "a1", "data": data, "transcript": "hello", "expires_at": 1}
    choice = {"message": {"role": "assistant", "content": None, "audio": audio}}
    said = {
        "openinference.span.kind": "LLM",
        "output.value": json.dumps({"choices": [choice]}),
        "llm.output_messages.0.message.role": "assistant",
    }
    found = event(said)
    assert messages(found.output)[0]["parts"] == [
        {"type": "text", "content": "hello"},
        {"type": "blob", "modality": "audio", "mime_type": f"audio/{kind}", "content": data},
    ]
    assert found.output_preview == "hello"
