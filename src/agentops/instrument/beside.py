"""Calls of a model beside those that a library's instrumentor records: embeddings, speech, listening.

One event a call: the arguments, and the answer with its tokens, or by what else it is billed. An event of the
same call further in, of the provider's own client, is absorbed by it.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, cast

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from agentops import semconv
from agentops.ambient import attach_context, get_current, leave, making
from agentops.instrument import followed
from agentops.instrument.gate import quiet
from agentops.instrument.joined import Joined
from agentops.instrument.patches import Patches, found
from agentops.instrument.straight import MODEL, OK, model_json

_DECORATED: Final = "original_function"
"""What litellm's decorator calls the function that it decorates."""
_UNTOLD: Final = re.compile(
    r"^(kwargs|file|extra_headers|http_headers|litellm_.*|api_base|base_url)$|(^|_)(key|token|secret|credentials|password)(_|$)"
)
"""Arguments that are no part of what is asked, or are nobody's business."""
_KINDS: Final = {"embed": "EMBEDDING", "rerank": "RERANKER"}
"""What is no LLM call, by a word of the function's name."""
_RAW: Final = "http_request"
"""What an answer has that is the HTTP response itself, which is no answer yet."""


Joining = Callable[[], Joined]
"""What makes what follows a stream."""


def record(
    tracer: trace.Tracer,
    patches: Patches,
    places: Iterable[str],
    provider: str = "",
    streams: Mapping[str, Joining] | None = None,
    *,
    streamed_only: bool = False,
) -> None:
    """Record what is called.

    Args:
        tracer: what makes the spans.
        patches: where it can be taken back.
        places: functions, as `module:name`, or methods, as `module:Class.name`.
        provider: whose models these are, where the model's name does not say.
        streams: those that answer in streams, or may, and what joins these.
        streamed_only: the instrumentor records `streams` where they are not asked to stream.
    """
    for place in (*places, *(streams or ())):
        module, _, name = place.partition(":")
        owner, _, method = name.rpartition(".")
        around = _Calls(tracer, name, provider, (streams or {}).get(place), streamed_only).call
        try:
            held = importlib.import_module(module)
        except ImportError:
            continue  # Another version of the library, that has none.
        if owner:
            patches.method(getattr(held, owner, None), method, around)
        elif not patches.inner(found(place), _DECORATED, around):
            patches.method(held, name, around)


class _Calls:
    """How calls of one function are recorded."""

    def __init__(
        self, tracer: trace.Tracer, name: str, provider: str, join: Joining | None, streamed_only: bool
    ) -> None:
        self._tracer = tracer
        self._name = name
        self._provider = provider
        self._join = join
        self._streamed_only = streamed_only
        self._kind = next((kind for word, kind in _KINDS.items() if word in name.lower()), "LLM")

    def call(
        self, wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Make a call, in its span."""
        left_out = self._join is None if kwargs.get("stream") else self._streamed_only
        if quiet.get() or left_out:
            return wrapped(*args, **kwargs)
        where = get_current()
        span = self._tracer.start_span(self._name, where, attributes=self._asked(wrapped, args, kwargs))
        token = attach_context(making(where, span))
        try:
            answer = wrapped(*args, **kwargs)
        except BaseException as error:
            _failed(span, error)
            raise
        finally:
            leave(token)
        if inspect.isawaitable(answer):
            return self._awaited(answer, span)
        return self._given(answer, span)

    async def _awaited(self, answer: Any, span: trace.Span) -> Any:
        token = attach_context(making(get_current(), span))
        try:
            result = await answer
        except BaseException as error:
            _failed(span, error)
            raise
        finally:
            leave(token)
        return self._given(result, span)

    def _given(self, answer: Any, span: trace.Span) -> Any:
        """Return an answer to the program: what it says is told now, or when its stream is over."""
        join = self._join
        if join is None or not followed.is_stream(answer):
            _answered(span, answer)
            return answer

        gathered = followed.Gathered(join())

        def take(chunk: Any) -> None:
            if not gathered.began:
                _note_first(span)
            gathered.take(chunk)

        return followed.Followed(answer, take, lambda error: _over(span, gathered, error))

    def _asked(
        self, wrapped: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        attributes: dict[str, Any] = {"openinference.span.kind": self._kind}
        if self._provider:
            attributes["llm.system"] = attributes["llm.provider"] = self._provider
        try:
            given = inspect.signature(wrapped).bind_partial(*args, **kwargs).arguments
            asked = {**given, **given.get("kwargs", {})}
            shown = {key: _shown(value) for key, value in asked.items() if _is_told(key, value)}
            if self._streamed_only and isinstance(text := shown.get("input"), str):
                shown["input"] = [{"role": "user", "content": text}]  # What the API takes it for.
            attributes["input.value"] = json.dumps(shown, ensure_ascii=False)
            attributes["input.mime_type"] = "application/json"
            if isinstance(model := asked.get("model"), str):
                attributes[MODEL] = attributes["llm.model_name"] = model
            if isinstance(text := asked.get("input"), str) and "speech" in self._name.lower():
                attributes[semconv.CHARACTERS] = len(text)
        except Exception:
            pass  # Then only its answer is told.
        return attributes


def _is_told(key: str, value: Any) -> bool:
    told = isinstance(value, str | int | float | bool | list | dict) or hasattr(value, "model_dump")
    return told and not _UNTOLD.search(key)


def _shown(value: Any) -> Any:
    try:
        return json.loads(json.dumps(value, default=lambda each: each.model_dump(mode="json")))
    except Exception:
        return repr(value)


def _failed(span: trace.Span, error: BaseException) -> None:
    span.record_exception(error)
    span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
    span.end()


def _answered(span: trace.Span, answer: Any) -> None:
    """End a call's span with what it gave."""
    try:
        span.set_attributes(_told(answer))
        span.set_status(OK)
    except Exception:
        pass  # Then it ends without.
    span.end()


def _note_first(span: trace.Span) -> None:
    started: int | None = getattr(span, "start_time", None)
    if started is not None:
        span.set_attribute(semconv.FIRST_TOKEN_NS, max(time.time_ns() - started, 0))


def _over(span: trace.Span, gathered: followed.Gathered, error: BaseException | None) -> None:
    """End a call's span with what its stream gave, to its end or not."""
    answer = gathered.answer()
    broken: Any = answer.get("error")
    if error is not None or broken:
        with suppress(Exception):
            span.set_attributes(_told(answer) if gathered.began else {})
        _failed(span, error or RuntimeError(json.dumps(broken)))
    elif answer:
        _answered(span, answer)
    else:
        span.end()


def _told(given: Any) -> dict[str, Any]:
    answer: Any = given
    if isinstance(answer, str):
        return {"output.value": answer, "output.mime_type": "text/plain"}
    if hasattr(answer, _RAW):
        return {}  # The program reads it by itself.
    response = getattr(answer, "response", None)
    if not hasattr(answer, "model_dump") and response is not None and hasattr(response, "headers"):
        kind = str(response.headers.get("content-type", ""))
        size = int(response.headers.get("content-length") or 0)
        said = json.dumps({"content_type": kind, "bytes": size})
        return {"output.value": said, "output.mime_type": "application/json"}
    plain: dict[str, Any] = answer if type(given) is dict else json.loads(model_json(answer))
    told: dict[str, Any] = {"output.value": json.dumps(plain), "output.mime_type": "application/json"}
    if isinstance(model := plain.get("model") or _speaker(plain), str) and model:
        told["llm.response.model_name"] = model
    if isinstance(identity := plain.get("id"), str) and identity:
        told["gen_ai.response.id"] = identity
    usage: Any = plain.get("usage")
    if isinstance(usage, dict):
        told["gen_ai.usage.raw"] = json.dumps(usage)
    heard: Any = plain.get("duration") or getattr(answer, "duration", None)
    if isinstance(heard, int | float) and not isinstance(heard, bool) and "text" in plain:
        told[semconv.AUDIO_SECONDS] = max(round(heard), 1)
    return told


def _speaker(answer: Mapping[str, Any]) -> Any:
    """Return the model that spoke last in a conversation."""
    said: Any = answer.get("outputs")
    listed = cast("list[Any]", said) if isinstance(said, list) else []
    models = (
        cast("dict[str, Any]", each).get("model") for each in reversed(listed) if isinstance(each, dict)
    )
    return next((model for model in models if model), None)
