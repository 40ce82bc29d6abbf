"""Events: things that happened, made by the program itself and recorded with `record`.

    agentops.record(ActionEvent(action_type="search", params={"q": "..."}, returns=[...]))

An event is one span. Its `id` is kept, and recording the same object again replaces what was recorded before.
"""

from __future__ import annotations

import math
import time
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from opentelemetry.context import get_current

from agentops import semconv
from agentops.sdk.capture import cut
from agentops.sdk.messages import messages
from agentops.sdk.moments import at_ns, moment
from agentops.sdk.session import timestamp
from agentops.sdk.settings import word
from agentops.sdk.signature import named_fields

if TYPE_CHECKING:
    from agentops.sdk.client import Client
    from agentops.sdk.core import Core
    from agentops.sdk.spans import RecordedSpan


def _now() -> str:
    return timestamp(time.time_ns())


def _id() -> str:
    return str(uuid.uuid4())


def _name(*candidates: Any) -> str:
    """Return the first that names something; other values than text are as good as none."""
    return next((one for one in candidates if isinstance(one, str) and one), "event")


@named_fields
@dataclass
class Event:
    """Something that happened. `event_type` is its name; times are ISO 8601 text, UTC unless they say."""

    kind: ClassVar[str] = "action"

    event_type: str = ""
    params: Any = None
    returns: Any = None
    init_timestamp: str | None = field(default_factory=_now)
    end_timestamp: str | None = None
    agent_id: str | None = None
    id: str = field(default_factory=_id)
    session_id: str | None = None
    _recorded: Any = field(default=None, init=False, repr=False, compare=False)
    """The span that stands for it, once it has been recorded."""

    def shown(self) -> str:
        """Return the event's name."""
        return _name(self.event_type, "event")

    def said(self, client: Client) -> dict[str, Any]:
        """Return the attributes of the event's type."""
        del client
        return {}


@named_fields
@dataclass
class ActionEvent(Event):
    """An action of an agent."""

    event_type: str = ""
    action_type: str | None = None
    logs: Any = None
    screenshot: str | None = None

    def shown(self) -> str:
        """Return the action's type."""
        return _name(self.action_type, self.event_type, "action")

    def said(self, client: Client) -> dict[str, Any]:
        """Return logs and screenshot."""
        return _given(client, {semconv.LOGS: self.logs, semconv.SCREENSHOT: self.screenshot})


@named_fields
@dataclass
class LLMEvent(Event):
    """A call of a language model. Tokens are None when they are not known."""

    kind: ClassVar[str] = "llm"

    event_type: str = ""
    thread_id: Any = None
    prompt: Any = None
    prompt_tokens: int | None = None
    completion: Any = None
    completion_tokens: int | None = None
    cost: float | Decimal | None = None
    model: str | None = None

    def shown(self) -> str:
        """Return the model's name."""
        return _name(self.model, self.event_type, "llm")

    def said(self, client: Client) -> dict[str, Any]:
        """Return model, messages, tokens and cost."""
        out = llm_attributes(client, self.model, self.prompt, self.completion)
        out |= {
            name: value
            for name, value in {
                "gen_ai.usage.input_tokens": _number(self.prompt_tokens, int),
                "gen_ai.usage.output_tokens": _number(self.completion_tokens, int),
                semconv.TOTAL_COST: _number(self.cost, float),
                "agentops.llm.thread_id": None if self.thread_id is None else word(self.thread_id),
            }.items()
            if value is not None
        }
        return out


@named_fields
@dataclass
class ToolEvent(Event):
    """A use of a tool."""

    kind: ClassVar[str] = "tool"

    event_type: str = ""
    name: str | None = None
    logs: Any = None

    def shown(self) -> str:
        """Return the tool's name."""
        return _name(self.name, self.event_type, "tool")

    def said(self, client: Client) -> dict[str, Any]:
        """Return name and logs."""
        return {semconv.TOOL_NAME: self.shown(), **_given(client, {semconv.LOGS: self.logs})}


@named_fields
@dataclass
class ErrorEvent(Event):
    """An error, and the event that led to it."""

    kind: ClassVar[str] = "error"

    event_type: str = ""
    trigger_event: Event | None = None
    exception: BaseException | None = None
    error_type: str | None = None
    code: Any = None
    details: Any = None
    logs: Any = None
    timestamp: str | None = None

    def __post_init__(self) -> None:
        given: Any = self.exception if self.exception is not None else self.details
        if issubclass(type(given), BaseException):  # A proxy may fail when it is asked for its class.
            from agentops.sdk.spans import exception_attributes

            found = exception_attributes(given)
            self.error_type = _given_or(self.error_type, type(given).__name__)
            self.logs = _given_or(self.logs, found["exception.stacktrace"])
            self.details = (
                found["exception.message"]
                if given is self.details
                else _given_or(self.details, found["exception.message"])
            )
        elif self.exception is not None:
            self.details = _given_or(self.details, self.exception)
        self.init_timestamp = _given_or(self.timestamp, self.init_timestamp)

    def shown(self) -> str:
        """Return the error's type."""
        return _name(self.error_type, self.event_type, "error")

    def said(self, client: Client) -> dict[str, Any]:
        """Return type, code, details, logs and trigger."""
        given: Any = self.trigger_event
        trigger = given.id if issubclass(type(given), Event) else given
        return {
            "error.type": self.shown(),
            **_given(
                client,
                {
                    semconv.ERROR_CODE: self.code,
                    semconv.ERROR_DETAILS: self.details,
                    semconv.LOGS: self.logs,
                    semconv.TRIGGER_EVENT_ID: trigger,
                },
            ),
        }


def _is(value: Any, kind: type) -> bool:
    """Return `isinstance`; a proxy may fail when it is asked for its class."""
    try:
        return isinstance(value, kind)
    except Exception:
        return issubclass(type(value), kind)


def _given_or(value: Any, otherwise: Any) -> Any:
    """Return a value unless it is None or an empty text; objects of the program's are not asked for more."""
    return otherwise if value is None or (isinstance(value, str) and not value) else value


def _id_text(value: Any) -> str:
    """Return an id that a program gave, such as a UUID, as text; empty for what is none."""
    try:
        return "" if value is None else cut(str(value), 1000)
    except (Exception, SystemExit):
        return ""


def _number(value: Any, kind: type[int] | type[float]) -> float | None:
    """Return a count or an amount that a program gave, or None for what is none."""
    try:
        found = None if value is None else kind(value)
        return found if found is not None and math.isfinite(found) and found >= 0 else None
    except Exception:  # The program's own objects raise what they like.
        return None


def _given(client: Client, values: dict[str, Any]) -> dict[str, Any]:
    text = client.recorder.text
    return {name: text(value) for name, value in values.items() if value is not None}


def llm_attributes(client: Client, model: Any, prompt: Any, completion: Any) -> dict[str, Any]:
    """Return the attributes of an LLM call in the names of the OpenTelemetry GenAI conventions."""
    out: dict[str, Any] = {"gen_ai.operation.name": "chat"}
    if isinstance(model, str) and model:
        out["gen_ai.request.model"] = out["gen_ai.response.model"] = model
    for value, role, name, plain in (
        (prompt, "user", "gen_ai.input.messages", semconv.INPUT),
        (completion, "assistant", "gen_ai.output.messages", semconv.OUTPUT),
    ):
        if value is None:
            continue
        found = messages(value, role)
        out[name if found is not None else plain] = client.captured(value if found is None else found)
    return out


def record(client: Client, core: Core, event: Any) -> None:
    """Record an event, or an exception, in a session. Never raises for what an event holds."""
    if _is(event, BaseException):
        event = ErrorEvent(exception=event)
    if not _is(event, Event):
        raise TypeError(
            "record() takes an Event (ActionEvent, LLMEvent, ToolEvent, ErrorEvent) or an exception, "
            f"not {type(event).__name__}"
        )
    try:
        _record(client, core, event)
    except Exception as error:
        client.recorder.failed(error)


def _record(client: Client, core: Core, event: Event) -> None:
    trigger: Any = event.trigger_event if isinstance(event, ErrorEvent) else None
    if isinstance(trigger, Event) and trigger._recorded is None:  # pyright: ignore[reportPrivateUsage] -- of this file
        _record(client, core, trigger)
    if event.end_timestamp is None and not isinstance(event, ErrorEvent):
        event.end_timestamp = _now()
    attributes = _attributes(client, event)
    known: RecordedSpan | None = event._recorded  # pyright: ignore[reportPrivateUsage] -- of this file
    start_ns = moment(event.init_timestamp)
    end_ns = at_ns(event.end_timestamp) or start_ns
    if known is not None and known.core is core:
        known.reopen()
        known.set_attributes(attributes)
        known.update_name(cut(event.shown(), 1000))
        known.end(end_ns)
        return
    event.session_id = core.text
    agent = None
    agent_id = _id_text(event.agent_id)
    if agent_id:
        agent = (core.agents.get(agent_id, ""), agent_id)
    shown = cut(event.shown(), 1000)
    span = client.open(core, get_current(), shown, attributes, agent=agent, start_ns=start_ns, over=True)
    event._recorded = span  # pyright: ignore[reportPrivateUsage] -- of this file
    if isinstance(event, ErrorEvent):
        span.fail_with(
            client.recorder.text(event.details, 4096) if event.details is not None else event.shown()
        )
    span.end(end_ns)


def _attributes(client: Client, event: Event) -> dict[str, Any]:
    said = event.said(client)
    attributes: dict[str, Any] = {semconv.SPAN_KIND: event.kind, semconv.EVENT_ID: _id_text(event.id), **said}
    chat = event.kind == "llm"
    if event.params is not None:
        taken = chat and ("gen_ai.input.messages" in said or semconv.INPUT in said)
        attributes["agentops.event.params" if taken else semconv.INPUT] = client.captured(event.params)
    if event.returns is not None:
        taken = chat and ("gen_ai.output.messages" in said or semconv.OUTPUT in said)
        attributes["agentops.event.returns" if taken else semconv.OUTPUT] = client.captured(event.returns)
    return attributes


def create_agent(client: Client, core: Core, name: str, agent_id: str | None = None) -> str:
    """Make an agent known to a session, recording it, and return its id."""
    known = cut(word(agent_id), 1000) if agent_id is not None else str(uuid.uuid4())
    name = cut(word(name), 1000)
    core.agents[known] = name
    try:
        attributes: dict[str, Any] = {semconv.SPAN_KIND: "agent", semconv.EVENT_ID: known}
        client.open(core, get_current(), name, attributes, agent=(name, known), over=True).end()
    except Exception as error:
        client.recorder.failed(error)
    return known
