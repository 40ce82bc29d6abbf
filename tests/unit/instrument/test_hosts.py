"""Whose models are called by a client of openai with another address, and what that costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

import agentops
from tests.standin import Models
from tests.unit.instrument.stored import stored

OpenAI: Any = openai.OpenAI


class Redirected(httpx.HTTPTransport):
    """Leads every request to the stand-in."""

    def __init__(self, models: Models) -> None:
        super().__init__()
        self._to = httpx.URL(models.url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http", host=self._to.host, port=self._to.port)
        return super().handle_request(request)


@pytest.mark.parametrize(
    ("address", "model", "provider", "is_priced"),
    [
        ("https://api.openai.com/v1", "gpt-4o", "openai", True),
        ("https://openrouter.ai/api/v1", "openai/gpt-4o", "openrouter", True),
        ("https://api.moonshot.ai/v1", "kimi-k2-0711-preview", "moonshot", True),
        ("https://europe-west1-aiplatform.googleapis.com/v1", "google/gemini-2.5-flash", "google", True),
        ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "qwen-max", "alibaba", False),
        ("http://localhost:11434/v1", "deepseek-r1", "ollama", False),
        ("http://localhost:4000/v1", "gpt-4o", "openai", True),
    ],
)
def test_the_address_says_whose_models_a_client_calls(
    home: Path, models: Models, address: str, model: str, provider: str, is_priced: bool
) -> None:
    agentops.init()
    with OpenAI(base_url=address, http_client=httpx.Client(transport=Redirected(models))) as client:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hi"}])
        client.responses.create(model=model, input="Hi")
        client.embeddings.create(model="own-embedding", input="Hi", encoding_format="float")
    agentops.end_session("Success")
    found = stored(home)
    assert [(event.kind, event.provider) for event in found] == [
        ("llm", provider),
        ("llm", provider),
        ("embedding", provider),
    ]
    assert [event.cost_usd is not None for event in found] == [is_priced, is_priced, False]
