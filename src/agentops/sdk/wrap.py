"""Wrapping: any callable so that its calls are recorded, whatever kind of callable it is.

Functions, coroutines, generators, async generators, methods, partials, callable objects, descriptors and
classes.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Final, cast

from agentops.sdk.calls import Opener, Spec, opened
from agentops.sdk.classes import instances_recorded, methods_recorded
from agentops.sdk.shapes import shaped
from agentops.sdk.signature import binder

_IMMUTABLE: Final = 1 << 8
"""Py_TPFLAGS_IMMUTABLETYPE: a class such as `int`, whose calls are those of a function."""


def wrapped(
    function: Any, make: Callable[[str, Any], Spec], opener: Opener = opened, *, whole: bool = False
) -> Any:
    """Return `function` with its calls recorded.

    Args:
        function: any callable, or a descriptor around one.
        make: from the callable's shown name and its binder to what its calls say.
        opener: how a call begins to be recorded.
        whole: a class is recorded by its methods' calls, each of its own (sessions), not as one event.
    """
    if isinstance(function, staticmethod | classmethod):
        return type(cast("staticmethod[..., Any]", function))(wrapped(function.__func__, make, opener))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] -- either kind
    if isinstance(function, property):
        return property(
            wrapped(function.fget, make, opener) if function.fget is not None else None,
            function.fset,
            function.fdel,
            function.__doc__,
        )
    if isinstance(function, functools.cached_property):
        return functools.cached_property(wrapped(cast("Any", function).func, make, opener))
    if isinstance(function, functools.partialmethod):
        part: Any = function  # pyright: ignore[reportUnknownVariableType] -- of whatever method
        return functools.partialmethod(wrapped(part.func, make, opener), *part.args, **part.keywords)
    if inspect.isclass(function) and not function.__flags__ & _IMMUTABLE:
        spec = make(shown_name(function), binder(function.__init__))
        if not whole:
            return instances_recorded(function, spec)
        return methods_recorded(function, lambda member: make(shown_name(member), binder(member)), opener)
    return shaped(function, make(shown_name(function), binder(function)), opener)


def shown_name(function: Any) -> str:
    """Return a callable's qualified name without `<locals>`; of a partial, that of what it calls."""
    while isinstance(function, functools.partial):
        function = cast("Any", function).func
    name = (
        getattr(function, "__qualname__", None)
        or getattr(function, "__name__", None)
        or type(function).__qualname__
    )
    return str(name).replace("<locals>.", "")
