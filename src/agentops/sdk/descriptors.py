"""Descriptors: what stands around a method (a property, a class method and their kin) stays what it is.

Only the callable inside is recorded. Of a method that dispatches by type, every implementation is, whether
it was registered before or will be afterwards, and each by the name of the method.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any, Final, cast

from agentops.sdk.signature import shown_name

Record = Callable[[Any, str | None], Any]
"""From a callable, and a name to show instead of its own, to the same with its calls recorded."""
KINDS: Final = (
    staticmethod,
    classmethod,
    property,
    functools.cached_property,
    functools.partialmethod,
    functools.singledispatchmethod,
)


def around(descriptor: Any, record: Record, shown: str | None = None) -> Any:
    """Return a descriptor like `descriptor`, one of `KINDS`, with the calls of what is inside recorded."""
    if isinstance(descriptor, staticmethod | classmethod):
        kind = type(cast("staticmethod[..., Any]", descriptor))
        return kind(record(cast("Any", descriptor).__func__, shown))
    if isinstance(descriptor, property):
        read = descriptor.fget
        return property(
            None if read is None else record(read, shown),
            descriptor.fset,
            descriptor.fdel,
            descriptor.__doc__,
        )
    if isinstance(descriptor, functools.cached_property):
        return functools.cached_property(record(cast("Any", descriptor).func, shown))
    one: Any = descriptor
    if isinstance(descriptor, functools.partialmethod):
        return functools.partialmethod(record(one.func, shown), *one.args, **one.keywords)
    dispatching = copy.copy(one)
    dispatching.dispatcher = _Dispatcher(one.dispatcher, record, shown or shown_name(one.func))
    return dispatching


class _Dispatcher:
    """The dispatcher of a `singledispatchmethod`, whose implementations are recorded when they are called."""

    def __init__(self, dispatcher: Any, record: Record, shown: str) -> None:
        self._dispatch = dispatcher.dispatch
        self.register = dispatcher.register
        self._record = record
        self._shown = shown
        self._recorded: dict[Any, Any] = {}

    def dispatch(self, kind: type) -> Any:
        found = self._dispatch(kind)
        if found not in self._recorded:
            self._recorded[found] = self._record(found, self._shown)
        return self._recorded[found]
