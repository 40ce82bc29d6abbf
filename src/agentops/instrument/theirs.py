"""Theirs: an instrumentor that the program has enabled itself, and where its spans go.

That need not be the global tracer provider. An instrumentor cannot be asked for its tracer: it is looked for
where they keep it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from agentops.instrument.patches import found

_WRAPPED: Final = (("openai:OpenAI", "request"),)
"""Methods whose wrapper keeps the tracer, where the instrumentor does not."""


def processor_of(instrumentor: Any, ours: Any) -> Any:
    """Return the span processor that sees an instrumentor's spans; None when it is not known, or ours."""
    for kept in _kept(instrumentor):
        for tracer in (kept, getattr(kept, "_tracer", None)):
            processor = getattr(tracer, "span_processor", None)
            if hasattr(processor, "add_span_processor"):
                return None if getattr(tracer, "provider", None) is ours else processor
    return None


def _kept(instrumentor: Any) -> Iterator[Any]:
    yield instrumentor
    yield from list(getattr(instrumentor, "__dict__", {}).values())
    for place, name in _WRAPPED:
        yield getattr(getattr(found(place), name, None), "_self_wrapper", None)
