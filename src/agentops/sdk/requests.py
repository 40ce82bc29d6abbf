"""Requests: work that reached this process through a web framework, seen by spans that the framework makes.

A session that is begun inside one request is not the session of another, even while it is the only one: the
other's span, and those that the framework makes below it, are left out. Of a session that was begun outside
of all requests, as by `init`, every request is a part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import SpanKind

from agentops.ambient import SPAN

if TYPE_CHECKING:
    from agentops.sdk.core import Core

_MARK: Final = "agentops_request"


class Request:
    """One request; `scope` is the instrumentation scope that announced it."""

    __slots__ = ("scope",)

    def __init__(self, scope: str) -> None:
        self.scope = scope


def request_of(context: Mapping[str, Any]) -> Request | None:
    """Return the request whose span is the current one, if it is one of no session."""
    return getattr(context.get(SPAN), _MARK, None)


def mark(span: Any, request: Request | None) -> None:
    """Note whose work a span is that belongs to no session."""
    if request is not None:
        setattr(span, _MARK, request)


def arrived(context: Mapping[str, Any], kind: SpanKind | None, scope: str) -> Request | None:
    """Return the request that a span without a session belongs to, or is the first of."""
    return Request(scope) if kind is SpanKind.SERVER else request_of(context)


def is_anothers(core: Core, context: Mapping[str, Any], kind: SpanKind | None) -> bool:
    """Say whether a span that is not bound to a session belongs to another request than the session does."""
    if core.request is None:
        return False
    if kind is SpanKind.SERVER:
        return getattr(context.get(SPAN), "core", None) is not core
    return request_of(context) not in (None, core.request)
