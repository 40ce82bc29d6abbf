"""Answers of groq that the program takes as HTTP responses (`with_raw_response`, `with_streaming_response`).

Their instrumentor sees a response, and nothing of what it says. One that has been read is recorded as the
answer that it holds; one that has not, as the program reads it (`tee`).
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.trace import Status, StatusCode

from agentops.instrument.patches import Patches, found
from agentops.instrument.straight import FIRST_CHUNK
from agentops.instrument.tee import Read, Tee, server_sent

_PACKAGE: Final = "openinference.instrumentation.groq."
_STREAM: Final = "text/event-stream"


def complete(patches: Patches) -> None:
    """Record what is in such responses."""
    wrappers = importlib.import_module(_PACKAGE + "_wrappers")
    extractor = wrappers._ResponseAttributesExtractor
    responses = importlib.import_module("groq._response").BaseAPIResponse
    construct = importlib.import_module("groq._models").construct_type

    def output(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        response = args[0] if args else kwargs.get("response")
        return _Raw(instance, response) if isinstance(response, responses) else wrapped(*args, **kwargs)

    def finished(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        raw = kwargs.get("attributes")
        if not isinstance(raw, _Raw):
            return wrapped(*args, **kwargs)
        span: Any = kwargs["with_span"]

        def tell(read: Read) -> None:
            try:
                answer = _answer(read, construct)
                if answer is not None:
                    more = raw.extractor.get_extra_attributes(response=answer, request_parameters={})
                    told = raw.extractor.get_attributes(answer)
                    wrapped(status=_status(read), with_span=span, attributes=told, extra_attributes=more)
            finally:
                span.finish_tracing(status=_status(read))

        response = raw.response.http_response
        if response.is_closed:
            tell(Read(response.text, response.headers.get("content-type", ""), len(response.content), None))
        else:
            Tee(response, lambda: _first(span, response), tell)
        return None

    patches.method(extractor, "get_attributes", output)
    patches.method(wrappers, "_finish_tracing", finished)


class _Raw:
    """A response in the place of what is said of it."""

    def __init__(self, extractor: Any, response: Any) -> None:
        self.extractor, self.response = extractor, response


def _first(span: Any, response: Any) -> None:
    """Note when the first piece of a stream came."""
    if response.headers.get("content-type", "").startswith(_STREAM):
        span.add_event(FIRST_CHUNK)


def _status(read: Read) -> Status:
    if read.error is None:
        return Status(StatusCode.OK)
    return Status(StatusCode.ERROR, f"{type(read.error).__name__}: {read.error}")


def _answer(read: Read, construct: Callable[..., Any]) -> Any:
    """Return the chat that was read, as the client would; None when there is none."""
    if not read.text:
        return None
    if read.content_type.startswith(_STREAM):
        value = joined([json.loads(each) for each in server_sent(read.text)])
    else:
        value = json.loads(read.text)
    return construct(value=value, type_=found("groq.types.chat:ChatCompletion"))


def joined(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the chat that chunks of a stream make: of each choice, its texts, its tools and its end."""
    answer: dict[str, Any] = {}
    choices: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        told: Mapping[str, Any] = chunk.get("x_groq") or {}
        usage = chunk.get("usage") or told.get("usage")
        answer.update({key: chunk[key] for key in ("id", "created", "model") if chunk.get(key)})
        if usage:
            answer["usage"] = usage
        for each in chunk.get("choices") or ():
            at = each.get("index", 0)
            choice = choices.setdefault(at, {"index": at, "message": {"role": "assistant"}})
            choice["finish_reason"] = each.get("finish_reason") or choice.get("finish_reason")
            _add(choice["message"], each.get("delta") or {})
    return {"object": "chat.completion", **answer, "choices": [choices[at] for at in sorted(choices)]}


def _add(message: dict[str, Any], delta: Mapping[str, Any]) -> None:
    for key in ("content", "reasoning"):
        if delta.get(key):
            message[key] = message.get(key, "") + delta[key]
    for call in delta.get("tool_calls") or ():
        calls: list[dict[str, Any]] = message.setdefault("tool_calls", [])
        at = call.get("index", len(calls))
        while len(calls) <= at:
            calls.append({"type": "function", "function": {"name": "", "arguments": ""}})
        calls[at]["id"] = call.get("id") or calls[at].get("id")
        said: Mapping[str, Any] = call.get("function") or {}
        for key, text in said.items():
            calls[at]["function"][key] = calls[at]["function"].get(key, "") + (text or "")
