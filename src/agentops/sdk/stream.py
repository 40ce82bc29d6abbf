"""Streams on their way to the caller: proxies that run each step in the call's context and see what passes.

A proxy is its object in every other respect: attributes, `isinstance`, context manager, close.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import wrapt as _wrapt

# What a proxy stands for is the program's: nothing is known of it.
wrapt = cast("Any", _wrapt)

if TYPE_CHECKING:
    from agentops.sdk.patch import _Record as Record  # pyright: ignore[reportPrivateUsage] -- the two are one room

_WHOLE: Final = ("get_final_message", "get_final_completion", "get_final_response")
"""What streams call their whole answer, once they have been read."""


def is_stream(result: Any, *, finished: bool = False) -> bool:
    """Say whether a result is still to be consumed: an iterator, or a context manager that makes one.

    With `finished`, an instrumentor watches iterators already; only what has yet to make its call is left.
    """
    if isinstance(result, str | bytes | Mapping | list | tuple):
        return False
    kind = cast("Any", type(cast("object", result)))
    iterates = hasattr(kind, "__next__") or hasattr(kind, "__anext__")
    manages = hasattr(kind, "__enter__") or hasattr(kind, "__aenter__")
    return (
        (manages and not iterates and not hasattr(kind, "model_dump")) if finished else (iterates or manages)
    )


def watched(result: Any, record: Record) -> Any:
    """Return a proxy of a stream, or of the context manager around one, that reports to `record`."""
    return _Watched(result, record)


class _Watched(wrapt.ObjectProxy):
    """A watched stream. Sync and async alike: only the methods that the object has are ever called."""

    def __init__(self, wrapped: Any, record: Record) -> None:
        super().__init__(wrapped)
        self._self_record = record
        self._self_iterator: Any = None
        self._self_inner: Any = None
        """What a context manager gave."""

    # The stream itself.

    def __iter__(self) -> Any:
        self._self_iterator = iter(self.__wrapped__)
        return self

    def __next__(self) -> Any:
        record = self._self_record
        try:
            with record.inside():
                item = next(self._self_iterator or self.__wrapped__)
        except StopIteration:
            self._self_finish()
            raise
        record.chunk(item)
        return item

    def __aiter__(self) -> Any:
        self._self_iterator = self.__wrapped__.__aiter__()
        return self

    async def __anext__(self) -> Any:
        record = self._self_record
        try:
            with record.inside():
                item = await (self._self_iterator or self.__wrapped__).__anext__()
        except StopAsyncIteration:
            self._self_finish()
            raise
        record.chunk(item)
        return item

    # Generators.

    def send(self, value: Any) -> Any:
        record = self._self_record
        try:
            with record.inside():
                item = self.__wrapped__.send(value)
        except StopIteration:
            self._self_finish()
            raise
        record.chunk(item)
        return item

    def throw(self, *error: Any) -> Any:
        with self._self_record.inside():
            return self.__wrapped__.throw(*error)

    def close(self) -> Any:
        record = self._self_record
        with record.inside():
            closed = self.__wrapped__.close()
        if inspect.isawaitable(closed):
            return self._self_closing(closed)
        self._self_finish()
        return closed

    async def aclose(self) -> Any:
        await self._self_closing(self.__wrapped__.aclose())

    async def _self_closing(self, closed: Any) -> Any:
        with self._self_record.inside():
            value = await closed
        self._self_finish()
        return value

    # The context manager around it, which may be what makes the call.

    def __enter__(self) -> Any:
        with self._self_record.inside():
            entered = self.__wrapped__.__enter__()
        return self._self_entered(entered)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Any:
        with self._self_record.inside():
            handled = self.__wrapped__.__exit__(kind, error, trace)
        self._self_left(error)
        return handled

    async def __aenter__(self) -> Any:
        with self._self_record.inside():
            entered = await self.__wrapped__.__aenter__()
        return self._self_entered(entered)

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> Any:
        with self._self_record.inside():
            handled = await self.__wrapped__.__aexit__(kind, error, trace)
        self._self_left(error)
        return handled

    def _self_entered(self, entered: Any) -> Any:
        if entered is self.__wrapped__:
            return self
        # An instrumentor watches the stream itself; ours is watched here. What is none is given as it is.
        if self._self_record.span is None or not is_stream(entered):
            return entered
        self._self_inner = entered
        return _Watched(entered, self._self_record)

    def _self_left(self, error: BaseException | None) -> None:
        if error is not None:
            self._self_record.end(error)
        else:
            self._self_finish()

    def _self_finish(self) -> None:
        record = self._self_record
        if record.over or record.span is None:
            return
        try:
            record.span.set_attributes(_joined(record, self._self_inner or self.__wrapped__))
        except Exception as error:
            record.client.recorder.failed(error)
        record.end(None)

    def __del__(self) -> None:
        # Dropped unread: the call is over all the same.
        try:
            self._self_finish()
        except Exception:
            pass


def _joined(record: Record, stream: Any) -> dict[str, Any]:
    """Return what a stream said: its text, model and usage."""
    from agentops.sdk.patch import response_attributes

    for name in _WHOLE:
        final = getattr(stream, name, None)
        if callable(final) and not inspect.iscoroutinefunction(final):
            try:
                return response_attributes(record.client, final())
            except Exception:
                pass  # Not read to its end: the chunks it is.
    return record.folded.attributes(record.client)
