"""What the instrumentor of groq leaves out: the request, until the end, and what HTTP responses hold."""

from __future__ import annotations

from opentelemetry import trace

from agentops.instrument import groq_raw
from agentops.instrument.frameworks.beginning import beginning
from agentops.instrument.patches import Patches


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell at the start what is asked for, and at the end what was in an HTTP response."""
    beginning("groq._wrappers:_WithTracer")(tracer, patches)
    groq_raw.complete(patches)
