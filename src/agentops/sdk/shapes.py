"""Shapes: what a recorded function, coroutine, generator or async generator looks like from outside.

Each is of the same kind as what it records (`inspect.iscoroutinefunction` and friends agree), has the same
signature, and changes no result.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    MethodType,
)
from typing import Any, Final, cast

from agentops.ambient import leave
from agentops.sdk.calls import Call, Opener, Spec

Function = Callable[..., Any]
_MARK: Final = "__agentops_recorded__"


def shaped(function: Function, spec: Spec, opener: Opener, *, like: Function | None = None) -> Function:
    """Return `function` with its calls recorded.

    Args:
        function: any callable.
        spec: what its calls say.
        opener: how a call begins to be recorded.
        like: the callable whose kind it is of, when that cannot be seen on `function` itself.
    """
    kinds = [like or function]
    if not isinstance(function, FunctionType | MethodType):
        kinds.append(cast("Any", type(function)).__call__)  # Of a callable object, its __call__ says.
    if any(map(inspect.isasyncgenfunction, kinds)):
        shape = _async_generator
    elif any(map(inspect.isgeneratorfunction, kinds)):
        shape = _generator
    elif any(map(inspect.iscoroutinefunction, kinds)):
        shape = _coroutine
    else:
        shape = _function
    made = shape(function, spec, opener)
    made.__dict__[_MARK] = True
    return made


def is_recorded(function: Any) -> bool:
    """Say whether a decorator of ours records the calls of a callable."""
    while isinstance(function, functools.partial | MethodType):
        function = function.func if isinstance(function, functools.partial) else function.__func__
    return isinstance(function, FunctionType) and _MARK in function.__dict__


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
        later = _LATER.get(type(result))
        if later is not None and not any(result is given for given in args):
            call.pause()
            return later(call, result)
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


def _async_generator(function: Function, spec: Any, opener: Opener) -> Function:
    @dressed(function)
    async def call_recorded(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        call = opener(spec, args, kwargs)
        if call is not None:
            call.pause()
        body: Any = None
        seen = _Yielded()
        sent: Any = None
        thrown: BaseException | None = None
        while True:
            if call is not None:
                call.step()
            try:
                if body is None:
                    body = function(*args, **kwargs)
                item = await (body.asend(sent) if thrown is None else body.athrow(thrown))
            except StopAsyncIteration:
                if call is not None:
                    call.pause()
                    call.done(seen.output())
                return
            except BaseException as error:
                if call is not None:
                    call.pause()
                    call.failed(_left(error, thrown), seen.output())
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


def _left(error: BaseException, thrown: BaseException | None) -> BaseException:
    """Return what ended an async generator that its consumer may have left.

    Where the loop ends before the generator is closed, closing it is cancelled: that arrives between two
    items as a cancellation, and is a consumer that stopped reading all the same.
    """
    if error is not thrown:
        return error
    from asyncio import CancelledError  # Dear, and there already in a program that gets here.

    return GeneratorExit() if isinstance(error, CancelledError) else error


# A plain function may return any of these, as one does that somebody else's decorator made: the call goes on
# until it has been awaited or read.


async def _awaited(call: Call, result: Coroutine[Any, Any, Any]) -> Any:
    call.step()
    try:
        value = await result
    except BaseException as error:
        leave(call.token)
        call.failed(error)
        raise
    leave(call.token)
    call.done(value)
    return value


def _read(call: Call, result: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    return driven(call, lambda: result, (), {})


def _read_async(call: Call, result: AsyncGenerator[Any, Any]) -> AsyncGenerator[Any, Any]:
    def opener(*_: object) -> Call:
        return call

    return _async_generator(lambda: result, None, opener)()


_LATER: Final[dict[Any, Callable[[Call, Any], Any]]] = {
    CoroutineType: _awaited,
    GeneratorType: _read,
    AsyncGeneratorType: _read_async,
}
