"""What one span may hold, and how a cut is marked.

The request's size is limited before it gets here; these limits keep a single span from being pathological.
They are far above what instrumentation sends (a 10 MB prompt and a conversation of two thousand flattened
attributes pass).
"""

from __future__ import annotations

import math
from typing import Any, Final

from agentops.otlp.noted import DOUBLE, Note

MAX_ATTRIBUTES: Final = 8192
"""Attributes of one span, event, scope or resource; also events and links of one span."""
MAX_DEPTH: Final = 32
"""Nesting of arrays and key-value lists inside one attribute."""
MAX_TEXT: Final = 16_777_216
"""Characters of one text."""

DROPPED: Final = "agentops.limits.dropped"
"""Attribute that counts what was left out because of MAX_ATTRIBUTES."""
DROPPED_ATTRIBUTES: Final = "otel.dropped_attributes_count"
"""Attribute that counts those that the sender itself left out, named as OpenTelemetry's exporters do."""
DROPPED_EVENTS: Final = "otel.dropped_events_count"
DROPPED_LINKS: Final = "otel.dropped_links_count"
TOO_DEEP: Final = f"[cut: nested deeper than {MAX_DEPTH}]"
"""Stands where a value nested deeper than MAX_DEPTH was."""


def cut(text: str) -> str:
    """Return `text`, at most MAX_TEXT characters of it, saying how many were there."""
    if len(text) <= MAX_TEXT:
        return text
    return f"{text[:MAX_TEXT]}… [cut: {len(text)} characters]"


def cut_values(attributes: dict[str, Any]) -> None:
    """Cut the texts directly in `attributes` to MAX_TEXT, in place."""
    for key, value in attributes.items():
        if type(value) is str and len(value) > MAX_TEXT:
            attributes[key] = cut(value)


def number(value: float, notes: list[Note]) -> float | str:
    """Return `value`, or, noted, its name when JSON has no number for it ("NaN", "Infinity", "-Infinity")."""
    if math.isfinite(value):
        return value
    notes.append(Note(DOUBLE, []))
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
