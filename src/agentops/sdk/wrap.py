"""Wrapping: any callable so that its calls are recorded, whatever kind of callable it is.

Functions, coroutines, generators, async generators, methods, partials, callable objects and classes. The
wrapper has the same signature, is of the same kind (`inspect.iscoroutinefunction` and friends agree), and
changes no result.
"""

from __future__ import annotations

import functools
import inspect
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Generator
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Final, cast

from opentelemetry.context import get_current

from agentops import semconv
from agentops.sdk.calls import Call, Opener, Spec, opened
from agentops.sdk.client import client
from agentops.sdk.context import enter, leave
from agentops.sdk.signature import binder

Function = Callable[..., Any]


def wrapped(
    function: Any, make: Callable[[str, Any], Spec], opener: Opener = opened, *, whole: bool = False
) -> Any:
    """Return `function` with its calls recorded.

    Args:
        function: any callable, or a staticmethod or classmethod around one.
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
    if inspect.isclass(function):
        return _class_methods(function, make, opener) if whole else _class(function, make)
    spec = make(shown_name(function), binder(function))
    if inspect.iscoroutinefunction(function):
        return _coroutine(function, spec, opener)
    if inspect.isasyncgenfunction(function):
        return _async_generator(function, spec, opener)
    if inspect.isgeneratorfunction(function):
        return _generator(function, spec, opener)
    return _function(function, spec, opener)


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


def dressed(function: Any) -> Callable[[Any], Any]:
    """Return `functools.wraps(function)`, also for callables without the usual names or with methods."""
    dress = functools.wraps(function, updated=("__dict__",) if hasattr(function, "__dict__") else ())
    if isinstance(function, type | FunctionType | MethodType | BuiltinFunctionType):
        return dress

    def dress_object(wrapper: Any) -> Any:
        dressed_one = dress(wrapper)
        # Such as cache_info of a cached function, or register of a dispatching one.
        for name in dir(cast("object", function)):
            if not name.startswith("_") and not hasattr(dressed_one, name):
                try:
                    setattr(dressed_one, name, getattr(function, name))
                except Exception:
                    continue  # A property that does not want to be read now.
        return dressed_one

    return dress_object


def _function(function: Function, spec: Spec, opener: Opener) -> Function:
    @dressed(function)
    def call_recorded(*args: Any, **kwargs: Any) -> Any:
        call = opener(spec, args, kwargs)
        if call is None:
            return function(*args, **kwargs)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            leave(call.token)
            call.failed(error)
            raise
        leave(call.token)
        call.done(result)
        return result

    return call_recorded


def _coroutine(function: Function, spec: Spec, opener: Opener) -> Function:
    @dressed(function)
    async def call_recorded(*args: Any, **kwargs: Any) -> Any:
        call = opener(spec, args, kwargs)
        if call is None:
            return await function(*args, **kwargs)
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            leave(call.token)
            call.failed(error)
            raise
        leave(call.token)
        call.done(result)
        return result

    return call_recorded


_MAX_ITEMS: Final = 1000


class _Yielded:
    """What a generator gave, as its recorded output: the items, or as many as are worth keeping."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.count = 0

    def add(self, item: Any) -> None:
        self.count += 1
        if self.count <= _MAX_ITEMS:
            self.items.append(item)

    def output(self, returned: Any = None) -> Any:
        shown = list(self.items)
        if self.count > len(shown):
            shown.append(f"… [cut: {self.count - len(shown)} of {self.count} items]")
        return shown if returned is None else {"yielded": shown, "returned": returned}


def _generator(function: Function, spec: Spec, opener: Opener) -> Function:
    @dressed(function)
    def call_recorded(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        call = opener(spec, args, kwargs)
        if call is None:
            return cast("Any", (yield from function(*args, **kwargs)))
        return (yield from driven(call, function, args, kwargs))

    return call_recorded


def driven(call: Call, function: Function, args: Any, kwargs: Any) -> Generator[Any, Any, Any]:
    """Run a generator function as a recorded call, each step in the context of its body."""
    call.pause()
    body: Any = None
    seen = _Yielded()
    sent: Any = None
    thrown: BaseException | None = None
    while True:
        call.step()
        try:
            if body is None:
                body = function(*args, **kwargs)
            item = body.send(sent) if thrown is None else body.throw(thrown)
        except StopIteration as stop:
            call.pause()
            call.done(seen.output(stop.value))
            return stop.value
        except BaseException as error:
            call.pause()
            call.failed(error, seen.output())
            raise
        call.pause()
        seen.add(item)
        sent, thrown = None, None
        try:
            sent = yield item
        except GeneratorExit as leaving:
            # The consumer stopped reading: the body is closed in its own context, which ends the call.
            call.step()
            try:
                body.close()
            finally:
                call.pause()
                call.failed(leaving, seen.output())
            raise
        except BaseException as error:
            thrown = error


def _async_generator(function: Function, spec: Spec, opener: Opener) -> Function:
    @dressed(function)
    async def call_recorded(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        call = opener(spec, args, kwargs)
        body = function(*args, **kwargs)
        if call is not None:
            call.pause()
        seen = _Yielded()
        sent: Any = None
        thrown: BaseException | None = None
        while True:
            if call is not None:
                call.step()
            try:
                item = await (body.asend(sent) if thrown is None else body.athrow(thrown))
            except StopAsyncIteration:
                if call is not None:
                    call.pause()
                    call.done(seen.output())
                return
            except BaseException as error:
                if call is not None:
                    call.pause()
                    call.failed(error, seen.output())
                raise
            if call is not None:
                call.pause()
                seen.add(item)
            sent, thrown = None, None
            try:
                sent = yield item
            except GeneratorExit as leaving:
                if call is not None:
                    call.step()
                try:
                    await body.aclose()
                finally:
                    if call is not None:
                        call.pause()
                        call.failed(leaving, seen.output())
                raise
            except BaseException as error:
                thrown = error

    return call_recorded


# Classes.


class _Life:
    """The event that stands for an instance: one a session, from construction to its last call."""

    def __init__(self, spec: Spec, arguments: dict[str, Any]) -> None:
        self.spec = spec
        self.arguments = arguments
        self.spans: dict[int, Any] = {}
        self.lock = threading.RLock()


_lives: Final[dict[int, _Life]] = {}
_inside: Final = threading.local()


def _class(cls: Any, make: Callable[[str, Any], Spec]) -> Any:
    """Record a class: each instance is one event a session, and what its methods do happens below it."""
    spec = make(shown_name(cls), binder(cls.__init__))
    construct = cls.__init__
    if construct is object.__init__ and cls.__new__ is not object.__new__:
        # Its arguments are __new__'s; object.__init__ would refuse them now that there is an __init__.
        def construct(self: Any, *args: Any, **kwargs: Any) -> None:
            pass

    @functools.wraps(construct)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        if id(self) in _lives:  # A decorated subclass has begun already.
            construct(self, *args, **kwargs)
            return
        try:
            _lives[id(self)] = _Life(spec, spec.bind((self, *args), kwargs))
            weakref.finalize(self, _lives.pop, id(self), None).atexit = False
        except TypeError:
            _lives.pop(id(self), None)  # Its instances cannot be watched (slots without __weakref__).
        _entering(self, lambda: construct(self, *args, **kwargs))

    cls.__init__ = __init__
    for name, member in members(cls):
        if not inspect.isfunction(member) or (name.startswith("_") and name != "__call__"):
            continue
        setattr(cls, name, _method(member))
    return cls


def members(cls: Any) -> list[tuple[str, Any]]:
    """Return what a class itself defines."""
    return list(cast("dict[str, Any]", vars(cls)).items())


def _begin(instance: Any) -> tuple[Any, Any]:
    """Make the instance's span current in this session; returns it and the token, or two None."""
    life = _lives.get(id(instance))
    if life is None or not client.ready:
        return None, None
    try:
        where = get_current()
        core = client.belonging.find(where)
        if core is None:
            return None, None
        with life.lock:
            span = life.spans.get(core.trace_id)
            if span is None:
                attributes = {
                    semconv.SPAN_KIND: life.spec.kind,
                    semconv.INPUT: client.captured(life.arguments),
                    **life.spec.attributes,
                }
                span = client.open(core, where, life.spec.name, attributes, agent=life.spec.agent)
                life.spans = {trace: known for trace, known in life.spans.items() if known.core.running}
                life.spans[core.trace_id] = span
        return span, enter(where, span)
    except Exception as error:
        client.recorder.failed(error)
        return None, None


def _end(span: Any, token: Any, error: BaseException | None) -> None:
    leave(token)
    try:
        if error is not None and not isinstance(error, GeneratorExit):
            span.reopen()
            span.fail(error)
        span.extend()
    except Exception as failure:
        client.recorder.failed(failure)


def _entering(instance: Any, run: Callable[[], Any]) -> Any:
    from agentops.sdk.context import OWN

    life = _lives.get(id(instance))
    own = get_current().get(OWN)
    if life is not None and own is not None and own in life.spans.values():
        return run()  # Already inside this instance.
    span, token = _begin(instance)
    if span is None:
        return run()
    try:
        result = run()
    except BaseException as error:
        _end(span, token, error)
        raise
    _end(span, token, None)
    return result


def _method(member: Any) -> Any:
    if inspect.iscoroutinefunction(member):

        @functools.wraps(member)
        async def run_async(self: Any, *args: Any, **kwargs: Any) -> Any:
            span, token = _begin(self)
            if span is None:
                return await member(self, *args, **kwargs)
            try:
                result = await member(self, *args, **kwargs)
            except BaseException as error:
                _end(span, token, error)
                raise
            _end(span, token, None)
            return result

        return run_async
    if inspect.isgeneratorfunction(member) or inspect.isasyncgenfunction(member):
        return member

    @functools.wraps(member)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _entering(self, lambda: member(self, *args, **kwargs))

    return run


def _class_methods(cls: Any, make: Callable[[str, Any], Spec], opener: Opener) -> Any:
    """Record a class by the calls of its public methods, each of its own."""
    for name, member in members(cls):
        if inspect.isfunction(member) and (name == "__call__" or not name.startswith("_")):
            setattr(cls, name, wrapped(member, make, opener))
    return cls
