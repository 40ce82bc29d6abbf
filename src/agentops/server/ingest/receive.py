"""From a decoded body to a batch of rows: normalise, price, encode; nothing here waits or writes.

A row is the JSON array of its event's fields behind the store's own columns (`write.SPAN_COLUMNS`): a span is
encoded once and never looked at again on its way to the engine, and no row repeats the columns' names.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import astuple, replace

from agentops.model import LogRecord, Resource, Span
from agentops.otlp.refusal import Rejected
from agentops.server.ingest.intake import Intake
from agentops.server.normalise import normalise, normalise_log
from agentops.server.normalise.event import Event
from agentops.server.prices import priced
from agentops.server.store.facts import ENDED_BIT, Fact, TraceKey, fact
from agentops.server.store.write import Batch, Writer

if TYPE_CHECKING:
    from agentops.otlp.decode import Encoding

_ENCODER: Final = msgspec.json.Encoder()
_NOTHING_SEEN: Final[Mapping[tuple[str, str], int]] = {}


class Ingest:
    """Takes OTLP bodies of a project and hands their rows to the writer."""

    def __init__(self, writer: Writer, clock: Callable[[], int] = time.time_ns) -> None:
        self._writer = writer
        self._clock = clock
        self.intake = Intake()
        self._priced = threading.Condition()
        self._pricing: set[object] = set()
        self.spans_refused = 0
        self.logs_refused = 0

    def traces(
        self, body: bytes, encoding: Encoding, project: str, sent_at_ns: int | None
    ) -> tuple[Future[None] | None, list[Rejected]]:
        """Decode spans and submit them.

        Args:
            body: a decompressed ExportTraceServiceRequest.
            encoding: what it is written in.
            project: whose spans these are.
            sent_at_ns: when it was sent, by the sender's clock; None when the sender did not say.

        Returns:
            A future that is done when the rows are committed (None without rows), and what was refused.

        Raises:
            MalformedBody: the body as a whole cannot be read.
            Full: too much waits already.
        """
        # Here and not above: protobuf's classes take 0.15 s to load, which a server that starts need not wait
        # for.
        from agentops.otlp.decode import decode_traces

        decoded = decode_traces(body, encoding)
        self.spans_refused += sum(one.count for one in decoded.rejected)
        if not decoded.spans:
            return None, decoded.rejected
        return self.spans(decoded.spans, project, sent_at_ns), decoded.rejected

    def spans(
        self,
        spans: list[Span],
        project: str,
        sent_at_ns: int | None = None,
        seen: Mapping[tuple[str, str], int] = _NOTHING_SEEN,
    ) -> Future[None]:
        """Submit spans that are decoded already; as `traces`.

        Args:
            spans: what was decoded.
            project: whose spans these are.
            sent_at_ns: when they were sent, by the sender's clock.
            seen: when another store heard of spans (by trace and span id) that come from its export.
        """
        mine = object()
        with self._priced:
            self._pricing.add(mine)
        try:
            return self._writer.submit(rows(spans, project, self._clock(), sent_at_ns, seen))
        finally:
            with self._priced:
                self._pricing.remove(mine)
                self._priced.notify_all()

    def settle(self, timeout_s: float) -> None:
        """Wait until the calls that are being priced now are committed: all later ones have today's prices.

        Raises:
            Full: the server is stopping.
            TimeoutError: it takes longer.
        """
        with self._priced:
            before = frozenset(self._pricing)
            self._priced.wait_for(lambda: self._pricing.isdisjoint(before), timeout_s)
        # Commits are in the order of submission.
        self._writer.submit(Batch()).result(timeout_s)

    def logs(
        self, body: bytes, encoding: Encoding, project: str
    ) -> tuple[Future[None] | None, list[Rejected]]:
        """Decode log records and submit them; as `traces`."""
        from agentops.otlp.decode import decode_logs

        decoded = decode_logs(body, encoding)
        self.logs_refused += sum(one.count for one in decoded.rejected)
        if not decoded.records:
            return None, decoded.rejected
        return self.records(decoded.records, project), decoded.rejected

    def metrics(self, body: bytes, encoding: Encoding) -> tuple[None, list[Rejected]]:
        """Refuse what is no request of metrics, and keep nothing of one; as `traces`."""
        from agentops.otlp.decode import check_metrics

        check_metrics(body, encoding)
        return None, []

    def records(
        self, records: list[LogRecord], project: str, ids: Sequence[str] | None = None
    ) -> Future[None]:
        """Submit log records that are decoded already; as `traces`. `ids`: those of an export."""
        received_at = self._clock()
        resources = _Resources(project)
        lines: list[bytes] = []
        touched: dict[TraceKey, list[Fact]] = {}
        content = False
        seen: dict[str, int] = {}
        for index, record in enumerate(records):
            log = normalise_log(record, seen)
            if ids is not None and ids[index]:
                log = replace(log, log_id=ids[index])
            content = content or log.content
            if log.trace_id:
                touched.setdefault((project, log.trace_id), [])
            resource_id = resources.id_of(record.resource)
            lines.append(
                _ENCODER.encode((project, received_at + index, received_at, resource_id, *astuple(log)))
            )
        batch = Batch(
            logs=lines, resources=resources.found, facts=touched, received_at=received_at, content=content
        )
        return self._writer.submit(batch)


def rows(
    spans: list[Span],
    project: str,
    received_at: int,
    sent_at_ns: int | None,
    seen: Mapping[tuple[str, str], int] = _NOTHING_SEEN,
) -> Batch:
    """Return the rows of decoded spans, as received at `received_at` (unix nanoseconds)."""
    resources = _Resources(project)
    lines: list[bytes] = []
    facts: dict[TraceKey, list[Fact]] = {}
    skew = None if sent_at_ns is None else received_at - sent_at_ns
    encode = _ENCODER.encode
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


class _Resources:
    """The resources of one request; spans of a batch share the object, so that each is hashed once."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._ids: dict[int, int] = {}
        self.found: dict[tuple[str, int], str] = {}

    def id_of(self, resource: Resource) -> int:
        known = self._ids.get(id(resource))
        if known is not None:
            return known
        text = msgspec.json.encode(resource.attributes, order="deterministic")
        number = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
        self._ids[id(resource)] = number
        self.found[self._project, number] = text.decode()
        return number
