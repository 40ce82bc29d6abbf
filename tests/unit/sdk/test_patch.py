"""`session.patch` on callables that nothing instruments: what they return, which event is the LLM call."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import agentops
from tests.recorded import Journal

Read = Callable[[], Journal]


async def ask(prompt: str) -> str:
    await asyncio.sleep(0)
    return prompt.upper()


def test_calls_at_once_are_each_an_llm_call(session: agentops.Session, journal: Read) -> None:
    kept = session.patch(ask)

    async def both() -> tuple[str, str, str]:
        return await asyncio.gather(kept("a"), kept("b"), kept("c"))

    assert list(asyncio.run(both())) == ["A", "B", "C"]
    assert [event.kind for event in journal().events] == ["llm"] * 3
    assert session.event_counts["llm"] == 3


def test_a_call_around_another_is_an_operation(session: agentops.Session, journal: Read) -> None:
    inner = session.patch(ask)

    @session.patch
    async def outer(prompt: str) -> str:
        return await inner(prompt)

    asyncio.run(outer("a"))
    assert [event.kind for event in journal().events] == ["operation", "llm"]


def test_a_decorated_call_is_what_its_decorator_says_and_nothing_more(
    session: agentops.Session, journal: Read
) -> None:
    @agentops.agent
    class Clerk:
        def answer(self) -> list[str]:
            return list(session.patch(functools.partial(read, "a"))())

    @agentops.tool
    def read(prompt: str) -> Generator[str]:
        yield prompt

    agentops.start_session(name="other")
    assert session.patch(Clerk().answer)() == ["a"]
    assert asyncio.run(session.patch(agentops.operation(ask))("b")) == "B"
    found = [(event.kind, event.name.rpartition(".")[2]) for event in journal().events]
    assert found == [("agent", "Clerk"), ("tool", "read"), ("operation", "ask")]


@contextlib.contextmanager
def block(prompt: str) -> Generator[tuple[str, int]]:
    yield prompt, 1


@contextlib.asynccontextmanager
async def async_block(prompt: str) -> AsyncGenerator[dict[str, Any]]:
    yield {"prompt": prompt}


def test_what_a_block_gives_is_the_object_itself(session: agentops.Session, journal: Read) -> None:
    async def use() -> type:
        async with session.patch(async_block)("x") as given:
            return type(given)

    with session.patch(block)("x") as given:
        assert type(given) is tuple
    assert asyncio.run(use()) is dict
    assert [event.kind for event in journal().events] == ["llm", "llm"]
