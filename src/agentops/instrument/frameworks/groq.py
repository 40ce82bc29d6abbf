"""What the instrumentor of groq leaves out: the request, until the end, HTTP responses, sound, embeddings."""

from __future__ import annotations

from typing import Final

from opentelemetry import trace

from agentops.instrument import beside, groq_raw
from agentops.instrument.frameworks.beginning import beginning
from agentops.instrument.patches import Patches

_BESIDE: Final = tuple(
    f"groq.resources.{place}"
    for place in (
        "embeddings:Embeddings.create",
        "embeddings:AsyncEmbeddings.create",
        "audio.transcriptions:Transcriptions.create",
        "audio.transcriptions:AsyncTranscriptions.create",
        "audio.translations:Translations.create",
        "audio.translations:AsyncTranslations.create",
        "audio.speech:Speech.create",
        "audio.speech:AsyncSpeech.create",
    )
)


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell at the start what is asked for, and at the end what was in an HTTP response."""
    beginning("groq._wrappers:_WithTracer")(tracer, patches)
    groq_raw.complete(patches)
    beside.record(tracer, patches, _BESIDE, "groq")
