"""Patches: methods and functions of a library with something of ours around them, which can be taken back.

A patch that another tool has wrapped meanwhile cannot be taken out from under it: it stays, and does nothing.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

Around = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""What is put around a callable: it is given the callable, its instance, and the arguments."""
_MISSING: Final = object()


class Patches:
    """The patches of one library."""

    def __init__(self) -> None:
        self.active = True
        self._undo: list[Callable[[], None]] = []

    def method(self, owner: Any, name: str, around: Around) -> bool:
        """Put `around` around an attribute of a class or module; say whether there was such a one."""
        import wrapt

        if not callable(getattr(owner, name, None)):
            return False
        before = _held(owner).get(name, _MISSING)

        def guarded(
            wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
        ) -> Any:
            if not self.active:
                return wrapped(*args, **kwargs)
            return around(wrapped, instance, args, kwargs)

        ours: Any = wrapt.FunctionWrapper(_plain(owner, name), guarded)
        setattr(owner, name, ours)

        def undo() -> None:
            if _held(owner).get(name) is not ours:
                return
            if before is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

        self._undo.append(undo)
        return True

    def later(self, place: str, around: Around) -> None:
        """Put `around` around the method `module:Class.method` once its module is imported, if it is one."""
        module, _, name = place.partition(":")
        owner, _, method = name.partition(".")
        self.when(module, lambda loaded: self.method(getattr(loaded, owner, None), method, around))

    def when(self, module: str, patch: Callable[[Any], Any]) -> None:
        """Call `patch` with a module as soon as it is imported, if these patches are in force then."""
        if module in sys.modules:
            patch(sys.modules[module])
            return
        from wrapt import register_post_import_hook  # Not at the top: a fifth of a second.

        register_post_import_hook(lambda loaded: self.active and patch(loaded), module)

    def inner(self, function: Any, name: str, around: Around) -> bool:
        """Put `around` around what a decorated function calls, for those who hold the function already.

        Args:
            function: a function made by a decorator, which others may be around.
            name: the variable of the decorator that holds what it decorates.
            around: as for `method`; the instance is None.
        """
        while name not in getattr(getattr(function, "__code__", None), "co_freevars", ()):
            function = getattr(function, "__wrapped__", None)
            if function is None:
                return False
        code, closure = function.__code__, function.__closure__
        cell = closure[code.co_freevars.index(name)]
        before = cell.cell_contents

        def first(*args: Any, **kwargs: Any) -> Any:
            if not self.active:
                return before(*args, **kwargs)
            return around(before, None, args, kwargs)

        async def first_async(*args: Any, **kwargs: Any) -> Any:
            if not self.active:
                return await before(*args, **kwargs)
            return await around(before, None, args, kwargs)

        ours: Any = first_async if inspect.iscoroutinefunction(before) else first
        functools.update_wrapper(ours, before)
        cell.cell_contents = ours

        def undo() -> None:
            if cell.cell_contents is ours:
                cell.cell_contents = before

        self._undo.append(undo)
        return True

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Put a value in the place of an attribute of a class or module, or where there was none."""
        before = _held(owner).get(name, _MISSING)
        setattr(owner, name, value)

        def undo() -> None:
            if _held(owner).get(name) is value:
                if before is _MISSING:
                    delattr(owner, name)
                else:
                    setattr(owner, name, before)

        self._undo.append(undo)

    def undo(self) -> None:
        """Take every patch back, the last first."""
        self.active = False
        while self._undo:
            self._undo.pop()()


def _plain(owner: Any, name: str) -> Any:
    """Return what a class or module holds under a name, as it is stored and not as it is bound."""
    places: tuple[Any, ...] = getattr(owner, "__mro__", (owner,))
    for place in places:
        if name in _held(place):
            return _held(place)[name]
    return getattr(owner, name)


def _held(owner: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", vars(owner))


def found(place: str) -> Any:
    """Return what `package.module:name` names, or None."""
    module, _, name = place.partition(":")
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None
