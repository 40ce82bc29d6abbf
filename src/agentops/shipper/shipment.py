"""What is shipped next: a chunk of the memory, of the segment being written, and of the backlog, in turn.

The memory goes first, since it is lost with the process; then the present, so that an old backlog does not
keep it waiting. The calling thread is the worker's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from agentops.clock import monotonic
from agentops.journal import Header, Journal, note_key, refused_keys
from agentops.journal.folder import orphans
from agentops.journal.losses import Losses
from agentops.journal.segment import Segment
from agentops.journal.writer import is_alike
from agentops.shipper.backlog import CHUNK_BYTES, ship_some
from agentops.shipper.batch import signal_of
from agentops.shipper.delivery import Send, deliver_lines, deliver_next
from agentops.shipper.outcome import ACCEPTED, Outcome, Signal

ORPHAN_SCAN_S: Final = 10.0
FIRST_ORPHAN_SCAN_S: Final = 1.0
SMALLEST_CHUNK_BYTES: Final = 65_536
MEMORY_CHUNK_BYTES: Final = 262_144
"""What is in memory is lost with the process: it goes in small requests, so that some arrive in any case."""
_SIGNALS: Final[tuple[Signal, ...]] = ("traces", "logs")


class Shipment:
    """Takes chunks of a journal to a server; used by one thread at a time.

    Attributes:
        more: After `next_chunk`: records that were there already wait behind it.
        newest_first: What is newest in memory goes before the rest: the process ends, and how its sessions
            ended, and how many events they had, is better known than not.
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
        self._key_taken: bool | None = None
        """Whether the server accepted the key of the last request that it judged; None before."""
        self.more = False
        self.newest_first = False
        self.next_scan = monotonic() + FIRST_ORPHAN_SCAN_S
        self.last_sent = -1e9
        self.records = 0
        self.requests = 0
        self.failures = 0

    def next_chunk(self) -> Outcome | None:
        """Ship one chunk of the memory, of the present and of the backlog. None when nothing was pending."""
        last: Outcome | None = None
        self.more = False
        for step in (self._ship_memory, self._ship_active, self._ship_backlog):
            outcome = step()
            if outcome is None:
                continue
            self.last_sent = monotonic()
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
        self._note_key(outcome)
        return outcome

    def _note_key(self, outcome: Outcome) -> None:
        """Remember whether the server takes our key, when that is news."""
        taken = True if outcome.verdict == "accepted" else False if outcome.key_refused else self._key_taken
        if taken is None or taken == self._key_taken:
            return
        self._key_taken = taken
        header = self._journal.header()
        note_key(self._journal.folder, header.endpoint, header.owner, refused=not taken)

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
        limit_bytes = min(self._chunk_bytes, MEMORY_CHUNK_BYTES)
        lines, resource, position = self._journal.in_memory(limit_bytes)
        if not lines:
            return None
        if self.newest_first and len(lines) < self._journal.stats().memory_records:
            newest, resource = self._journal.newest_in_memory(SMALLEST_CHUNK_BYTES)
            for signal in _SIGNALS:
                chosen = [line for line in newest if signal_of(line) == signal]
                # Not acknowledged: they go once more in their turn, which changes nothing at the server.
                sent = deliver_lines(signal, resource, chosen, self._sender, Losses())
                if sent.outcome.verdict != "accepted":
                    return sent.outcome
            self.newest_first = False
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
        own = self._journal.closed_segments()
        wanted = self._journal.header()
        outcome = self._ship_some(own, lambda header: header.endpoint == wanted.endpoint)
        if outcome is not None:
            return outcome
        orphaned = self._found_orphans()
        if not orphaned:
            return None
        refused = refused_keys(self._journal.folder) if self._key_taken else frozenset[tuple[str, str]]()
        return self._ship_some(
            orphaned,
            lambda header: (
                is_alike(header, wanted)
                or (header.endpoint == wanted.endpoint and (header.endpoint, header.owner) in refused)
            ),
        )

    def _ship_some(self, paths: list[Path], accept: Callable[[Header], bool]) -> Outcome | None:
        if not paths:
            return None
        shipped = ship_some(paths, self._sender, accept, self._journal.losses, self._chunk_bytes)
        done = set(shipped.done)
        self._orphans = [path for path in self._orphans if path not in done]
        self.records += shipped.records
        self.more = self.more or shipped.outcome is not None
        return shipped.outcome

    def _found_orphans(self) -> list[Path]:
        now = monotonic()
        if now >= self.next_scan:
            self.next_scan = now + ORPHAN_SCAN_S
            self._orphans = orphans(self._journal.folder)
        return list(self._orphans)
