"""What a program gives may be wrong, and its recording goes on: odd values, bad settings, far names."""

from __future__ import annotations

import copy
import inspect
import logging
import os
import pickle
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
from opentelemetry import trace

import agentops
from agentops.sdk import identity
from agentops.sdk import settings as sdk_settings
from agentops.sdk.client import client
from agentops.sdk.handover import handed
from agentops.sdk.logs import level_number
from agentops.sdk.redact import FAILED
from agentops.sdk.session import _resumed  # pyright: ignore[reportPrivateUsage] -- what unpickling elsewhere calls
from tests.recorded import Journal

Read = Callable[[], Journal]


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Detached:
    """As proxies are outside of a request: even asking for the class of what they stand for fails."""

    @property
    def __class__(self) -> type:
        raise RuntimeError("working outside of a context")

    @__class__.setter
    def __class__(self, kind: type) -> None:
        raise RuntimeError("working outside of a context")


def test_a_proxy_of_nothing_can_be_recorded(session: agentops.Session, journal: Read) -> None:
    odd: Any = Detached()
    session.record(agentops.ErrorEvent(exception=odd))
    session.record(agentops.ErrorEvent(error_type="Odd", details=odd))
    session.add_tags(odd)
    session.add_tags([odd, "plain"])
    session.set_tags([*session.tags, "last"])
    with pytest.raises(TypeError, match=r"record\(\) takes an Event .*, not Detached"):
        session.record(odd)
    assert agentops.update_trace_metadata({"odd": odd, "tags": odd})
    session.end_session("Fail", end_state_reason=odd)
    assert [event.name for event in journal().events] == ["error", "Odd"]


def test_an_error_event_takes_whatever_it_is_given(session: agentops.Session, journal: Read) -> None:
    odd = cast("Any", "not an event")
    session.record(agentops.ErrorEvent(exception=Unspeakable(), trigger_event=odd))
    session.record(agentops.ErrorEvent(error_type="Text", exception=cast("Any", "it broke")))
    unspeakable, text = journal().events
    assert (unspeakable.name, unspeakable.status) == ("Unspeakable", 2)
    assert unspeakable.attributes["agentops.error.trigger_event_id"] == "not an event"
    assert (text.name, text.message) == ("Text", "it broke")


class Hostile:
    """An object of which nothing can be asked."""

    __hash__ = None  # type: ignore[assignment]

    def _refuse(self, *given: object) -> Any:
        raise RuntimeError("leave me alone")

    __len__ = __bool__ = __float__ = __int__ = __str__ = __eq__ = __getattr__ = _refuse


def test_events_that_hold_what_cannot_be_looked_at_are_recorded(
    session: agentops.Session, journal: Read
) -> None:
    odd = cast("Any", Hostile())
    session.record(agentops.ActionEvent("action", params=odd, returns={"a": odd}, logs=odd, agent_id=odd))
    session.record(agentops.LLMEvent(prompt=odd, completion=[odd], model="one", prompt_tokens=odd, cost=odd))
    session.record(agentops.LLMEvent(prompt=[{"role": odd, "content": odd}], model="two"))
    session.record(agentops.ErrorEvent(error_type="error", code=odd, details=odd))
    session.record(agentops.ErrorEvent(error_type="odd", exception=odd, logs=odd))
    session.record(agentops.LLMEvent(model="three", thread_id=odd, id=odd))
    assert [event.name for event in journal().events] == ["action", "one", "two", "error", "odd", "three"]


@pytest.mark.parametrize("cost", [float("inf"), float("nan"), "much", -1])
def test_a_cost_that_is_no_amount_is_unknown(session: agentops.Session, journal: Read, cost: Any) -> None:
    session.record(agentops.LLMEvent(model="one", cost=cost, prompt_tokens=cost))
    assert session.token_cost == 0
    assert not {"gen_ai.usage.total_cost", "gen_ai.usage.input_tokens"} & set(
        journal().named("one").attributes
    )


@pytest.mark.parametrize(
    ("given", "reason"), [(ValueError("boom"), "ValueError: boom"), (5, "5"), ("", None), (None, None)]
)
def test_a_reason_may_be_anything(session: agentops.Session, journal: Read, given: Any, reason: Any) -> None:
    session.end_session("Fail", given)
    assert (session.end_state, session.end_state_reason, session.is_running) == ("Fail", reason, False)
    (root,) = journal().sessions
    assert root.attributes.get("agentops.session.end_state_reason") == reason


@pytest.mark.parametrize("name", ["tagz", "endpont", "qqqq", "x"])
def test_an_unknown_keyword_is_told_its_nearest_however_far(home: object, name: str) -> None:
    given: dict[str, Any] = {name: 1}
    with pytest.raises(TypeError, match=rf"argument '{name}'\. Did you mean '\w+'\?"):
        agentops.init(**given)


def test_a_bound_session_that_ended_is_no_session_in_the_documented_words(session: agentops.Session) -> None:
    session.end_session("Success")
    with agentops.start_session() as ended:
        ended.end_session("Success")
        with pytest.raises(agentops.NoSessionException, match="while no session existed on the client"):
            agentops.add_tags("late")


@pytest.mark.parametrize(
    ("given", "spans", "logs"),
    [
        ({}, "http://127.0.0.1:8420/v1/traces", "http://127.0.0.1:8420/v1/logs"),
        ({"endpoint": "http://a:1/"}, "http://a:1/v1/traces", "http://a:1/v1/logs"),
        ({"exporter_endpoint": "http://b:2/v1/traces"}, "http://b:2/v1/traces", "http://b:2/v1/logs"),
        ({"exporter_endpoint": "http://b:2/x/v1/traces/"}, "http://b:2/x/v1/traces/", "http://b:2/x/v1/logs"),
        ({"exporter_endpoint": "http://b:2/spans"}, "http://b:2/spans", "http://127.0.0.1:8420/v1/logs"),
        (
            {"endpoint": "http://a:1", "exporter_endpoint": "http://b:2/v1/traces"},
            "http://b:2/v1/traces",
            "http://a:1/v1/logs",
        ),
    ],
)
def test_log_records_go_where_spans_go_unless_a_server_is_named(
    home: object, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], spans: str, logs: str
) -> None:
    monkeypatch.delenv("AGENTOPS_API_ENDPOINT")
    agentops.init(auto_start_session=False, instrument_llm_calls=False, **given)
    target = identity.target(client.settings)
    assert (target.traces_url, target.logs_url) == (spans, logs)


@pytest.mark.parametrize(
    ("name", "value", "used"),
    [
        ("endpoint", "127.0.0.1:9", "http://127.0.0.1:9"),
        ("endpoint", "not an address", "http://127.0.0.1:8420"),
        ("endpoint", "http://127.0.0.1:99999", "http://127.0.0.1:8420"),
        ("endpoint", "ftp://127.0.0.1", "http://127.0.0.1:8420"),
        ("exporter_endpoint", "http://", None),
        ("api_key", " key\n", "key"),
        ("api_key", "a\x00b", None),
    ],
)
def test_addresses_and_keys_are_such_that_a_request_can_be_made(
    home: object, caplog: pytest.LogCaptureFixture, name: str, value: str, used: str | None
) -> None:
    given: dict[str, Any] = {name: value}
    agentops.init(auto_start_session=False, instrument_llm_calls=False, **given)
    assert getattr(client.settings, name) == used
    usable = used is not None and value.strip() in used
    assert [record.levelno for record in caplog.records] == ([] if usable else [logging.ERROR])
    agentops.configure(**given)
    assert getattr(client.settings, name) == used


def test_an_inherited_session_in_the_environment_that_is_none_stops_nothing(
    home: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AGENTOPS_INHERITED_SESSION_ID", "not-an-id")
    found = agentops.init(instrument_llm_calls=False)
    assert found is not None
    assert found.is_running
    assert "AGENTOPS_INHERITED_SESSION_ID='not-an-id'" in caplog.text


def test_an_inherited_session_that_is_none_is_refused_as_an_argument(home: object) -> None:
    with pytest.raises(ValueError, match="'not-an-id' cannot be used: it is no UUID"):
        agentops.init(inherited_session_id="not-an-id", instrument_llm_calls=False)


@pytest.mark.parametrize(
    ("variable", "value", "fix"),
    [
        ("AGENTOPS_CAPTURE_LOGS", "LOUD", "off keeps none"),
        ("AGENTOPS_LOG_LEVEL", "WARNIN", "Did you mean WARNING?"),
        ("AGENTOPS_MAX_WAIT_TIME", "1s", "use a whole number from 0 up"),
        ("AGENTOPS_HEARTBEAT", "often", "use a number of seconds from 0 up"),
        ("AGENTOPS_FAIL_SAFE", "perhaps", "use true or false"),
        ("AGENTOPS_HOME", "~nobody-of-this-name/x", "use an absolute path"),
        ("AGENTOPS_API_ENDPOINT", "ftp://x", "such as http://127.0.0.1:8420"),
        ("AGENTOPS_API_KEY", "a\tb", "copy the key anew"),
        ("AGENTOPS_INHERITED_SESSION_ID", "five", "set it to the session_id"),
        ("AGENTOPS_REDACT", "(", "Every text is masked"),
    ],
)
def test_a_variable_that_cannot_be_used_is_reported_once_with_the_fix(
    home: object,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    variable: str,
    value: str,
    fix: str,
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sdk_settings, "_reported", set[str]())
    if variable != "AGENTOPS_HOME":
        agentops.init(instrument_llm_calls=False)
        agentops.get_api_key()
    sdk_settings.complete({})
    sdk_settings.complete({})
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert said.startswith(variable)
    assert fix in said


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("debug", 10),
        ("25", 25),
        (35, 35),
        (True, 30),
        (False, None),
        ("off", None),
        ("Warning", 30),
        (0, None),
    ],
)
def test_the_lowest_level_of_logs_may_be_given_in_many_ways(
    home: object, given: Any, kept: int | None
) -> None:
    agentops.init(instrument_llm_calls=False, capture_logs=given)
    assert level_number(client.settings.capture_logs) == kept


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_tags_of_a_trace_may_be_anything_and_stay_text(home: object) -> None:
    agentops.init(auto_start_session=False, instrument_llm_calls=False)
    begun = agentops.start_trace("one", tags={"team": "blue", "owner": Broken()})
    assert begun.session.tags == ["team:blue", "owner:<Broken>"]


class Ambiguous(list[str]):
    """As an array of numpy: neither true nor false."""

    def __bool__(self) -> bool:
        raise ValueError("The truth value of an array with more than one element is ambiguous.")


@pytest.mark.parametrize("given", [Ambiguous(["a", "b"]), (one for one in "ab")], ids=["array", "generator"])
def test_tags_of_a_decorator_may_be_any_iterable(
    session: agentops.Session, journal: Read, given: Any
) -> None:
    kept = agentops.operation(cast("Any", "step"), tags=given)
    kept(lambda: None)()
    kept(lambda: None)()
    assert [event.attributes["agentops.tags"] for event in journal().events] == [["a", "b"]] * 2


def test_a_trace_is_not_ended_by_its_state(session: agentops.Session) -> None:
    with pytest.raises(TypeError, match=r"takes what start_trace\(\) returned, not str; .* end_state="):
        agentops.end_trace("Success")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] -- on purpose
    assert session.is_running


def test_tags_may_be_anything_and_stay_text(session: agentops.Session, journal: Read) -> None:
    agentops.set_tags([None, "", 5, ["a", ["b"]], Broken(), "x" * 5000, "\ud800", "a", "a"])  # type: ignore[list-item] # pyright: ignore -- on purpose
    assert session.tags == [
        "5",
        "['a', ['b']]",
        "<Broken>",
        "x" * 1000 + "… [cut: 5000 characters]",
        "?",
        "a",
    ]
    session.add_tags({"team": "blue"})  # type: ignore[arg-type] # pyright: ignore -- on purpose
    session.add_tags(7)  # type: ignore[arg-type] # pyright: ignore -- on purpose
    assert session.tags[-2:] == ["team:blue", "7"]

    def breaks() -> Iterator[str]:
        yield "before it broke"
        raise RuntimeError("no")

    session.add_tags(breaks())  # type: ignore[arg-type] # pyright: ignore -- on purpose
    assert session.tags[-1] == "before it broke"
    (root,) = journal().sessions
    assert root.attributes["agentops.tags"] == session.tags


@pytest.mark.parametrize("name", [5, Broken(), "\ud800", ["list"], "x" * 5000])
def test_names_may_be_anything_and_stay_text(home: object, journal: Read, name: Any) -> None:
    started = agentops.start_session(name=name)
    started.create_agent(name, agent_id=name)
    with pytest.raises(ValueError, match="'Success', 'Fail', 'Indeterminate'"):
        started.end_session(name)
    assert started.is_running
    started.end_session("Success", end_state_reason=name)
    assert not client.recorder.failures
    assert all(isinstance(span.name, str) and len(span.name) < 1100 for span in journal().spans)


@pytest.mark.parametrize(
    "given",
    [-1e30, -(10**400), float("nan"), float("inf"), 2**70, "garbage", "0001-01-01T00:00:00", b""],
    ids=lambda given: repr(given)[:12],
)
def test_a_time_that_no_record_can_have_is_now(session: agentops.Session, journal: Read, given: Any) -> None:
    before = time.time_ns()
    session.record(agentops.ActionEvent("event", init_timestamp=given, end_timestamp=given))
    span = trace.get_tracer("theirs").start_span("span", start_time=given)
    span.add_event("inside", timestamp=given)
    span.end(given)
    trace.get_tracer("theirs").start_span("seconds", start_time=cast("Any", time.time())).end()
    found = journal().events
    assert [span.name for span in found] == ["event", "span", "seconds"]
    for span in found:
        assert before - 1_000_000 <= span.started_at <= span.ended_at <= time.time_ns()


def test_names_of_attributes_may_be_anything_and_stay_text(session: agentops.Session, journal: Read) -> None:
    odd: Any = {5: 6, None: "x", (1, 2): True, Broken(): "y"}
    span = trace.get_tracer("theirs").start_span("span", attributes=odd)
    span.add_event("inside", odd)
    span.end()
    assert agentops.update_trace_metadata({**odd, "user.id": Broken()}, prefix="")
    session.end_session("Success")
    names = {"5", "None", "(1, 2)", "<Broken>"}
    assert all(names <= set(recorded.attributes) for recorded in journal().spans)


class Word(str):
    """As numpy and others have it: text, and of a class of its own."""

    __slots__ = ()


def test_text_of_a_librarys_own_class_is_text(session: agentops.Session, journal: Read) -> None:
    word = Word("word")
    session.record(agentops.ErrorEvent(error_type=word, details=word))
    span = trace.get_tracer(word, word).start_span(word, attributes={word: word})
    span.add_event(word)
    span.set_status(trace.Status(trace.StatusCode.ERROR, word))
    span.end()
    session.end_session("Fail", word)
    (root,) = journal().sessions
    assert root.message == "word"
    assert [(found.name, found.message) for found in journal().events] == [("word", "word")] * 2


def test_a_span_with_a_value_that_refuses_to_be_looked_at_is_recorded_without_it(
    session: agentops.Session, journal: Read
) -> None:
    odd: Any = {"fine": 1, "broken": Broken(), "around": {"it": [Broken()]}}
    agentops.operation(version=Broken())(trace.get_current_span)()
    span = trace.get_tracer("theirs").start_span("span", attributes=odd)
    span.add_event("inside", odd)
    span.end()
    assert session.event_counts["total"] == 2
    found = journal().named("span")
    assert found.attributes["fine"] == 1
    assert found.attributes["broken"] == '"<Broken object; its repr raised RuntimeError>"'
    assert [inside["name"] for inside in found.events] == ["inside"]


def test_a_copy_of_a_session_is_itself(session: agentops.Session) -> None:
    assert copy.copy(session) is session
    assert copy.deepcopy({"state": [session]})["state"][0] is session
    assert pickle.loads(pickle.dumps(session)) is session


def test_a_session_that_crosses_to_another_process_is_contributed_to(home: object, journal: Read) -> None:
    session_id = "0190b8f0-0000-7000-8000-000000000001"
    there = _resumed(session_id)
    assert str(there.session_id) == session_id
    there.end_session("Success")
    assert journal().sessions[0].attributes["agentops.session.inherited"] is True


def test_what_a_pickled_session_is_masked_with_need_not_be_pickled(session: agentops.Session) -> None:
    def closure(text: str) -> str:
        return text.replace(session.name, "")

    agentops.configure(redact=closure)
    _, redact = handed(client)
    assert pickle.loads(redact)("anything") == FAILED
    assert pickle.loads(pickle.dumps(session)) is session


def test_a_seeded_program_gets_its_own_numbers(home: object) -> None:
    random.seed(7)
    alone = [random.random() for _ in range(5)]
    random.seed(7)
    # Nobody listens: there is a backoff, with its jitter.
    started = agentops.init(instrument_llm_calls=False)
    assert started is not None
    agentops.operation(lambda: None)()
    client.shipper.flush(0.2)
    started.end_session()
    assert [random.random() for _ in range(5)] == alone


@pytest.mark.parametrize(
    ("call", "given", "wanted"),
    [
        (agentops.start_session, "tag", "tags"),
        (agentops.end_session, "end_stat", "end_state"),
        (agentops.Session.end_session, "reason", "end_state_reason"),
        (agentops.create_agent, "agentid", "agent_id"),
        (agentops.start_trace, "name", "trace_name"),
        (agentops.ActionEvent, "parameters", "params"),
        (agentops.LLMEvent, "prompt_token", "prompt_tokens"),
        (agentops.tool, "costs", "cost"),
        (agentops.agent, "nam", "name"),
        (agentops.record_tool, "toolname", "tool_name"),
    ],
)
def test_every_unknown_keyword_is_told_the_nearest(home: object, call: Any, given: str, wanted: str) -> None:
    with pytest.raises(TypeError, match=rf"unexpected keyword argument '{given}'. Did you mean '{wanted}'\?"):
        call(**{given: "x"})
    assert inspect.signature(call)


def test_a_folder_that_is_run_names_its_sessions_and_a_relative_home_stays(home: Path) -> None:
    program = """if True:
        import os, agentops
        session = agentops.init(instrument_llm_calls=False)
        os.chdir("elsewhere")
        agentops.start_session()
        agentops.tool(print)(session.name)  # Of no session: that is told in the home.
    """
    for folder in ("my_agent", "elsewhere"):
        (home / folder).mkdir()
    (home / "my_agent" / "__main__.py").write_text(program)
    run = [sys.executable, "my_agent"]
    environment = {**os.environ, "AGENTOPS_HOME": "relative"}
    done = subprocess.run(run, cwd=home, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "my_agent\n"
    assert sorted(path.name for path in home.iterdir()) == ["elsewhere", "my_agent", "relative"]
    assert list((home / "elsewhere").iterdir()) == []


def test_a_working_directory_that_is_gone_stops_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "gone").mkdir()
    monkeypatch.chdir(home / "gone")
    (home / "gone").rmdir()
    assert sdk_settings.complete({"home": "relative"}).home_folder.is_absolute()


def test_what_help_shows_of_init_is_what_it_does() -> None:
    shown = inspect.signature(agentops.init).parameters
    assert shown["auto_start_session"].default is True
    assert {one.default for name, one in shown.items() if name not in ("auto_start_session", "more")} == {
        None
    }


def test_metadata_that_are_no_mapping_are_refused(session: agentops.Session) -> None:
    with pytest.raises(TypeError, match="takes a mapping"):
        agentops.update_trace_metadata(cast("Any", 5))


def test_a_cost_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="must be 0 US dollars or more, not -1"):
        agentops.tool(cost=-1)


@pytest.mark.parametrize("arguments", [None, [], [3]])
def test_a_program_without_arguments_has_a_name(
    home: object, monkeypatch: pytest.MonkeyPatch, arguments: list[Any] | None
) -> None:
    """An interpreter that is embedded in another program may have no `sys.argv` at all."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    if arguments is None:
        monkeypatch.delattr(sys, "argv")
    else:
        monkeypatch.setattr(sys, "argv", arguments)
    session = agentops.start_session()
    assert session.name == ("3" if arguments else "python")
