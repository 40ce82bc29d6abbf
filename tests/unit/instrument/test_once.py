"""One call, one event: whichever instrumentors see it, nested or beside each other."""

from __future__ import annotations

import importlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

import agentops
from agentops.instrument import calls
from agentops.sdk.client import client as sdk
from tests.standin import Models
from tests.unit.instrument.conftest import ask
from tests.unit.instrument.stored import events, only, stored

OpenAI: Any = openai.OpenAI
LLM = {"openinference.span.kind": "LLM"}


def framework(name: str) -> Any:
    """Return the tracer of a framework's OpenInference instrumentor."""
    made = importlib.import_module("openinference.instrumentation")
    tracer = sdk.provider.get_tracer(f"openinference.instrumentation.{name}")
    return made.OITracer(tracer, config=made.TraceConfig())


def call() -> None:
    with OpenAI() as client:
        client.chat.completions.create(**ask())


@contextmanager
def around(how: str, tracer: Any) -> Generator[Any]:
    """Be inside the span that a framework makes of the call, in one of the ways in which they do."""
    if how == "kind at the start":
        with tracer.start_as_current_span("framework", attributes={**LLM, "input.value": "x"}) as span:
            yield span
    elif how == "kind a moment later":
        with tracer.start_as_current_span("framework") as span:
            span.set_attribute("openinference.span.kind", "LLM")
            yield span
    else:
        span = tracer.start_span("framework", attributes=LLM)
        calls.note(span)
        yield span
        span.end()


@pytest.mark.parametrize("how", ["kind at the start", "kind a moment later", "not current"])
def test_a_framework_and_its_provider_record_one_call(how: str, home: Path, models: Models) -> None:
    agentops.init()
    with around(how, framework("someone")):
        call()
    event = only(home)
    assert event.name == "framework"
    # What only the provider's record knew is there.
    assert (event.tokens_input, event.tokens_output, event.response_id) == (21, 8, "chatcmpl-golden1-1")
    assert event.model == "gpt-4o-mini"
    assert sdk.registry.only is not None
    assert sdk.registry.only.counts["llm"] == 1


@pytest.mark.parametrize("kind", ["LLM", "TOOL"])
def test_what_a_framework_begins_is_on_disk_once_its_kind_is_told(kind: str, home: Path) -> None:
    agentops.init()
    span = framework("someone").start_span("framework")
    span.set_attributes({"input.value": "x", "openinference.span.kind": kind})
    (begun,) = [event for event in events(home) if event.kind != "session"]
    assert (begun.kind, begun.name, begun.input, begun.ended) == (kind.lower(), "framework", "x", False)
    span.end()


@pytest.mark.parametrize("order", [(StatusCode.OK, StatusCode.ERROR), (StatusCode.ERROR, StatusCode.OK)])
def test_what_a_framework_saw_fail_has_failed(order: tuple[StatusCode, ...], home: Path) -> None:
    agentops.init()
    span = framework("someone").start_span("framework", attributes=LLM)
    for code in order:
        span.set_status(code, "No such city" if code is StatusCode.ERROR else None)
    span.set_status(StatusCode.ERROR, "It failed")
    span.end()
    event = only(home)
    assert (event.status, event.error_message) == ("error", "No such city")


def test_an_error_that_a_framework_tells_in_its_own_words_keeps_its_type(home: Path, models: Models) -> None:
    agentops.init()
    with framework("someone").start_as_current_span("framework", attributes=LLM) as span:
        with OpenAI() as client, pytest.raises(openai.NotFoundError):
            client.chat.completions.create(**ask(model="missing-model"))
        span.set_status(trace.Status(trace.StatusCode.ERROR, "It did not work"))
    event = only(home)
    assert (event.status, event.status_message) == ("error", "It did not work")
    assert event.error_type == "openai.NotFoundError"


def test_which_model_answered_is_the_clients_to_say(home: Path, models: Models) -> None:
    agentops.init()
    with around("kind at the start", framework("someone")) as span, OpenAI() as client:
        assert list(client.chat.completions.create(**ask(stream=True)))
        span.set_attribute("llm.model_name", "gpt-4o-mini")
    event = only(home)
    assert (event.request_model, event.model) == ("gpt-4o-mini", "gpt-4o-mini-2024-08-06")


def test_a_model_that_failed_has_not_answered(home: Path, models: Models) -> None:
    agentops.init()
    with around("kind at the start", framework("someone")) as span:
        with OpenAI() as client, pytest.raises(openai.NotFoundError):
            client.chat.completions.create(**ask(model="missing-model"))
        span.set_attribute("llm.model_name", "gpt-4o-mini")
    assert only(home).model == "gpt-4o-mini"


@pytest.mark.parametrize("how", ["kind at the start", "kind a moment later", "not current"])
def test_a_stream_that_is_followed_within_a_frameworks_call_is_that_call(how: str, home: Path) -> None:
    agentops.init()

    def create(**asked: Any) -> Iterator[dict[str, Any]]:
        delta = {"index": 0, "delta": {"role": "assistant", "content": asked["model"]}}
        yield {"id": "chat-1", "model": "house-1", "choices": [delta]}
        yield {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}

    follow = sdk._follow  # pyright: ignore[reportPrivateUsage] -- what instrumentation is given
    with around(how, framework("someone")) as span:
        assert len(list(follow(create)(model="house", messages=ask()["messages"]))) == 2
        span.set_attribute("llm.model_name", "house")
    event = only(home)
    assert (event.name, event.model, event.tokens_input, event.tokens_output) == (
        "framework",
        "house-1",
        5,
        2,
    )
    assert event.first_token_ns is not None


def test_two_frameworks_around_a_client_make_one_event(home: Path, models: Models) -> None:
    agentops.init()
    with around("kind at the start", framework("one")), around("kind a moment later", framework("two")):
        call()
    event = only(home)
    assert (event.name, event.tokens_output) == ("framework", 8)


def test_what_the_framework_says_itself_stands(home: Path, models: Models) -> None:
    agentops.init()
    with around("kind at the start", framework("someone")) as span:
        call()
        span.set_attribute("llm.token_count.prompt", 20)
        span.set_attribute("llm.token_count.completion", 7)
        span.set_attribute("output.value", "said")
    event = only(home)
    assert (event.tokens_input, event.tokens_output, event.output) == (20, 7, "said")


def test_other_spans_around_a_call_stay(home: Path, models: Models) -> None:
    agentops.init()
    with framework("someone").start_as_current_span("step", attributes={"openinference.span.kind": "CHAIN"}):
        call()
        call()
    assert sorted(event.kind for event in stored(home)) == ["llm", "llm", "operation"]


def test_a_call_after_the_noted_one_is_its_own(home: Path, models: Models) -> None:
    agentops.init()
    with around("not current", framework("someone")):
        pass
    call()
    assert [event.name for event in stored(home)] == ["framework", "ChatCompletion"]


def test_what_is_below_an_absorbed_span_hangs_from_the_event(home: Path, models: Models) -> None:
    agentops.init()
    tracer = framework("someone")
    with (
        around("kind at the start", tracer),
        tracer.start_as_current_span("again", attributes=LLM),
        trace.get_tracer("http").start_as_current_span("POST"),
    ):
        pass
    below, event = stored(home)
    assert (event.name, below.name, below.parent_id) == ("framework", "POST", event.span_id)


def test_a_frameworks_own_session_id_moves_nothing(home: Path, models: Models) -> None:
    session = agentops.init()
    assert session is not None
    with framework("someone").start_as_current_span("agent") as span:
        span.set_attribute("session.id", "theirs")
    event = only(home)
    assert event.declared_session == str(session.session_id)
    assert "theirs" in event.attributes


@pytest.mark.parametrize("scope", ["openai.v1", "openai_v2", "genai.openai", "openai_agents"])
def test_the_programs_own_instrumentor_of_a_library_repeats_ours(
    scope: str, home: Path, models: Models
) -> None:
    agentops.init()
    tracer = trace.get_tracer(f"opentelemetry.instrumentation.{scope}")
    with tracer.start_as_current_span("theirs", attributes={"gen_ai.operation.name": "chat"}):
        call()
    # Of another library it says what nobody else does.
    assert only(home).name == ("theirs" if scope == "openai_agents" else "ChatCompletion")


def test_cached_tokens_that_only_the_inner_one_tells_are_counted_as_such(home: Path, models: Models) -> None:
    """The outer one speaks another dialect, and tells sums only, as OpenTelemetry's `openai-v2` does."""
    agentops.init()
    tracer = sdk.provider.get_tracer("opentelemetry.util.genai.handler")
    begun = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini"}
    with tracer.start_as_current_span("chat gpt-4o-mini", attributes=begun) as span, OpenAI() as client:
        client.chat.completions.create(**ask(messages=[{"role": "user", "content": "cached? think"}]))
        span.set_attributes({"gen_ai.usage.input_tokens": 1200, "gen_ai.usage.output_tokens": 48})
    event = only(home)
    counted = (event.tokens_input, event.tokens_cache_read, event.tokens_output, event.tokens_reasoning)
    assert (event.name, *counted) == ("chat gpt-4o-mini", 1200, 1024, 48, 40)
    # 176 at 0.15 $ a million, 1024 cached at half of that, 48 at 0.60.
    assert event.cost_usd == pytest.approx((176 * 0.15 + 1024 * 0.075 + 48 * 0.6) / 1e6)
