"""Which instrumentor is chosen, when it is enabled, and that all of it can be taken back."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import anthropic
import openai
import pytest
from anthropic import resources
from openinference.instrumentation.anthropic import AnthropicInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider

import agentops
from agentops.instrument import LIBRARIES, Instrumentation, Library
from tests.standin import Models
from tests.unit.instrument.stored import stored
from tests.unit.instrument.test_calls import make

METHODS: list[tuple[Any, str]] = [
    (openai.OpenAI, "request"),
    (openai.AsyncOpenAI, "request"),
    (resources.Messages, "create"),
    (resources.Messages, "stream"),
    (resources.Messages, "count_tokens"),
    (resources.messages.batches.Batches, "create"),
    (anthropic.Anthropic, "request"),
]
"""A few of the methods that are changed."""


def methods() -> list[Any]:
    return [getattr(owner, name) for owner, name in METHODS]


def test_stop_instrumenting_undoes_all(home: Path, models: Models) -> None:
    before = methods()
    agentops.init()
    assert all(now is not then for now, then in zip(methods(), before, strict=True))
    make("openai", "chat", "sync")
    agentops.stop_instrumenting()
    assert all(now is then for now, then in zip(methods(), before, strict=True))
    make("openai", "chat", "sync")
    make("anthropic", "create", "sync")
    assert len(models.requests) == 3
    assert len(stored(home)) == 1
    agentops.stop_instrumenting()  # Once more does no harm.


def test_after_stopping_nothing_is_held_back(home: Path, models: Models) -> None:
    agentops.init()
    other = agentops.start_session()
    agentops.stop_instrumenting()
    make("openai", "chat", "sync")
    assert len(models.requests) == 1
    assert other.is_running


def test_initialised_again_it_is_instrumented_again_once(home: Path, models: Models) -> None:
    from agentops.sdk.client import client

    before = methods()
    for _ in range(3):
        agentops.init()
        make("openai", "chat", "sync")
        client.close()
        assert all(now is then for now, then in zip(methods(), before, strict=True))
    assert len(stored(home)) == 3


def test_init_after_stopping_instruments_again(home: Path, models: Models) -> None:
    agentops.init()
    agentops.stop_instrumenting()
    agentops.init()
    make("openai", "chat", "sync")
    make("anthropic", "create", "sync")
    assert len(stored(home)) == 2


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_an_instrumentor_of_the_programs_own_is_joined_wherever_its_spans_go(
    provider: str, home: Path, models: Models
) -> None:
    instrumentor: Any = OpenAIInstrumentor() if provider == "openai" else AnthropicInstrumentor()
    instrumentor.instrument(tracer_provider=TracerProvider())
    try:
        agentops.init()
        make(provider, "chat" if provider == "openai" else "create", "sync")
        agentops.stop_instrumenting()
        assert instrumentor.is_instrumented_by_opentelemetry
    finally:
        instrumentor.uninstrument()
    assert len(stored(home)) == 1


class Provider:
    """Makes no spans."""

    def get_tracer(self, *_: Any) -> Any:
        from opentelemetry.trace import NoOpTracer

        return NoOpTracer()

    def kind_known(self, span: Any) -> None:
        pass


class Fake:
    """An instrumentor whose class is known by what it was told."""

    is_instrumented_by_opentelemetry = False
    conflict: str | None = None
    used: list[str]

    def _check_dependency_conflicts(self) -> str | None:
        return self.conflict

    def instrument(self, **_: Any) -> None:
        self.used.append(type(self).__name__)

    def uninstrument(self) -> None:
        self.used.append(f"not {type(self).__name__}")


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Library, list[str]]]:
    """Make a library whose instrumentors are fakes; those given a conflict refuse it."""

    def made(*conflicts: str | None, extra: str = "some") -> tuple[Library, list[str]]:
        module = ModuleType("fake_instrumentors")
        used: list[str] = []
        names = [f"Number{at}" for at, _ in enumerate(conflicts)]
        for name, conflict in zip(names, conflicts, strict=True):
            setattr(module, name, type(name, (Fake,), {"conflict": conflict, "used": used}))
        module.__spec__ = ModuleSpec("fake_instrumentors", None)
        monkeypatch.setitem(sys.modules, "fake_instrumentors", module)
        places = tuple(f"fake_instrumentors:{name}" for name in names) or ("no_such_package:Nobody",)
        return Library("fake_library", "pytest", places, extra), used

    return made


def test_the_first_that_takes_the_version_is_used(fakes: Any) -> None:
    library, used = fakes("needs another version", None, None)
    instrumentation = Instrumentation(Provider(), lambda: None)
    instrumentation.enable(library)
    instrumentation.enable(library)
    assert used == ["Number1"]
    assert instrumentation.chosen == {"fake_library": "fake_instrumentors:Number1"}
    instrumentation.uninstall()
    assert used == ["Number1", "not Number1"]


def test_a_library_that_nothing_takes_says_why(fakes: Any, caplog: pytest.LogCaptureFixture) -> None:
    library, used = fakes("needs another version")
    Instrumentation(Provider(), lambda: None).enable(library)
    assert used == []
    assert "needs another version" in caplog.text


def test_a_missing_instrumentor_is_one_hint(fakes: Any, caplog: pytest.LogCaptureFixture) -> None:
    library, _ = fakes(extra="fake")
    instrumentation = Instrumentation(Provider(), lambda: None)
    with caplog.at_level(logging.INFO, "agentops"):
        instrumentation.enable(library)
        instrumentation.enable(library)
    assert caplog.text.count("pip install 'agentops[fake]'") == 1


def test_a_module_of_the_programs_own_is_left_alone(fakes: Any, caplog: pytest.LogCaptureFixture) -> None:
    library, used = fakes(None)
    stranger = Library("agents", "no-such-distribution", library.instrumentors, "openai-agents")
    Instrumentation(Provider(), lambda: None).enable(stranger)
    assert used == []
    assert caplog.text == ""


def test_a_library_may_be_enabled_while_another_is(fakes: Any) -> None:
    library, used = fakes(None)
    instrumentation = Instrumentation(Provider(), lambda: None)

    class Importing(Fake):
        def instrument(self, **_: Any) -> None:
            # As when its import brings the other library along, here or in another thread.
            thread = threading.Thread(target=instrumentation.enable, args=(library,), daemon=True)
            thread.start()
            thread.join(10)
            assert not thread.is_alive()

    sys.modules["fake_instrumentors"].Importing = Importing  # type: ignore[attr-defined] # pyright: ignore -- a fake
    outer = Library("outer_library", "pytest", ("fake_instrumentors:Importing",), "some")
    instrumentation.enable(outer)
    assert used == ["Number0"]
    assert set(instrumentation.enabled) == {"outer_library", "fake_library"}


def test_every_library_names_its_extra() -> None:
    base = {"openai", "anthropic"}
    assert {library.module for library in LIBRARIES if not library.extra} == base
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text()
    for library in LIBRARIES:
        assert not library.extra or f"\n{library.extra} = [" in text, library.extra


def test_one_debug_line_says_what_was_chosen(
    home: Path, models: Models, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "agentops"):
        agentops.init(log_level="DEBUG")
    lines = [record.message for record in caplog.records if "LLM libraries recorded" in record.message]
    assert len(lines) == 1
    assert "openai by openinference.instrumentation.openai:OpenAIInstrumentor" in lines[0]
