"""The older decorators (0.3): `record_action`, `record_tool`, `record_function`, `track_agent`, `track_tool`.

Their wrapped functions also take `session=`, the way 0.3 assigned a call to a session in multi-session mode.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import uuid
import weakref
from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar, cast

from agentops import semconv
from agentops.ambient import leave
from agentops.sdk.calls import Spec, cost_of
from agentops.sdk.context import bind
from agentops.sdk.descriptors import KINDS, around
from agentops.sdk.session import Session
from agentops.sdk.signature import Binder, keywords
from agentops.sdk.wrap import is_a_class, wrapped

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")


@keywords
def record_action(event_name: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Record calls of a function as actions named `event_name`, or by the function's name."""
    return _older("action", event_name)


record_function = record_action
"""`record_action`, by its first name."""


@keywords
def record_tool(
    tool_name: str | None = None, cost: float | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Record calls of a function as uses of a tool.

    Args:
        tool_name: shown name; default: the function's.
        cost: US dollars that each call costs.
    """
    return _older("tool", tool_name, None if cost is None else cost_of(cost, "record_tool"))


track_tool = record_tool
"""`record_tool`, by another of its names."""


def _older(kind: str, name: Any, cost: float | None = None) -> Any:
    def make(shown: str, bind_arguments: Binder) -> Spec:
        chosen = name if isinstance(name, str) and name else shown
        said: dict[str, Any] = {semconv.TOOL_NAME: chosen} if kind == "tool" else {}
        if cost is not None:
            said[semconv.TOTAL_COST] = cost
        return Spec(kind, chosen, bind_arguments, said)

    def decorate(function: Any, shown: str | None = None) -> Any:
        if isinstance(function, KINDS):
            return around(function, decorate, shown)
        recorded = wrapped(function, make, shown=shown)
        return recorded if inspect.isclass(function) else _with_session(function, recorded)

    return decorate(name) if callable(name) or isinstance(name, KINDS) else decorate


def _with_session(function: Any, recorded: Any) -> Any:
    """Let calls name their session, unless `session` is a parameter of the function's own."""
    try:
        if "session" in inspect.signature(function).parameters:
            return recorded
    except (TypeError, ValueError):
        return recorded
    if inspect.iscoroutinefunction(recorded):

        @functools.wraps(recorded)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            handle = kwargs.pop("session", None) if isinstance(kwargs.get("session"), Session) else None
            if handle is None:
                return await recorded(*args, **kwargs)
            token = bind(handle)
            try:
                return await recorded(*args, **kwargs)
            finally:
                leave(token)

        return call_async
    if inspect.isgeneratorfunction(recorded) or inspect.isasyncgenfunction(recorded):
        return recorded

    @functools.wraps(recorded)
    def call(*args: Any, **kwargs: Any) -> Any:
        handle = kwargs.pop("session", None) if isinstance(kwargs.get("session"), Session) else None
        if handle is None:
            return recorded(*args, **kwargs)
        token = bind(handle)
        try:
            return recorded(*args, **kwargs)
        finally:
            leave(token)

    return call


@keywords
def track_agent(name: str | None = None) -> Callable[[C], C]:
    """Make a class, or a function, an agent: what happens inside is attributed to it.

    Instances get `agent_ops_agent_id` and `agent_ops_agent_name`.
    """

    def decorate(target: C) -> C:
        from agentops.sdk.decorators import agent

        shown = name if isinstance(name, str) and name else getattr(target, "__name__", "agent")
        decorated = agent(name=shown)(cast("Any", target))
        if is_a_class(target):
            _identified(target, shown)
        return cast("C", decorated)

    return cast("Any", decorate(cast("Any", name)) if callable(name) or isinstance(name, KINDS) else decorate)


_names: Final[weakref.WeakKeyDictionary[Any, str]] = weakref.WeakKeyDictionary()
"""What agents' classes are shown as."""


def _identified(cls: Any, shown: str) -> None:
    _names[cls] = shown
    construct = cls.__init__
    if construct is object.__init__:
        # It is given no constructor: `@dataclass` above would take that for the class's own.
        cls.__new__ = staticmethod(_maker(shown))
        return

    @functools.wraps(construct)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        given = kwargs.pop("agentops_name", None)
        _identify(self, given, shown)
        construct(self, *args, **kwargs)
        _identify(self, given, shown)  # Some constructors empty what they find.

    cls.__init__ = __init__


def _maker(shown: str) -> Callable[..., Any]:
    """Return a `__new__` for an agent's class that had no constructor when it was decorated."""

    def __new__(cls: Any, *args: Any, **kwargs: Any) -> Any:
        given = kwargs.pop("agentops_name", None)
        if cls.__init__ is object.__init__ and (args or kwargs):
            raise TypeError(f"{cls.__name__}() takes no arguments")
        made = _next_new(cls, __new__)
        if made is object.__new__:
            args, kwargs = (), {}
        instance = made(cls, *args, **kwargs)
        _identify(instance, given, shown)
        return instance

    return __new__


def _next_new(cls: Any, own: Any) -> Any:
    """Return the `__new__` behind `own` in the order of a class's bases."""
    found = [
        getattr(each["__new__"], "__func__", each["__new__"])
        for each in map(vars, cls.__mro__)
        if "__new__" in each
    ]
    return found[found.index(own) + 1]


def _identify(agent: Any, given: str | None, shown: str) -> None:
    if getattr(agent, "agent_ops_agent_id", None) is not None:
        return
    name = given or next((_names[kind] for kind in type(agent).__mro__ if kind in _names), shown)
    own_id = str(uuid.uuid4())
    for attribute, value in (
        ("agent_ops_agent_id", own_id),
        ("agentops_agent_id", own_id),
        ("agent_ops_agent_name", name),
        ("agentops_agent_name", name),
    ):
        with contextlib.suppress(AttributeError):  # Slots.
            object.__setattr__(agent, attribute, value)
