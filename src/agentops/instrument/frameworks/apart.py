"""Streams apart: each step runs in the context of the stream, and its reader stays in its own.

A span that a generator makes current is so for whoever reads it, too, and for all that follows when it is
left half-way.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, cast

from opentelemetry.context import Context, attach, get_current


def apart(events: Generator[Any, Any, Any], within: Context | None = None) -> Generator[Any, Any, Any]:
    """Read a stream in a context of its own, which begins as `within`, or as that of its reader."""
    try:
        while True:
            outside = get_current()
            attach(outside if within is None else within)
            try:
                event = next(events)
            except StopIteration as end:
                return end.value
            finally:
                within = get_current()
                attach(outside)
            yield event
    finally:
        outside = get_current()
        attach(outside if within is None else within)
        try:
            events.close()
        finally:
            attach(outside)


async def apart_async(events: AsyncGenerator[Any, Any], within: Context | None = None) -> AsyncGenerator[Any]:
    """Do the same for an asynchronous stream."""
    try:
        while True:
            outside = get_current()
            attach(outside if within is None else within)
            try:
                event = await anext(events)
            except StopAsyncIteration:
                return
            finally:
                within = get_current()
                attach(outside)
            yield event
    finally:
        outside = get_current()
        attach(outside if within is None else within)
        try:
            await events.aclose()
        finally:
            attach(outside)


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
