"""From a request's body to a batch that the writer commits; nothing here waits for the store."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from msgspec.structs import astuple, replace

from agentops.model import LogRecord, Span
from agentops.otlp.refusal import Rejected
from agentops.server.ingest.decoders import Decoders
from agentops.server.ingest.intake import Intake
from agentops.server.ingest.rows import ENCODER, NOTHING_SEEN, Resources, rows
from agentops.server.normalise import normalise_log
from agentops.server.store.facts import Fact, TraceKey
from agentops.server.store.write import Batch, Writer

if TYPE_CHECKING:
    from agentops.otlp.decode import Encoding


class Ingest:
    """Takes OTLP bodies of a project and hands their rows to the writer."""

    def __init__(self, writer: Writer, clock: Callable[[], int] = time.time_ns) -> None:
        self._writer = writer
        self._clock = clock
        self.intake = Intake()
        self.decoders = Decoders()
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
        with self._being_priced():
            batch, rejected = self.decoders.rows(body, encoding, project, sent_at_ns, self._clock)
            self.spans_refused += sum(one.count for one in rejected)
            return (self._writer.submit(batch) if batch.spans else None), rejected

    def spans(
        self,
        spans: list[Span],
        project: str,
        sent_at_ns: int | None = None,
        seen: Mapping[tuple[str, str], int] = NOTHING_SEEN,
    ) -> Future[None]:
        """Submit spans that are decoded already; as `traces`.

        Args:
            spans: what was decoded.
            project: whose spans these are.
            sent_at_ns: when they were sent, by the sender's clock.
            seen: when another store heard of spans (by trace and span id) that come from its export.
        """
        with self._being_priced():
            return self._writer.submit(rows(spans, project, self._clock(), sent_at_ns, seen))

    @contextlib.contextmanager
    def _being_priced(self) -> Generator[None]:
        mine = object()
        with self._priced:
            self._pricing.add(mine)
        try:
            yield
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
        self,
        records: list[LogRecord],
        project: str,
        ids: Sequence[str] = (),
        came_at: Sequence[int] = (),
    ) -> Future[None]:
        """Submit log records that are decoded already; as `traces`.

        Args:
            records: what was decoded.
            project: whose records these are.
            ids: those of an export, "" for what has none; or nothing.
            came_at: when another store got records that say no time, as unix nanoseconds, else 0; or nothing.
        """
        received_at = self._clock()
        resources = Resources(project)
        lines: list[bytes] = []
        touched: dict[TraceKey, list[Fact]] = {}
        loose: set[tuple[str, str]] = set()
        content = False
        seen: dict[str, int] = {}
        for index, record in enumerate(records):
            log = normalise_log(record, seen)
            version = received_at + index
            if ids and ids[index]:
                log = replace(log, log_id=ids[index])
            if came_at and came_at[index]:
                log, version = replace(log, at_ns=0), came_at[index]
            content = content or log.content
            if log.trace_id:
                touched.setdefault((project, log.trace_id), [])
            elif log.declared_session:
                loose.add((project, log.declared_session))
            resource_id = resources.id_of(record.resource)
            lines.append(ENCODER.encode((project, version, received_at, resource_id, *astuple(log))))
        batch = Batch(
            logs=lines,
            resources=resources.found,
            facts=touched,
            received_at=received_at,
            content=content,
            loose=frozenset(loose),
        )
        return self._writer.submit(batch)
