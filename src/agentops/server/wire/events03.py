"""What 0.3 clients post becomes spans: pure functions, in the names that our own recorder uses.

A session of theirs is a trace whose id is the session's, an event is a span whose id follows from its own,
so that what is posted again replaces itself. Their agents are spans, too: events hang from them.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from agentops import semconv
from agentops.model import Attributes, Resource, Scope, Span
from agentops.server.normalise.values import is_list, is_object

SCOPE: Final = Scope("agentops.v2")
UNNAMED_SERVICE: Final = "agentops-0.3"
"""The service of programs that do not say where they run."""
_KINDS: Final = {
    "llms": "llm", "tools": "tool", "errors": "error",
    # As the documentation of their REST API writes them.
    "llm": "llm", "tool": "tool", "error": "error",
}  # fmt: skip
"""Their event types; whatever else is an action."""
_UNNAMED: Final = {"actions": "action", "apis": "api"}
"""What an action is called that says nothing but its type."""
_NO_TRACEBACK: Final = "NoneType: None"
_TAKEN: Final = frozenset(
    (
        "id", "event_id", "event_type", "init_timestamp", "end_timestamp", "timestamp", "session_id",
        "agent_id", "params", "returns", "input", "output", "prompt", "completion", "prompt_tokens",
        "completion_tokens", "cost", "model", "name", "tool_name", "action_type", "logs", "screenshot",
        "error_type", "code", "details", "trigger_event_id", "exception", "trigger_event",
    )
)  # fmt: skip
"""Fields that are read below; the others are kept under their own names."""


def trace_of(session_id: str) -> str:
    """Return the trace id of a session: the same 128 bits, or a hash of an id that is no UUID."""
    try:
        return UUID(session_id).hex
    except ValueError:
        return hashlib.blake2b(session_id.encode(errors="replace"), digest_size=16).hexdigest()


def span_of(*parts: str) -> str:
    """Return the span id that follows from what a span is."""
    text = "\n".join(parts).encode(errors="replace")
    found = hashlib.blake2b(text, digest_size=8).hexdigest()
    return found if found.strip("0") else "1".zfill(16)


def root_of(session_id: str) -> str:
    """Return the span id of a session's root."""
    return span_of("session", session_id)


def agent_span(session_id: str, agent_id: str) -> str:
    """Return the span id of an agent."""
    return span_of("agent", session_id, agent_id)


@functools.lru_cache(256)
def resource(service: str) -> Resource:
    """Return the resource of a 0.3 client's spans."""
    return Resource({semconv.SERVICE_NAME: service or UNNAMED_SERVICE, "agentops.client": "0.3"})


def event_span(session_id: str, said: Mapping[str, Any], parent_id: str, agent: str, now_ns: int) -> Span:
    """Return an event.

    Args:
        session_id: the session that it belongs to.
        said: the client's event object.
        parent_id: span of the agent that it belongs to, else of the session.
        agent: that agent's name, or "".
        now_ns: when it was received.
    """
    kind = _KINDS.get(str(said.get("event_type")), "action")
    began = at_ns(said.get("init_timestamp")) or at_ns(said.get("timestamp")) or now_ns
    ended = max(at_ns(said.get("end_timestamp")) or began, began)
    event_id = id_of(said) or hashlib.blake2b(json_of(dict(said)).encode(), digest_size=16).hexdigest()
    attributes: Attributes = {
        semconv.SESSION_ID: session_id,
        semconv.SPAN_KIND: kind,
        semconv.EVENT_ID: event_id,
    }
    agent_id = text_of(said.get("agent_id"))
    if agent_id:
        attributes[semconv.AGENT_ID] = agent_id
    if agent:
        attributes[semconv.AGENT_NAME] = agent
    if kind == "llm":
        name = text_of(said.get("model")) or "llm"
        attributes.update(_call(said))
    else:
        for fields, target in ((("params", "input"), semconv.INPUT), (("returns", "output"), semconv.OUTPUT)):
            value = _first(said, fields)
            if value is not None:
                attributes[target] = json_of(value)
        if kind == "tool":
            name = text_of(said.get("name")) or text_of(said.get("tool_name")) or "tool"
            attributes[semconv.TOOL_NAME] = name
        elif kind == "error":
            name = text_of(said.get("error_type")) or "error"
            attributes["error.type"] = name
        else:
            word = text_of(said.get("event_type"))
            name = (
                text_of(said.get("action_type"))
                or text_of(said.get("name"))
                or _UNNAMED.get(word, word)
                or "action"
            )
    for field, target in (
        ("logs", semconv.LOGS),
        ("screenshot", semconv.SCREENSHOT),
        ("code", semconv.ERROR_CODE),
        ("details", semconv.ERROR_DETAILS),
        ("trigger_event_id", semconv.TRIGGER_EVENT_ID),
    ):
        text = text_of(said.get(field))
        if text and text.strip() != _NO_TRACEBACK:
            attributes[target] = text
    cost = _number(said.get("cost"))
    if cost is not None:
        attributes[semconv.TOTAL_COST] = cost
    for field, value in said.items():
        if field not in _TAKEN and value not in (None, "", [], {}):
            attributes[f"agentops.event.{field}"] = (
                value if isinstance(value, str | int | float) else json_of(value)
            )
    return Span(
        trace_id=trace_of(session_id),
        span_id=span_of("event", session_id, event_id),
        parent_id=parent_id,
        name=name,
        start_ns=began,
        end_ns=ended,
        resource=resource(""),
        scope=SCOPE,
        attributes=attributes,
        status=2 if kind == "error" else 1,
        status_message=text_of(said.get("details")) if kind == "error" else "",
    )


def id_of(said: Mapping[str, Any]) -> str:
    """Return the id that an event has by its client, or ""."""
    return text_of(said.get("id")) or text_of(said.get("event_id"))


def agents_span(session_id: str, agent_id: str, name: str, began: int, ended: int) -> Span:
    """Return an agent of a session, from when it was made to when it last did something."""
    return Span(
        trace_id=trace_of(session_id),
        span_id=agent_span(session_id, agent_id),
        parent_id=root_of(session_id),
        name=name,
        start_ns=began,
        end_ns=max(began, ended),
        resource=resource(""),
        scope=SCOPE,
        attributes={
            semconv.SESSION_ID: session_id,
            semconv.SPAN_KIND: "agent",
            semconv.AGENT_ID: agent_id,
            semconv.AGENT_NAME: name,
            semconv.EVENT_ID: agent_id,
        },
        status=1,
    )


def _call(said: Mapping[str, Any]) -> Attributes:
    """Return what a model call of theirs says in the names of the GenAI conventions."""
    found: Attributes = {"gen_ai.operation.name": "chat"}
    model = text_of(said.get("model"))
    if model:
        found["gen_ai.request.model"] = found["gen_ai.response.model"] = model
    for fields, role, target, plain in (
        (("prompt", "input"), "user", "gen_ai.input.messages", semconv.INPUT),
        (("completion", "output"), "assistant", "gen_ai.output.messages", semconv.OUTPUT),
    ):
        value = _first(said, fields)
        if value is None or value == "":
            continue
        if isinstance(value, str):
            found[target] = json_of([{"role": role, "parts": [{"type": "text", "content": value}]}])
        elif isinstance(value, list | dict):
            found[target] = json_of(value)
        else:
            found[plain] = json_of(value)
    for field, target in (
        ("prompt_tokens", "gen_ai.usage.prompt_tokens"),
        ("completion_tokens", "gen_ai.usage.completion_tokens"),
    ):
        count = _count(said.get(field))
        if count is not None:
            found[target] = count
    for field in ("params", "returns"):
        if said.get(field) is not None:
            found[f"agentops.event.{field}"] = json_of(said[field])
    answer: Any = said.get("returns")
    if is_object(answer):
        found.update(_answer(answer))
    return found


def _answer(answer: Mapping[str, Any]) -> Attributes:
    """Return what the provider's own answer adds: its id, and the classes of its tokens."""
    found: Attributes = {}
    if isinstance(answer.get("id"), str):
        found["gen_ai.response.id"] = answer["id"]
    usage: Any = answer.get("usage")
    if not is_object(usage):
        return found
    # Read when the event itself says no counts.
    found["gen_ai.usage.raw"] = json_of(usage)
    prompt: Any = usage.get("prompt_tokens_details")
    completion: Any = usage.get("completion_tokens_details")
    for value, target in (
        (prompt.get("cached_tokens") if is_object(prompt) else None, "cache_read_input_tokens"),
        (usage.get("cache_read_input_tokens"), "cache_read_input_tokens"),
        (usage.get("cache_creation_input_tokens"), "cache_creation_input_tokens"),
        (completion.get("reasoning_tokens") if is_object(completion) else None, "reasoning_tokens"),
    ):
        count = _count(value)
        if count is not None:
            found[f"gen_ai.usage.{target}"] = count
    return found


def at_ns(value: Any) -> int | None:
    """Return ISO 8601 text or unix seconds as unix nanoseconds; None for what is none of them."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value * 1e9) if math.isfinite(value) and 0 < value < 1e11 else None
    if not isinstance(value, str) or not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    # Not through float: nanoseconds of today do not fit its 53 bits.
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    found = (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
    return found if found > 0 else None


def _first(said: Mapping[str, Any], fields: tuple[str, ...]) -> Any:
    return next((said[field] for field in fields if said.get(field) is not None), None)


def words_of(value: Any) -> list[str]:
    """Return a text, or a list of them, as different texts."""
    if isinstance(value, str):
        value = [value]
    if not is_list(value):
        return []
    return list(dict.fromkeys(text_of(word) for word in value if word not in (None, "")))


def text_of(value: Any) -> str:
    """Return a value as text: a text as it is, anything else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json_of(value)


def json_of(value: Any) -> str:
    """Return a value as JSON text."""
    return msgspec.json.encode(value).decode()


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return float(value)


def _count(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number < 2**53 else None
