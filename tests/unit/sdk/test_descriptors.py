"""Decorators around descriptors: partial, dispatching and static methods stay what they are."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any, cast

import agentops
from agentops.sdk.decorators import agent, operation
from tests.recorded import Journal

Read = Callable[[], Journal]


@operation
def add(a: int, b: int = 2) -> int:
    return a + b


def test_a_partial_method_is_recorded(session: agentops.Session, journal: Read) -> None:
    class Sums:
        def of(self, a: int, b: int) -> int:
            return a + b

        plus_one = operation(name="plus one")(functools.partialmethod(of, 1))

    assert Sums().plus_one(2) == 3
    assert journal().named("plus one").output == 3


async def later(text: str) -> str:
    return text


class Dispatching:
    @operation
    @functools.singledispatchmethod
    def outer(self, value: object) -> str:
        return "object"

    @outer.register
    def _(self, number: int) -> str:
        return "int"

    @outer.register(str)
    def _named(self, text: str) -> Any:
        return later(text)

    @functools.singledispatchmethod
    @operation
    def inner(self, value: object) -> str:
        return "object"

    @inner.register
    @operation(name="Dispatching.inner of int")
    def _inner(self, value: int) -> str:
        return "int"

    @agentops.tool(name="made")
    @functools.singledispatchmethod
    @classmethod
    def made(cls, value: object) -> str:
        return cls.__name__


class DispatchingToo(Dispatching):
    pass


def test_a_method_that_dispatches_by_type_is_recorded_once_whatever_it_calls(
    session: agentops.Session, journal: Read
) -> None:
    def of_list(self: object, items: list[int]) -> str:
        return "list"

    one: Any = DispatchingToo()
    assert one.outer.register(list, of_list) is of_list
    assert (one.outer(None), one.outer(1), asyncio.run(one.outer("str")), one.outer([1])) == (
        "object",
        "int",
        "str",
        "list",
    )
    assert (one.inner(None), one.inner(1)) == ("object", "int")
    assert (DispatchingToo.made(1), one.made(2)) == ("DispatchingToo", "DispatchingToo")
    assert [(event.name, event.input, event.output) for event in journal().events] == [
        ("Dispatching.outer", {"value": None}, "object"),
        ("Dispatching.outer", {"number": 1}, "int"),
        ("Dispatching.outer", {"text": "str"}, "str"),
        ("Dispatching.outer", {"items": [1]}, "list"),
        ("Dispatching.inner", {"value": None}, "object"),
        ("Dispatching.inner of int", {"value": 1}, "int"),
        ("made", {"value": 1}, "DispatchingToo"),
        ("made", {"value": 2}, "DispatchingToo"),
    ]


def test_methods_that_dispatch_or_are_partial_belong_to_their_decorated_class(
    session: agentops.Session, journal: Read
) -> None:
    @agent
    class Reader:
        @functools.singledispatchmethod
        def read(self, what: object) -> int:
            return add(1)

        @read.register
        def _(self, what: int) -> int:
            return add(what)

        def times(self, a: int, b: int) -> int:
            return add(a * b)

        twice = functools.partialmethod(times, 2)

    one = Reader()
    assert (one.read("x"), one.read(2), one.twice(5)) == (3, 4, 12)
    read = journal()
    whole, *below = read.events
    assert (whole.kind, [event.parent_id for event in below]) == ("agent", [whole.span_id] * 3)


def test_older_decorators_leave_static_methods_static(session: agentops.Session, journal: Read) -> None:
    class Sums:
        @agentops.record_action("twice")
        @staticmethod
        def twice(x: int) -> int:
            return 2 * x

        one: Any = agentops.record_action(cast("Any", property(lambda self: 1)))

    sums: Any = Sums()
    assert (sums.twice(2), sums.twice(3, session=session), sums.one) == (4, 6, 1)
    assert [event.output for event in journal().events] == [4, 6, 1]
    assert agentops.track_agent(name="number")(int)("7") == 7
