"""What is shipped next: a chunk of the segment being written, of the memory, and of the backlog, in turn.

The present goes first, so that an old backlog does not keep it waiting. The calling thread is the worker's.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from agentops.journal import Journal
from agentops.journal.folder import orphans
from agentops.journal.segment import Segment
from agentops.journal.writer import is_alike
from agentops.shipper.backlog import CHUNK_BYTES, claim
from agentops.shipper.batch import signal_of
from agentops.shipper.delivery import Send, deliver_lines, deliver_next
from agentops.shipper.outcome import ACCEPTED, Outcome, Signal

ORPHAN_SCAN_S: Final = 10.0
FIRST_ORPHAN_SCAN_S: Final = 1.0
SMALLEST_CHUNK_BYTES: Final = 65_536
_SIGNALS: Final[tuple[Signal, ...]] = ("traces", "logs")


class Shipment:
    """Takes chunks of a journal to a server; used by one thread at a time.

    Attributes:
        more: After `next_chunk`: records that were there already wait behind it.
        next_scan: When to look for segments of other processes (monotonic seconds).
        last_sent: When a request was last made (monotonic seconds).
        records: Records that left the journal through it.
        requests: Requests made.
        failures: Those that were not accepted.
    """

    def __init__(self, journal: Journal, send: Send) -> None:
        self._journal = journal
        self._send = send
        self._chunk_bytes = CHUNK_BYTES
        self._orphans: list[Path] = []
        self.more = False
        self.next_scan = time.monotonic() + FIRST_ORPHAN_SCAN_S
        self.last_sent = -1e9
        self.records = 0
        self.requests = 0
        self.failures = 0

    def next_chunk(self) -> Outcome | None:
        """Ship one chunk of the present, of the memory and of the backlog. None when nothing was pending."""
        last: Outcome | None = None
        self.more = False
        for step in (self._ship_active, self._ship_memory, self._ship_backlog):
            outcome = step()
            if outcome is None:
                continue
            self.last_sent = time.monotonic()
            if outcome.verdict != "accepted":
                if outcome.timed_out:
                    # It may have been too much for the line.
                    self._chunk_bytes = max(SMALLEST_CHUNK_BYTES, self._chunk_bytes // 2)
                return outcome
            self._chunk_bytes = min(CHUNK_BYTES, self._chunk_bytes * 2)
            last = outcome
        return last

    def _sender(self, signal: Signal, body: bytes) -> Outcome:
        self.requests += 1
        outcome = self._send(signal, body)
        self.failures += outcome.verdict != "accepted"
        return outcome

    def _ship_active(self) -> Outcome | None:
        segment = self._journal.borrow()
        if segment is None:
            return None
        try:
            return self._deliver(segment)
        finally:
            self._journal.give_back(segment)

    def _deliver(self, segment: Segment) -> Outcome | None:
        delivered = deliver_next(segment, self._sender, self._journal.losses, self._chunk_bytes)
        self.records += delivered.records
        self.more = self.more or delivered.more
        return delivered.outcome

    def _ship_memory(self) -> Outcome | None:
        lines, resource, position = self._journal.in_memory(self._chunk_bytes)
        if not lines:
            return None
        refused = 0
        for signal in _SIGNALS:
            chosen = [line for line in lines if signal_of(line) == signal]
            sent = deliver_lines(signal, resource, chosen, self._sender, self._journal.losses)
            if sent.outcome.verdict != "accepted":
                return sent.outcome
            refused += len(sent.refused)
        # There is no folder to keep any of them in.
        self._journal.losses.note("corrupt", sum(signal_of(line) is None for line in lines))
        self._journal.losses.note("refused", refused)
        self._journal.losses.note("unkept", refused)
        self._journal.acknowledge_memory(position)
        self.records += len(lines)
        self.more = True
        return ACCEPTED

    def _ship_backlog(self) -> Outcome | None:
        """Ship a chunk of a finished segment: this process's own first, then other processes'."""
        paths = self._journal.closed_segments() + self._found_orphans()
        if not paths:
            return None
        wanted = self._journal.header()
        for path in paths:
            segment = claim(path, lambda header: is_alike(header, wanted), self._journal.losses)
            if segment is None:
                if path in self._orphans:
                    self._orphans.remove(path)
                continue
            try:
                outcome = self._deliver(segment)
            finally:
                if segment.finish() and path in self._orphans:
                    self._orphans.remove(path)
            if outcome is not None:
                self.more = True
                return outcome
        return None

    def _found_orphans(self) -> list[Path]:
        now = time.monotonic()
        if now >= self.next_scan:
            self.next_scan = now + ORPHAN_SCAN_S
            self._orphans = orphans(self._journal.folder)
        return list(self._orphans)
