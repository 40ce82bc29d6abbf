"""What is known of a call when it begins, told then: some instrumentors tell it at the end only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry import trace

from agentops.instrument.frameworks.told import PACKAGE
from agentops.instrument.patches import Patches, found


def beginning(place: str, provider: str = "") -> Callable[[trace.Tracer, Patches], None]:
    """Return what lets an instrumentor say of a call when it begins what it would say at the end.

    Args:
        place: its class that begins spans.
        provider: whose models are called, where it does not say so of a call that fails.
    """

    def complete(tracer: trace.Tracer, patches: Patches) -> None:
        del tracer
        patches.method(found(PACKAGE + place), "_start_as_current_span", begun)

    def begun(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        if "attributes" in kwargs and "extra_attributes" in kwargs:
            known = dict(kwargs["attributes"])
            if provider:
                known.setdefault("llm.system", provider)
            kwargs["attributes"] = known.items()
            kwargs["extra_attributes"] = {**dict(kwargs["extra_attributes"]), **known}.items()
        return wrapped(*args, **kwargs)

    return complete
