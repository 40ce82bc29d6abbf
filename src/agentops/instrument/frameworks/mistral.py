"""What the instrumentor of mistralai leaves out: all but chats, and of these the request, until the end."""

from __future__ import annotations

from typing import Final

from opentelemetry import trace

from agentops.instrument import beside
from agentops.instrument.frameworks.beginning import beginning
from agentops.instrument.patches import Patches

_BESIDE: Final = tuple(
    f"mistralai.client.{place}{mode}"
    for place in (
        "embeddings:Embeddings.create",
        "fim:Fim.complete",
        "transcriptions:Transcriptions.complete",
        "ocr:Ocr.process",
        "classifiers:Classifiers.moderate",
        "conversations:Conversations.start",
        "conversations:Conversations.append",
    )
    for mode in ("", "_async")
)


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell at the start what is asked for, and record what is no chat."""
    beginning("mistralai._chat_wrapper:_WithTracer", "mistralai")(tracer, patches)
    beside.record(tracer, patches, _BESIDE, "mistralai")
