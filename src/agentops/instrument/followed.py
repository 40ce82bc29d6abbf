"""Streams of calls that a library's instrumentor leaves out: followed as the program reads them.

Chunks pass as they are; of each what it says is taken, and nothing else kept. A stream is over when it is
read to its end, closed, left by its block, dropped, or broken. What was taken is then the answer that the
same call would have given at once.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any, Final, cast

import wrapt as _wrapt

from agentops.instrument.joined import Joined
from agentops.instrument.straight import model_json
from agentops.instrument.tee import server_sent

# What a proxy stands for is the library's: nothing is known of it.
wrapt = cast("Any", _wrapt)


def is_stream(answer: Any) -> bool:
    """Say whether an answer has yet to be read, chunk by chunk."""
    kind = cast("Any", type(answer))
    return hasattr(kind, "__next__") or hasattr(kind, "__anext__")


class Gathered:
    """What the chunks of a stream have said so far; chunks of another version say nothing.

    Chunks are models of pydantic's, plain JSON, or bytes of server-sent events.
    """

    def __init__(self, joined: Joined) -> None:
        self.began = False
        self._joined: Joined | None = joined
        self._line = b""

    def take(self, chunk: Any) -> None:
        """Take a chunk; never raises."""
        self.began = True
        if self._joined is None:
            return
        try:
            if isinstance(chunk, bytes):
                self._take_bytes(chunk)
            else:
                self._joined.take(
                    cast("dict[str, Any]", chunk)
                    if isinstance(chunk, dict)
                    else json.loads(model_json(chunk))
                )
        except Exception:
            self._joined = None

    def _take_bytes(self, chunk: bytes) -> None:
        whole, found, rest = chunk.rpartition(b"\n")
        if not found:
            self._line += chunk
            return
        lines, self._line = self._line + whole, rest
        for event in server_sent(lines.decode("utf-8", "replace")):
            cast("Joined", self._joined).take(json.loads(event))

    def answer(self) -> dict[str, Any]:
        """Return the answer so far; never raises."""
        if not self.began or self._joined is None:
            return {}
        try:
            if self._line:
                self._take_bytes(b"\n")
            return self._joined.answer()
        except Exception:
            return {}


_ENDS: Final = (StopIteration, StopAsyncIteration, GeneratorExit)
"""What ends a stream that did not fail."""


class Followed(wrapt.ObjectProxy):
    """A stream; `take` is told of each chunk, `over`, once, that it is over, and of what broke it."""

    def __init__(
        self, stream: Any, take: Callable[[Any], None], over: Callable[[BaseException | None], None]
    ) -> None:
        super().__init__(stream)
        self._self_take = take
        self._self_over: Callable[[BaseException | None], None] | None = over

    def __iter__(self) -> Any:
        return self

    def __aiter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        try:
            chunk = next(self.__wrapped__)
        except BaseException as error:
            self._self_end(error)
            raise
        self._self_take(chunk)
        return chunk

    async def __anext__(self) -> Any:
        try:
            chunk = await self.__wrapped__.__anext__()
        except BaseException as error:
            self._self_end(error)
            raise
        self._self_take(chunk)
        return chunk

    def __enter__(self) -> Any:
        self.__wrapped__.__enter__()
        return self

    def __exit__(self, *left: Any) -> Any:
        try:
            return self.__wrapped__.__exit__(*left)
        finally:
            self._self_end(left[1])

    async def __aenter__(self) -> Any:
        await self.__wrapped__.__aenter__()
        return self

    async def __aexit__(self, *left: Any) -> Any:
        try:
            return await self.__wrapped__.__aexit__(*left)
        finally:
            self._self_end(left[1])

    def close(self) -> Any:
        """Close the stream, whichever way it is closed."""
        closed = self.__wrapped__.close()
        if inspect.isawaitable(closed):
            return self._self_closing(closed)
        self._self_end(None)
        return closed

    async def aclose(self) -> Any:
        """Close the stream."""
        return await self._self_closing(self.__wrapped__.aclose())

    async def _self_closing(self, closed: Any) -> Any:
        try:
            return await closed
        finally:
            self._self_end(None)

    def __del__(self) -> None:
        self._self_end(None)  # Dropped, and never closed.

    def _self_end(self, error: BaseException | None) -> None:
        over, self._self_over = self._self_over, None
        if over is not None:
            over(None if isinstance(error, _ENDS) else error)
