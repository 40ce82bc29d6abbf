"""Streams of google-genai, recorded when they are read: until then the client sends nothing.

One that calls functions of the program by itself makes a request, calls, and makes the next, all within the
one stream: the whole is an operation, each request an LLM call, and each function a tool (`gemini`). Of each
request the first chunk and the answer's id are told. One that its reader leaves ends there, and did not fail.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Status, StatusCode

from agentops import semconv
from agentops.ambient import attach_context, leave
from agentops.instrument.chat import to_json
from agentops.instrument.written import Written

RESPONSE_ID: Final = "gen_ai.response.id"
Open = Callable[[], Any]
"""What makes a stream of the client's, with the instrumentor's recording around it or without."""


def noted(stream: Any) -> Generator[Any]:
    """Yield the chunks of a stream that the instrumentor records."""
    first = True
    try:
        for chunk in stream:
            if first:
                _first(stream, chunk)
                first = False
            yield chunk
    except GeneratorExit:
        _left(stream)
        raise


async def noted_async(stream: Any) -> AsyncGenerator[Any]:
    """Yield the chunks of an async stream that the instrumentor records."""
    chunks, first = aiter(stream), True
    while True:
        try:
            chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        if first:
            _first(stream, chunk)
            first = False
        try:
            yield chunk
        except BaseException:
            # A loop that ends cancels the closing of a generator that was left: it has not failed either.
            _left(stream)
            raise


def one(opened: Open, where: Context) -> Generator[Any]:
    """Read a stream of one request, which is sent with its first chunk, from where it was asked for."""
    with _in(where):
        stream = opened()
    yield from noted(stream)


async def one_async(opened: Open, where: Context) -> AsyncGenerator[Any]:
    """Read an async stream of one request."""
    with _in(where):
        stream = await opened()
    chunks = noted_async(stream)
    try:
        async for chunk in chunks:
            yield chunk
    except BaseException:
        _left(stream)
        raise


class Whole:
    """A stream of many requests, with the functions that are called between them.

    Args:
        span: the span of the whole.
        wrapper: the instrumentor's, that is to record each request.
        looping: where that is told to whoever makes the requests.
        where: the context in which it was asked for.
    """

    def __init__(self, span: trace.Span, wrapper: Any, looping: ContextVar[Any], where: Context) -> None:
        self._span = span
        self._wrapper = wrapper
        self._looping = looping
        self._where = trace.set_span_in_context(span, where)
        self._said = Written()

    @contextmanager
    def _step(self) -> Generator[None]:
        with _in(self._where):
            token = self._looping.set(self._wrapper)
            try:
                yield
            finally:
                self._looping.reset(token)

    def read(self, chunks: Any) -> Generator[Any]:
        """Yield the chunks of all requests."""
        error: BaseException | None = None
        try:
            while True:
                try:
                    with self._step():
                        chunk = next(chunks)
                except StopIteration:
                    return
                except BaseException as failure:
                    error = failure
                    raise
                self._hear(chunk)
                yield chunk
        finally:
            with self._step():
                chunks.close()
            self._end(error)

    async def read_async(self, chunks: Any) -> AsyncGenerator[Any]:
        """Yield the chunks of all requests."""
        error: BaseException | None = None
        try:
            while True:
                try:
                    with self._step():
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    return
                except BaseException as failure:
                    error = failure
                    raise
                self._hear(chunk)
                yield chunk
        finally:
            try:
                with self._step():
                    await chunks.aclose()
            finally:
                self._end(error)

    def _hear(self, chunk: Any) -> None:
        try:
            parts = chunk.candidates[0].content.parts or ()
            for part in parts:
                if part.text and not part.thought:
                    self._said.write(part.text)
        except Exception:
            pass  # A chunk without text.

    def _end(self, error: BaseException | None) -> None:
        self._span.set_attribute(semconv.OUTPUT, to_json(str(self._said)))
        if error is not None:
            self._span.record_exception(error)
            self._span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        self._span.end()


@contextmanager
def _in(where: Context) -> Generator[None]:
    token = attach_context(where)
    try:
        yield
    finally:
        leave(token)


def lazily(begin: Callable[[], Whole], opened: Open) -> Generator[Any]:
    """Read a stream of many requests, which begins with its first chunk."""
    yield from begin().read(opened())


async def lazily_async(begin: Callable[[], Whole], chunks: Any) -> AsyncGenerator[Any]:
    """Read such an async stream."""
    whole = begin().read_async(chunks)
    try:
        async for chunk in whole:
            yield chunk
    finally:
        await whole.aclose()


def _first(stream: Any, chunk: Any) -> None:
    """Tell when the first chunk of a request came, and the id of the answer."""
    try:
        span = stream._with_span._span
        span.set_attribute(semconv.FIRST_TOKEN_NS, max(time.time_ns() - span.start_time, 0))
        if isinstance(chunk.response_id, str):
            span.set_attribute(RESPONSE_ID, chunk.response_id)
    except Exception:
        pass  # Only these figures are missing.


def _left(stream: Any) -> None:
    try:
        stream._finish_tracing()
    except Exception:
        pass  # It ends when it is dropped.
