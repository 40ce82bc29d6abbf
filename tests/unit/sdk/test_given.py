"""What a program gives may be wrong, and its recording goes on: odd values, bad settings, far names."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

import pytest

import agentops
from agentops.sdk.client import client
from tests.recorded import Journal

Read = Callable[[], Journal]


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


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
    session.record(agentops.ErrorEvent(error_type="error", code=odd, details=odd, trigger_event=odd))
    assert [event.name for event in journal().events] == ["action", "one", "two", "error"]


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
    with pytest.raises(ValueError, match="'not-an-id' is not a session id"):
        agentops.init(inherited_session_id="not-an-id", instrument_llm_calls=False)
