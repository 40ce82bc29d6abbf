"""Log records: lines of a session, or the content of the call that they name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentops.model import LogRecord, Resource, Scope
from agentops.server.normalise import completed, normalise_log
from tests.unit.normalise.spans import SPAN, START, TRACE, text


def record(body: Any = None, said: dict[str, Any] | None = None, **fields: Any) -> LogRecord:
    whole: dict[str, Any] = {
        "time_ns": START,
        "severity": 9,
        "severity_text": "",
        "body": body,
        "resource": Resource({"service.name": "bot"}),
        "scope": Scope("logger"),
        "attributes": said or {},
        "trace_id": TRACE,
        "span_id": SPAN,
    }
    return LogRecord(**{**whole, **fields})


def test_a_log_record_becomes_a_line_of_its_session() -> None:
    found = normalise_log(record("disk is full", {"session.id": "s", "code.lineno": 3}, severity=17))
    assert (found.body, found.body_format, found.severity_text) == ("disk is full", "text", "ERROR")
    assert (found.declared_session, found.logger, found.service, found.content) == (
        "s",
        "logger",
        "bot",
        False,
    )
    assert json.loads(found.attributes) == {"session.id": "s", "code.lineno": 3}


def test_a_record_sent_again_has_the_same_id() -> None:
    assert normalise_log(record("a")).log_id == normalise_log(record("a")).log_id
    others = (record("b"), record("a", {"k": 1}), record("a", time_ns=START + 1), record("a", span_id=""))
    assert len({normalise_log(each).log_id for each in (record("a"), *others)}) == 5


def test_content_events_complete_the_call() -> None:
    asked = normalise_log(record({"content": "hi"}, event_name="gen_ai.user.message"))
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "done"}}
    answered = normalise_log(record(choice, {"event.name": "gen_ai.choice"}))
    assert asked.content
    assert answered.content
    entered, form = completed("", "", [asked.input, answered.input])
    assert (json.loads(entered), form) == ([text("user", "hi")], "messages")
    left, form = completed("", "", [asked.output, answered.output])
    assert (json.loads(left), form) == ([text("assistant", "done", finish_reason="stop")], "messages")


def test_what_the_span_says_itself_wins() -> None:
    asked = normalise_log(record({"content": "hi"}, event_name="gen_ai.user.message"))
    assert completed("own", "text", [asked.input]) == ("own", "text")
    assert completed("", "", ["", "nonsense"]) == ("", "")
    own = json.dumps([text("user", "hello")])
    assert completed(own, "messages", [asked.input, asked.input]) == (own, "messages")


def test_what_came_first_of_a_spans_content_gives_way_to_all_of_it() -> None:
    first, second = (
        normalise_log(record({"content": said}, event_name="gen_ai.user.message")).input
        for said in ("hi", "there")
    )
    whole, form = completed(second, "messages", [first, second])
    assert (json.loads(whole), form) == ([text("user", "hi"), text("user", "there")], "messages")
    assert completed(whole, form, [first, second]) == (whole, form)


def test_the_details_event_as_a_record() -> None:
    said = {
        "gen_ai.input.messages": [text("user", "hi")],
        "gen_ai.output.messages": [text("assistant", "done")],
    }
    found = normalise_log(record(None, said, event_name="gen_ai.client.inference.operation.details"))
    assert (json.loads(found.input), json.loads(found.output)) == (
        [text("user", "hi")],
        [text("assistant", "done")],
    )


def test_a_content_event_of_no_span_is_a_line() -> None:
    assert not normalise_log(record({"content": "hi"}, event_name="gen_ai.user.message", span_id="")).content


def test_structured_bodies_and_surrogates() -> None:
    assert normalise_log(record({"a": [1]})).body_format == "json"
    assert normalise_log(record("a\ud800", {"k\ud800": "\udfff"})).body == "a\ufffd"


@pytest.mark.parametrize("severity", [-1, 25, 2**31 - 1])
def test_a_severity_that_there_is_not_is_unknown(severity: int) -> None:
    found = normalise_log(record("text", {}, severity=severity, severity_text="notice"))
    assert (found.severity, found.severity_text, found.body) == (0, "NOTICE", "text")
