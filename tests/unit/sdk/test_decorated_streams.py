"""Decorators on what is read or awaited later: generators, coroutines, objects that stand for them."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any

import pytest

import agentops
from agentops.sdk.decorators import operation
from tests.recorded import Journal

Read = Callable[[], Journal]


@agentops.operation
def add(a: int, b: int = 2) -> int:
    return a + b


def passed_on(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate as programs do: with a plain function around whatever it is."""

    @functools.wraps(function)
    def around(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return around


def test_a_generator_is_one_event_over_its_whole_reading(session: agentops.Session, journal: Read) -> None:
    @agentops.operation(name="count")
    def count(to: int) -> Generator[int, str, str]:
        got: list[str] = []
        for number in range(to):
            got.append((yield number))  # noqa: PERF401 -- a comprehension cannot yield
        return ",".join(map(str, got))

    reading = count(2)
    assert inspect.isgeneratorfunction(count)
    assert next(reading) == 0
    assert reading.send("a") == 1
    with pytest.raises(StopIteration) as stop:
        reading.send("b")
    assert stop.value.value == "a,b"
    assert journal().named("count").output == {"yielded": [0, 1], "returned": "a,b"}


def test_generators_that_are_thrown_into_closed_or_dropped(session: agentops.Session, journal: Read) -> None:
    closed: list[str] = []

    @agentops.operation(name="patient")
    def patient() -> Iterator[str]:
        try:
            yield "one"
        except ValueError:
            yield "caught"
        finally:
            closed.append("closed")

    thrown: Any = patient()
    next(thrown)
    assert thrown.throw(ValueError()) == "caught"
    thrown.close()
    for _ in patient():
        break
    gc.collect()
    dropped = patient()
    next(dropped)
    del dropped
    gc.collect()
    assert closed == ["closed"] * 3
    assert [(bool(span.ended_at), span.status) for span in journal().events] == [(True, 0)] * 3


def test_an_async_generator_is_one_event(session: agentops.Session, journal: Read) -> None:
    @agentops.operation(name="ticks")
    async def ticks(to: int) -> AsyncIterator[int]:
        for number in range(to):
            await asyncio.sleep(0)
            yield number

    async def main() -> list[int]:
        return [number async for number in ticks(3)]

    assert inspect.isasyncgenfunction(ticks)
    assert asyncio.run(main()) == [0, 1, 2]
    assert journal().named("ticks").output == [0, 1, 2]


def test_a_cancelled_task_is_an_error_and_leaves_no_context(session: agentops.Session, journal: Read) -> None:
    @agentops.operation(name="slow")
    async def slow() -> None:
        await asyncio.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(slow())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert journal().named("slow").message == "CancelledError: "


class Answering:
    """A callable object whose call is a coroutine."""

    async def __call__(self, x: int) -> int:
        return add(x)


class Yielding:
    def __call__(self, x: int) -> Iterator[int]:
        yield add(x)


def test_a_call_lasts_until_what_it_returned_has_been_awaited_or_read(
    session: agentops.Session, journal: Read
) -> None:
    @operation(name="coroutine")
    @passed_on
    async def coroutine(x: int) -> int:
        await asyncio.sleep(0)
        return add(x)

    @operation(name="failing")
    @passed_on
    async def failing() -> None:
        raise OSError("late")

    @operation(name="generator")
    @passed_on
    def generator(x: int) -> Iterator[int]:
        yield add(x)

    @operation(name="async generator")
    @passed_on
    async def async_generator(x: int) -> AsyncIterator[int]:
        yield add(x)

    async def use() -> list[Any]:
        with pytest.raises(OSError, match="late"):
            await failing()
        return [
            await coroutine(1),
            await operation(name="object")(Answering())(1),
            list(generator(1)),
            list(operation(name="yielding")(Yielding())(1)),
            [item async for item in async_generator(1)],
        ]

    assert asyncio.run(use()) == [3, 3, [3], [3], [3]]
    agentops.record(agentops.ActionEvent("afterwards"))
    found = journal()
    named = {event.span_id: event for event in found.events}
    assert [named[event.parent_id].name for event in found.events if event.name == "add"] == [
        "coroutine", "object", "generator", "yielding", "async generator",
    ]  # fmt: skip
    assert (found.named("coroutine").output, found.named("generator").output) == (3, [3])
    assert found.named("failing").message == "OSError: late"
    assert found.named("afterwards").parent_id == found.sessions[0].span_id


def test_an_async_generator_that_cannot_begin_leaves_no_context(
    session: agentops.Session, journal: Read
) -> None:
    @operation(name="broken")
    async def broken(x: int) -> AsyncIterator[int]:
        yield x

    async def use() -> None:
        with pytest.raises(TypeError, match="missing 1 required"):
            async for _ in broken():  # type: ignore[call-arg] # pyright: ignore[reportCallIssue] -- on purpose
                pass
        add(1)

    asyncio.run(use())
    found = journal()
    assert found.named("broken").status == 2
    assert found.named("add").parent_id == found.sessions[0].span_id


def test_an_async_session_that_its_reader_left_is_no_failure(home: object, journal: Read) -> None:
    @agentops.session
    async def numbers() -> AsyncIterator[int]:
        yield 1
        yield 2

    async def first() -> int:
        async for number in numbers():
            return number
        return 0

    agentops.init(auto_start_session=False, instrument_llm_calls=False)
    assert asyncio.run(first()) == 1
    gc.collect()
    assert journal().sessions[0].attributes["agentops.session.end_state"] == "Success"
