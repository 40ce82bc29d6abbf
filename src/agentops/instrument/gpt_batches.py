"""Batches of openai: sent as an operation, and each of their results the LLM call that it is.

Results are the lines of a file, which are recorded when the program fetches it. One that is fetched twice
counts once, by the id of its answer.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from typing import Any, Final, cast

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from agentops import semconv
from agentops.instrument.background import parsed, then
from agentops.instrument.patches import Patches
from agentops.instrument.shown import to_json
from agentops.instrument.straight import ended_as

_RESULT: Final = re.compile(rb'\s*\{"id":\s*"batch_req_')
"""How a file of results begins."""
_EMBEDDED: Final = re.compile(r'"embedding":\s*(?:\[[^\]]*\]|"[^"]*")')


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Record batches and their results."""

    def created(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        if inspect.iscoroutinefunction(wrapped):
            return created_async(wrapped, args, kwargs)
        with _sending(tracer, kwargs) as span:
            made = wrapped(*args, **kwargs)
            _tell(span, made)
            return made

    async def created_async(
        wrapped: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        with _sending(tracer, kwargs) as span:
            made = await wrapped(*args, **kwargs)
            _tell(span, made)
            return made

    for prefix in ("", "Async"):
        patches.later(f"openai.resources.batches:{prefix}Batches.create", created)
        patches.later(
            f"openai.resources.files:{prefix}Files.content", then(lambda answer: _read(tracer, answer))
        )


def _sending(tracer: trace.Tracer, asked: dict[str, Any]) -> Any:
    plain: dict[str, Any] = {key: value for key, value in asked.items() if isinstance(value, str | dict)}
    attributes = {
        semconv.SPAN_KIND: "operation",
        "gen_ai.provider.name": "openai",
        semconv.INPUT: to_json(plain),
    }
    return tracer.start_as_current_span("batches.create", attributes=attributes)


def _tell(span: Any, made: Any) -> None:
    try:
        batch = parsed(made)
        if batch is not None:
            span.set_attribute(semconv.OUTPUT, to_json(batch))
    except Exception:
        pass  # A raw answer that is no batch: the program has it.


def _read(tracer: trace.Tracer, answer: Any) -> None:
    """Record the results that a file consists of, if it does and has been read."""
    try:
        response: Any = getattr(answer, "response", None) or getattr(answer, "http_response", None)
        if response is None or not response.is_stream_consumed:
            return
        content: bytes = response.content
        if not _RESULT.match(content):
            return
    except Exception:
        return  # The program reads it by itself.
    for line in content.splitlines():
        try:
            _record(tracer, json.loads(line))
        except Exception:
            pass  # Of another form: the program has it.


def _record(tracer: trace.Tracer, result: dict[str, Any]) -> None:
    answered: dict[str, Any] = result.get("response") or {}
    body: dict[str, Any] = answered.get("body") or {}
    embedded = body.get("object") == "list"
    attributes: dict[str, Any] = {
        "openinference.span.kind": "EMBEDDING" if embedded else "LLM",
        "llm.provider": "openai",
        "llm.system": "openai",
        "openai.batch.custom_id": str(result.get("custom_id")),
        "gen_ai.response.service_tier": "batch",
    }
    said = json.dumps(body, ensure_ascii=False)
    if isinstance(model := body.get("model"), str):
        attributes["llm.model_name"] = model
    if isinstance(identity := body.get("id"), str):
        attributes["gen_ai.response.id"] = identity
    if isinstance(request_id := answered.get("request_id"), str):
        attributes[semconv.REQUEST_ID] = request_id
    if isinstance(usage := body.get("usage"), dict):
        attributes["gen_ai.usage.raw"] = json.dumps(usage)
    if body:
        attributes["output.value"] = _EMBEDDED.sub('"embedding":[]', said) if embedded else said
        attributes["output.mime_type"] = "application/json"
    error: Any = result.get("error") or body.get("error")
    with tracer.start_as_current_span("batches.result", attributes=attributes) as span:
        if error or int(answered.get("status_code") or 200) >= _REFUSED:
            told = cast("dict[str, Any]", error) if isinstance(error, dict) else {"message": error or said}
            span.set_attribute("error.type", str(told.get("code") or told.get("type") or "error"))
            span.set_status(Status(StatusCode.ERROR, str(told.get("message") or said)))
        else:
            ended_as(span, said)


_REFUSED: Final = 400
