"""The writer: one committing thread, one insert for all requests that wait.

`submit` hands over a batch and returns a future; the future is done when the rows are on disk. Requests that
come in while an insert runs share the next one. The queue is bounded by bytes: beyond it, `Full` tells the
sender to wait.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

import msgspec

from agentops.errors import StoreError
from agentops.server.normalise.event import Event, Log
from agentops.server.store.client import Store
from agentops.server.store.edits import traces_of
from agentops.server.store.facts import Fact, TraceKey
from agentops.server.store.remote import Unavailable
from agentops.server.store.summarise import Summariser

_log: Final = logging.getLogger("agentops.server")
_MOST_QUEUED_BYTES: Final = 256 * 1024 * 1024
_MOST_INSERT_BYTES: Final = 64 * 1024 * 1024
_GATHER_S: Final = 0.2
"""How long a commit waits for requests that are being read: each part that is written costs by itself."""
_ENOUGH_BYTES: Final = 8 * 1024 * 1024
"""What is worth a commit of its own."""
_MOST_KNOWN_RESOURCES: Final = 10_000
SPAN_COLUMNS: Final = (
    "project",
    "version",
    "received_at",
    "seen_at",
    "resource_id",
    *Event.__struct_fields__,
)
"""What a line of `Batch.spans` holds."""
LOG_COLUMNS: Final = ("project", "version", "received_at", "resource_id", *Log.__struct_fields__)
"""What a line of `Batch.logs` holds."""
_COLUMNS: Final = {"spans": SPAN_COLUMNS, "logs": LOG_COLUMNS}
_UNREADABLE: Final = re.compile(
    r"CANNOT_PARSE|INCORRECT_DATA|UNKNOWN_FIELD|TYPE_MISMATCH|ILLEGAL_TYPE|OUT_OF_RANGE|CANNOT_CONVERT|TOO_LARGE_STRING"
    r"|CANNOT_READ_ALL_DATA|Cannot parse|VALUE_IS_OUT|codec can't decode"
)
"""How the engine says that a row, not the store, is at fault.

Its message quotes the row, cut anywhere: the embedded engine's driver may fail to decode that.
"""


class Full(Exception):
    """The server holds as much as it may; try again after `retry_after_s`."""

    retry_after_s = 1

    def __init__(self, message: str = "More arrives than can be stored just now.") -> None:
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one request. Lines are JSON arrays in the order of SPAN_COLUMNS and LOG_COLUMNS."""

    spans: list[bytes] = field(default_factory=list[bytes])
    logs: list[bytes] = field(default_factory=list[bytes])
    resources: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])
    facts: dict[TraceKey, list[Fact]] = field(default_factory=dict[TraceKey, list[Fact]])
    received_at: int = 0
    content: bool = False
    """Whether its logs hold content that completes spans."""
    loose: frozenset[tuple[str, str]] = frozenset()
    """Projects and sessions of its log records that name a session and no trace."""

    @property
    def size(self) -> int:
        """Bytes of its rows."""
        return sum(map(len, self.spans)) + sum(map(len, self.logs))


class Writer:
    """The thread that commits."""

    def __init__(self, store: Store, summariser: Summariser) -> None:
        self._store = store
        self._summariser = summariser
        self._client = store.connect()
        # A part of some thousand rows is written by one thread for less than two would take. Versions of a
        # span that arrive together are told apart by whoever reads, as others are: looking for them row by
        # row costs a tenth of an insert.
        for setting, value in (("max_threads", 1), ("max_insert_threads", 1), ("optimize_on_insert", 0)):
            self._client.set_client_setting(setting, str(value))
        self._wake = threading.Condition()
        self._queue: list[tuple[Batch, int, Future[None]]] = []
        self._queued_bytes = 0
        self._expected = 0
        self._stopping = False
        self._resources: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._thread = threading.Thread(target=self._run, name="agentops-writer", daemon=True)
        self.spans_committed = 0
        self.logs_committed = 0
        self.commits = 0
        self.failures = 0
        self.rows_refused = 0
        self.turned_away = 0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, batch: Batch) -> Future[None]:
        """Hand over rows; the future is done when they are committed, or holds the store's error.

        Raises:
            Full: too much waits already.
        """
        size = batch.size
        future: Future[None] = Future()
        with self._wake:
            if self._stopping or (self._queued_bytes and self._queued_bytes + size > _MOST_QUEUED_BYTES):
                self.turned_away += 1
                raise Full("The server is stopping.") if self._stopping else Full
            self._queue.append((batch, size, future))
            self._queued_bytes += size
            self._wake.notify()
        return future

    @contextlib.contextmanager
    def expecting(self) -> Generator[None]:
        """Say that a request is being read: what waits for a commit waits a moment longer, to share it."""
        with self._wake:
            self._expected += 1
        try:
            yield
        finally:
            with self._wake:
                self._expected -= 1
                if not self._expected:
                    self._wake.notify()

    @property
    def queued_bytes(self) -> int:
        """Bytes that wait for a commit."""
        return self._queued_bytes

    def stop(self, timeout_s: float) -> None:
        """Commit what was handed over, then end the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: bool(self._queue) or self._stopping)
                if not self._queue:
                    return
                self._wake.wait_for(
                    lambda: not self._expected or self._stopping or self._queued_bytes >= _ENOUGH_BYTES,
                    _GATHER_S,
                )
                taken, size = 0, 0
                for _, weight, _ in self._queue:
                    if taken and size + weight > _MOST_INSERT_BYTES:
                        break
                    taken += 1
                    size += weight
                group, self._queue = self._queue[:taken], self._queue[taken:]
            try:
                self._commit([batch for batch, _, _ in group])
            except Exception as error:
                self.failures += 1
                away = isinstance(error, StoreError)
                _log.error("A commit of %d requests failed: %s", len(group), error, exc_info=not away)
                # Whatever it was: nothing of it is stored, and the sender has it still.
                failure = error if away else Unavailable(f"The commit failed: {error}")
                for _, _, future in group:
                    future.set_exception(failure)
            else:
                for _, _, future in group:
                    future.set_result(None)
            with self._wake:
                self._queued_bytes -= size

    def _commit(self, batches: list[Batch]) -> None:
        resources: list[bytes] = []
        fresh: list[tuple[str, int]] = []
        for batch in batches:
            for key, text in batch.resources.items():
                if key not in self._resources:
                    fresh.append(key)
                    row = {
                        "project": key[0],
                        "resource_id": key[1],
                        "json": text,
                        "version": batch.received_at,
                    }
                    resources.append(msgspec.json.encode(row))
        self._store.insert("resources", resources, self._client)
        self._resources.update(dict.fromkeys(fresh))
        while len(self._resources) > _MOST_KNOWN_RESOURCES:
            self._resources.popitem(last=False)
        touched: dict[TraceKey, list[Fact]] = {}
        loose: dict[str, set[str]] = {}
        for project, session_id in (one for batch in batches for one in batch.loose):
            loose.setdefault(project, set()).add(session_id)
        for project, session_ids in loose.items():
            # Whoever looks at the sessions is told, by way of their traces.
            for trace in traces_of(self._store, project, sorted(session_ids)):
                touched[project, trace.trace_id] = []
        logs = [line for batch in batches for line in batch.logs]
        self._insert("logs", logs)
        spans = [line for batch in batches for line in batch.spans]
        self._insert("spans", spans)
        for batch in batches:
            for key, facts in batch.facts.items():
                touched.setdefault(key, []).extend(facts)
        if touched:
            self._summariser.submit(touched, any(batch.content for batch in batches))
        self.spans_committed += len(spans)
        self.logs_committed += len(logs)
        self.commits += 1

    def _insert(self, table: str, lines: list[bytes]) -> None:
        """Insert rows; one that the engine cannot read is left out and counted, and sinks nothing else."""
        try:
            self._store.insert(table, lines, self._client, _COLUMNS[table])
        except Exception as error:
            if not _UNREADABLE.search(str(error)):
                raise
            if len(lines) == 1:
                self.rows_refused += 1
                _log.error("A row of %s was refused by the store: %s", table, error)
                return
            middle = len(lines) // 2
            self._insert(table, lines[:middle])
            self._insert(table, lines[middle:])
