"""Signatures: a call's arguments by name, as recorded input. Inspected once a function, cheap a call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

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
