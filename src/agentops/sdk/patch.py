"""`session.patch`: a callable bound to a session, and recorded even when nothing instruments it.

A call of an instrumented library or of a decorated function is only bound: the instrumentor or the decorator
records it. Any other call is recorded here as an LLM call: model and messages from its arguments and result,
tokens from the result's usage, the time to the first chunk of a stream. When an instrumented call turns out
to have happened inside, that one is the LLM call, and this an operation.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

from opentelemetry.context import attach, get_current

from agentops import semconv
from agentops.ambient import leave
from agentops.sdk import answers
from agentops.sdk.calls import bound
from agentops.sdk.context import enter
from agentops.sdk.events import llm_attributes
from agentops.sdk.folding import Folded
from agentops.sdk.shapes import dressed, is_recorded
from agentops.sdk.signature import binder, shown_name
from agentops.sdk.stream import is_stream, watched

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from agentops.sdk.client import Client
    from agentops.sdk.session import Session
    from agentops.sdk.spans import RecordedSpan

P = ParamSpec("P")
R = TypeVar("R")

_PROMPTS: Final = ("messages", "prompt", "input", "contents", "question", "query", "text")
_SAID: Final = "gen_ai.output.messages"
_MODELS: Final = ("model", "model_name", "model_id", "modelId", "engine")
_LEFT_OUT: Final = ("Omit", "NotGiven")
"""Classes of what stands for an argument that was not given."""


def patched(
    client: Client, handle: Session, function: Callable[P, R], *, absorbed: bool = False
) -> Callable[P, R]:
    """Return `function` bound to a session; see the head of this file.

    `absorbed`: inside a call of a framework's, that one is the event.
    """
    if not callable(function):
        raise TypeError(f"session.patch() takes a callable, not {type(function).__name__}")
    plan = _Plan(client, handle, function, absorbed)
    if inspect.isasyncgenfunction(function):
        made: Any = plan.async_generator()
    elif inspect.isgeneratorfunction(function):
        made = plan.generator()
    elif inspect.iscoroutinefunction(function):
        made = plan.coroutine()
    else:
        made = plan.function()
    return cast("Callable[P, R]", dressed(function)(made))


class _Plan:
    """How calls of one callable are bound and recorded."""

    def __init__(self, client: Client, handle: Session, function: Callable[..., Any], absorbed: bool) -> None:
        self.client = client
        self.absorbed = absorbed
        self.handle = handle
        self.call = function
        self.name = shown_name(function)
        self.bind = binder(function)
        self.recorded = is_recorded(function) or client.records(function)

    # One shape for each kind of callable.

    def function(self) -> Callable[..., Any]:
        def call_patched(*args: Any, **kwargs: Any) -> Any:
            record = self.begin(args, kwargs)
            with record.inside():
                result = self.call(*args, **kwargs)
            return record.result(result)

        return call_patched

    def coroutine(self) -> Callable[..., Any]:
        async def call_patched(*args: Any, **kwargs: Any) -> Any:
            record = self.begin(args, kwargs)
            with record.inside():
                result = await self.call(*args, **kwargs)
            return record.result(result)

        return call_patched

    def generator(self) -> Callable[..., Any]:
        def call_patched(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            record = self.begin(args, kwargs)
            # What looks like a generator function may be an instrumentor's wrapper, and begin its call here.
            with record.inside():
                body = self.call(*args, **kwargs)
            return cast("Any", (yield from record.stream(body)))

        return call_patched

    def async_generator(self) -> Callable[..., Any]:
        async def call_patched(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            record = self.begin(args, kwargs)
            with record.inside():
                body = self.call(*args, **kwargs)
            body = record.stream(body)
            try:
                async for item in body:
                    yield item
            finally:
                await body.aclose()

        return call_patched

    def begin(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> _Record:
        """Begin one call: bound to the session, with a span of ours unless it is recorded anyway."""
        span: RecordedSpan | None = None
        taken = ""
        where = bound(self.handle, get_current())
        if not self.recorded:
            try:
                arguments = self.bind(args, kwargs)
                named = {**arguments, **cast("dict[str, Any]", arguments.get("kwargs") or {})}
                model = next((named[name] for name in _MODELS if isinstance(named.get(name), str)), None)
                prompt = next((named[name] for name in _PROMPTS if _is_given(named.get(name))), None)
                taken = self.client.captured(arguments)
                attributes = {semconv.SPAN_KIND: "llm", **llm_attributes(self.client, model, prompt, None)}
                attributes[semconv.INPUT if prompt is None else "agentops.event.params"] = taken
                core = self.handle._core  # pyright: ignore[reportPrivateUsage] -- a Session is the face of its core
                span = self.client.open(core, where, model or self.name, attributes, absorbed=self.absorbed)
            except Exception as error:
                self.client.recorder.failed(error)
        return _Record(self.client, self.handle, span, where, taken, self.name)


class _Record:
    """One call in the making, up to the end of its stream."""

    def __init__(
        self, client: Client, handle: Session, span: RecordedSpan | None, where: Any, taken: str, name: str
    ) -> None:
        self.client = client
        self.handle = handle
        self.span = span
        self.name = name
        self.taken = taken
        """The arguments, as JSON text."""
        self.gave: Any = None
        self.context = where
        self.folded = Folded()
        self.over = False

    @contextmanager
    def inside(self) -> Generator[None]:
        """Run one step of the call in its context. An exception ends the call."""
        token = enter(self.context, self.span) if self.span is not None else attach(self.context)
        try:
            yield
        except BaseException as error:
            leave(token)
            if not isinstance(error, StopIteration | StopAsyncIteration):
                self.end(error)
            raise
        else:
            leave(token)

    def result(self, result: Any) -> Any:
        """Return what the caller gets: the result, watched by a proxy while it is still to be consumed."""
        if inspect.isawaitable(result):
            return self._awaited(result)
        if is_stream(result, finished=self.span is None):
            return self.stream(result)
        self.finish(result)
        return result

    async def _awaited(self, result: Any) -> Any:
        with self.inside():
            value = await result
        return self.result(value)

    def stream(self, result: Any) -> Any:
        """Return a proxy of a stream or of the context manager around one."""
        return watched(result, self)

    def chunk(self, item: Any) -> None:
        """Note one item of a stream."""
        span = self.span
        if span is None:
            return
        if not self.folded.chunks:
            started = span.start_time or 0
            span._attributes.setdefault(semconv.FIRST_TOKEN_NS, max(time.time_ns() - started, 0))  # pyright: ignore[reportPrivateUsage]
        try:
            self.folded.add(item)
        except Exception as error:
            self.client.recorder.failed(error)

    def finish(self, result: Any) -> None:
        """End the call with what it gave."""
        if self.over or self.span is None:
            return
        self.gave = result
        try:
            self.span.set_attributes(response_attributes(self.client, result))
        except Exception as error:
            self.client.recorder.failed(error)
        self.end(None)

    def as_operation(self, span: RecordedSpan) -> None:
        """Let the event be what surrounds the LLM call that was recorded inside, and not a second one."""
        attributes = span._attributes  # pyright: ignore[reportPrivateUsage]
        for name in [
            name for name in attributes if name.startswith("gen_ai.") and not name.startswith("gen_ai.agent.")
        ]:
            del attributes[name]
        attributes.pop("agentops.event.params", None)
        attributes[semconv.SPAN_KIND] = "operation"
        attributes[semconv.INPUT] = self.taken
        attributes[semconv.OUTPUT] = self.client.captured(self.folded.said() or self.gave)
        span.update_name(self.name)

    def end(self, error: BaseException | None) -> None:
        """End the call, with the exception that ended it."""
        span = self.span
        if self.over or span is None:
            return
        self.over = True
        try:
            if self.folded.chunks and _SAID not in span._attributes:  # pyright: ignore[reportPrivateUsage]
                span.set_attributes(self.folded.attributes(self.client))
            if error is not None and not isinstance(error, GeneratorExit):
                span.fail(error)
            # Texts may have been embedded on the way to what is an answer all the same.
            if span.holds_call == "llm" or (span.holds_call and _SAID not in span._attributes):  # pyright: ignore[reportPrivateUsage]
                self.as_operation(span)
            span.end()
        except Exception as failure:
            self.client.recorder.failed(failure)


def _is_given(value: Any) -> bool:
    return value is not None and type(value).__name__ not in _LEFT_OUT


def response_attributes(client: Client, result: Any) -> dict[str, Any]:
    """Return what a provider's response says: model, id, messages, tokens; of anything else, its value."""
    out = llm_attributes(client, answers.model_of(result), None, answers.completion(result))
    out.pop("gen_ai.request.model", None)
    if _SAID not in out:
        out[semconv.OUTPUT] = client.captured(result)
    identity = answers.field(result, "id")
    if isinstance(identity, str):
        out["gen_ai.response.id"] = identity
    ends = answers.ends(result)
    if ends:
        out["gen_ai.response.finish_reasons"] = ends
    out.update(answers.tokens(result))
    return out
