"""Facts: what a session's row needs to know of a span, a few hundred bytes without any body.

They come from an ingested event, or from the spans table when a trace was touched before; both say the same.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

from agentops.server.normalise.event import Event

ENDED_BIT: Final = 1 << 62
"""Added to the version of an end record, so that it beats every start record whenever they arrive."""


class Fact(Struct, frozen=True, kw_only=True, gc=False):
    """One span as the summary sees it. Field names are columns of the spans table."""

    span_id: str
    parent_id: str
    declared_session: str
    version: int
    seen_at: int
    resource_id: int
    kind: str
    name: str
    agent: str
    started_at: int
    ended: bool
    duration_ns: int
    status: str
    status_message: str
    model: str
    provider: str
    response_id: str
    tokens_input: int | None
    tokens_output: int | None
    tokens_cache_read: int | None
    tokens_cache_write: int | None
    tokens_reasoning: int | None
    cost_usd: float | None
    cost_source: str
    error_type: str
    error_message: str
    user_id: str
    tags: list[str] = field(default_factory=list[str])
    session_name: str
    end_state: str
    end_reason: str
    inherited: bool
    records_sent: int
    host_env: str
    input_preview: str
    service: str
    instance: str
    seq: int
    own: bool


COLUMNS: Final = ", ".join(Fact.__struct_fields__)
"""The columns that make a Fact, for a SELECT."""

TraceKey = tuple[str, str]
"""(project, trace_id)."""


def fact(event: Event, version: int, seen_at: int, resource_id: int) -> Fact:
    """Return the facts of an event that is about to be stored as `version`."""
    return Fact(
        span_id=event.span_id,
        parent_id=event.parent_id,
        declared_session=event.declared_session,
        version=version,
        seen_at=seen_at,
        resource_id=resource_id,
        kind=event.kind,
        name=event.name,
        agent=event.agent,
        started_at=event.started_at,
        ended=event.ended,
        duration_ns=event.duration_ns,
        status=event.status,
        status_message=event.status_message,
        model=event.model,
        provider=event.provider,
        response_id=event.response_id,
        tokens_input=event.tokens_input,
        tokens_output=event.tokens_output,
        tokens_cache_read=event.tokens_cache_read,
        tokens_cache_write=event.tokens_cache_write,
        tokens_reasoning=event.tokens_reasoning,
        cost_usd=event.cost_usd,
        cost_source=event.cost_source,
        error_type=event.error_type,
        error_message=event.error_message,
        user_id=event.user_id,
        tags=event.tags,
        session_name=event.session_name,
        end_state=event.end_state,
        end_reason=event.end_reason,
        inherited=event.inherited,
        records_sent=event.records_sent,
        host_env=event.host_env,
        input_preview=event.input_preview,
        service=event.service,
        instance=event.instance,
        seq=event.seq,
        own=event.own,
    )
