"""Spans for tests, made from what differs."""

from __future__ import annotations

import json
from typing import Any

from agentops import semconv
from agentops.model import Resource, Scope, Span, SpanEvent
from agentops.server.normalise import Event, normalise

TRACE = "0123456789abcdef0123456789abcdef"
SPAN = "00f067aa0ba902b7"
START = 1_790_000_000_000_000_000
OWN = {semconv.SDK_NAME: semconv.SDK_NAME_VALUE, semconv.SERVICE_NAME: "bot", semconv.SERVICE_INSTANCE: "i-1"}


def span(
    said: dict[str, Any] | None = None, *, own: bool = False, scope: str | Scope = "", **fields: Any
) -> Span:
    """Return a span of one millisecond with these attributes; `fields` replaces fields of the model."""
    whole: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": SPAN,
        "parent_id": "00f067aa0ba902b8",
        "name": "step",
        "start_ns": START,
        "end_ns": START + 1_000_000,
        "resource": Resource(OWN if own else {}),
        "scope": Scope(scope) if isinstance(scope, str) else scope,
        "attributes": said or {},
    }
    return Span(**{**whole, **fields})


def event(said: dict[str, Any] | None = None, **fields: Any) -> Event:
    """Return the Event of such a span."""
    return normalise(span(said, **fields))


def happened(name: str, **said: Any) -> SpanEvent:
    """Return a span event; `__` in a keyword stands for a dot."""
    return SpanEvent(name, START, {key.replace("__", "."): value for key, value in said.items()})


def messages(text: str) -> list[dict[str, Any]]:
    """Return a body of format "messages" as plain values."""
    return json.loads(text)


def text(role: str, content: str, **more: Any) -> dict[str, Any]:
    """Return a message of one text part."""
    return {"role": role, "parts": [{"type": "text", "content": content}], **more}
