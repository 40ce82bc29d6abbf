"""Decorated classes: an instance is one event a session, and what its methods do happens below it.

Its methods are those that the class defines and those that it inherits from the program's own classes; from
libraries' it inherits as before, since some of them look whether a method was overridden. An instance that
Python cannot watch (slots without `__weakref__`) is one event for each call from outside.
"""

from __future__ import annotations

import functools
import inspect
import sys
import sysconfig
import weakref
from collections.abc import Callable, Container, Iterator, Mapping
from types import FunctionType
from typing import Any, Final, cast

from agentops import semconv
from agentops.ambient import OWN, get_current
from agentops.sdk.calls import Call, Opener, Spec
from agentops.sdk.client import client
from agentops.sdk.context import Context, enter
from agentops.sdk.descriptors import around
from agentops.sdk.shapes import shaped

_SPECIAL: Final = frozenset(
    {
        "__call__", "__enter__", "__exit__", "__aenter__", "__aexit__",
        "__iter__", "__next__", "__aiter__", "__anext__",
    }
)  # fmt: skip
"""Methods with special names in which a class may do its work."""
_METHODS: Final = (FunctionType, functools.partialmethod, functools.singledispatchmethod)
_LIBRARIES: Final = ("site-packages", "dist-packages", sysconfig.get_path("stdlib"))


class _Life:
    """The event that stands for an instance: one a session, from construction to its last call."""

    def __init__(self, spec: Spec, arguments: Mapping[str, Any]) -> None:
        self.spec = spec
        self.arguments = arguments
        self.spans: dict[int, Any] = {}


_lives: Final[dict[int, _Life]] = {}
_specs: Final[weakref.WeakKeyDictionary[Any, Spec]] = weakref.WeakKeyDictionary()
"""What decorated classes are recorded as."""
_by_calls: Final[weakref.WeakSet[Any]] = weakref.WeakSet()
"""Decorated classes that are recorded by the calls of their methods."""


class _Visit(Call):
    """A call of a method: what happens in it is below the instance's event, which lasts until the last."""

    __slots__ = ()

    def done(self, output: Any) -> None:
        """Let the event last until now."""
        del output
        self._over(None)

    def failed(self, error: BaseException, output: Any = None) -> None:
        """Do the same, and let it say what went wrong."""
        del output
        self._over(error)

    def _over(self, error: BaseException | None) -> None:
        try:
            if error is not None and not isinstance(error, GeneratorExit):
                self.span.reopen()
                self.span.fail(error)
            self.span.extend()
        except Exception as failure:
            client.recorder.failed(failure)


def instances_recorded(cls: Any, spec: Spec) -> Any:
    """Record a class: each instance is one event a session."""
    _specs[cls] = spec
    construct = cls.__init__
    if construct is object.__init__ and cls.__new__ is not object.__new__:
        # Its arguments are __new__'s; object.__init__ would refuse them now that there is an __init__.
        def construct(self: Any, *args: Any, **kwargs: Any) -> None:
            pass

    # Without a constructor it gets none: `@dataclass` above would take it for the class's own.
    if construct is not object.__init__:
        cls.__init__ = shaped(construct, spec, _born)

    def visited(method: Any, like: Any, _: str | None) -> Any:
        return shaped(method, spec, _visited, like=like)

    _replace_methods(cls, visited, _specs)
    _follow_subclasses(cls, lambda below: _replace_methods(below, visited, _specs))
    return cls


def _follow_subclasses(cls: Any, record: Callable[[Any], None]) -> None:
    """Record the methods of classes below it too: without a decorator of their own they are still one."""

    def begun(below: Any, **kwargs: Any) -> None:
        # Not always `cls`: what gives a class slots (`@dataclass` above) makes another one out of it.
        owner = next(one for one in below.__mro__[1:] if _begins_with(one, begun))
        cast("Any", super(owner, below)).__init_subclass__(**kwargs)

    own = cast("Any", vars(cls).get("__init_subclass__"))
    begin = begun if own is None else cast("Callable[..., None]", own.__func__)

    @functools.wraps(begin)
    def follow(below: Any, *args: Any, **kwargs: Any) -> None:
        begin(below, *args, **kwargs)
        try:
            record(below)
        except Exception:  # A class that refuses to be changed.
            return

    cls.__init_subclass__ = classmethod(follow)


def _begins_with(owner: Any, begun: Callable[..., None]) -> bool:
    """Say whether a class has `begun` behind its `__init_subclass__`, or behind what was put around that."""
    function: Any = getattr(cast("Any", vars(owner).get("__init_subclass__")), "__func__", None)
    while function is not None and function is not begun:
        function = getattr(function, "__wrapped__", None)
    return function is begun


def methods_recorded(cls: Any, spec_of: Callable[[Any, str | None], Spec], opener: Opener) -> Any:
    """Record a class by the calls of its methods from outside, each of its own."""

    def opened(spec: Spec, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call | None:
        if not args or _inside(args[0], get_current()):
            return None
        call = opener(spec, args, kwargs)
        if call is not None:
            call.span.stands_for = id(args[0])
        return call

    def called(method: Any, like: Any, shown: str | None) -> Any:
        return shaped(method, spec_of(like, shown), opened, like=like)

    # Of another such class it takes the methods over: they are to say what is said here.
    _replace_methods(cls, called, _specs)
    _by_calls.add(cls)
    _follow_subclasses(cls, lambda below: _replace_methods(below, called, {*_specs, *_by_calls}))
    return cls


def _replace_methods(
    cls: Any, record: Callable[[Any, Any, str | None], Any], decorated: Container[Any]
) -> None:
    """Put what `record` makes of it in the place of each method that is to be recorded.

    Args:
        cls: the class.
        record: from a method, a function of its kind and the name to show, if not its own, to another method.
        decorated: classes whose methods, inherited ones too, are recorded already.
    """

    def inside(method: Any, shown: str | None) -> Any:
        return record(method, method, shown) if inspect.isfunction(method) else method

    for name, member, owner in _methods(cls, decorated):
        if inspect.isfunction(member):
            setattr(cls, name, record(member if owner is cls else _next_of(cls, name, member), member, None))
        else:
            setattr(cls, name, around(member, inside))


def _methods(cls: Any, decorated: Container[Any]) -> Iterator[tuple[str, Any, type]]:
    """Give the methods of a class that are to be recorded: name, method, and the class that defines it."""
    seen: set[str] = set()
    covered: set[type] = set()
    for owner in cls.__mro__:
        if owner in decorated and owner is not cls:
            covered.update(owner.__mro__)
        if owner in covered:
            seen.update(cast("dict[str, Any]", vars(owner)))
            continue
        own = owner is cls or _is_the_programs(owner)
        for name, member in list(cast("dict[str, Any]", vars(owner)).items()):
            if name in seen or (name.startswith("_") and name not in _SPECIAL):
                continue
            seen.add(name)
            if own and isinstance(member, _METHODS) and not _abstract(member):
                yield name, member, owner


def _abstract(member: Any) -> bool:
    return getattr(member, "__isabstractmethod__", False)


def _is_the_programs(cls: Any) -> bool:
    """Say whether a class is of the program itself, and not of a library."""
    module = sys.modules.get(cls.__module__)
    path = getattr(module, "__file__", None)
    if path is None:
        return cls.__module__ == "__main__"
    return not any(part in path for part in _LIBRARIES)


def _next_of(cls: Any, name: str, inherited: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that calls what `cls` inherits: looked up at each call, as without it."""

    @functools.wraps(inherited)
    def inherit(self: Any, *args: Any, **kwargs: Any) -> Any:
        following = cast("Any", super(cls, self))
        return getattr(following, name)(*args, **kwargs)

    return inherit


def _inside(instance: Any, where: Context) -> bool:
    """Say whether a call made in `where` is inside one of this instance already."""
    span: Any = where.get(OWN)
    while span is not None:
        if span.stands_for == id(instance):
            return True
        span = span.above
    return False


def _born(spec: Spec, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call | None:
    """Begin the life of an instance: its constructor runs."""
    if not args or id(args[0]) in _lives:  # A decorated subclass has begun already.
        return None
    try:
        life = _life(args[0], spec, spec.bind(args, kwargs))
    except Exception as error:
        client.recorder.failed(error)
        return None
    return _visit(args[0], life) if id(args[0]) in _lives else None


def _visited(spec: Spec, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call | None:
    """Begin a call of a method; an instance that was not constructed here, such as a copy, begins to live."""
    del kwargs
    if not args:
        return None
    return _visit(args[0], _lives.get(id(args[0])) or _life(args[0], spec, {}))


def _life(instance: Any, spec: Spec, arguments: Mapping[str, Any]) -> _Life:
    kinds = cast("Any", type(instance)).__mro__
    life = _Life(next((_specs[kind] for kind in kinds if kind in _specs), spec), arguments)
    try:
        weakref.finalize(instance, _lives.pop, id(instance), None).atexit = False
        _lives[id(instance)] = life
    except TypeError:
        pass  # It cannot be watched: a life for this call only.
    return life


def _visit(instance: Any, life: _Life) -> Call | None:
    """Make the instance's event current in this session; None when it is, or when there is no session."""
    if not client.ready:
        client.unplaced(life.spec.name)
        return None
    try:
        where = get_current()
        if _inside(instance, where):
            return None
        core = client.belonging.find(where)
        if core is None:
            client.unplaced(life.spec.name)
            return None
        with core.lock:  # Renewed in a forked child, as no lock of ours would be.
            span = life.spans.get(core.trace_id)
            if span is None:
                attributes = {
                    semconv.SPAN_KIND: life.spec.kind,
                    semconv.INPUT: client.captured(life.arguments),
                    **life.spec.attributes,
                }
                span = client.open(core, where, life.spec.name, attributes, agent=life.spec.agent)
                span.stands_for = id(instance)
                life.spans = {trace: known for trace, known in life.spans.items() if known.core.running}
                life.spans[core.trace_id] = span
        return _Visit(span, enter(where, span), None)
    except Exception as error:
        client.recorder.failed(error)
        return None
