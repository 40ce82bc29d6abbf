"""What Google says beside the flattened messages: files, sound, code that it ran, pictures that it made."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentops.server.normalise.tokens import more
from tests.unit.normalise.spans import event

CALL = {"openinference.span.kind": "LLM", "llm.model_name": "gemini-2.5-flash"}
ASKED = {
    **CALL,
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.contents.0.message_content.type": "text",
    "llm.input_messages.0.message.contents.0.message_content.text": "What is it?",
}
TOLD = {
    **CALL,
    "llm.output_messages.0.message.role": "model",
    "llm.output_messages.0.message.content": "One.",
}
SOUND = {"inline_data": {"data": "UklG", "mime_type": "audio/wav"}}
PAGES = {"inlineData": {"data": "JVBE", "mimeType": "application/pdf"}}
FILM = {"file_data": {"file_uri": "gs://b/v.mp4", "mime_type": "video/mp4"}}


def test_files_and_sound_are_shown_that_flattened_messages_leave_out() -> None:
    parts = [SOUND, PAGES, FILM, {"text": "What is it?"}]
    found = event({**ASKED, "input.value": json.dumps({"contents": [{"parts": parts, "role": "user"}]})})
    assert json.loads(found.input) == [
        {
            "role": "user",
            "parts": [
                {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "UklG"},
                {"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": "JVBE"},
                {"type": "uri", "modality": "video", "uri": "gs://b/v.mp4", "mime_type": "video/mp4"},
                {"type": "text", "content": "What is it?"},
            ],
        }
    ]


def test_instructions_stay_before_what_is_read_from_the_whole_request() -> None:
    told = {key.replace("messages.0", "messages.1"): value for key, value in ASKED.items()}
    told["llm.input_messages.0.message.role"] = "system"
    told["llm.input_messages.0.message.content"] = "Be terse."
    whole = {"contents": [{"parts": [SOUND, {"text": "What is it?"}], "role": "user"}]}
    found = json.loads(event({**told, "input.value": json.dumps(whole)}).input)
    assert [(one["role"], len(one["parts"])) for one in found] == [("system", 1), ("user", 2)]


@pytest.mark.parametrize("names", [("executable_code", "code_execution_result"),
                                   ("executableCode", "codeExecutionResult")])  # fmt: skip
def test_code_that_google_ran_is_a_tool_of_the_providers(names: tuple[str, str]) -> None:
    code = {"code": "print(1)", "language": "PYTHON"}
    result = {"outcome": "OUTCOME_OK", "output": "1"}
    parts = [{"text": "Hm", "thought": True}, {names[0]: code}, {names[1]: result}, {"text": "One."}]
    answer = {"candidates": [{"content": {"parts": parts, "role": "model"}, "finish_reason": "STOP"}]}
    found = event({**TOLD, "output.value": json.dumps(answer)})
    assert json.loads(found.output)[0]["parts"] == [
        {"type": "reasoning", "content": "Hm"},
        {"type": "server_tool_call", "id": None, "name": "code_execution", "arguments": code},
        {"type": "tool_call_response", "id": None, "response": result},
        {"type": "text", "content": "One."},
    ]


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (
            {
                "prompt_tokens_details": [
                    {"modality": "TEXT", "token_count": 10},
                    {"modality": "IMAGE", "token_count": 258},
                    {"modality": "IMAGE", "token_count": 258},
                ],
                "candidates_tokens_details": [{"modality": "IMAGE", "token_count": 1290}],
            },
            (516, 1290, 0),
        ),
        ({"candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 60}, 1]}, (0, 0, 60)),
        ({"candidatesTokensDetails": {"modality": "AUDIO"}}, (0, 0, 0)),
    ],
)
def test_pictures_and_sound_are_told_apart(metadata: Any, expected: tuple[int, int, int]) -> None:
    name = "usage_metadata" if "prompt_tokens_details" in metadata else "usageMetadata"
    counted = {**CALL, "llm.token_count.prompt": 526, "llm.token_count.completion": 1290}
    found = more(event({**counted, "output.value": json.dumps({name: metadata})}).usage_more)
    assert (found.input_image, found.output_image, found.output_audio) == expected
