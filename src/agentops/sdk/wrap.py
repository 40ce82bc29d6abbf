"""Wrapping: any callable so that its calls are recorded, whatever kind of callable it is.

Functions, coroutines, generators, async generators, methods, partials, callable objects, descriptors and
classes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from agentops.sdk.calls import Opener, Spec, opened
from agentops.sdk.classes import instances_recorded, methods_recorded
from agentops.sdk.descriptors import KINDS, around
from agentops.sdk.shapes import shaped
from agentops.sdk.signature import binder, shown_name

_IMMUTABLE: Final = 1 << 8
"""Py_TPFLAGS_IMMUTABLETYPE: a class such as `int`, whose calls are those of a function."""


def wrapped(
    function: Any,
    make: Callable[[str, Any], Spec],
    opener: Opener = opened,
    *,
    whole: bool = False,
    shown: str | None = None,
) -> Any:
    """Return `function` with its calls recorded.

    Args:
        function: any callable, or a descriptor around one.
        make: from the callable's shown name and its binder to what its calls say.
        opener: how a call begins to be recorded.
        whole: a class is recorded by its methods' calls, each of its own (sessions), not as one event.
        shown: the name to show; default: the callable's own.
    """
    if isinstance(function, KINDS):
        return around(function, lambda inner, named: wrapped(inner, make, opener, shown=named), shown)
    if is_a_class(function):
        if not whole:
            return instances_recorded(
                function, make(shown or shown_name(function), binder(function.__init__))
            )
        return methods_recorded(
            function, lambda member, named: make(named or shown_name(member), binder(member)), opener
        )
    return shaped(function, make(shown or shown_name(function), binder(function)), opener)


def is_a_class(function: Any) -> bool:
    """Say whether a callable is a class that can be recorded as one."""
    return inspect.isclass(function) and not function.__flags__ & _IMMUTABLE
