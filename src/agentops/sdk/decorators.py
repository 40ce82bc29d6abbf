"""Decorators: `session`, `agent`, `operation`, `task`, `workflow`, `tool`, `guardrail` and older names.

Each bare or with arguments, on any callable. What goes in and comes out is recorded, exceptions too; they
pass on untouched, and so do results. Without a session to belong to, the callable runs as if it were not
decorated; `session` and `trace` give each call a session of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

from agentops import semconv
from agentops.sdk.calls import Opener, Spec, cost_of, opened, opened_session, tags_of
from agentops.sdk.descriptors import KINDS
from agentops.sdk.settings import word
from agentops.sdk.signature import Binder, keywords
from agentops.sdk.wrap import wrapped

F = TypeVar(
    "F",
    bound="Callable[..., Any] | classmethod[Any, Any, Any] | property | functools.cached_property[Any] | functools.partialmethod[Any] | functools.singledispatchmethod[Any]",  # noqa: E501 -- pyright takes one text
)
P = ParamSpec("P")
R = TypeVar("R")
Tags = Iterable[str] | str | None

__all__ = [
    "agent",
    "guardrail",
    "operation",
    "session",
    "task",
    "tool",
    "trace",
    "track_endpoint",
    "workflow",
]


class _Decorator(Protocol):
    """What `agent`, `operation` and their kin are: a decorator, or a function that returns one."""

    @overload
    def __call__(self, function: F, /) -> F: ...
    @overload
    def __call__(
        self, function: None = None, /, *, name: str | None = None, version: Any = None, tags: Tags = None
    ) -> Callable[[F], F]: ...


def _decorate(
    function: Any,
    kind: str,
    *,
    name: str | None,
    version: Any,
    tags: Any,
    more: dict[str, Any] | None = None,
    opener: Opener = opened,
    whole: bool = False,
) -> Any:
    attributes = dict(more or {})
    if version is not None:
        attributes[semconv.VERSION] = word(version)
    labels = tags_of(tags)
    if labels and opener is opened:
        attributes[semconv.TAGS] = list(labels)

    def make(shown: str, bind: Binder) -> Spec:
        chosen = word(name) if name else shown
        said = dict(attributes)
        if kind == "tool":
            said[semconv.TOOL_NAME] = chosen
        agent_of = (chosen, "") if kind == "agent" else None
        return Spec(kind, chosen, bind, said, agent_of, labels)

    def decorate(target: Any) -> Any:
        if not callable(target) and not isinstance(target, KINDS):
            raise TypeError(f"@{kind} decorates a callable, not {type(cast('object', target)).__name__}")
        return wrapped(target, make, opener, whole=whole)

    if function is None:
        return decorate
    if isinstance(function, str):
        # @agent("Researcher"): the name, given by position.
        return _decorate(
            None, kind, name=function, version=version, tags=labels, more=more, opener=opener, whole=whole
        )
    return decorate(function)


def _plain(kind: str, said: str) -> _Decorator:
    def decorator(
        function: Any = None, /, *, name: str | None = None, version: Any = None, tags: Tags = None
    ) -> Any:
        return _decorate(function, kind, name=name, version=version, tags=tags)

    decorator.__name__ = decorator.__qualname__ = kind
    decorator.__doc__ = f"""Record calls of a callable as {said}.

    Args:
        function: the callable, when used bare.
        name: shown name; default: the callable's qualified name.
        version: recorded with each call.
        tags: recorded with each call.
    """
    return cast("_Decorator", keywords(decorator))


agent: _Decorator = _plain("agent", "an agent's runs; events inside are attributed to it")
operation: _Decorator = _plain("operation", "operations")
task: _Decorator = _plain("task", "operations (tasks)")
workflow: _Decorator = _plain("workflow", "operations (workflows)")


@overload
def session(function: F, /) -> F: ...
@overload
def session(
    function: None = None, /, *, name: str | None = None, version: Any = None, tags: Tags = None
) -> Callable[[F], F]: ...
@keywords
def session(
    function: Any = None, /, *, name: str | None = None, version: Any = None, tags: Tags = None
) -> Any:
    """Give each call of a callable a session of its own, bound while it runs.

    The session ends as Success when the call returns and as Fail when it raises. On a class, each call of a
    public method is such a call. Initialises the SDK with its defaults when that has not been done.

    Args:
        function: the callable, when used bare.
        name: the sessions' name; default: the callable's qualified name.
        version: recorded with each session.
        tags: tags of each session, beside the default tags.
    """
    return _decorate(
        function,
        semconv.SESSION_KIND,
        name=name,
        version=version,
        tags=tags,
        opener=opened_session,
        whole=True,
    )


trace = session
"""`session`, by the name that AgentOps 0.4 gave it."""
track_endpoint = session
"""`session`, for the function behind a web endpoint: each request is a session."""


@overload
def tool(function: F, /) -> F: ...
@overload
def tool(
    function: None = None,
    /,
    *,
    name: str | None = None,
    version: Any = None,
    tags: Tags = None,
    cost: float | None = None,
) -> Callable[[F], F]: ...
@keywords
def tool(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    version: Any = None,
    tags: Tags = None,
    cost: float | None = None,
) -> Any:
    """Record calls of a callable as a tool's.

    Args:
        function: the callable, when used bare.
        name: shown name; default: the callable's qualified name.
        version: recorded with each call.
        tags: recorded with each call.
        cost: US dollars that each call costs.
    """
    more: dict[str, Any] = {} if cost is None else {semconv.TOTAL_COST: cost_of(cost, "tool")}
    return _decorate(function, "tool", name=name, version=version, tags=tags, more=more)


@overload
def guardrail(function: F, /) -> F: ...
@overload
def guardrail(
    function: None = None,
    /,
    *,
    name: str | None = None,
    version: Any = None,
    tags: Tags = None,
    spec: str | None = None,
) -> Callable[[F], F]: ...
@keywords
def guardrail(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    version: Any = None,
    tags: Tags = None,
    spec: str | None = None,
) -> Any:
    """Record calls of a callable as a guardrail's.

    Args:
        function: the callable, when used bare.
        name: shown name; default: the callable's qualified name.
        version: recorded with each call.
        tags: recorded with each call.
        spec: what it guards: "input" or "output".
    """
    more: dict[str, Any] = {} if spec is None else {semconv.GUARDRAIL_SPEC: spec}
    return _decorate(function, "guardrail", name=name, version=version, tags=tags, more=more)
