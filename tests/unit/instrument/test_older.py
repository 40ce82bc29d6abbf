"""Clients of anthropic from before some names were public."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest

import agentops
from agentops.instrument import BY_MODULE, older
from agentops.instrument.patches import Patches
from tests.standin import Models
from tests.unit.instrument.conftest import ask
from tests.unit.instrument.stored import only

Anthropic: Any = anthropic.Anthropic


@pytest.fixture
def patches() -> Iterator[Patches]:
    made = Patches()
    yield made
    made.undo()


def test_a_helpers_stream_of_a_client_without_a_name_for_what_was_left_out_has_its_input(
    home: Path, models: Models, patches: Patches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(anthropic, "Omit")
    older.complete(BY_MODULE["anthropic"], patches)
    agentops.init()
    asked = {**ask(), "model": "claude-sonnet-4-6", "max_tokens": 64}
    with Anthropic() as client, client.messages.stream(**asked) as stream:
        stream.get_final_text()
    event = only(home)
    assert (event.input_preview, event.tokens_output) == ("Capital of France?", 8)
    assert event.first_token_ns is not None
