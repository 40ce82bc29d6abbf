"""Each library's own client or framework, really run, is recorded as a person has read it.

The programs run in environments of their own (scripts/integrations.py) against a stand-in of the providers
and a real server, from which their events are read back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environments import integration_python
from tests.golden.standin import ANSWER
from tests.integrations import running
from tests.integrations.libraries import USED, Used
from tests.integrations.standin import Providers
from tests.serving import Server


@pytest.fixture(scope="module")
def providers() -> Iterator[Providers]:
    with Providers() as started:
        yield started


@pytest.mark.timeout(300)  # The first to need an environment makes it.
@pytest.mark.parametrize("used", USED, ids=lambda used: used.name)
def test_a_program_is_recorded(
    used: Used, providers: Providers, module_server: Server, tmp_path: Path
) -> None:
    python = integration_python(used.environment)
    running.run(used, python, providers.url, module_server.url, tmp_path)
    assert running.recorded(module_server, used.name) == json.loads(used.expected.read_text())


@pytest.mark.timeout(300)
def test_litellm_is_held_back_while_several_sessions_are_active(
    providers: Providers, module_server: Server, tmp_path: Path
) -> None:
    gate = Used("litellm", "LiteLLM", "litellm", "litellm", "openai2", program_name="gate_litellm")
    before = len(providers.requests)
    python = integration_python(gate.environment)
    said = running.run(gate, python, providers.url, module_server.url, tmp_path)
    refused, _, answered = said.partition("asking\n")
    assert refused.split("\n") == ["refused"] * 7 + [""]
    assert answered.count("Paris") == 2
    # Nothing left the program for a call that was refused.
    assert len(providers.requests) - before == 2


@pytest.mark.timeout(300)
def test_older_clients_are_recorded(providers: Providers, module_server: Server, tmp_path: Path) -> None:
    older = Used("older", "older clients", "openai", "", "older")
    said = running.run(older, integration_python("older"), providers.url, module_server.url, tmp_path)
    assert "openai 1.69.0 is recorded by OpenAIInstrumentor" in said
    assert "anthropic 0.64.0 is recorded by AnthropicInstrumentor" in said
    found = running.recorded(module_server, "older")
    asked = [event.get("input") for event in found["events"]]
    assert asked == ["Capital of France?"] * 9
    assert [event.get("output", "").strip() for event in found["events"]] == [ANSWER] * 9
    # Eight of 21 tokens and 8, the response of 30 and 48.
    assert found["tokens"] == {"input": 8 * 21 + 30, "output": 8 * 8 + 48, "reasoning": 40, "total": 310}


@pytest.mark.timeout(300)
def test_an_instrumentor_that_is_imported_first_records(
    providers: Providers, module_server: Server, tmp_path: Path
) -> None:
    first = Used("", "LlamaIndex", "llama-index-core", "", "openai2", program_name="instrumentor_first")
    python = integration_python(first.environment)
    said = running.run(first, python, providers.url, module_server.url, tmp_path)
    assert said.splitlines()[1:] == ["True", "1"]
