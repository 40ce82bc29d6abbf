"""Connections of openai's, for realtime and for responses: on one connection, each response is an LLM call.

It begins when it is asked for, or when the provider begins it by itself, and ends when the provider says so,
or when the connection is left. What went in is what was said since the response before. Sound is told by its
size, and in words where it is transcribed.
"""

from __future__ import annotations

import inspect
import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, cast

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Status, StatusCode

from agentops import semconv
from agentops.ambient import OWN, get_current
from agentops.instrument import transcribed
from agentops.instrument.chat import to_json
from agentops.instrument.patches import Patches
from agentops.instrument.straight import MODEL, OK
from agentops.instrument.written import Written

_MODULES: Final = tuple(
    f"openai.resources.{name}"
    for name in (
        "realtime.realtime",
        "beta.realtime.realtime",
        "responses.responses",
        "beta.responses.responses",
    )
)
_LANES: Final = "openai.lib.responses_websocket._session"
"""The module of what sends past a connection, for several at once."""
_CONNECTIONS: Final = tuple(
    f"{name}Connection" for name in ("Realtime", "AsyncRealtime", "Responses", "AsyncResponses")
)
_KEPT: Final = "_agentops_responses"
_OVER: Final = ("response.done", "response.completed", "response.incomplete", "response.failed")
_SOUND: Final = (b'"response.output_audio.delta"', b'"response.audio.delta"')
_ENDED_EARLY: Final = ("cancelled", "incomplete")


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Record the responses of connections, once their modules are imported, which few programs do."""

    def received(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        responses = _of(instance, tracer)
        try:
            message = wrapped(*args, **kwargs)
        except Exception as error:
            responses.broken(error)
            raise
        if inspect.isawaitable(message):
            return awaited(message, responses)
        responses.heard(message)
        return message

    async def awaited(message: Any, responses: _Responses) -> Any:
        try:
            heard = await message
        except Exception as error:
            responses.broken(error)
            raise
        responses.heard(heard)
        return heard

    def sent(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        _of(instance, tracer).asked(args[0] if args else next(iter(kwargs.values()), None))
        return wrapped(*args, **kwargs)

    def closed(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        _of(instance, tracer).left()
        return wrapped(*args, **kwargs)

    def entered(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        connection = wrapped(*args, **kwargs)
        if inspect.isawaitable(connection):
            return entered_async(connection, instance)
        _note(connection, instance, tracer)
        return connection

    async def entered_async(connecting: Any, manager: Any) -> Any:
        connection = await connecting
        _note(connection, manager, tracer)
        return connection

    def exited(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        responses = getattr(instance, _KEPT, None)
        error = args[1] if len(args) > 1 else None
        if responses is not None:
            responses.left(error if isinstance(error, Exception) else None)
        return wrapped(*args, **kwargs)

    def imported(module: Any) -> None:
        for name in _CONNECTIONS:
            connection, manager = getattr(module, name, None), getattr(module, f"{name}Manager", None)
            patches.method(connection, "recv_bytes", received)
            patches.method(connection, "send", sent)
            patches.method(connection, "send_raw", sent)
            patches.method(connection, "close", closed)
            for enter in ("__enter__", "__aenter__", "enter"):
                patches.method(manager, enter, entered)
            patches.method(manager, "__exit__", exited)
            patches.method(manager, "__aexit__", exited)
            patches.method(manager, "send", _queued)

    def routed(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        try:
            event = args[0] if args else kwargs.get("event")
            _of(instance._session.connection, tracer).asked(event, instance._state.stream_id)
        except Exception:
            pass  # Another version's: what is answered is told.
        return wrapped(*args, **kwargs)

    for module in _MODULES:
        patches.when(module, imported)
    for lane in ("ResponsesWebSocketLane", "AsyncResponsesWebSocketLane"):
        patches.later(f"{_LANES}:{lane}.send", routed)


def _of(connection: Any, tracer: trace.Tracer) -> _Responses:
    kept = getattr(connection, _KEPT, None)
    if kept is None:
        kept = _Responses(tracer)
        setattr(connection, _KEPT, kept)
    return kept


def _queued(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Keep what is to be sent as soon as the connection is there."""
    result = wrapped(*args, **kwargs)
    try:
        vars(instance).setdefault("_agentops_queued", []).append(args[0] if args else kwargs["event"])
    except Exception:
        pass  # Then it is told by what is answered.
    return result


def _note(connection: Any, manager: Any, tracer: trace.Tracer) -> None:
    try:
        responses = _of(connection, tracer)
        setattr(manager, _KEPT, responses)
        kept = cast("dict[str, Any]", vars(manager))
        own = {key.rpartition("__")[2]: value for key, value in kept.items()}
        if isinstance(own.get("model"), str):
            responses.session["model"] = own["model"]
        if "Azure" in type(own.get("client")).__name__:
            responses.provider = "azure"
        for event in kept.pop("_agentops_queued", ()):
            responses.asked(event)
    except Exception:
        pass  # The connection says by itself what it is.


class _Call:
    """A response that has been asked for, and is not over."""

    def __init__(self, span: Any, request: dict[str, Any], session: dict[str, Any]) -> None:
        self.span = span
        self.session = session
        self.request = request
        self.words = Written()
        self.begun = False
        self.request_id: Any = None
        self.lane: Any = None

    def end(self, error: BaseException | None = None, status: Status | None = None) -> None:
        span = self.span
        if span.is_recording():
            # Only now: what the session goes by is said after the first request may have been sent.
            told = {key: self.session[key] for key in _TOLD if self.session.get(key)}
            if not self.request.get("model") and isinstance(model := told.get("model"), str):
                span.set_attribute("llm.model_name", model)
            request = {**told, **self.request}
            if "input" not in request and "instructions" in request:
                # Nothing was said since the response before: they are all that went in.
                request["input"] = [{"role": "system", "content": request.pop("instructions")}]
            span.set_attribute("input.value", to_json(request))
            span.set_attribute("input.mime_type", "application/json")
        if error is not None:
            span.record_exception(error)
            status = Status(StatusCode.ERROR, f"{type(error).__name__}: {error}")
        if status is not None:
            span.set_status(status)
        span.end()

    def leave(self, error: BaseException | None) -> None:
        """End it with what had come."""
        text = str(self.words)
        if text:
            self.span.set_attribute("llm.output_messages.0.message.role", "assistant")
            self.span.set_attribute("llm.output_messages.0.message.content", text)
        self.end(error)


class _Responses:
    """The responses of one connection."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self.session: dict[str, Any] = {}
        """What the provider says that it goes by."""
        self.provider = "openai"
        self._tracer = tracer
        self._where = get_current()
        self._waiting: deque[_Call] = deque()
        self._open: dict[str, _Call] = {}
        self._items: list[dict[str, Any]] = []
        self._spoken: dict[str, tuple[dict[str, Any], int]] = {}
        self._sound = 0

    def asked(self, event: Any, lane: str | None = None) -> None:
        """Take what the program sends; never raises."""
        try:
            plain = _plain(event)
            kind = plain.get("type")
            if kind == "input_audio_buffer.append":
                self._sound += len(plain.get("audio") or "") * 3 // 4
            elif kind == "conversation.item.create":
                self._say(_silent(plain["item"]))
            elif kind == "response.create":
                given = plain.get("response") if isinstance(plain.get("response"), dict) else None
                if given is None:
                    given = {key: each for key, each in plain.items() if key not in ("type", "event_id")}
                call = self._begun(cast("dict[str, Any]", given))
                call.request_id, call.lane = plain.get("event_id"), lane or plain.get("stream_id")
                self._waiting.append(call)
        except Exception:
            pass  # Then only what is answered is told.

    def heard(self, message: Any) -> None:
        """Take a message of the provider's; never raises."""
        try:
            if type(message) is bytes and any(each in message for each in _SOUND):
                self._note_first(next(iter(self._open.values()), None))
                return
            self._heard(json.loads(message))
        except Exception:
            pass  # A message of another version's: the program has it.

    def _heard(self, event: dict[str, Any]) -> None:
        kind = str(event.get("type"))
        if kind in ("session.created", "session.updated"):
            self.session.update(event["session"])
        elif kind == "input_audio_buffer.committed":
            self._hear(str(event.get("item_id")))
        elif kind.startswith(transcribed.KIND):
            if kind.endswith(("completed", "failed")):
                self._transcribed(event)
        elif kind == "response.created":
            self._open[str(event["response"].get("id"))] = self._next(event.get("stream_id"))
        elif kind in _OVER:
            self._answered(event["response"])
        elif kind.endswith(".delta"):
            call = self._open.get(str(event.get("response_id"))) or next(iter(self._open.values()), None)
            self._note_first(call)
            if call is not None and isinstance(piece := event.get("delta"), str) and "arguments" not in kind:
                call.words.write(piece)
        elif kind == "error":
            self._refused(event)

    def _transcribed(self, event: dict[str, Any]) -> None:
        item, at = self._spoken.pop(str(event.get("item_id")), (None, None))
        sound = {"type": "input_audio"} if item is None else item["content"][0]
        if item is not None and "transcript" in event:
            item["content"] = [{"type": "input_audio", "transcript": event["transcript"]}]
        about = (self._tracer, self._around(), self.provider, self.session)
        transcribed.record(*about, (sound, at), event)

    def _hear(self, identity: str) -> None:
        said = {"type": "input_audio", "bytes": self._sound}
        self._sound = 0
        item = {"type": "message", "role": "user", "content": [said]}
        self._say(item)
        self._spoken[identity] = (item, time.time_ns())
        while len(self._spoken) > _MOST_SPOKEN:
            del self._spoken[next(iter(self._spoken))]

    def _say(self, item: dict[str, Any]) -> None:
        self._items.append(item)
        del self._items[:-_MOST_SAID]  # Of a connection on which nothing is answered.

    def _begun(self, given: dict[str, Any]) -> _Call:
        request: dict[str, Any] = {**given}
        if given.get("conversation") != "none" and not isinstance(given.get("input"), str) and self._items:
            request["input"] = [*self._items, *(given.get("input") or ())]
            self._items = []
        model = str(request.get("model") or self.session.get("model") or "")
        attributes = {
            "openinference.span.kind": "LLM",
            "llm.provider": self.provider,
            "llm.system": "openai",
            MODEL: model,
            "llm.model_name": model,
        }
        span = self._tracer.start_span("Response", self._around(), attributes=attributes)
        return _Call(span, request, self.session)

    def _around(self) -> Context:
        where = get_current()
        return where if where.get(OWN) is not None else self._where  # Where the connection was made.

    def _next(self, lane: Any) -> _Call:
        """Return what begins now: what was asked for first, on its lane, or what nobody asked for."""
        call = next((each for each in self._waiting if each.lane == lane), None)
        if call is None:
            return self._waiting.popleft() if self._waiting else self._begun({})
        self._waiting.remove(call)
        return call

    def _note_first(self, call: _Call | None) -> None:
        if call is not None and not call.begun:
            call.begun = True
            passed = max(time.time_ns() - call.span.start_time, 0)
            call.span.set_attribute(semconv.FIRST_TOKEN_NS, passed)

    def _answered(self, response: dict[str, Any]) -> None:
        call = self._open.pop(str(response.get("id")), None)
        if call is None:
            call = self._next(None)
        span, status = call.span, response.get("status")
        span.set_attribute("output.value", to_json(response))
        span.set_attribute("output.mime_type", "application/json")
        if isinstance(model := response.get("model"), str) and model:
            span.set_attribute("llm.response.model_name", model)
        details: dict[str, Any] = response.get("status_details") or response.get("incomplete_details") or {}
        if status == "failed":
            self._fail(call, response.get("error") or details.get("error") or {})
            return
        if status in _ENDED_EARLY:
            span.set_attribute("llm.finish_reason", str(details.get("reason") or status))
        elif response.get("object") == "realtime.response":
            kinds = [each.get("type") for each in response.get("output") or ()]
            span.set_attribute("llm.finish_reason", "tool_calls" if "function_call" in kinds else "stop")
        call.end(None, OK)

    def _refused(self, event: dict[str, Any]) -> None:
        """End the response that an error is about, if it says which, or can only be about one."""
        error: Any = event.get("error")
        said = cast("dict[str, Any]", error) if isinstance(error, dict) else event
        about = said.get("event_id")
        named = (each for each in self._waiting if about and each.request_id == about)
        call = next(named, None)
        if call is None and self._waiting and (not self._open or said.get("code") == _BUSY):
            call = self._waiting[-1]
        if call is not None:
            self._waiting.remove(call)
            self._fail(call, said)

    def _fail(self, call: _Call, error: Any) -> None:
        call.span.set_attribute("error.type", str(error.get("code") or error.get("type") or "failed"))
        message = str(error.get("message") or "The response failed.")
        call.end(None, Status(StatusCode.ERROR, message))

    def broken(self, error: Exception) -> None:
        """End what is open with the end of the connection; an ordinary one is no error."""
        if type(error).__name__ == "ConnectionClosedOK":
            self.left()
        elif "ConnectionClosed" in type(error).__name__:
            self.left(error)

    def left(self, error: BaseException | None = None) -> None:
        """End what is open, as left, or with the error that ended it; never raises."""
        try:
            calls = [*self._open.values(), *self._waiting]
            self._open.clear()
            self._waiting.clear()
            for call in calls:
                call.leave(error)
        except Exception:
            pass  # They stay open, and are shown as interrupted.


_TOLD: Final = ("model", "instructions", "tools", "tool_choice", "output_modalities", "modalities")
"""What of a session is part of each request."""
_MOST_SPOKEN: Final = 64
_MOST_SAID: Final = 1000
_BUSY: Final = "conversation_already_has_active_response"


def _plain(event: Any) -> dict[str, Any]:
    if isinstance(event, str | bytes):
        return json.loads(event)
    if hasattr(event, "model_dump"):
        return event.model_dump(mode="json", exclude_unset=True)
    return event if isinstance(event, dict) else {}  # pyright: ignore[reportUnknownVariableType] -- the program's


def _silent(item: Any) -> dict[str, Any]:
    """Return an item with the size of its sound instead of the sound."""
    plain = json.loads(to_json(item))
    for part in plain.get("content") or ():
        if isinstance(part, dict) and isinstance(sound := cast("Any", part).get("audio"), str):
            part["bytes"] = len(sound) * 3 // 4
            del part["audio"]
    return plain
