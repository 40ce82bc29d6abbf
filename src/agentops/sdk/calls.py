"""One recorded call: opened before the function runs, closed with what came of it.

Decorators, the older record_* decorators and `session.patch` all record through here. Nothing in here
raises; a call that cannot be recorded runs untouched.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextvars import Token
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context

from agentops import semconv
from agentops.ambient import attach_context, get_current, leave
from agentops.sdk.client import client
from agentops.sdk.context import BOUND, enter
from agentops.sdk.session import Session
from agentops.sdk.settings import words
from agentops.sdk.signature import Binder

if TYPE_CHECKING:
    from agentops.sdk.spans import Agent, RecordedSpan


@dataclass(frozen=True, slots=True)
class Spec:
    """What every call of a decorated callable says: its kind, its name, and more attributes."""

    kind: str
    name: str
    bind: Binder
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    agent: Agent | None = None
    tags: tuple[str, ...] = ()


class Call:
    """A call that is being recorded. `handle` is set when the call is a session of its own."""

    __slots__ = ("context", "handle", "span", "token")

    def __init__(self, span: RecordedSpan, token: Token[Context] | None, handle: Session | None) -> None:
        self.span = span
        self.token = token
        self.handle = handle
        self.context: Context | None = None
        """Between the steps of a generator: the context of its body."""

    def done(self, output: Any) -> None:
        """Close the call with its result."""
        span = self.span
        try:
            # Straight into the attributes: the span is ours and open.
            span._attributes[semconv.OUTPUT] = span.core.recorder.captured(output)  # pyright: ignore[reportPrivateUsage]
            if self.handle is not None:
                client.settle(span.core, None)
            else:
                span.end()
        except Exception as error:
            client.recorder.failed(error)

    def failed(self, error: BaseException, output: Any = None) -> None:
        """Close the call with the exception that ended it."""
        span = self.span
        try:
            if output is not None:
                span.set_attribute(semconv.OUTPUT, span.core.recorder.captured(output))
            if self.handle is not None:
                if not isinstance(error, GeneratorExit | SystemExit):
                    span.fail(error)
                client.settle(span.core, error)
            else:
                if not isinstance(error, GeneratorExit):
                    span.fail(error)
                span.end()
        except Exception as failure:
            client.recorder.failed(failure)

    # Steps of a generator: its body runs in its own context, which the consumer never sees.

    def step(self) -> None:
        """Enter the body's context."""
        self.token = attach_context(self.context) if self.context is not None else None

    def pause(self) -> None:
        """Leave the body's context, keeping it for the next step."""
        if self.token is not None:
            self.context = get_current()
            leave(self.token)
            self.token = None


def opened(spec: Spec, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call | None:
    """Begin to record a call and make it current; None when there is no session for it."""
    if not client.ready:
        client.unplaced(spec.name)
        return None
    try:
        where = get_current()
        core = client.belonging.find(where)
        if core is None:
            client.unplaced(spec.name)
            return None
        attributes: dict[str, Any] = {
            semconv.SPAN_KIND: spec.kind,
            semconv.INPUT: core.recorder.captured(spec.bind(args, kwargs)),
        }
        if spec.attributes:
            attributes.update(spec.attributes)
        span = client.open(core, where, spec.name, attributes, agent=spec.agent)
        return Call(span, enter(where, span), None)
    except Exception as error:
        client.recorder.failed(error)
        return None


def opened_session(spec: Spec, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call | None:
    """Begin a session of its own for a call, bound and current."""
    try:
        client.start({})
        handle = client.session(
            name=None,
            shown_name=spec.name,
            tags=list(spec.tags),
            attributes={
                semconv.INPUT: client.recorder.captured(spec.bind(args, kwargs)),
                **spec.attributes,
            },
        )
        root = handle._core.root  # pyright: ignore[reportPrivateUsage] -- a Session is the public face of its core
        if root is None:
            return None
        return Call(root, enter(get_current(), root, handle), handle)
    except Exception as error:
        if client.ready:
            client.recorder.failed(error)
        return None


def bound(handle: Session, where: Context) -> Context:
    """Return `where` with a session bound to it."""
    values = where.copy()
    values[BOUND] = handle
    return Context(values)


def tags_of(tags: Any) -> tuple[str, ...]:
    """Return a decorator's tags."""
    return tuple(words(tags))


def cost_of(cost: Any, function: str) -> float:
    """Return what each call costs, in US dollars.

    Raises:
        TypeError: that is no number.
        ValueError: it is below zero.
    """
    try:
        found = math.nan if isinstance(cost, bool | str) else float(cost)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise TypeError(f"{function}(cost=...) must be a number of US dollars, not {cost!r:.100}")
    if found < 0:
        raise ValueError(f"{function}(cost=...) must be 0 US dollars or more, not {cost!r:.100}")
    return found


Opener = Callable[[Spec, tuple[Any, ...], Mapping[str, Any]], Call | None]
