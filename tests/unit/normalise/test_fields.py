"""Kind, session, model, provider, names, agents, errors and times, whatever dialect they come in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentops import semconv
from agentops.model import Scope
from agentops.server.normalise import restored
from tests.unit.normalise.spans import SPAN, START, event, happened

OPERATION = "gen_ai.operation.name"
OPENINFERENCE = "openinference.span.kind"
TRACELOOP = "traceloop.span.kind"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({OPERATION: "chat"}, "llm"),
        ({OPERATION: "generate_content"}, "llm"),
        ({OPERATION: "text_completion"}, "llm"),
        ({OPERATION: "invoke_agent"}, "agent"),
        ({OPERATION: "create_agent"}, "agent"),
        ({OPERATION: "execute_tool"}, "tool"),
        ({OPERATION: "invoke_workflow"}, "operation"),
        ({OPERATION: "plan"}, "operation"),
        ({OPERATION: "retrieval"}, "retrieval"),
        ({OPERATION: "embeddings"}, "embedding"),
        ({"llm.request.type": "chat"}, "llm"),
        ({"llm.request.type": "completion"}, "llm"),
        ({"llm.request.type": "embedding"}, "embedding"),
        ({"llm.request.type": "vector_db_retrieve"}, "retrieval"),
        ({TRACELOOP: "agent"}, "agent"),
        ({TRACELOOP: "tool"}, "tool"),
        ({TRACELOOP: "workflow"}, "operation"),
        ({TRACELOOP: "task"}, "operation"),
        ({TRACELOOP: "vector_db_retrieve"}, "retrieval"),
        ({OPENINFERENCE: "LLM"}, "llm"),
        ({OPENINFERENCE: "AGENT"}, "agent"),
        ({OPENINFERENCE: "TOOL"}, "tool"),
        ({OPENINFERENCE: "CHAIN"}, "operation"),
        ({OPENINFERENCE: "PROMPT"}, "operation"),
        ({OPENINFERENCE: "RETRIEVER"}, "retrieval"),
        ({OPENINFERENCE: "RERANKER"}, "retrieval"),
        ({OPENINFERENCE: "EMBEDDING"}, "embedding"),
        ({OPENINFERENCE: "GUARDRAIL"}, "guardrail"),
        ({OPENINFERENCE: "DECISION"}, "llm"),
        ({semconv.SPAN_KIND: "task"}, "operation"),
        ({semconv.SPAN_KIND: "workflow"}, "operation"),
        ({semconv.SPAN_KIND: "AgentOpsSpanKindValues.TOOL"}, "tool"),
        *[({semconv.SPAN_KIND: kind}, kind) for kind in semconv.KINDS],
        ({semconv.SPAN_KIND: "action", OPERATION: "chat"}, "action"),
        ({OPERATION: "chat", OPENINFERENCE: "CHAIN"}, "llm"),
        ({OPERATION: "something_new", OPENINFERENCE: "TOOL"}, "tool"),
        ({OPENINFERENCE: 7, TRACELOOP: ["agent"]}, "operation"),
        ({"http.request.method": "GET"}, "operation"),
        ({}, "operation"),
    ],
)
def test_the_kind_is_read_from_every_dialect(said: dict[str, Any], kind: str) -> None:
    assert event(said).kind == kind


def test_a_session_span_is_the_session_only_as_a_root() -> None:
    said = {semconv.SPAN_KIND: "session"}
    assert event(said, parent_id="").kind == "session"
    assert event(said).kind == "operation"
    assert event(said, own=True).kind == "session", "our own session may continue one of another process"


def test_a_tool_call_of_the_older_client_needs_no_kind() -> None:
    found = event({"tool.parameters": '{"city":"Paris"}'}, name="tool_call.get_weather")
    assert (found.kind, found.name, found.input) == ("tool", "get_weather", '{"city":"Paris"}')


@pytest.mark.parametrize(
    ("said", "session"),
    [
        ({"session.id": "s1"}, "s1"),
        ({"gen_ai.conversation.id": "c1"}, "c1"),
        ({"traceloop.association.properties.session_id": "t1"}, "t1"),
        ({"session.id": "s1", "gen_ai.conversation.id": "c1"}, "s1"),
        ({"session.id": "", "gen_ai.conversation.id": "c1"}, "c1"),
        ({"session.id": 42}, "42"),
        ({"session.id": "café 中文"}, "café 中文"),
        ({}, ""),
    ],
)
def test_the_session_is_read_from_every_dialect(said: dict[str, Any], session: str) -> None:
    assert event(said).declared_session == session


@pytest.mark.parametrize(
    ("said", "provider", "model", "request_model"),
    [
        (
            {"gen_ai.provider.name": "openai", "gen_ai.response.model": "a-1", "gen_ai.request.model": "a"},
            "openai",
            "a-1",
            "a",
        ),
        ({"gen_ai.system": " OpenAI ", "gen_ai.request.model": "a"}, "openai", "a", "a"),
        ({"llm.provider": "anthropic", "llm.system": "x", "llm.model_name": "c"}, "anthropic", "c", ""),
        (
            {"llm.system": "Anthropic", "llm.response.model_name": "c2", "llm.model_name": "c"},
            "anthropic",
            "c2",
            "",
        ),
        ({OPENINFERENCE: "LLM", "llm.invocation_parameters": '{"model": "m"}'}, "", "m", "m"),
        ({OPENINFERENCE: "LLM", "input.value": '{"model": "m2", "messages": []}'}, "", "m2", "m2"),
        ({OPENINFERENCE: "TOOL", "input.value": '{"model": "Ford"}'}, "", "", ""),
    ],
)
def test_provider_and_model_are_read_from_every_dialect(
    said: dict[str, Any], provider: str, model: str, request_model: str
) -> None:
    found = event(said)
    assert (found.provider, found.model, found.request_model) == (provider, model, request_model)


@pytest.mark.parametrize(
    ("name", "said", "shown", "agent"),
    [
        ("plan.task", {semconv.SPAN_KIND: "task", "operation.name": "plan"}, "plan", ""),
        ("plan.operation", {semconv.SPAN_KIND: "operation"}, "plan", ""),
        ("planner.agent", {semconv.SPAN_KIND: "agent"}, "planner", "planner"),
        ("invoke_agent planner", {OPERATION: "invoke_agent"}, "planner", "planner"),
        ("x", {OPERATION: "invoke_agent", "gen_ai.agent.name": "planner"}, "planner", "planner"),
        ("execute_tool search", {OPERATION: "execute_tool", "gen_ai.tool.name": "search"}, "search", ""),
        ("execute_tool search", {OPERATION: "execute_tool"}, "search", ""),
        ("search.tool", {TRACELOOP: "tool", "traceloop.entity.name": "search"}, "search", ""),
        ("join.workflow", {TRACELOOP: "workflow", "traceloop.entity.name": "join"}, "join", ""),
        ("chat gpt-4o", {OPERATION: "chat", "gen_ai.agent.name": "planner"}, "chat gpt-4o", "planner"),
        ("ChatCompletion", {OPENINFERENCE: "LLM", "agent.name": "a"}, "ChatCompletion", "a"),
        (".agent", {semconv.SPAN_KIND: "agent"}, ".agent", ".agent"),
        ("plan.task", {semconv.SPAN_KIND: "task"}, "plan", ""),
        ("read.chain", {OPENINFERENCE: "CHAIN"}, "read.chain", ""),
        ("read file.txt", {}, "read file.txt", ""),
    ],
)
def test_a_name_is_shown_without_its_kind(name: str, said: dict[str, Any], shown: str, agent: str) -> None:
    found = event(said, name=name)
    assert (found.name, found.agent) == (shown, agent)


def test_our_own_names_are_kept_as_they_are() -> None:
    said = {semconv.SPAN_KIND: "tool", semconv.TOOL_NAME: "other"}
    assert event(said, own=True, scope=semconv.SCOPE, name="my.tool").name == "my.tool"


def test_a_root_span_of_ours_says_everything_about_its_session() -> None:
    found = event(
        {
            semconv.SPAN_KIND: "session",
            semconv.SESSION_ID: "01234567-89ab-cdef-0123-456789abcdef",
            semconv.SESSION_NAME: "nightly",
            semconv.TAGS: ["a", "b"],
            semconv.END_STATE: "Fail",
            semconv.END_STATE_REASON: "broke",
            semconv.INHERITED: True,
            semconv.RECORDS_SENT: 7,
            semconv.HEARTBEAT_NS: START + 1,
            semconv.HOST_ENV: '{"os":"x"}',
            semconv.USER_ID: "u",
        },
        own=True,
        parent_id="",
    )
    got = (found.kind, found.session_name, found.tags, found.end_state, found.end_reason, found.inherited)
    assert got == ("session", "nightly", ["a", "b"], "Fail", "broke", True)
    assert (found.records_sent, found.heartbeat_ns, found.host_env, found.user_id) == (
        7,
        START + 1,
        '{"os":"x"}',
        "u",
    )
    assert (found.own, found.service, found.instance, found.seq) == (True, "bot", "i-1", 0)


def test_only_root_spans_speak_for_the_session() -> None:
    said = {
        semconv.SPAN_KIND: "tool",
        semconv.TAGS: ["mine"],
        semconv.END_STATE: "Fail",
        semconv.RECORD_SEQ: 3,
    }
    found = event(said, own=True)
    assert (found.tags, found.end_state, found.seq) == ([], "", 3)


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ("Success", "Success"),
        ("FAIL", "Fail"),
        ("Failure", "Fail"),
        ("Indeterminate", "Indeterminate"),
        ("huh", ""),
    ],
)
def test_end_states_in_any_spelling(given: str, state: str) -> None:
    assert event({semconv.SPAN_KIND: "session", semconv.END_STATE: given}, parent_id="").end_state == state


@pytest.mark.parametrize("tags", ["a", ["a"], '["a"]'])
def test_tags_of_other_programs(tags: Any) -> None:
    assert event({"tag.tags": tags}).tags == ["a"]


def test_a_span_that_has_not_ended_is_running() -> None:
    found = event(end_ns=0, status=2)
    assert (found.status, found.ended, found.duration_ns, found.error_type) == ("running", False, 0, "")


def test_an_end_before_the_start_is_kept_as_a_note() -> None:
    found = event({"a": 1}, end_ns=START - 5)
    assert (found.ended, found.duration_ns) == (True, 0)
    assert json.loads(found.attributes) == {"a": 1, "agentops.received.end_time_unix_nano": str(START - 5)}


def test_a_scopes_attributes_are_kept() -> None:
    found = event({"a": 1}, scope=Scope("lib", "1", {"team": "x"}))
    assert json.loads(found.attributes) == {"a": 1, "agentops.received.scope.team": "x"}


def test_an_error_is_told_by_its_last_exception_event() -> None:
    events = [
        happened("exception", exception__type="A", exception__message="first"),
        happened(
            "exception", exception__type="B", exception__message="last", exception__stacktrace="Traceback"
        ),
    ]
    found = event(status=2, status_message="B: last", events=events)
    assert (found.status, found.error_type, found.error_message, found.error_stack) == (
        "error",
        "B",
        "last",
        "Traceback",
    )


def test_an_exception_that_the_program_survived_is_no_error() -> None:
    found = event(events=[happened("exception", exception__type="A", exception__message="caught")])
    assert (found.status, found.error_type, found.error_message) == ("ok", "", "")
    assert json.loads(found.span_events)[0]["attributes"]["exception.message"] == "caught"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"status": 2, "status_message": "ToolError: timed out"}, ("ToolError", "timed out")),
        ({"status": 2, "status_message": "no luck"}, ("", "no luck")),
        ({"status": 2, "said": {"error.type": "timeout"}}, ("timeout", "")),
        ({"status": 2, "said": {"error.type": "<class 'a.ToolError'>"}}, ("a.ToolError", "")),
        ({"status": 0, "said": {"error.type": "E", "error.message": "m"}}, ("E", "m")),
        ({"said": {semconv.SPAN_KIND: "error", "error.type": "E", semconv.ERROR_DETAILS: "d"}}, ("E", "d")),
    ],
)
def test_errors_without_an_exception_event(fields: dict[str, Any], error: tuple[str, str]) -> None:
    found = event(**fields)
    assert (found.status, found.error_type, found.error_message) == ("error", *error)


def test_a_span_that_says_ok_is_ok() -> None:
    assert event({"error.type": "E"}, status=1).status == "ok"


@pytest.mark.parametrize(
    ("said", "events", "expected"),
    [
        ({semconv.FIRST_TOKEN_NS: 5}, [], 5),
        ({"gen_ai.response.time_to_first_chunk": 0.25}, [], 250_000_000),
        ({"gen_ai.streaming.time_to_first_token": 0.5}, [], 500_000_000),
        ({}, [happened("First Token Stream Event")], 0),
        ({}, [happened("something else")], None),
    ],
)
def test_the_time_to_the_first_token_is_read(
    said: dict[str, Any], events: list[Any], expected: int | None
) -> None:
    assert event(said, events=events).first_token_ns == expected


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"gen_ai.response.finish_reasons": ["stop", "stop", "length"]}, "stop, length"),
        ({"gen_ai.response.finish_reasons": '["stop"]'}, "stop"),
        ({"llm.finish_reason": "tool_calls"}, "tool_calls"),
        ({"anthropic.message.stop_reason": "end_turn"}, "end_turn"),
        ({"gen_ai.completion.0.content": "x", "gen_ai.completion.0.finish_reason": "stop"}, "stop"),
        ({"gen_ai.output.messages": '[{"role":"assistant","parts":[],"finish_reason":"stop"}]'}, "stop"),
        ({"output.value": '{"object":"response","status":"completed","output":[]}'}, "stop"),
        (
            {
                "output.value": '{"object":"response","status":"completed","output":'
                '[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}'
            },
            "tool_calls",
        ),
        (
            {
                "output.value": '{"object":"response","status":"incomplete","output":[],'
                '"incomplete_details":{"reason":"max_output_tokens"}}'
            },
            "max_output_tokens",
        ),
    ],
)
def test_the_finish_reason_is_read_from_every_dialect(said: dict[str, Any], reason: str) -> None:
    assert event({OPENINFERENCE: "LLM", **said}).finish_reason == reason


def test_the_id_of_an_answer_is_found_in_the_answer_itself() -> None:
    said = {OPENINFERENCE: "LLM", "output.value": '{"id":"msg_1","content":[]}'}
    assert event(said).response_id == "msg_1"
    assert event({**said, "gen_ai.response.id": "r"}).response_id == "r"
    assert event({**said, "output.value": '{"response_id":"gem-1"}'}).response_id == "gem-1"
    assert event({**said, "output.value": '{"id":"msg_1","response_id":7}'}).response_id == "msg_1"


def test_all_attributes_are_kept_and_none_is_stored_twice() -> None:
    long = "word " * 40
    said = {"mine": {"a": [1, None, True]}, "input.value": long, "output.value": long + "!", "copy": long}
    found = event(said)
    kept = json.loads(found.attributes)
    assert kept["input.value"] == {"$ref": "input"}
    assert kept["output.value"] == {"$ref": "output"}
    assert kept["mine"] == said["mine"]
    assert restored(found.attributes, found.input, found.output) == said


def test_a_span_that_names_itself_its_parent_has_none() -> None:
    assert event({"gen_ai.operation.name": "chat"}, parent_id=SPAN).parent_id == ""
