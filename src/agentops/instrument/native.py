"""Libraries that trace themselves by OpenTelemetry's conventions, with the face of an instrumentor.

They only have to be told, and whose tracer provider to use.
"""

from __future__ import annotations

import importlib
from typing import Any


class PydanticAIInstrumentor:
    """Switches on the tracing that every agent of Pydantic AI has."""

    is_instrumented_by_opentelemetry = False

    def instrumentation_dependencies(self) -> tuple[str, ...]:
        """Return what it needs of the library's version: nothing."""
        return ()

    def instrument(self, *, tracer_provider: Any) -> None:
        """Let agents trace with a provider; one that was given settings of its own keeps them."""
        agent = importlib.import_module("pydantic_ai").Agent
        settings = importlib.import_module("pydantic_ai.models.instrumented").InstrumentationSettings
        self._before: Any = getattr(agent, "_instrument_default", False)
        agent.instrument_all(settings(tracer_provider=tracer_provider))
        self.is_instrumented_by_opentelemetry = True

    def uninstrument(self) -> None:
        """Put back what held before."""
        importlib.import_module("pydantic_ai").Agent.instrument_all(self._before)
        self.is_instrumented_by_opentelemetry = False
