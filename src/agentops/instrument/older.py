"""Clients of versions before those that their instrumentor names, with which it works all the same.

It looks for methods and names that they do not have yet, hands one of their functions an argument too many,
and does not know their raw responses, nor that their helpers' streams are streams of their own.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from agentops.instrument import requests
from agentops.instrument.patches import Patches, found
from agentops.instrument.registry import Library

_CLASSES: Final = tuple(
    f"anthropic.resources.{place}:{name}"
    for place in ("messages", "beta.messages")
    for name in ("Messages", "AsyncMessages")
)
_METHODS: Final = ("create", "stream", "parse")
_FOLLOWS: Final = ("anthropic.lib.streaming:_messages", "anthropic.lib.streaming:_beta_messages")
_WRAPPERS: Final = "openinference.instrumentation.anthropic._wrappers"
_FOLLOW: Final = "accumulate_event"
_PACKAGE: Final = "openinference.instrumentation.anthropic"
_NONE: Final = ("anthropic._types:NotGiven", "anthropic._types:Omit")
_GIVEN: Final = "_get_request_params"
"""The instrumentor's function for what was given, where two modules of it have it."""


def is_taken(library: Library, candidate: str) -> bool:
    """Say whether a library is installed in such a version, and an instrumentor works with it."""
    if not library.older or candidate != library.instrumentors[0]:
        return False
    first, end = map(_numbers, library.older)
    return first <= _numbers(library.installed()) < end


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version)[:3])


@contextmanager
def as_newer(module: str) -> Generator[None]:
    """Let a library, by its module, have for a while, what its instrumentor looks for."""
    lent: list[tuple[Any, str]] = []
    if module == "anthropic":
        for owner in filter(None, map(found, _CLASSES)):
            for name in _METHODS:
                if not hasattr(owner, name):
                    setattr(owner, name, _nothing)
                    lent.append((owner, name))
    try:
        yield
    finally:
        for owner, name in lent:
            delattr(owner, name)


def _nothing() -> None:
    """Stand where a newer version has a method."""


def complete(library: Library, patches: Patches) -> None:
    """Take from its functions the arguments that only newer versions have."""
    if library.module != "anthropic":
        return
    wrappers = importlib.import_module(_WRAPPERS)
    raw = found("anthropic._legacy_response:LegacyAPIResponse") or ()

    def is_raw(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> bool:
        del instance
        return isinstance(args[0], raw) or wrapped(*args, **kwargs)

    async def finished(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        del instance
        if isinstance(args[1], raw):  # It is read already, and parsed at once.
            wrappers._finish_api_response_tracing(*args, **kwargs)
        else:
            await wrapped(*args, **kwargs)

    patches.method(wrappers, "_is_api_response", is_raw)
    patches.method(wrappers, "_async_finish_api_response_tracing", finished)
    for place in _FOLLOWS:
        module = found(place)
        function = getattr(module, _FOLLOW, None)
        if function is not None:
            patches.method(module, _FOLLOW, _without_more(function))
    patches.method(found(f"{_PACKAGE}._stream:_RawStreamInterceptor"), "__init__", _timed)
    if not found("anthropic:Omit"):
        for name in ("_content", "_wrappers"):
            patches.replace(importlib.import_module(f"{_PACKAGE}.{name}"), _GIVEN, _given)


def _given(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a request was given, where the client has no public name for what was left out."""
    none = tuple(kind for kind in map(found, _NONE) if kind is not None)
    return {
        key: value
        for key, value in kwargs.items()
        if not isinstance(value, none) and not (key in ("extra_query", "extra_body") and value is None)
    }


def _timed(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Note when a helper's first event comes: its stream is another one than the request's answer."""
    wrapped(*args, **kwargs)
    try:
        requests.timed(args[0], args[1]._span)
    except Exception:
        pass  # Only this figure is missing.


def _without_more(function: Any) -> Callable[..., Any]:
    known = inspect.signature(function).parameters

    def called(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        return wrapped(*args, **{name: value for name, value in kwargs.items() if name in known})

    return called
