"""Facts: what a session's row needs to know of a span, a few hundred bytes without any body.

They come from an ingested event, or from the spans table when a trace was touched before; both say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from agentops.server.normalise.event import Event

ENDED_BIT: Final = 1 << 62
"""Added to the version of an end record, so that it beats every start record whenever they arrive."""


class Fact(Struct, frozen=True, gc=False):
    """One span as the summary sees it. Field names are columns of the spans table, all but `input_size`.

    Attributes:
        input_size: how long `input` is, bytes of UTF-8.
    """

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
    tags: list[str]
    session_name: str
    end_state: str
    end_reason: str
    inherited: bool
    records_sent: int
    heartbeat_ns: int
    host_env: str
    input_preview: str
    input_format: str
    input_size: int
    service: str
    instance: str
    seq: int
    own: bool
    scope_name: str


_READ: Final = {"input_size": "input.size AS input_size"}
COLUMNS: Final = ", ".join(_READ.get(name, name) for name in Fact.__struct_fields__)
"""The columns that make a Fact, for a SELECT."""

TraceKey = tuple[str, str]
"""(project, trace_id)."""


def stored_fact(row: Mapping[str, Any]) -> Fact:
    """Return the facts of a row of the spans table, by the names of all its columns."""
    return msgspec.convert({**row, "input_size": _size(row["input"])}, Fact)


def fact(event: Event, version: int, seen_at: int, resource_id: int) -> Fact:
    """Return the facts of an event that is about to be stored as `version`."""
    # By position: this runs once a span, and names would cost as much again.
    return Fact(
        event.span_id,
        event.parent_id,
        event.declared_session,
        version,
        seen_at,
        resource_id,
        event.kind,
        event.name,
        event.agent,
        event.started_at,
        event.ended,
        event.duration_ns,
        event.status,
        event.status_message,
        event.model,
        event.provider,
        event.response_id,
        event.tokens_input,
        event.tokens_output,
        event.tokens_cache_read,
        event.tokens_cache_write,
        event.tokens_reasoning,
        event.cost_usd,
        event.cost_source,
        event.error_type,
        event.error_message,
        event.user_id,
        event.tags,
        event.session_name,
        event.end_state,
        event.end_reason,
        event.inherited,
        event.records_sent,
        event.heartbeat_ns,
        event.host_env,
        event.input_preview,
        event.input_format,
        _size(event.input),
        event.service,
        event.instance,
        event.seq,
        event.own,
        event.scope_name,
    )


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
