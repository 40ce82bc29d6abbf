"""Decorated classes: whatever an instance does is below its event, however its method came to be called."""

from __future__ import annotations

import abc
import asyncio
import copy
import dataclasses
import gc
import pickle
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, ClassVar, NamedTuple, cast

import pytest

import agentops
from agentops.sdk.decorators import agent, operation
from tests.recorded import Journal

Read = Callable[[], Journal]


@operation
def work(name: str) -> str:
    agentops.record(agentops.ActionEvent(name))
    return name


def above(found: Journal) -> dict[str, str]:
    """Return the name of the event around each piece of work."""
    names = {event.span_id: event for event in found.events}
    return {
        event.name: names[names[event.parent_id].parent_id].name
        for event in found.events
        if event.kind == "action" and names[event.parent_id].parent_id in names
    }


class Base:
    def __init__(self, topic: str = "tea") -> None:
        self.topic = topic

    def inherited(self) -> str:
        return work("inherited")

    async def inherited_async(self) -> str:
        return work("inherited async")

    def overridden(self) -> str:
        return work("overridden in the base")


@agent(name="Child")
class Child(Base):
    def generator(self) -> Iterator[str]:
        yield work("generator")
        yield work("generator, second step")

    async def async_generator(self) -> AsyncIterator[str]:
        yield work("async generator")

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        work("leaving the block")

    @operation(name="step")
    def step(self) -> str:
        return self.helper()

    def helper(self) -> str:
        return work("helper in step")


class Grandchild(Child):
    told: ClassVar[list[str]] = []

    def __init_subclass__(cls, *, label: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Grandchild.told.append(label)

    def overridden(self) -> str:
        return super().overridden()


class Last(Grandchild, label="last"):
    def own(self) -> str:
        return work("own")

    async def own_async(self) -> str:
        return work("own async")


def test_all_that_an_instance_does_is_below_its_event(session: agentops.Session, journal: Read) -> None:
    made = Child()
    made.inherited()
    asyncio.run(made.inherited_async())
    assert list(made.generator()) == ["generator", "generator, second step"]

    async def read() -> list[str]:
        return [item async for item in made.async_generator()]

    assert asyncio.run(read()) == ["async generator"]
    with made:
        pass
    made.step()
    Grandchild().overridden()
    last = Last()
    last.own()
    asyncio.run(last.own_async())
    assert Grandchild.told == ["last"]
    found = above(journal())
    assert found.pop("helper in step") == "step"
    assert set(found.values()) == {"Child"}
    assert len(found) == 9
    assert session.event_counts["agent"] == 3
    agentops.record(agentops.ActionEvent("afterwards"))
    assert journal().named("afterwards").parent_id == journal().sessions[0].span_id


def test_inheritance_finds_its_methods_as_without_us() -> None:
    class Root:
        def who(self) -> str:
            return "root"

    class Mixin(Root):
        def who(self) -> str:
            return f"mixin, {super().who()}"

    @agent
    class Left(Root):
        pass

    class Both(Left, Mixin):
        pass

    assert Both().who() == "mixin, root"
    assert Left().who() == "root"

    @agent
    class Open(abc.ABC):
        @abc.abstractmethod
        def run(self) -> int: ...

    @agent
    class Still(Open):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Still()  # type: ignore[abstract] # pyright: ignore[reportAbstractUsage] -- on purpose


def test_a_librarys_methods_are_left_as_they_were_inherited() -> None:
    @agent
    class Worker(threading.Thread):
        pass

    assert "start" not in vars(Worker)


@agent(name="Slotted")
@dataclasses.dataclass(slots=True)
class Slotted:
    topic: str

    def run(self) -> str:
        return self.helper()

    def helper(self) -> str:
        return work("slots")


@agent(name="Named")
class Named(NamedTuple):
    topic: str

    def run(self) -> str:
        return work("named tuple")


@dataclasses.dataclass
@agent(name="Inner")
class Inner:
    topic: str

    def run(self) -> str:
        return work("below a dataclass")


def test_instances_that_cannot_be_watched_or_were_made_elsewhere(
    session: agentops.Session, journal: Read
) -> None:
    assert Slotted("x").run() == "slots"
    assert Named("x").run() == "named tuple"
    assert Inner("x").run() == "below a dataclass"
    assert above(journal()) == {
        "slots": "Slotted", "named tuple": "Named", "below a dataclass": "Inner",
    }  # fmt: skip
    assert session.event_counts["agent"] == 3  # helper() of the first was called inside run().
    made = Child()
    before = session.event_counts["agent"]
    copied = copy.copy(made)
    copied.inherited()
    assert session.event_counts["agent"] == before + 1
    assert journal().named("inherited").session == str(session.session_id)


def both(cls: Any) -> Any:
    return agentops.session(agent(cls))


@pytest.mark.parametrize("decorator", [agent, agentops.session, both])
def test_a_class_that_is_made_anew_above_a_decorator_can_have_classes_below(
    home: object, journal: Read, decorator: Callable[[Any], Any]
) -> None:
    @dataclasses.dataclass(slots=True)
    @decorator
    class Remade:
        topic: str

        def run(self) -> str:
            return work(self.topic)

    class Beneath(Remade):
        def again(self) -> str:
            return work(self.topic + ", again")

    agentops.init(instrument_llm_calls=False)
    found = Beneath("slots")
    assert (found.run(), found.again()) == ("slots", "slots, again")
    assert {"slots", "slots, again"} <= {event.name for event in journal().events}


def test_an_instance_leaves_nothing_behind(session: agentops.Session) -> None:
    from agentops.sdk import classes

    lives: Any = classes._lives  # pyright: ignore[reportPrivateUsage] -- what is counted
    gc.collect()
    before = len(lives)
    for _ in range(100):
        Child().inherited()
        Slotted("x").run()
    gc.collect()
    assert len(lives) == before


def test_a_method_that_a_session_class_calls_itself_is_in_the_same_session(
    home: object, journal: Read
) -> None:
    @agentops.session
    class Flow(Base):
        def run(self) -> str:
            return work(self.step())

        def step(self) -> str:
            return work("step")

    agentops.init(auto_start_session=False, instrument_llm_calls=False)
    Flow().run()
    Flow().inherited()
    found = journal()
    assert [one.name.rpartition(".")[2] for one in found.sessions] == ["run", "inherited"]
    assert {event.session for event in found.events if event.name == "step"} == {found.sessions[0].session}


@agentops.session(tags=["base"])
class Handling(abc.ABC):
    @abc.abstractmethod
    def run(self) -> None: ...

    def again(self) -> None:
        self.run()


class Logging:
    def beside(self) -> None:
        agentops.record(agentops.ActionEvent("beside"))


def test_classes_below_a_session_class_are_such_classes(home: object, journal: Read) -> None:
    class Bare(Handling, Logging):
        def run(self) -> None:
            agentops.record(agentops.ActionEvent("bare"))

    @agentops.session(tags=["its own"])
    class Named(Bare):
        def run(self) -> None:
            super().run()

    agentops.init(auto_start_session=False, instrument_llm_calls=False)
    for run in (Bare().run, Bare().again, Bare().beside, Named().run, Named().again):
        run()
    found = [(one.name.rpartition(".")[2], one.attributes["agentops.tags"][0]) for one in journal().sessions]
    assert found == [
        ("run", "base"), ("again", "base"), ("beside", "base"), ("run", "its own"), ("again", "its own"),
    ]  # fmt: skip
    with pytest.raises(TypeError, match="abstract"):
        cast("Any", Handling)()


def test_a_class_without_a_session_is_counted_as_any_call(
    home: object, caplog: pytest.LogCaptureFixture
) -> None:
    agentops.init(auto_start_session=False, instrument_llm_calls=False)
    assert Child("coffee").topic == "coffee"
    assert "'Child' is not recorded: no session is active" in caplog.text


@dataclasses.dataclass
@agentops.track_agent(name="above")
class Above:
    topic: str

    def run(self) -> str:
        return work(self.topic)


@agentops.track_agent("below")
@dataclasses.dataclass
class Below(Above):
    pass


@agentops.track_agent(name="bare")
class Bare:
    pass


def test_an_older_agent_is_known_by_id_and_name_whatever_makes_its_constructor(
    session: agentops.Session, journal: Read
) -> None:
    above, below, bare = Above("a"), Below("b"), Bare()
    named: Any = cast("Any", Bare)(agentops_name="one of them")
    agents: list[Any] = [above, below, bare, named, pickle.loads(pickle.dumps(above))]
    names = [each.agent_ops_agent_name for each in agents]
    assert names == ["above", "below", "bare", "one of them", "above"]
    assert len({each.agent_ops_agent_id for each in agents}) == 4  # A pickled one is the same agent.
    with pytest.raises(TypeError, match=r"Bare\(\) takes no arguments"):
        cast("Any", Bare)(1)
    assert (above, below.run()) == (Above("a"), "b")
    assert journal().named("work").attributes["gen_ai.agent.name"] == "below"
