"""Code that users write, for the type checker: decorators and patch keep what a function takes and gives.

Pyright checks this file with the rest; it is not run. `assert_type` fails the check when a type was lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import cached_property, singledispatchmethod
from typing import assert_type, overload

import agentops
from agentops.sdk.decorators import agent, guardrail, operation, session, task, tool, trace, workflow


@operation
def bare(x: int, *, y: str = "") -> float:
    return x + len(y)


@tool(name="paid", cost=0.1)
def paid(x: int) -> list[str]:
    return [str(x)]


@session(tags=["a"])
async def later(x: bytes) -> bytes:
    return x


@trace
def counting(to: int) -> Iterator[int]:
    yield from range(to)


@guardrail(spec="input")
def allowed(text: str) -> bool:
    return bool(text)


@task
@workflow(name="both")
async def streaming(to: int) -> AsyncIterator[int]:
    for number in range(to):
        yield number


@agent(name="Researcher")
class Researcher:
    def __init__(self, topic: str) -> None:
        self.topic = topic

    @operation
    def run(self, depth: int) -> str:
        return self.topic * depth


@agentops.record_action("older")
def older(x: int) -> str:
    return str(x)


async def check() -> None:
    assert_type(bare(1, y="a"), float)
    assert_type(paid(1), list[str])
    assert_type(await later(b""), bytes)
    assert_type(counting(3), Iterator[int])
    assert_type(allowed("x"), bool)
    assert_type(streaming(3), AsyncIterator[int])
    researcher = Researcher("tea")
    assert_type(researcher, Researcher)
    assert_type(researcher.run(2), str)
    assert_type(older(1), str)
    bare("x")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] -- a wrong argument is still found


def check_sessions(plain: Callable[[int], str], coroutine: Callable[[int], Awaitable[str]]) -> None:
    assert_type(agentops.init(), agentops.Session | None)
    with agentops.start_session(tags=["a"]) as one:
        assert_type(one, agentops.Session)
        assert_type(one.end_session("Success"), Decimal)
        assert_type(one.patch(plain)(1), str)
        assert_type(one.patch(coroutine)(1), Awaitable[str])


class Described:
    @operation
    @property
    def size(self) -> int:
        return 1

    @operation
    @classmethod
    def made(cls, size: int) -> str:
        return str(size)

    @operation
    @cached_property
    def kept(self) -> int:
        return 1

    @staticmethod
    @operation
    def apart(size: int) -> str:
        return str(size)

    @tool(cost=1)
    @singledispatchmethod
    def of(self, value: object) -> str:
        return ""

    @of.register
    def _(self, value: int) -> str:
        return "int"

    @overload
    def either(self, value: int) -> int: ...
    @overload
    def either(self, value: str) -> str: ...
    @operation
    def either(self, value: int | str) -> int | str:
        return value


@contextmanager
@operation
def opened(path: str) -> Generator[int]:
    yield len(path)


@operation
@contextmanager
def opening(path: str) -> Generator[int]:
    yield len(path)


with opened("a") as inner, opening("a") as outer:
    assert_type(inner, int)
    assert_type(outer, int)
assert_type(Described().kept, int)
assert_type(Described.apart(1), str)
assert_type(Described().of(1), str)
assert_type(Described().either("a"), str)
assert_type(Described().size, int)
assert_type(Described.made(1), str)
