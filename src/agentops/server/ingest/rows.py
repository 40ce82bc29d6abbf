"""From decoded spans to rows: normalise, price, encode; nothing here waits or writes.

A row is the JSON array of its event's fields behind the store's own columns (`write.SPAN_COLUMNS`): a span is
encoded once and never looked at again on its way to the engine, and no row repeats the columns' names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import astuple

from agentops.model import Resource, Span
from agentops.server.normalise import normalise
from agentops.server.normalise.event import Event
from agentops.server.prices import priced
from agentops.server.store.facts import ENDED_BIT, Fact, TraceKey, fact
from agentops.server.store.write import Batch

ENCODER: Final = msgspec.json.Encoder()
NOTHING_SEEN: Final[Mapping[tuple[str, str], int]] = {}


def rows(
    spans: list[Span],
    project: str,
    received_at: int,
    sent_at_ns: int | None,
    seen: Mapping[tuple[str, str], int] = NOTHING_SEEN,
) -> Batch:
    """Return the rows of decoded spans, as received at `received_at` (unix nanoseconds)."""
    resources = Resources(project)
    lines: list[bytes] = []
    facts: dict[TraceKey, list[Fact]] = {}
    skew = None if sent_at_ns is None else received_at - sent_at_ns
    encode = ENCODER.encode
    # Spans of one process, and of one trace, come together.
    resource: Resource | None = None
    resource_id = 0
    trace_id = ""
    together: list[Fact] = []
    for index, span in enumerate(spans):
        event = priced(normalise(span))
        version = received_at + index + (ENDED_BIT if event.ended else 0)
        seen_at = received_at if skew is None else _seen_at(event, skew, received_at)
        if seen:
            seen_at = seen.get((span.trace_id, span.span_id), seen_at)
        if span.resource is not resource:
            resource = span.resource
            resource_id = resources.id_of(resource)
        lines.append(encode((project, version, received_at, seen_at, resource_id, *astuple(event))))
        if event.trace_id != trace_id:
            trace_id = event.trace_id
            together = facts.setdefault((project, trace_id), [])
        together.append(fact(event, version, seen_at, resource_id))
    return Batch(spans=lines, resources=resources.found, facts=facts, received_at=received_at)


def _seen_at(event: Event, skew: int, received_at: int) -> int:
    """Return when a record was made, by our clock: a backlog that arrives late shows no life now."""
    made_at = max(
        event.heartbeat_ns, event.started_at + event.duration_ns if event.ended else event.started_at
    )
    return max(0, min(received_at, made_at + skew))


class Resources:
    """The resources of one request; spans of a batch share the object, so that each is hashed once."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._ids: dict[int, int] = {}
        self.found: dict[tuple[str, int], str] = {}

    def id_of(self, resource: Resource) -> int:
        """Return a resource's id, by its content."""
        known = self._ids.get(id(resource))
        if known is not None:
            return known
        text = msgspec.json.encode(resource.attributes, order="deterministic")
        number = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
        self._ids[id(resource)] = number
        self.found[self._project, number] = text.decode()
        return number
