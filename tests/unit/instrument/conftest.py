"""A recorder and a stand-in for the model providers, for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.standin import Models
from tests.unit.sdk.conftest import home, journal

__all__ = ["home", "journal"]


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Iterator[Models]:
    """The stand-in, set as the providers' address in the environment."""
    with Models() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
        yield running


def ask(**more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Capital of France?"}], **more}
