"""Event and Log: the rows that every dialect becomes.

An Event's fields are the columns of the store's `spans` table, in this order and meaning; a Log's those of
`logs`. Both are flat and hold text, numbers and lists of text only, so that a row is encoded without looking
at it.
"""

from __future__ import annotations

from msgspec import Struct

PREVIEW_CHARACTERS = 200
"""The longest `input_preview` and `output_preview`."""


class Event(Struct, frozen=True, gc=False):
    """One span as the dashboard knows it.

    Times are unix nanoseconds, ids lower-case hex. Texts are "" when there is nothing to say; numbers that
    may be unknown are None, never 0.

    Attributes:
        trace_id: 32 hex characters.
        span_id: 16 hex characters.
        parent_id: 16 hex characters, or "" for a span without a parent.
        declared_session: The session that the span itself names, or "".
        kind: One of `semconv.KINDS`, or "session" for the root span of a session.
        name: What a reader sees.
        agent: Name of the agent that the event belongs to; on an agent's own event, itself.
        agent_id: The agent's id, as declared.
        started_at: When it began.
        ended: False for a start record: the span is still going on, as far as this record knows.
        duration_ns: 0 while not ended.
        status: "ok", "error" or "running" (not ended).
        status_message: The span status's text.
        model: The model that answered, else the one asked for.
        request_model: The model asked for.
        provider: Lower-case name of the provider, such as "openai" or "anthropic".
        response_id: The provider's id of the answer.
        finish_reason: Why the model stopped; several are joined with ", ".
        tokens_input: Tokens in, those read from and written to a cache included.
        tokens_output: Tokens out, reasoning included.
        tokens_cache_read: The part of the input read from a cache.
        tokens_cache_write: The part of the input written to a cache.
        tokens_reasoning: The part of the output spent on reasoning.
        cost_usd: US dollars, or None when neither reported nor computable.
        cost_source: "", "reported" or "computed".
        cost_detail: JSON text of the arithmetic behind `cost_usd`, or "".
        first_token_ns: Nanoseconds from the call to the first streamed chunk.
        error_type: Type of the exception or the error.
        error_message: Its message.
        error_stack: Its stack trace.
        source_id: The program's own id of the event.
        user_id: The end user that the work was done for.
        tags: Tags of the session that the span names.
        session_name: A name that the user chose for the session.
        end_state: "Success", "Fail", "Indeterminate" or "" (none given yet).
        end_reason: Why the session ended so.
        inherited: The root span of a process that contributes to a session it did not start.
        records_sent: Events of the session that the process recorded so far.
        heartbeat_ns: When this start record was repeated as a sign of life, or 0.
        host_env: JSON text about the machine, or "".
        input: What went in, in the form `input_format` names.
        input_format: "" (none), "messages", "json" or "text".
        output: What came out.
        output_format: As `input_format`.
        input_preview: At most 200 readable characters of the input.
        output_preview: At most 200 readable characters of the output.
        attributes: JSON object of all attributes as received; a value that stands verbatim in `input` or
            `output` is {"$ref": "input"} or {"$ref": "output"} instead (`attributes.restored` undoes it).
        span_events: JSON array of the span's events.
        links: JSON array of the span's links.
        scope_name: The instrumentation that made the span.
        scope_version: Its version.
        service: The resource's `service.name`.
        instance: The resource's `service.instance.id`.
        seq: Number of the event in its session and process, from 1; 0 when it has none.
        span_kind: OTLP's span kind as a number.
        trace_state: W3C tracestate.
        own: Made in a process that our SDK records.
        source_name: The span's name as it was sent, where `name` is another; else "".
        usage_more: JSON object of the classes of tokens that few calls have (`tokens.More`), or "".
        flags: W3C's trace flags and OTLP's own, as sent.
    """

    trace_id: str
    span_id: str
    parent_id: str
    declared_session: str
    kind: str
    name: str
    agent: str
    agent_id: str
    started_at: int
    ended: bool
    duration_ns: int
    status: str
    status_message: str
    model: str
    request_model: str
    provider: str
    response_id: str
    finish_reason: str
    tokens_input: int | None
    tokens_output: int | None
    tokens_cache_read: int | None
    tokens_cache_write: int | None
    tokens_reasoning: int | None
    cost_usd: float | None
    cost_source: str
    cost_detail: str
    first_token_ns: int | None
    error_type: str
    error_message: str
    error_stack: str
    source_id: str
    user_id: str
    tags: list[str]
    session_name: str
    end_state: str
    end_reason: str
    inherited: bool
    records_sent: int
    heartbeat_ns: int
    host_env: str
    input: str
    input_format: str
    output: str
    output_format: str
    input_preview: str
    output_preview: str
    attributes: str
    span_events: str
    links: str
    scope_name: str
    scope_version: str
    service: str
    instance: str
    seq: int
    span_kind: int
    trace_state: str
    own: bool
    source_name: str = ""
    usage_more: str = ""
    flags: int = 0


class Log(Struct, frozen=True, gc=False):
    """One log record.

    With `content`, it completes the span that it names instead of being a log of its session.

    Attributes:
        log_id: 16 hex characters, the same for the same record sent again.
        trace_id: 32 hex characters, or "" outside any span.
        span_id: 16 hex characters, or "".
        declared_session: The session that the record itself names, or "".
        at_ns: When it was made, unix nanoseconds.
        severity: OTLP severity number (9 info, 13 warning, 17 error; 0 unknown).
        severity_text: Upper-case name of the severity.
        name: The event's name, such as `gen_ai.choice`, or "".
        body: The text of the record; JSON text when `body_format` is "json".
        body_format: "" (none), "json" or "text".
        logger: Name of the logger or the scope.
        content: A GenAI content event: `input` and `output` hold messages for the span `span_id`.
        input: JSON array of messages to append to the span's input, or "".
        output: JSON array of messages to append to the span's output, or "".
        attributes: JSON object of all attributes as received.
        service: The resource's `service.name`.
        instance: The resource's `service.instance.id`.
        flags: W3C's trace flags, as sent.
    """

    log_id: str
    trace_id: str
    span_id: str
    declared_session: str
    at_ns: int
    severity: int
    severity_text: str
    name: str
    body: str
    body_format: str
    logger: str
    content: bool
    input: str
    output: str
    attributes: str
    service: str
    instance: str
    flags: int = 0
