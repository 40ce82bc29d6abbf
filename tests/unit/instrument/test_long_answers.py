"""Answers that are read in pieces and are too long to be kept: whose they are, and what they cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import anthropic
import openai
import pytest

import agentops
from tests.golden import standin
from tests.standin import Models
from tests.unit.instrument.conftest import ask
from tests.unit.instrument.stored import only

OpenAI: Any = openai.OpenAI
Anthropic: Any = anthropic.Anthropic
LONG = 'He said: "usage": {"prompt_tokens": 7} and "model": "none". ' * 2000
CLAUDE: dict[str, Any] = {**ask(), "model": "claude-sonnet-4-6", "max_tokens": 64}
RESPONSE = {"model": "gpt-4o-mini", "input": "Capital of France?"}


def lengthened(value: Any) -> Any:
    """Return a value with its answer's words made many."""
    if isinstance(value, dict):
        return {key: lengthened(each) for key, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [lengthened(each) for each in cast("list[Any]", value)]
    if isinstance(value, float):
        return [value] * 20_000
    return LONG if value in (standin.ANSWER, "Paris ") else value


@pytest.fixture
def long(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(api: standin.Api, path: str, request: dict[str, Any]) -> bool:
        end = next(end for end in standin.ANSWERS if path.endswith(end))
        if not request.get("stream"):
            api.send(200, lengthened(standin.ANSWERS[end](request)))
            return True
        events: list[Any] = {
            "/chat/completions": lambda: [(None, chunk) for chunk in standin.chat_chunks(request)],
            "/responses": lambda: standin.response_events(request),
            "/messages": lambda: standin.message_events(request),
        }[end]()
        api.stream([(name, lengthened(event)) for name, event in events], done=end == "/chat/completions")
        return True

    monkeypatch.setattr(models, "answer", answer)
    monkeypatch.setattr("agentops.instrument.tee.MOST_BYTES", 50_000)
    monkeypatch.setattr("agentops.instrument.tee._END_BYTES", 4_000)


FORMS: dict[str, Callable[[Any, Any], Any]] = {
    "chat": lambda gpt, _: gpt.chat.completions.with_streaming_response.create(**ask()),
    "chat, streamed": lambda gpt, _: gpt.chat.completions.with_streaming_response.create(
        **ask(stream=True, stream_options={"include_usage": True})
    ),
    "response": lambda gpt, _: gpt.responses.with_streaming_response.create(**RESPONSE),
    "response, streamed": lambda gpt, _: gpt.responses.with_streaming_response.create(
        **RESPONSE, stream=True
    ),
    "embedding": lambda gpt, _: gpt.embeddings.with_streaming_response.create(
        model="text-embedding-3-small", input="Capital of France?"
    ),
    "message": lambda _, claude: claude.messages.with_streaming_response.create(**CLAUDE),
    "message, streamed": lambda _, claude: claude.messages.with_streaming_response.create(
        **CLAUDE, stream=True
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.usefixtures("long")
def test_a_long_answer_that_is_read_in_pieces_has_its_tokens(form: str, home: Path) -> None:
    agentops.init()
    with OpenAI() as gpt, Anthropic() as claude, FORMS[form](gpt, claude) as response:
        length = sum(len(piece) for piece in response.iter_bytes())
    event = only(home)
    said = json.loads(event.output)
    assert length == said["bytes"]
    assert length > 50_000
    assert event.status == "ok"
    assert event.input_preview == "Capital of France?"
    tokens = {"response": (30, 48), "embedding": (5, None)}.get(form.partition(",")[0], (21, 8))
    assert (event.tokens_input, event.tokens_output) == tokens
    assert event.cost_usd
    assert event.model.startswith(said["model"])
    assert bool(event.response_id) == (form != "embedding")
    assert (event.first_token_ns is not None) == ("streamed" in form)
