"""Decorators on every kind of callable: what is recorded, and that nothing changes for the caller."""

from __future__ import annotations

import abc
import asyncio
import dataclasses
import functools
import inspect
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import agentops
from agentops.sdk.decorators import agent, operation
from tests.recorded import Journal, attributes

Read = Callable[[], Journal]


@agentops.operation
def add(a: int, b: int = 2, *rest: int, scale: int = 1, **more: int) -> int:
    """Add."""
    return (a + b + sum(rest) + sum(more.values())) * scale


def test_inputs_by_name_with_defaults_and_the_output_are_recorded(
    session: agentops.Session, journal: Read
) -> None:
    assert add(1) == 3
    assert add(1, 2, 3, scale=2, extra=4) == 20
    first, second = journal().events
    assert (first.name, first.kind, first.input, first.output) == (
        "add", "operation", {"a": 1, "b": 2, "rest": [], "scale": 1, "more": {}}, 3,
    )  # fmt: skip
    assert second.input == {"a": 1, "b": 2, "rest": [3], "scale": 2, "more": {"extra": 4}}
    assert second.output == 20


def test_name_signature_and_documentation_stay(session: agentops.Session) -> None:
    assert (add.__name__, add.__doc__) == ("add", "Add.")
    assert str(inspect.signature(add)).startswith("(a: 'int', b: 'int' = 2, *rest: 'int', scale: 'int' = 1")


def test_an_exception_is_recorded_and_is_the_same_object(session: agentops.Session, journal: Read) -> None:
    error = LookupError("not here")

    @agentops.tool(name="look")
    def look() -> None:
        raise error

    with pytest.raises(LookupError) as caught:
        look()
    assert caught.value is error
    span = journal().named("look")
    assert (span.status, span.message) == (2, "LookupError: not here")
    (event,) = span.events
    assert event["name"] == "exception"
    assert session.event_counts["error"] == 1


def test_a_failure_deep_down_is_told_from_its_innermost_frames(
    session: agentops.Session, journal: Read
) -> None:
    @operation
    def descend(depth: int) -> None:
        if depth == 0:
            raise ValueError("here")
        descend(depth - 1)

    with pytest.raises(ValueError, match="here"):
        descend(120)
    innermost, *_, outermost = sorted(journal().events, key=lambda one: one.input["depth"])
    for one in (innermost, outermost):
        stack = attributes(one.events[0]["attributes"])["exception.stacktrace"]
        assert stack.count('  File "') <= 100
        assert stack.rstrip().endswith("ValueError: here")
        assert ("outermost frames]" in stack) == (one is outermost)


def test_wrong_arguments_raise_what_they_always_raised(session: agentops.Session) -> None:
    with pytest.raises(TypeError, match=r"add\(\) missing 1 required positional argument"):
        add()  # type: ignore[call-arg] # pyright: ignore[reportCallIssue] -- the point


class Shop:
    """Methods of every kind."""

    @agentops.operation
    def method(self, x: int) -> int:
        return x

    @classmethod
    @agentops.operation
    def of_class(cls, x: int) -> int:
        return x

    @agentops.operation
    @classmethod
    def of_class_above(cls, x: int) -> int:
        return x

    @staticmethod
    @agentops.operation
    def static(x: int) -> int:
        return x

    @agentops.operation
    async def later(self, x: int) -> int:
        await asyncio.sleep(0)
        return x


def test_methods_leave_self_out(session: agentops.Session, journal: Read) -> None:
    shop: Any = Shop()
    assert (shop.method(1), shop.of_class(2), shop.of_class_above(3), shop.static(4)) == (1, 2, 3, 4)
    assert asyncio.run(shop.later(5)) == 5
    assert inspect.iscoroutinefunction(shop.later)
    assert [(span.name, span.input, span.output) for span in journal().events] == [
        ("Shop.method", {"x": 1}, 1),
        ("Shop.of_class", {"x": 2}, 2),
        ("Shop.of_class_above", {"x": 3}, 3),
        ("Shop.static", {"x": 4}, 4),
        ("Shop.later", {"x": 5}, 5),
    ]


def test_partials_and_callable_objects(session: agentops.Session, journal: Read) -> None:
    class Doubling:
        def __call__(self, x: int) -> int:
            return 2 * x

    assert agentops.operation(functools.partial(pow, 2))(3) == 8
    assert agentops.operation(name="doubled")(Doubling())(4) == 8
    assert [span.output for span in journal().events] == [8, 8]


def test_an_agents_name_is_on_what_happens_inside(session: agentops.Session, journal: Read) -> None:
    @agentops.agent(name="Writer", version=2, tags=["draft"])
    def write() -> int:
        agentops.record(agentops.ActionEvent(action_type="sketch"))
        return add(1)

    write()
    found = journal()
    assert {span.name: span.attributes.get("gen_ai.agent.name") for span in found.events} == {
        "Writer": "Writer", "sketch": "Writer", "add": "Writer",
    }  # fmt: skip
    assert found.named("Writer").attributes["agentops.entity.version"] == "2"
    assert found.named("Writer").attributes["agentops.tags"] == ["draft"]


def test_a_decorated_class_is_an_agent_over_its_instances_life(
    session: agentops.Session, journal: Read
) -> None:
    @agentops.agent(name="Researcher")
    class Researcher:
        def __init__(self, topic: str) -> None:
            self.topic = topic

        def run(self) -> int:
            return self.helped()

        def helped(self) -> int:
            return add(1)

    made = Researcher("tea")
    assert isinstance(made, Researcher)
    assert made.run() == 3
    found = journal()
    agent = found.named("Researcher")
    assert (agent.kind, agent.input) == ("agent", {"topic": "tea"})
    assert found.named("add").parent_id == agent.span_id
    assert found.named("add").attributes["gen_ai.agent.name"] == "Researcher"
    assert agent.ended_at >= found.named("add").ended_at
    assert session.event_counts["agent"] == 1


def test_a_session_class_gives_each_call_of_a_method_a_session(home: object, journal: Read) -> None:
    @agentops.session
    class Flow:
        def run(self, x: int) -> int:
            return add(x)

    agentops.init(auto_start_session=False, instrument_llm_calls=False)
    assert [Flow().run(1), Flow().run(2)] == [3, 4]
    found = journal()
    assert len(found.sessions) == 2
    assert len({span.session for span in found.events}) == 2


def test_a_session_function_records_what_went_in_and_out(home: object, journal: Read) -> None:
    @agentops.session(name="answer", tags=["a", "b"])
    def answer(question: str) -> str:
        return question.upper()

    assert answer("why") == "WHY"
    (root,) = journal().sessions
    assert (root.name, root.input, root.output) == ("answer", {"question": "why"}, "WHY")
    assert root.attributes["agentops.tags"] == ["a", "b"]

    @agentops.session
    def fails() -> None:
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        fails()
    assert journal().sessions[1].attributes["agentops.session.end_state_reason"] == "OSError: disk"


def test_a_session_functions_name_is_its_own_with_a_trace_name_too(home: object, journal: Read) -> None:
    agentops.init(auto_start_session=False, trace_name="nightly", instrument_llm_calls=False)

    @agentops.session(name="chosen")
    def one() -> None: ...

    @agentops.session
    def two() -> None: ...

    one()
    two()
    agentops.start_session().end_session()
    names = [root.name.rpartition(".")[2] for root in journal().sessions]
    assert names == ["chosen", "two", "nightly"]


def test_tool_and_guardrail_say_what_they_cost_and_guard(session: agentops.Session, journal: Read) -> None:
    @agentops.tool(name="search", cost=0.25)
    def search() -> None: ...

    @agentops.guardrail(name="check", spec="input")
    def check() -> None: ...

    search()
    search()
    check()
    assert str(session.token_cost) == "0.50"
    assert journal().named("check").attributes["agentops.guardrail.spec"] == "input"
    assert journal().events[0].attributes["gen_ai.tool.name"] == "search"


def test_the_older_decorators_still_record(home: object, journal: Read) -> None:
    @agentops.record_action("search")
    def search(query: str) -> str:
        return query

    @agentops.record_tool("hammer", cost=1.5)
    def hammer() -> None: ...

    @agentops.record_function("plain")
    async def plain() -> int:
        return 1

    @agentops.track_agent(name="Old")
    class Old:
        def work(self) -> str:
            return search("tea")

    agentops.init(auto_start_session=False, instrument_llm_calls=False)
    one, two = agentops.start_session(), agentops.start_session()
    assert search("a", session=one) == "a"  # type: ignore[call-arg] # pyright: ignore[reportCallIssue] -- as 0.3 let one
    assert asyncio.run(plain(session=two)) == 1  # type: ignore[call-arg] # pyright: ignore -- the same
    two.end_session("Success")
    hammer()
    old: Any = Old()
    assert old.work() == "tea"
    assert old.agent_ops_agent_id
    found = journal()
    assert [(span.name, span.kind, span.session) for span in found.events][:3] == [
        ("search", "action", str(one.session_id)),
        ("plain", "action", str(two.session_id)),
        ("hammer", "tool", str(one.session_id)),
    ]
    assert found.events[-1].attributes["gen_ai.agent.name"] == "Old"


def test_what_is_not_a_callable_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="@operation decorates a callable, not int"):
        agentops.operation(5)  # type: ignore[call-overload] # pyright: ignore -- the point


class Described:
    @operation
    @property
    def outer(self) -> int:
        return 1

    @property
    @operation
    def inner(self) -> int:
        return 2

    @functools.cached_property
    @operation
    def kept(self) -> int:
        return 3

    @operation
    @functools.cached_property
    def kept_outer(self) -> int:
        return 4


def test_properties_are_recorded_and_stay_properties(session: agentops.Session, journal: Read) -> None:
    one = Described()
    assert (one.outer, one.inner, one.kept, one.kept, one.kept_outer, one.kept_outer) == (1, 2, 3, 3, 4, 4)
    assert sorted(event.name for event in journal().events) == [
        "Described.inner",
        "Described.kept",
        "Described.kept_outer",
        "Described.outer",
    ]


def test_methods_of_a_decorated_object_stay_reachable(session: agentops.Session) -> None:
    calls: list[int] = []

    @operation
    @functools.lru_cache
    def costly(x: int) -> int:
        calls.append(x)
        return x

    @operation
    @functools.singledispatch
    def shown(value: object) -> str:
        return "object"

    @shown.register
    def _(value: int) -> str:
        return "int"

    assert (costly(1), costly(1), calls) == (1, 1, [1])
    assert costly.cache_info().hits == 1
    assert (shown("x"), shown(1)) == ("object", "int")


def test_an_abstract_method_stays_abstract(session: agentops.Session) -> None:
    class Base(abc.ABC):
        @operation
        @abc.abstractmethod
        def run(self) -> int: ...

    class Real(Base):
        def run(self) -> int:
            return 1

    with pytest.raises(TypeError, match="abstract"):
        Base()  # type: ignore[abstract] # pyright: ignore[reportAbstractUsage] -- on purpose
    assert Real().run() == 1


@agent
@dataclasses.dataclass(frozen=True)
class Frozen:
    topic: str = "tea"

    def run(self) -> str:
        return self.topic


@agent
class Slotted:
    __slots__ = ("topic",)

    def __init__(self, topic: str) -> None:
        self.topic = topic

    def run(self) -> str:
        return self.topic


@agent
class Calling:
    def __call__(self) -> str:
        return "called"

    @classmethod
    def make(cls) -> Calling:
        return cls()

    @staticmethod
    def twice(x: int) -> int:
        return 2 * x


class Inheriting(Calling):
    def __init__(self) -> None:
        super().__init__()
        self.more = 1


def test_classes_of_every_kind_stay_what_they_are(session: agentops.Session, journal: Read) -> None:
    assert (Frozen("x").run(), Frozen("x") == Frozen("x"), pickle.loads(pickle.dumps(Frozen("y"))).topic) == (
        "x",
        True,
        "y",
    )
    assert Slotted("s").run() == "s"
    assert (Calling()(), Calling.make()(), Calling.twice(2), Inheriting()()) == (
        "called",
        "called",
        4,
        "called",
    )
    assert isinstance(Inheriting(), Calling)
    assert {event.kind for event in journal().events} == {"agent"}


def test_what_is_passed_through_stays_the_same_object(session: agentops.Session) -> None:
    given = (number for number in range(3))

    @operation
    def through(items: Iterator[int]) -> Iterator[int]:
        return items

    assert through(given) is given


def test_a_builtin_class_is_recorded_as_a_function(session: agentops.Session, journal: Read) -> None:
    number: Any = operation(name="number")(int)
    assert number("7") == 7
    assert journal().named("number").output == 7


@pytest.mark.parametrize("cost", ["much", True, float("nan"), object()])
def test_a_cost_that_is_no_number_is_refused_by_name(cost: Any) -> None:
    with pytest.raises(TypeError, match=r"\(cost=\.\.\.\) must be a number"):
        agentops.tool(cost=cost)
    with pytest.raises(TypeError, match=r"\(cost=\.\.\.\) must be a number"):
        agentops.record_tool("hammer", cost=cost)
