"""Events, settings, logs, redaction and the life of a session, seen through what was recorded."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from opentelemetry import trace

import agentops
from agentops import semconv
from agentops.sdk import settings
from agentops.sdk.client import client
from agentops.sdk.redact import redacted
from agentops.sdk.session import duration_text, seconds_said, timestamp
from agentops.sdk.traces import TraceContext
from tests.recorded import Journal, attributes

Read = Callable[[], Journal]


def test_events_of_every_type(session: agentops.Session, journal: Read) -> None:
    action = agentops.ActionEvent(
        "x", params={"q": {1, 2}}, returns=object, action_type="search", logs="found"
    )
    agentops.record(action)
    said = {"role": "assistant", "content": "ho"}
    agentops.record(
        agentops.LLMEvent(
            model="gpt-4o", prompt="hi", completion=said, prompt_tokens=3, completion_tokens=4, cost=0.01
        )
    )
    agentops.record(agentops.ToolEvent(name="hammer", params={"nail": 1}, returns="in"))
    agentops.record(
        agentops.ErrorEvent(trigger_event=action, error_type="Bent", code="7", details="nail", logs="log")
    )
    session.record(agentops.Event("plain"))
    session.record(ValueError("direct"))
    found = journal()
    assert [(span.name, span.kind) for span in found.events] == [
        ("search", "action"), ("gpt-4o", "llm"), ("hammer", "tool"), ("Bent", "error"), ("plain", "action"),
        ("ValueError", "error"),
    ]  # fmt: skip
    assert found.named("search").input == {"q": "{1, 2}"}
    assert found.named("search").output == "<class 'object'>"
    assert found.named("search").attributes["agentops.event.id"] == action.id
    model = found.named("gpt-4o").attributes
    assert json.loads(model["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "ho"}]}
    ]
    assert (model["gen_ai.usage.input_tokens"], model["gen_ai.usage.output_tokens"]) == (3, 4)
    error = found.named("Bent")
    assert (error.status, error.message) == (2, "nail")
    assert error.attributes["agentops.error.trigger_event_id"] == action.id
    assert dict(session.event_counts) | {"llms": 0} == {
        "agent": 0, "operation": 0, "action": 2, "llm": 1, "tool": 1, "retrieval": 0, "embedding": 0,
        "guardrail": 0, "error": 2, "total": 6, "llms": 0,
    }  # fmt: skip
    assert session.event_counts["llms"] == 1
    assert session.token_cost == Decimal("0.01")


def test_recording_an_event_again_replaces_it(session: agentops.Session, journal: Read) -> None:
    event = agentops.ActionEvent(action_type="search")
    agentops.record(event)
    event.returns = "later"
    agentops.record(event)
    (span,) = journal().events
    assert (span.ends, span.output, span.seq) == (2, "later", 1)
    assert session.event_counts["total"] == 1


def test_times_of_an_event_are_its_own(session: agentops.Session, journal: Read) -> None:
    agentops.record(
        agentops.ActionEvent(
            "x", init_timestamp="2026-01-02T03:04:05.000006Z", end_timestamp="2026-01-02T03:04:06"
        )
    )
    span = journal().named("x")
    assert span.started_at == 1767323045_000006000
    assert span.ended_at == 1767323046_000000000


def test_the_trigger_of_an_error_is_recorded_with_it(session: agentops.Session, journal: Read) -> None:
    agentops.record(
        agentops.ErrorEvent(trigger_event=agentops.ToolEvent(name="hammer"), exception=OSError("bent"))
    )
    assert [span.name for span in journal().events] == ["hammer", "OSError"]


def test_what_is_no_event_is_refused_by_name(session: agentops.Session) -> None:
    with pytest.raises(TypeError, match=r"record\(\) takes an Event .* not dict"):
        agentops.record({"a": 1})


def test_agents_that_were_created_are_shown_on_their_events(session: agentops.Session, journal: Read) -> None:
    agent_id = agentops.create_agent("Planner")
    agentops.record(agentops.ActionEvent("x", agent_id=agent_id))
    assert journal().named("x").attributes["gen_ai.agent.name"] == "Planner"
    assert session.create_agent("Other", agent_id="a-1") == "a-1"


def test_tags_are_added_and_replaced(home: object, journal: Read) -> None:
    session = agentops.init(tags=["one"], default_tags=["all"], instrument_llm_calls=False)
    assert session is not None
    agentops.add_tags(["two", "one"])
    agentops.add_tags("three")
    assert session.tags == ["all", "one", "two", "three"]
    assert journal().sessions[0].attributes["agentops.tags"] == ["all", "one", "two", "three"]
    agentops.set_tags("only")
    assert session.tags == ["only"]
    assert agentops.start_session(["x"]).tags == ["all", "x"]


def test_an_unknown_end_state_is_refused_and_the_first_one_stays(
    session: agentops.Session, journal: Read
) -> None:
    with pytest.raises(ValueError, match="'Success', 'Fail', 'Indeterminate'"):
        agentops.end_session("Great")
    assert session.is_running
    assert agentops.end_session("failure", end_state_reason="no", video="http://v") == 0
    assert (session.end_state, session.end_state_reason, session.video) == ("Fail", "no", "http://v")
    assert session.end_timestamp is not None
    assert session.end_timestamp > session.init_timestamp
    (root,) = journal().sessions
    assert root.attributes["agentops.session.end_state"] == "Fail"
    assert root.attributes["agentops.session.records_sent"] == 0
    assert root.status == 2
    session.end_session("Success")
    assert session.end_state == "Fail"


def test_the_default_end_state_is_indeterminate(session: agentops.Session) -> None:
    session.end_session()
    assert session.end_state == "Indeterminate"


def test_init_again_starts_nothing_and_says_so(
    session: agentops.Session, caplog: pytest.LogCaptureFixture, journal: Read
) -> None:
    assert agentops.init(tags=["other"]) is session
    assert "init() was called before" in caplog.text
    assert len(journal().sessions) == 1


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"tag": ["x"]}, TypeError, "unexpected keyword argument 'tag'. Did you mean 'tags'?"),
        ({"auto_start": False}, TypeError, "Did you mean 'auto_start_session'?"),
        ({"api_key": 5}, TypeError, r"init\(api_key=...\) must be text, not int"),
        ({"fail_safe": "yes"}, TypeError, "must be True or False, not str"),
        ({"max_wait_time": -1}, ValueError, "from 0 up"),
        ({"log_level": "WARN1"}, ValueError, "Did you mean WARNING?"),
        ({"redact": ["("]}, ValueError, "regular expressions"),
    ],
)
def test_wrong_settings_are_refused_by_name(
    home: object, arguments: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said.replace("?", r"\?")):
        agentops.init(**arguments)


def test_a_bad_variable_in_the_environment_stops_nothing(
    home: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AGENTOPS_MAX_WAIT_TIME", "soon")
    assert agentops.init(instrument_llm_calls=False) is not None
    assert "AGENTOPS_MAX_WAIT_TIME='soon' cannot be used" in caplog.text


def test_a_blank_variable_in_the_environment_is_as_one_that_is_not_set(
    home: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("AGENTOPS_HOME", "AGENTOPS_MAX_WAIT_TIME", "AGENTOPS_API_KEY", "AGENTOPS_TRACE_NAME"):
        monkeypatch.setenv(name, "  ")
    chosen = settings.complete({})
    assert chosen.home_folder == Path("~/.agentops").expanduser()
    assert (chosen.max_wait_time, chosen.api_key, chosen.trace_name) == (1000, None, None)
    assert not caplog.records


def test_settings_come_from_argument_environment_default(
    home: object, monkeypatch: pytest.MonkeyPatch, journal: Read
) -> None:
    monkeypatch.setenv("AGENTOPS_TAGS", "a, b")
    monkeypatch.setenv("AGENTOPS_TRACE_NAME", "nightly")
    monkeypatch.setenv("AGENTOPS_API_KEY", "from-env")
    agentops.configure(env_data_opt_out=True, instrument_llm_calls=False)
    session = agentops.init()
    assert session is not None
    assert (session.tags, session.name, agentops.get_api_key()) == (["a", "b"], "nightly", "from-env")
    assert session.host_env == {}
    assert "agentops.session.host_env" not in journal().sessions[0].attributes
    assert "process.pid" not in journal().resources[0]
    agentops.set_api_key("other")
    assert agentops.get_api_key() == "other"


def test_an_inherited_session_has_the_id_it_was_given(home: object, journal: Read) -> None:
    wanted = UUID("0190f5fe-1111-7111-8111-111111111111")
    session = agentops.start_session(inherited_session_id=str(wanted))
    assert session.session_id == wanted
    assert agentops.start_session(inherited_session_id=wanted) is session
    session.end_session("Success")
    (root,) = journal().sessions
    assert root.trace_id == wanted.hex
    assert "agentops.session.end_state" not in root.attributes
    with pytest.raises(ValueError, match="not a session id"):
        agentops.start_session(inherited_session_id="x")


def test_analytics_without_a_server_are_the_local_ones_and_say_so(session: agentops.Session) -> None:
    agentops.record(agentops.LLMEvent(cost=0.5))
    agentops.record(agentops.ToolEvent())
    figures = session.get_analytics()
    assert {name: figures[name] for name in ("LLM calls", "Tool calls", "Actions", "Errors", "Cost")} == {
        "LLM calls": 1, "Tool calls": 1, "Actions": 0, "Errors": 0, "Cost": "0.500000",
    }  # fmt: skip
    assert list(figures) == ["LLM calls", "Tool calls", "Actions", "Errors", "Duration", "Cost"]
    assert figures.source == "local"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0s"),
        (3.44, "3.4s"),
        (59.96, "1m 0.0s"),
        (62.3, "1m 2.3s"),
        (3723.4, "1h 2m 3.4s"),
        (3600, "1h 0.0s"),
    ],
)
def test_a_duration_leaves_out_what_is_zero(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_times_of_a_session_are_those_that_the_server_tells() -> None:
    # Rounded through a float, half of all moments would be a microsecond later than they are on its page.
    for nanoseconds in (292_964_693, 292_964_999, 999_999_999, 0):
        told = timestamp(1_796_070_722 * 10**9 + nanoseconds)
        assert told == f"2026-11-30T20:32:02.{nanoseconds // 1000:06d}+00:00"


def test_a_session_that_was_begun_elsewhere_lasts_as_long_as_the_server_says(home: object) -> None:
    agentops.init(auto_start_session=False, instrument_llm_calls=False)
    joined = agentops.start_session(inherited_session_id=UUID(int=7))
    core = joined._core  # pyright: ignore[reportPrivateUsage]
    began = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert 3600 <= seconds_said({"state": "running", "started_at": began}, core) < 3700
    assert seconds_said({"state": "fail", "started_at": began, "duration_ms": 1500.0}, core) == 1.5
    assert seconds_said({"state": "running", "started_at": "once"}, core) < 60


def test_traces_are_sessions_by_another_name(home: object, journal: Read) -> None:
    agentops.init(auto_start_session=False, instrument_llm_calls=False)
    first = agentops.start_trace("one", tags={"a": 1})
    second = agentops.start_trace("two", tags=["b"])
    assert isinstance(first, TraceContext)
    assert first.session.tags == ["a:1"]
    agentops.end_trace(first, end_state="Error")
    assert agentops.update_trace_metadata({"customer": "acme", "tags": ["c"], "n": 3})
    agentops.end_trace()
    assert (first.session.end_state, second.session.end_state) == ("Fail", "Success")
    root = journal().named("two")
    assert (root.attributes["trace.metadata.customer"], root.attributes["trace.metadata.n"]) == ("acme", 3)
    assert root.attributes["agentops.tags"] == ["c"]
    with agentops.start_trace("three") as third:
        assert agentops.current_session() is third.session
    assert third.session.end_state == "Success"


# Logs


def test_log_records_are_recorded_with_the_event_around_them(
    session: agentops.Session, journal: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logging.getLogger("shop")

    @agentops.operation(name="work")
    def work() -> None:
        log.warning("low on %s", "tea")
        log.info("not kept")

    work()
    log.error("outside")
    found = journal()
    first, second = found.logs
    assert first["body"] == {"stringValue": "low on tea"}
    assert first["spanId"] == found.named("work").span_id
    assert second["spanId"] == found.sessions[0].span_id
    assert attributes(first["attributes"])["logger.name"] == "shop"
    assert (first["severityNumber"], second["severityText"]) == (13, "ERROR")
    with monkeypatch.context() as quiet:
        quiet.setattr(logging, "raiseExceptions", False)
        log.warning("%d pots", "no")
    assert journal().logs[-1]["body"] == {"stringValue": '%d pots ["no"]'}


def test_capturing_logs_leaves_logging_alone(home: object) -> None:
    before = list(logging.getLogger().handlers)
    agentops.init(capture_logs="off", instrument_llm_calls=False)
    assert logging.getLogger().handlers == before
    client.close()
    agentops.init(capture_logs="INFO", instrument_llm_calls=False)
    assert logging.getLogger().handlers == before


# Redaction


def test_no_masked_text_reaches_the_disk(home: object, journal: Read) -> None:
    agentops.init(
        redact=[r"sk-\w+", r'secret "word"'],
        tags=["sk-tag"],
        trace_name="run sk-name",
        instrument_llm_calls=False,
    )

    @agentops.operation(name="call sk-span")
    def call(key: str, more: Any) -> str:
        logging.getLogger("x").warning("log sk-log")
        return f"out {key}"

    call("sk-argument", {"sk-key": ['a secret "word" here'], "n": 1})
    session = agentops.current_session()
    assert session is not None
    session.create_agent("sk-agent", agent_id="sk-agent-id")
    session.record(agentops.ActionEvent("x", id="sk-event-id", agent_id="sk-agent-id"))
    agentops.update_trace_metadata({"sk-name-of-metadata": "sk-metadata"})
    with trace.get_tracer("sk-tracer", "sk-version").start_as_current_span("own") as own:
        own.set_attributes({"sk-attribute": "sk-text", "raw": b"sk-bytes"})
        own.add_event("e", {"sk-event-attribute": "x"})
    agentops.record(agentops.LLMEvent(prompt="sk-prompt", completion="sk-completion"))

    @agentops.tool(name="fails")
    def fails() -> None:
        raise ValueError("sk-error")

    with pytest.raises(ValueError, match="sk-error"):
        fails()
    agentops.end_session("Fail", "because sk-reason")
    found = journal()
    assert "sk-" not in found.text
    assert "secret" not in found.text
    span = found.named("call [redacted]")
    assert span.input == {"key": "[redacted]", "more": {"[redacted]": ["a [redacted] here"], "n": 1}}
    assert span.session == found.sessions[0].session
    uuid_kept = agentops.ActionEvent("kept")
    assert redacted({semconv.EVENT_ID: uuid_kept.id}, lambda _: "x") == {semconv.EVENT_ID: uuid_kept.id}


def test_a_callable_may_mask_and_a_failing_one_masks_everything(home: object, journal: Read) -> None:
    def mask(text: str) -> str:
        if "boom" in text:
            raise RuntimeError
        return text.replace("tea", "***")

    agentops.init(redact=mask, instrument_llm_calls=False)
    agentops.record(agentops.ActionEvent("x", params="tea", returns="boom"))
    span = journal().named("x")
    assert span.input == "***"
    assert span.attributes["agentops.entity.output"] == "[redaction failed]"


def test_a_mask_that_logs_or_gives_no_text_hides_everything_and_loses_nothing(
    home: object, journal: Read
) -> None:
    def mask(text: str) -> Any:
        logging.getLogger("mask").warning("sees %s", text)
        return None if "boom" in text else text

    agentops.init(redact=mask, instrument_llm_calls=False)
    agentops.record(agentops.ActionEvent("x", params="tea", returns="boom"))
    span = journal().named("x")
    assert (span.input, span.attributes["agentops.entity.output"]) == ("tea", "[redaction failed]")
    assert {log["body"]["stringValue"] for log in journal().logs} == {"[redacted]"}


def test_nothing_is_left_in_memory_of_a_session_that_ended(home: object) -> None:
    agentops.init(auto_start_session=False, instrument_llm_calls=False)
    for _ in range(50):
        with agentops.start_session():
            agentops.record(agentops.ActionEvent("x"))
    assert client.registry.active == {}
    assert len(client.registry.handles) == 0


def test_a_recorder_that_cannot_write_never_raises(
    home: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    session = agentops.init(instrument_llm_calls=False)
    assert session is not None

    def broken(line: bytes) -> None:
        raise OSError("no disk")

    monkeypatch.setattr(client.recorder, "append", broken)

    @agentops.operation
    def work() -> int:
        return 7

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert work() == 7
    assert client.recorder.failures["OSError"] == 8  # The start and the end of each.
    assert caplog.text.count("A record could not be written") == 1


def test_settings_that_change_later_hold_from_then_on(
    home: object, journal: Read, caplog: pytest.LogCaptureFixture
) -> None:
    agentops.init(instrument_llm_calls=False, capture_logs="off")
    program = logging.getLogger("program")
    program.error("before")
    agentops.configure(capture_logs="ERROR", max_wait_time=50, max_queue_size=7, app_url="http://board")
    program.warning("too low")
    program.error("after")
    agentops.configure(capture_logs=False)
    program.error("off again")
    assert [log["body"]["stringValue"] for log in journal().logs] == ["after"]
    current = agentops.current_session()
    assert current is not None
    assert current.session_url.startswith("http://board/")
    agentops.configure(home="/elsewhere", auto_start_session=False)
    assert "configure(auto_start_session=..., home=...) comes after init()" in caplog.text


def test_libraries_may_be_recorded_and_left_alone_in_turn(home: object) -> None:
    agentops.init(instrument_llm_calls=False)
    libraries = client.libraries
    assert libraries is not None
    assert libraries.instrumentation is None
    agentops.configure(instrument_llm_calls=True)
    assert libraries.instrumentation is not None
    agentops.configure(instrument_llm_calls=False)
    assert libraries.instrumentation is None


def test_init_after_the_end_says_how_to_start_another(home: object, caplog: pytest.LogCaptureFixture) -> None:
    agentops.init(instrument_llm_calls=False)
    agentops.end_session("Success")
    assert agentops.init() is None
    assert "agentops.start_session() to start another session" in caplog.text


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (agentops.SUCCESS, "Success"),
        (agentops.TraceState.ERROR, "Fail"),
        (agentops.UNSET, "Indeterminate"),
        ("Error", "Fail"),
        ("failure", "Fail"),
    ],
)
def test_a_trace_ends_in_the_words_of_its_time(home: object, said: Any, state: str) -> None:
    trace = agentops.start_trace("one", tags={"team": "blue"})
    agentops.end_trace(trace, said)
    assert (trace.session.end_state, trace.session.tags) == (state, ["team:blue"])


@pytest.mark.parametrize("said", agentops.TraceState)
def test_a_session_ends_in_those_words_too(home: object, said: Any) -> None:
    session = agentops.start_session()
    session.end_session(said)
    assert session.end_state == said.value


def test_a_validation_is_printed_on_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    found = {
        "trace_id": "x",
        "span_count": 3,
        "llm_count": 1,
        "session": {"tokens": {"total": 7}, "cost_usd": 0.5},
    }
    agentops.print_validation_summary(found)
    assert capsys.readouterr().out == "trace x: 3 events, 1 LLM calls, 7 tokens, 0.5 USD\n"
