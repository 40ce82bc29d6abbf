"""Signatures: a callable's name, a call's arguments by name, and the nearest name of a keyword that is none.

Inspected once a function, cheap a call.
"""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type[Any])

Arguments = dict[str, Any]
Binder = Callable[[tuple[Any, ...], Mapping[str, Any]], Arguments]


def binder(function: Callable[..., Any], *, skip_first: bool = False) -> Binder:
    """Return a function from `(args, kwargs)` to the arguments by name, defaults included.

    `self` and `cls` are left out, and so is the first parameter when `skip_first`. Arguments that do not
    fit the signature are returned as they came: the call itself will complain.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return _unnamed
    # `self` by its name only: a decorator sees a plain function before the class exists.
    leave_out = 1 if skip_first or (parameters and parameters[0].name in ("self", "cls")) else 0
    simple = all(parameter.kind is parameter.POSITIONAL_OR_KEYWORD for parameter in parameters)
    names = tuple(parameter.name for parameter in parameters)
    count = len(names)
    shown = names[leave_out:]
    defaults = {
        parameter.name: parameter.default
        for parameter in parameters[leave_out:]
        if parameter.default is not parameter.empty
    }
    known = frozenset(shown)
    kinds = {parameter.name: parameter.kind for parameter in parameters}

    def plain(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Arguments:
        given = args[leave_out:] if leave_out else args
        if not kwargs and len(args) == count:
            return dict(zip(shown, given, strict=True))
        if len(given) > len(shown) or not kwargs.keys() <= known:
            return _unnamed(given, kwargs)
        named = dict(zip(shown, given, strict=False))
        for name in shown[len(given) :]:
            if name in kwargs:
                named[name] = kwargs[name]
            elif name in defaults:
                named[name] = defaults[name]
        return named

    def general(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Arguments:
        left = list(args)
        rest = dict(kwargs)
        named: Arguments = {}
        for name, kind in kinds.items():
            if kind is inspect.Parameter.VAR_POSITIONAL:
                named[name], left = left, []
            elif kind is inspect.Parameter.VAR_KEYWORD:
                named[name], rest = rest, {}
            elif left and kind is not inspect.Parameter.KEYWORD_ONLY:
                named[name] = left.pop(0)
            elif name in rest:
                named[name] = rest.pop(name)
            elif name in defaults:
                named[name] = defaults[name]
        if left or rest:
            return _unnamed(args[leave_out:], kwargs)
        return {name: item for name, item in named.items() if name in known}

    return plain if simple else general


def _unnamed(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Arguments:
    out: Arguments = {}
    if args:
        out["args"] = list(args)
    if kwargs:
        out["kwargs"] = dict(kwargs)
    return out


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


def unexpected(function: str, name: str, known: Iterable[str]) -> TypeError:
    """Return the error for an unknown keyword; it names the nearest known one, however far."""
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.0)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return TypeError(f"{function}() got an unexpected keyword argument {name!r}.{hint}")


def keywords(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function of ours answer an unknown keyword with the nearest known one."""
    parameters = inspect.signature(function).parameters.values()
    known = frozenset(
        one.name for one in parameters if one.kind not in (one.POSITIONAL_ONLY, one.VAR_POSITIONAL)
    ) - {"self"}
    shown = function.__name__

    @functools.wraps(function)
    def named(*args: P.args, **kwargs: P.kwargs) -> R:
        if not kwargs.keys() <= known:
            raise unexpected(shown, next(name for name in kwargs if name not in known), known)
        return function(*args, **kwargs)

    return named


def named_fields(cls: C) -> C:
    """Let a dataclass of ours do the same."""
    construct = cast("Any", cls.__init__)
    known = frozenset(inspect.signature(construct).parameters) - {"self"}

    @functools.wraps(construct)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        if not kwargs.keys() <= known:
            raise unexpected(cls.__name__, next(name for name in kwargs if name not in known), known)
        construct(self, *args, **kwargs)

    cls.__init__ = __init__
    return cls
