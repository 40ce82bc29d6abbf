"""Streams apart: each step runs in the context of the stream, and its reader stays in its own.

A span that a generator makes current is so for whoever reads it, too, and for all that follows when it is
left half-way.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from typing import Any, cast

from opentelemetry.context import Context, attach, get_current


class _Stream:
    """Where a stream stands: in the context that its last step left, or in that of its reader."""

    def __init__(self, within: Context | None) -> None:
        self._within = within

    @contextmanager
    def current(self) -> Generator[None]:
        """Let what is done meanwhile be done where the stream stands."""
        outside = get_current()
        attach(outside if self._within is None else self._within)
        try:
            yield
        finally:
            self._within = get_current()
            attach(outside)


def apart(events: Generator[Any, Any, Any], within: Context | None = None) -> Generator[Any, Any, Any]:
    """Read a stream in a context of its own, which begins as `within`, or as that of its reader."""
    stream = _Stream(within)
    try:
        while True:
            with stream.current():
                try:
                    event = next(events)
                except StopIteration as end:
                    return end.value
            yield event
    finally:
        with stream.current():
            events.close()


async def apart_async(events: AsyncGenerator[Any, Any], within: Context | None = None) -> AsyncGenerator[Any]:
    """Do the same for an asynchronous stream."""
    stream = _Stream(within)
    try:
        while True:
            with stream.current():
                try:
                    event = await anext(events)
                except StopAsyncIteration:
                    return
            yield event
    finally:
        with stream.current():
            await events.aclose()


def streamed(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Stand around a callable that returns a stream, and let that be read apart."""
    del instance
    events = wrapped(*args, **kwargs)
    if isinstance(events, Generator):
        return apart(cast("Generator[Any, Any, Any]", events))
    if isinstance(events, AsyncGenerator):
        return apart_async(cast("AsyncGenerator[Any, Any]", events))
    return events
