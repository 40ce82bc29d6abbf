"""Which session a call belongs to: the one rule, seen through what was recorded."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast
from uuid import UUID

import pytest
from opentelemetry import propagate, trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.trace import TracerProvider

import agentops
from agentops import semconv
from agentops.sdk.client import client
from agentops.sdk.decorators import operation, session
from tests.recorded import Journal, Recorded

Read = Callable[[], Journal]


@operation
def work(label: object = None) -> object:
    return label


def owners(journal: Journal, name: str = "work") -> dict[object, str]:
    """The session of each recorded call of `work`, by its label."""
    return {span.output: span.session for span in journal.spans if span.name == name}


def start() -> agentops.Session:
    return agentops.start_session()


def quiet() -> None:
    agentops.init(auto_start_session=False, instrument_llm_calls=False)


def test_the_only_session_gets_every_call_from_any_thread(session: agentops.Session, journal: Read) -> None:
    work("main")
    thread = threading.Thread(target=work, args=("thread",))
    thread.start()
    thread.join()
    assert owners(journal()) == {"main": str(session.session_id), "thread": str(session.session_id)}


def test_without_a_session_code_runs_untouched_and_base_functions_raise(home: object, journal: Read) -> None:
    assert work(1) == 1
    quiet()
    assert work(2) == 2
    for call in (
        lambda: agentops.record(agentops.ActionEvent("x")),
        lambda: agentops.add_tags("x"),
        lambda: agentops.set_tags("x"),
        lambda: agentops.end_session("Success"),
        lambda: agentops.create_agent("x"),
    ):
        with pytest.raises(
            agentops.NoSessionException, match="A session action was attempted while no session existed"
        ):
            call()
    assert agentops.current_session() is None
    assert journal().spans == []
    # Once before init, once after.
    assert client.tally.unplaced == {"off": {"work": 1}, "none": {"work": 1}}


def test_with_several_sessions_base_functions_raise_until_one_is_left(home: object) -> None:
    first, second = agentops.init(), agentops.start_session()
    assert first is not None
    for call in (
        lambda: agentops.record(agentops.ActionEvent("x")),
        lambda: agentops.add_tags("x"),
        lambda: agentops.end_session("Success"),
    ):
        with pytest.raises(
            agentops.MultiSessionException,
            match=r"If multiple sessions exist, you must use session\.function",
        ):
            call()
    assert agentops.current_session() is None
    second.end_session("Success")
    agentops.add_tags("later")
    assert first.tags == ["later"]
    assert agentops.current_session() is first


def test_two_sessions_kept_by_nobody_are_multi_session_mode_at_once(home: object) -> None:
    quiet()
    start()
    start()
    gc.collect()
    with pytest.raises(agentops.MultiSessionException):
        agentops.add_tags("x")


def test_fail_safe_logs_instead(home: object, caplog: pytest.LogCaptureFixture) -> None:
    agentops.init(auto_start_session=False, fail_safe=True, instrument_llm_calls=False)
    agentops.add_tags("x")
    agentops.end_session("Success")
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert "no session existed" in caplog.text


def test_fail_safe_of_the_environment_holds_before_init(
    home: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AGENTOPS_FAIL_SAFE", "true")
    assert agentops.end_session("Success") is None
    assert "no session existed" in caplog.text


def test_a_bound_block_owns_what_happens_inside(home: object, journal: Read) -> None:
    quiet()
    one, other = start(), start()
    with one:
        work(1)
        with other:
            work(2)
            agentops.add_tags("inner")
        work(3)
    work(4)  # Neither: untouched.
    assert owners(journal()) == {1: str(one.session_id), 2: str(other.session_id), 3: str(one.session_id)}
    assert other.tags == ["inner"]
    assert (one.end_state, other.end_state) == ("Success", "Success")


def test_leaving_a_block_by_an_exception_fails_the_session(home: object, journal: Read) -> None:
    quiet()
    with pytest.raises(KeyError), start():
        raise KeyError("gone")
    (root,) = journal().sessions
    assert root.attributes["agentops.session.end_state"] == "Fail"
    assert root.attributes["agentops.session.end_state_reason"] == "KeyError: 'gone'"


def test_blocks_that_are_left_out_of_order_stay_bound_until_they_are_left(home: object) -> None:
    agentops.init(auto_start_session=False, instrument_llm_calls=False)
    outside = [agentops.start_session(name="one"), agentops.start_session(name="two")]
    first, second = agentops.start_session(), agentops.start_session()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert agentops.current_session() is second
    second.__exit__(None, None, None)
    assert agentops.current_session() is None
    assert [one.is_running for one in (*outside, first, second)] == [True, True, False, False]


def test_a_session_ended_inside_its_block_stays_as_it_ended(home: object) -> None:
    quiet()
    with start() as inside:
        agentops.end_session("Fail", "because")
        with pytest.raises(agentops.NoSessionException):
            agentops.add_tags("x")
    assert (inside.end_state, inside.end_state_reason) == ("Fail", "because")


def test_calls_of_a_session_function_never_mix(home: object, journal: Read) -> None:
    @session
    def run(label: int) -> str:
        work(label)
        found = agentops.current_session()
        assert found is not None
        return str(found.session_id)

    with ThreadPoolExecutor(8) as pool:
        results = dict(zip(range(40), pool.map(run, range(40)), strict=True))
    found = journal()
    assert owners(found) == results
    assert {root.attributes["agentops.session.end_state"] for root in found.sessions} == {"Success"}
    assert len({root.trace_id for root in found.sessions}) == 40


def test_concurrent_tasks_each_keep_their_session(home: object, journal: Read) -> None:
    @session
    async def run(label: int) -> str:
        await asyncio.sleep(0)

        @operation(name="inner")
        async def inner() -> int:
            await asyncio.sleep(0.001)
            return label

        await asyncio.gather(inner(), asyncio.to_thread(work, label))
        found = agentops.current_session()
        assert found is not None
        return str(found.session_id)

    async def everything() -> list[str]:
        return await asyncio.gather(*(run(label) for label in range(30)))

    results = dict(enumerate(asyncio.run(everything())))
    found = journal()
    assert owners(found) == results
    assert owners(found, "inner") == results


def test_a_session_generator_binds_its_body_and_not_its_consumer(home: object, journal: Read) -> None:
    @session
    def produce(label: str) -> Iterator[str]:
        work(label + "1")
        yield "first"
        work(label + "2")
        yield "second"

    quiet()
    seen = 0
    for one, two in zip(produce("a"), produce("b"), strict=True):
        assert agentops.current_session() is None
        assert one == two
        seen += 1
    assert seen == 2
    found = owners(journal())
    assert found["a1"] == found["a2"] != found["b1"] == found["b2"]


def test_an_async_session_generator_survives_being_read_by_different_tasks(
    home: object, journal: Read, caplog: pytest.LogCaptureFixture
) -> None:
    @session
    async def produce() -> AsyncIterator[int]:
        for number in range(3):
            work(number)
            yield number

    quiet()
    others = start(), start()

    async def main() -> list[int]:
        stream: Any = produce()
        got: list[int] = []
        async for item in stream:
            got.append(item)
            assert agentops.current_session() is None
            if item == 0:
                # The next step is another task's.
                got.append(await asyncio.create_task(anext(stream)))
        return got

    assert asyncio.run(main()) == [0, 1, 2]
    found = journal()
    assert len(set(owners(found).values())) == 1
    assert all(other.is_running for other in others)
    assert [record for record in caplog.records if record.name != "agentops.shipper"] == []


def test_code_in_a_copied_context_belongs_to_the_bound_session(home: object, journal: Read) -> None:
    quiet()
    one, other = start(), start()
    with one:
        copied = contextvars.copy_context()
        thread = threading.Thread(target=lambda: copied.run(work, "copied"))
        thread.start()
        thread.join()
        plain = threading.Thread(target=work, args=("plain",))  # A bare thread copies nothing: unbound.
        plain.start()
        plain.join()
    del other
    assert owners(journal()) == {"copied": str(one.session_id)}


def test_a_late_event_of_an_ended_session_is_not_put_into_another(home: object, journal: Read) -> None:
    quiet()
    one, other = start(), start()
    with one:
        copied = contextvars.copy_context()
    copied.run(work, "late")
    assert other.is_running
    assert owners(journal()) == {"late": str(one.session_id)}


def lineage(journal: Journal, span: Recorded) -> list[str]:
    names = [span.name]
    while (found := journal.parent(span)) is not None:
        names.append(found.name)
        span = found
    return names


def test_nested_calls_are_children_of_the_call_around_them(session: agentops.Session, journal: Read) -> None:
    @agentops.agent(name="planner")
    def plan() -> object:
        return think()

    @agentops.task(name="think")
    def think() -> object:
        return work("x")

    plan()
    found = journal()
    assert lineage(found, found.named("work")) == ["work", "think", "planner", session.name]
    assert found.named("work").attributes["gen_ai.agent.name"] == "planner"
    assert all(span.trace_id == session.session_id.hex for span in found.spans)
    assert sorted(span.seq for span in found.events) == [1, 2, 3]


def test_a_session_below_a_foreign_span_is_a_trace_of_its_own(home: object, journal: Read) -> None:
    quiet()
    theirs = TracerProvider(shutdown_on_exit=False).get_tracer("web")
    with theirs.start_as_current_span("GET /") as request, start() as inside:
        work(1)
    found = journal()
    assert (
        found.named("work").trace_id == inside.session_id.hex != f"{request.get_span_context().trace_id:032x}"
    )
    assert lineage(found, found.named("work"))[1] == inside.name


@pytest.mark.parametrize("joined", [False, True])
def test_a_web_request_is_no_part_of_a_session_that_another_request_began(
    home: object,
    journal: Read,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    joined: bool,
) -> None:
    """A framework makes the span of a request, and others below it, before the request has a session."""
    if joined:
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", TracerProvider())
    quiet()
    web = trace.get_tracer("web")

    def span(
        name: str, above: Context | None = None, kind: trace.SpanKind = trace.SpanKind.INTERNAL
    ) -> Context:
        made = web.start_span(name, above, kind)
        made.end()
        return trace.set_span_in_context(made, above)

    request = span("request", kind=trace.SpanKind.SERVER)
    other = span("other request", kind=trace.SpanKind.SERVER)
    token = attach(span("endpoint", request))
    begun = start()
    carried: dict[str, str] = {}
    propagate.inject(carried, span("asking"))
    detach(token)
    span("asked by itself", propagate.extract(carried, Context()), trace.SpanKind.SERVER)
    span("late request", kind=trace.SpanKind.SERVER)
    span("other endpoint", other)
    span("answer", request)
    begun.end_session("Success")
    assert "agentops" not in {said.name for said in caplog.records}
    of_all = start()
    span("answer of other", span("last request", kind=trace.SpanKind.SERVER))
    found = [(recorded.name, recorded.session) for recorded in journal().events]
    assert found == [
        ("asking", str(begun.session_id)),
        # A tracer of the program's own does not tell the server whose session it is.
        *([] if joined else [("asked by itself", str(begun.session_id))]),
        ("answer", str(begun.session_id)),
        ("last request", str(of_all.session_id)),
        ("answer of other", str(of_all.session_id)),
    ]


def test_a_servers_work_for_a_tool_of_this_process_is_no_second_call(home: object, journal: Read) -> None:
    """As a server of MCP does whose client is in the same process."""
    quiet()
    begun = start()
    tracer = trace.get_tracer("mcp")
    said = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"}
    with tracer.start_as_current_span("weather", attributes={**said, semconv.SPAN_KIND: "tool"}):
        tracer.start_span("tools/call weather", kind=trace.SpanKind.SERVER, attributes=said).end()
    tracer.start_span("tools/call weather", kind=trace.SpanKind.SERVER, attributes=said).end()
    begun.end_session("Success")
    kinds = [(span.name, span.kind) for span in journal().events]
    assert sorted(kinds) == [
        ("tools/call weather", ""),
        ("tools/call weather", "operation"),
        ("weather", "tool"),
    ]


def test_a_remote_context_that_names_a_session_binds_it(home: object, journal: Read) -> None:
    quiet()
    carried: dict[str, str] = {}
    with start() as here:
        propagate.inject(carried)
        assert "agentops=" in carried["tracestate"]
    other = start()
    # Another process would do this; what it records joins the session, and ends nothing.
    token = attach(propagate.extract(carried))
    work("remote")
    agentops.record(agentops.ActionEvent("remote action"))
    detach(token)
    assert owners(journal())["remote"] == str(here.session_id)
    assert other.is_running


def test_a_foreign_traceparent_alone_binds_nothing(home: object, journal: Read) -> None:
    quiet()
    one = start()
    token = attach(
        propagate.extract({"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
    )
    work("here")
    detach(token)
    assert owners(journal()) == {"here": str(one.session_id)}
    assert journal().named("work").trace_id == one.session_id.hex


def test_a_session_can_be_found_by_its_id(session: agentops.Session) -> None:
    assert agentops.get_session(session.session_id) is session
    assert agentops.get_session(str(session.session_id)) is session
    assert agentops.get_session(UUID(int=5)) is None
    assert agentops.get_session("nonsense") is None
    with pytest.raises(TypeError, match=r"as text or .*, not int"):
        agentops.get_session(cast("Any", 5))


def test_a_lost_session_ends_as_indeterminate_after_five_seconds(
    home: object, monkeypatch: pytest.MonkeyPatch, journal: Read
) -> None:
    kept = agentops.init(instrument_llm_calls=False)
    assert kept is not None
    lost = str(start().session_id)
    held = start()
    gc.collect()
    core = client.registry.active[UUID(lost).int]
    now = max(core.unheld_since, client.registry.many_since)
    assert [core.text for core in client.registry.lost(now + 4)] == []
    assert [core.text for core in client.registry.lost(now + 5)] == [lost]
    # An hour passes, by the recorder's clock.
    monkeypatch.setattr("agentops.sdk.client.monotonic", lambda: now + 3600)
    client._tick()  # pyright: ignore[reportPrivateUsage]
    by_id = {root.session: root for root in journal().sessions}
    assert by_id[lost].attributes["agentops.session.end_state"] == "Indeterminate"
    assert "lost" in by_id[lost].attributes["agentops.session.end_state_reason"]
    assert held.is_running
    assert kept.is_running


def test_spans_of_the_programs_own_tracer_join_the_session(session: agentops.Session, journal: Read) -> None:
    with trace.get_tracer("mine", "1.2").start_as_current_span("own span") as span:
        span.set_attribute("colour", "blue")
        work(1)
    found = journal()
    own = found.named("own span")
    assert own.attributes["colour"] == "blue"
    assert own.session == str(session.session_id)
    assert lineage(found, found.named("work")) == ["work", "own span", session.name]


@pytest.mark.parametrize("theirs", [False, True], ids=["our provider", "the program's"])
def test_an_id_of_somebodys_own_sessions_moves_no_span(
    theirs: bool, home: object, journal: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    if theirs:
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", TracerProvider())
    quiet()
    chat = {"session.id": "chat-7"}
    with start() as ours:
        tracer = trace.get_tracer("framework")
        with tracer.start_as_current_span("at the start", attributes=chat) as first:
            work(1)
        with tracer.start_as_current_span("later") as second:
            second.set_attribute("session.id", "chat-7")
            work(2)
        with tracer.start_as_current_span("among others") as third:
            third.set_attributes({**chat, "colour": "blue"})
            work(3)
    found = journal()
    for name in ("at the start", "later", "among others"):
        told = found.named(name).attributes
        assert (told["session.id"], told["framework.session.id"]) == (str(ours.session_id), "chat-7")
    above = {span.span_id: span.name for span in found.spans}
    works = [span for span in found.spans if span.name == "work"]
    assert [above[span.parent_id] for span in works] == ["at the start", "later", "among others"]
    # What the program tells its own backend is its own affair.
    made: list[Any] = [first, second, third]
    kept = [str(span.attributes["session.id"]) for span in made]
    assert kept == ["chat-7" if theirs else str(ours.session_id)] * 3


def test_a_span_of_another_provider_that_never_ends_is_no_gap_in_the_count(
    home: object, journal: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", TracerProvider())
    quiet()
    web = trace.get_tracer("web")
    with start():
        web.start_span("never ends")
        web.start_span("ends").end()
        web.start_span("model", attributes={"gen_ai.operation.name": "chat"})
    found = journal()
    assert [span.seq for span in found.events] == [1, 2]
    assert found.sessions[0].attributes[semconv.RECORDS_SENT] == 2
