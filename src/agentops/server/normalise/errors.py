"""What went wrong in a span: from its exception events, its attributes and its status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from agentops.model import SpanEvent
from agentops.server.normalise.values import text

_TYPED_MESSAGE: Final = re.compile(
    r"([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Timeout|Warning)): (.*)", re.DOTALL
)
_CLASS: Final = re.compile(r"<class '([\w.]+)'>")
_ERROR: Final = 2
_UNSAID: Final = {
    "CancelledError": "The task was cancelled.",
    "KeyboardInterrupt": "The program was interrupted.",
    "TimeoutError": "It took too long.",
}
"""What exceptions mean that are raised without a word."""


class Failure(NamedTuple):
    """Type, message and stack of an error, each "" when not known."""

    type: str
    message: str
    stack: str


NONE: Final = Failure("", "", "")


def failed(status: int, found: Mapping[str, Any], events: list[SpanEvent], kind: str) -> bool:
    """Tell whether the span failed: it says so, or says nothing and names an error that ended it.

    An exception event alone is no failure: programs record exceptions that they recover from.
    """
    if status == _ERROR or kind == "error":
        return True
    if status or not (found or events):
        return False
    if "error_type" in found:
        return True
    return bool(events) and any(
        event.name == "exception" and str(event.attributes.get("exception.escaped")).lower() == "true"
        for event in events
    )


def failure(
    found: Mapping[str, Any], events: list[SpanEvent], status_message: str, kind_of_span: str
) -> Failure:
    """Return the error of a span that failed; its last exception event says most.

    A recorded ErrorEvent has its stack in its logs.
    """
    kind, message, stack = "", "", ""
    for event in reversed(events):
        if event.name == "exception" or "exception.type" in event.attributes:
            said = event.attributes
            kind = text(said.get("exception.type")) or ""
            message = text(said.get("exception.message")) or ""
            stack = text(said.get("exception.stacktrace")) or ""
            break
    kind = kind or found.get("error_type", "")
    if shown := _CLASS.fullmatch(kind):
        kind = shown[1]
    message = message or found.get("error_message", "")
    stack = stack or found.get("error_stack", "")
    if kind_of_span == "error":
        stack = stack or found.get("logs", "")
    typed = _TYPED_MESSAGE.fullmatch(status_message)
    if typed and not kind:
        kind = typed[1]
    if not message:
        message = typed[2] if typed else status_message
    if not message or message == kind:
        message = _UNSAID.get(kind.rpartition(".")[2], message)
    return Failure(kind, message, stack)
