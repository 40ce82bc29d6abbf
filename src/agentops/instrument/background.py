"""Responses of openai that are made in the background: asked for now, answered when they are looked up.

What was asked for is recorded as any call; it has no answer then. The answer is recorded when the program
looks it up and it is there, as the LLM call that it is. One that is looked up twice counts once, by its id.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any, Final

from opentelemetry import trace

from agentops.instrument.patches import Around, Patches, found
from agentops.instrument.straight import ended_as, model_json

_PLACES: Final = (
    "openai.resources.responses.responses:Responses",
    "openai.resources.responses.responses:AsyncResponses",
)
_OVER: Final = ("completed", "incomplete", "failed")


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Record the answers that are looked up."""
    package = "openinference.instrumentation.openai._response_attributes_extractor"
    extractor: Any = importlib.import_module(package)._ResponseAttributesExtractor
    extract: Any = extractor(importlib.import_module("openai"))
    response_type = found("openai.types.responses:Response")

    def record(answer: Any) -> None:
        try:
            answer = parsed(answer)
            if isinstance(answer, response_type) and answer.background and answer.status in _OVER:
                _record(tracer, answer, dict(extract.get_attributes_from_response(answer, {})))
        except Exception:
            pass  # The program has its answer.

    for place in _PLACES:
        owner = found(place)
        if owner is not None:
            patches.method(owner, "retrieve", then(record))


def then(record: Callable[[Any], None]) -> Around:
    """Return what hands the answer of a function, or of a coroutine, to `record`, which never raises."""

    def around(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        answer = wrapped(*args, **kwargs)
        if inspect.isawaitable(answer):
            return awaited(answer)
        record(answer)
        return answer

    async def awaited(answer: Any) -> Any:
        result = await answer
        record(result)
        return result

    return around


def parsed(answer: Any) -> Any:
    """Return an answer, of a raw one what it holds; None while its caller may still read it."""
    if hasattr(answer, "parse") and hasattr(answer, "http_request"):
        return answer.parse() if answer.is_closed else None
    return answer


def _record(tracer: trace.Tracer, answer: Any, told: dict[str, Any]) -> None:
    said = model_json(answer, exclude_unset=True)
    attributes = {
        "openinference.span.kind": "LLM",
        "llm.provider": "openai",
        "llm.system": "openai",
        "gen_ai.response.id": answer.id,
        "output.value": said,
        "output.mime_type": "application/json",
        **told,
    }
    span = tracer.start_span("responses.retrieve", attributes=attributes)
    ended_as(span, said)
    span.end()
