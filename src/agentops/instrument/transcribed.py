"""What is spoken on a realtime connection is put into words by a model of its own: a call that is billed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Status, StatusCode

from agentops import semconv
from agentops.instrument.shown import to_json

KIND: Final = "conversation.item.input_audio_transcription."
"""What the names of the provider's events about it begin with."""


def record(
    tracer: trace.Tracer,
    where: Context,
    provider: str,
    session: Mapping[str, Any],
    said: tuple[Any, int | None],
    event: Mapping[str, Any],
) -> None:
    """Record a transcription that is complete, or failed.

    Args:
        tracer: makes its span.
        where: the context that it belongs to.
        provider: who made it.
        session: what the provider says that the connection goes by.
        said: what was spoken, and when that was complete, unix nanoseconds.
        event: the event that tells of it. One that tells no usage is not billed apart: it is no call.
    """
    usage, error = event.get("usage"), event.get("error")
    if not isinstance(usage, dict) and not isinstance(error, dict):
        return
    attributes = {
        "openinference.span.kind": "LLM",
        "llm.provider": provider,
        "llm.system": "openai",
        "llm.model_name": _model(session),
        "input.value": to_json(said[0]),
        "input.mime_type": "application/json",
    }
    span = tracer.start_span("Transcription", where, attributes=attributes, start_time=said[1])
    if isinstance(error, dict):
        failure = cast("dict[str, Any]", error)
        span.set_attribute("error.type", str(failure.get("code") or failure.get("type") or "failed"))
        span.set_status(Status(StatusCode.ERROR, str(failure.get("message") or "It failed.")))
    else:
        told: dict[str, Any] = {"text": event.get("transcript"), "usage": usage}
        span.set_attributes({"output.value": to_json(told), "output.mime_type": "application/json"})
        seconds = cast("dict[str, Any]", usage).get("seconds")
        if isinstance(seconds, int | float):
            span.set_attribute(semconv.AUDIO_SECONDS, max(round(seconds), 1))
        span.set_status(Status(StatusCode.OK))
    span.end()


def _model(session: Mapping[str, Any]) -> str:
    """Return the model that a session's settings name for it, in the present form or the beta's."""
    audio = cast("dict[str, Any]", session.get("audio") or {})
    within = cast("dict[str, Any]", audio.get("input") or {})
    heard = cast(
        "dict[str, Any]", within.get("transcription") or session.get("input_audio_transcription") or {}
    )
    return str(heard.get("model") or "")
