"""A span of any dialect becomes an Event.

Pure, and it never raises: a span that our tables cannot make sense of is an operation with all its
attributes.
"""

from __future__ import annotations

from typing import Any, Final

from agentops import semconv
from agentops.model import Link, Span, SpanEvent
from agentops.server.normalise import answers, bodies, content, errors, tokens, values
from agentops.server.normalise import attributes as attribute
from agentops.server.normalise.dialects import plan
from agentops.server.normalise.event import Event
from agentops.server.normalise.surrogates import mended_span

_NO_KIND: Final = "operation"
_COST_OF_A_LIBRARY: Final = "llm.cost.total"
_PRICING: Final = "openlit."
"""Instrumentation that computes costs, and says 0 of a model that it has no price for."""
_NAMED_BY_METHOD: Final = (
    "openinference.instrumentation.smolagents",
    "openinference.instrumentation.crewai",
    "openinference.instrumentation.autogen_agentchat",
)
"""Instrumentation that names an agent's span after the agent and one of its methods."""
END_BEFORE_START: Final = "agentops.received.end_time_unix_nano"
"""Attribute that keeps the end of a span that says it ended before it started; its duration is 0 then."""


def normalise(span: Span) -> Event:
    """Return the span as an Event. Costs are as reported; `prices` computes the others."""
    try:
        return _event(span)
    except UnicodeEncodeError:
        return _event_or_plain(mended_span(span))
    except Exception:
        # Whatever the tables tripped over, the span is kept: as it came, unread.
        return _plain(mended_span(span))


def _event_or_plain(span: Span) -> Event:
    try:
        return _event(span)
    except Exception:
        return _plain(span)


def _event(span: Span) -> Event:
    given = span.attributes
    found: dict[str, Any] = {}
    sources: dict[str, str] = {}
    fields, flat = plan(tuple(given))
    for field, sourced, candidates in fields:
        for name, reader, takes_text in candidates:
            value = given[name]
            # Most fields are text: looking costs less than calling.
            if takes_text and type(value) is str:
                if not value:
                    continue
            else:
                value = reader(value)
                if value is None:
                    continue
            found[field] = value
            if sourced:
                sources[field] = name
            break
    get = found.get
    resource = span.resource.attributes
    own = resource.get(semconv.SDK_NAME) == semconv.SDK_NAME_VALUE
    scope = span.scope
    events = span.events

    # Nothing is its own parent: a span that says so has none.
    parent_id = span.parent_id if span.parent_id != span.span_id else ""
    kind: str = get("kind") or _kind_without_word(span, found, flat)
    if kind == semconv.SESSION_KIND and parent_id and not own:
        kind = _NO_KIND
    is_root = kind == semconv.SESSION_KIND

    provider: str = get("provider", "")
    request_model: str = get("request_model", "")
    model: str = get("model") or request_model
    if provider and model.lower().startswith(f"{provider}/"):
        model = model[len(provider) + 1 :]  # A router's way to name it.
    if not model and (kind == "llm" or kind == "embedding"):
        model = request_model = content.model_in_parameters(found)

    if events or flat or not is_root:
        entered, left = content.bodies(given, found, sources, events, kind, flat)
    else:
        entered = bodies.value_body(get("input"), "input", json_text=own)
        left = bodies.value_body(get("output"), "output", json_text=own)

    identity, reason = content.answer(found, left) if kind == "llm" else ("", "")
    if kind == "llm":
        answers.take(found)
    counts = tokens.tokens(found, sources, model, provider, scope.name)
    start_ns = span.start_ns
    end_ns = span.end_ns
    ended = end_ns != 0
    if ended and end_ns < start_ns:
        given = {**given, END_BEFORE_START: str(end_ns)}
    if scope.attributes:
        given = {**given, **{f"{attribute.SCOPE}{key}": value for key, value in scope.attributes.items()}}

    error = errors.NONE
    if not ended:
        status = "running"
    elif errors.failed(span.status, found, events, kind):
        status = "error"
        error = errors.failure(found, events, span.status_message, kind)
    else:
        status = "ok"

    agent: str = get("agent", "")
    name = span.name
    if not own or scope.name != semconv.SCOPE:  # An instrumentor's, also where our SDK sends it.
        name, agent = content.shown_name(name, kind, found, sources, given, agent)
        if kind == "agent" and "agent" not in found and scope.name.startswith(_NAMED_BY_METHOD):
            # The agent's name and the method that ran it: "researcher.run".
            agent = name = name.rpartition(".")[0] or name
    cost: float | None = get("cost")
    of_library = sources.get("cost") == _COST_OF_A_LIBRARY or scope.name.startswith(_PRICING)
    if cost == 0 and of_library and counts.input:
        cost = None  # The library has no price for the model: that is not known, and not free.
    service = resource.get(semconv.SERVICE_NAME, "")
    instance = resource.get(semconv.SERVICE_INSTANCE, "")
    for text in (name, span.status_message, span.trace_state, scope.name, scope.version):
        if not text.isascii():
            text.encode()
    return Event(
        span.trace_id,
        span.span_id,
        parent_id,
        get("session", ""),
        kind,
        name,
        agent,
        get("agent_id", ""),
        start_ns,
        ended,
        max(0, end_ns - start_ns) if ended else 0,
        status,
        span.status_message,
        model,
        request_model,
        provider,
        get("response_id") or identity,
        _finish(get("finish"), left.finish or reason),
        counts.input,
        counts.output,
        counts.cache_read,
        counts.cache_write,
        counts.reasoning,
        cost,
        "" if cost is None else "reported",
        "",
        _first_token_ns(found, events, start_ns),
        error.type,
        error.message,
        error.stack,
        get("source_id", ""),
        get("user", ""),
        get("tags", []) if is_root or not own else [],
        get("session_name", "") if is_root else "",
        content.END_STATES.get(get("end_state", "").lower(), "") if is_root else "",
        get("end_reason", "") if is_root else "",
        is_root and get("inherited", False),
        get("records_sent", 0) if is_root else 0,
        get("heartbeat_ns", 0) if is_root else 0,
        get("host_env", "") if is_root else "",
        entered.text,
        entered.format,
        left.text,
        left.format,
        entered.preview,
        left.preview,
        attribute.stored(given, entered.verbatim, left.verbatim, entered.messages, left.messages),
        values.encoded(events) if events else "[]",
        values.encoded(_links(span.links)) if span.links else "[]",
        scope.name,
        scope.version,
        service if type(service) is str else values.encoded(service),
        instance if type(instance) is str else values.encoded(instance),
        get("seq", 0),
        span.kind,
        span.trace_state,
        own,
        "" if name == span.name else span.name,
        counts.more,
        span.flags,
    )


def _kind_without_word(span: Span, found: dict[str, Any], flat: bool) -> str:
    """Return the kind of a span that no kind attribute describes."""
    if span.name.startswith("tool_call.") or "tool_input" in found:
        return "tool"
    if "model" in found or "request_model" in found:
        if "tokens_output" in found or "output_messages" in found or "finish" in found:
            return "llm"
        if flat and any(
            name.startswith(("gen_ai.completion.", "llm.output_messages.")) for name in span.attributes
        ):
            return "llm"
    return _NO_KIND


def _finish(reasons: list[str] | None, said: str) -> str:
    if not reasons:
        return said
    return ", ".join(dict.fromkeys(reasons))


_FIRST_CHUNK: Final = frozenset(
    ("First Token Stream Event", "llm.content.completion.chunk", "gen_ai.content.completion.chunk")
)


def _first_token_ns(found: dict[str, Any], events: list[SpanEvent], start_ns: int) -> int | None:
    value: int | None = found.get("first_token_ns")
    if value is None:
        value = found.get("first_token_s")
    if value is None and events:
        for event in events:
            if event.name in _FIRST_CHUNK and event.time_ns >= start_ns:
                return event.time_ns - start_ns
    return value


def _plain(span: Span) -> Event:
    """Return a span unread: an operation with all its attributes."""
    ended = span.end_ns != 0
    return Event(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id if span.parent_id != span.span_id else "",
        declared_session="",
        kind=_NO_KIND,
        name=span.name,
        agent="",
        agent_id="",
        started_at=span.start_ns,
        ended=ended,
        duration_ns=max(0, span.end_ns - span.start_ns) if ended else 0,
        status="running" if not ended else "error" if span.status == 2 else "ok",
        status_message=span.status_message,
        model="",
        request_model="",
        provider="",
        response_id="",
        finish_reason="",
        tokens_input=None,
        tokens_output=None,
        tokens_cache_read=None,
        tokens_cache_write=None,
        tokens_reasoning=None,
        cost_usd=None,
        cost_source="",
        cost_detail="",
        first_token_ns=None,
        error_type="",
        error_message="",
        error_stack="",
        source_id="",
        user_id="",
        tags=[],
        session_name="",
        end_state="",
        end_reason="",
        inherited=False,
        records_sent=0,
        heartbeat_ns=0,
        host_env="",
        input="",
        input_format="",
        output="",
        output_format="",
        input_preview="",
        output_preview="",
        attributes=_encoded_or_shown(span.attributes),
        span_events=_encoded_or_shown(span.events),
        links=_encoded_or_shown(_links(span.links)),
        scope_name=span.scope.name,
        scope_version=span.scope.version,
        service=str(span.resource.attributes.get(semconv.SERVICE_NAME, "")),
        instance=str(span.resource.attributes.get(semconv.SERVICE_INSTANCE, "")),
        seq=0,
        span_kind=span.kind,
        trace_state=span.trace_state,
        own=span.resource.attributes.get(semconv.SDK_NAME) == semconv.SDK_NAME_VALUE,
        flags=span.flags,
    )


def _links(links: list[Link]) -> list[dict[str, Any]]:
    """Return links as they are stored: with what few of them have only where they have it."""
    return [
        {"trace_id": one.trace_id, "span_id": one.span_id, "attributes": one.attributes}
        | ({"trace_state": one.trace_state} if one.trace_state else {})
        | ({"flags": one.flags} if one.flags else {})
        for one in links
    ]


def _encoded_or_shown(value: Any) -> str:
    try:
        return values.encoded(value)
    except Exception:
        return values.encoded({"unreadable": repr(value).encode("utf-8", "replace").decode()})
