"""Answers of groq that the program takes as HTTP responses (`with_raw_response`, `with_streaming_response`).

Their instrumentor sees a response, and nothing of what it says. One that has been read is recorded as the
answer that it holds; one that has not, as the program reads it (`tee`).
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.trace import Status, StatusCode

from agentops.instrument import gist
from agentops.instrument.joined import Chat
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
                if read.known:
                    told = gist.attributes(read.known, read.content_type, read.length)
                    span.finish_tracing(status=_status(read), attributes=told)
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
        chat = Chat()
        for each in server_sent(read.text):
            chat.take(json.loads(each))
        value = chat.answer()
    else:
        value = json.loads(read.text)
    return construct(value=value, type_=found("groq.types.chat:ChatCompletion"))
