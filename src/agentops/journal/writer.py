"""The writer: one record, one line, one `write`, in a segment of this process that the shipper borrows.

Where a record goes: the journal's folder; when that cannot be written, the fallback folder; when neither can,
memory; when that is full, nowhere, counted as `memory_full`. A place that failed is tried again after
`RETRY_S`.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from agentops.journal import fork, limit
from agentops.journal.folder import make_fallback, make_private
from agentops.journal.losses import Losses
from agentops.journal.memory import Memory
from agentops.journal.segment import EMPTY_RESOURCE, Header, Segment, read_cursor

log = logging.getLogger("agentops.journal")

RETRY_S: Final = 1.0
MEMORY_BYTES: Final = 16 << 20
_WHOLE_FILE: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class JournalStats:
    """What one process's journal did so far.

    Attributes:
        records: Records appended, those in memory included.
        bytes: Their bytes, newlines included.
        memory_records: Records that are in memory only.
        closed_segments: Segments of this process that are full and not known to be shipped.
        place: Where records go now: `home`, `fallback`, `memory`, or empty before the first.
        lost: Records lost, by reason (see `losses.REASONS`).
    """

    records: int = 0
    bytes: int = 0
    memory_records: int = 0
    closed_segments: int = 0
    place: str = ""
    lost: dict[str, int] = field(default_factory=dict[str, int])


class Mark(NamedTuple):
    """A moment of the journal: how far each of its segments had come, and the memory."""

    ends: tuple[tuple[Path, int], ...]
    memory: int


class Journal:
    """The journal of this process: safe in threads, forks, signal handlers and finalisers; never raises.

    Args:
        folder: `<home>/journal`; made at the first record.
        header: Called for every new segment (and so again in a forked child).
        segment_bytes: Size at which a segment is closed.
        max_bytes: Most that the folder may take, all processes together.
        on_append: Called after each record, outside the lock; the shipper sets it when it is None.
        memory_bytes: Most that is held in memory while no folder can be written.
    """

    def __init__(
        self,
        folder: Path,
        header: Callable[[], Header],
        *,
        segment_bytes: int,
        max_bytes: int,
        on_append: Callable[[], None] | None = None,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self.folder = folder
        self.on_append = on_append
        self.losses = Losses()
        self._header = header
        self._max_bytes = max_bytes
        # A quarter, so that the limit has something to drop before the segment being written.
        self._segment_bytes = max(1, min(segment_bytes, max_bytes // 4))
        self._memory_bytes = memory_bytes
        self._folder_used: Path | None = None
        self._held_for_fork = False
        self._reset()
        fork.watch(self)

    def _reset(self) -> None:
        self._lock = threading.RLock()
        self._writing = False
        self._active: Segment | None = None
        self._closed: dict[Path, Header] = {}
        self._memory = Memory(self._memory_bytes)
        self._memory_header: Header | None = None
        self._retry_at = {"home": 0.0, "fallback": 0.0}
        self._said: set[str] = set()
        self._to_say: list[str] = []
        self._records = 0
        self._bytes = 0
        self._place = ""

    # Writing.

    def append(self, line: bytes) -> None:
        """Put one record (a JSON object without newline) on disk; it is there when this returns."""
        try:
            if b"\n" in line:
                line = line.replace(b"\n", b" ")  # JSON has raw newlines only where a blank may stand.
            with self._lock:
                if self._writing:
                    # A signal or a finaliser broke into an append of this very thread.
                    self._append_apart(line)
                else:
                    self._writing = True
                    try:
                        segment = self._active
                        if segment is not None and segment.size < self._segment_bytes:
                            try:
                                segment.write(line + b"\n")
                            except OSError as error:
                                self._append_elsewhere(line, error)
                        else:
                            self._append_elsewhere(line, None)
                        self._records += 1
                        self._bytes += len(line) + 1
                    finally:
                        self._writing = False
            if self._to_say:
                self._say()
            if self.on_append is not None:
                self.on_append()
        except Exception:
            # The recorded program must not feel an error of ours.
            self.losses.note("bug")

    def rotate(self) -> None:
        """Close the segment being written, so that the next record begins one with a new header."""
        with self._lock:
            if not self._writing:
                self._retire()

    def close(self) -> None:
        """Close the segment being written, deleting it if it is acknowledged. A later append begins one."""
        try:
            with self._lock:
                if self._writing:
                    return
                if len(self._memory):
                    self._retry_at = dict.fromkeys(self._retry_at, 0.0)  # There is no later.
                    self._next_segment()
                self._retire()
                if len(self._memory):
                    self.losses.note("exit", len(self._memory))
                    self._memory.drop_until(self._memory.put_in)
            self.save_losses()
            self._say()
        except Exception:
            self.losses.note("bug")

    def _append_elsewhere(self, line: bytes, error: OSError | None) -> None:
        """Append where the segment being written is full, absent, or has just failed with `error`."""
        if len(line) > self._max_bytes:
            self.losses.note("too_large")
            return
        while True:
            if error is not None:
                self._close_place(self._place, error)
            self._retire()
            segment = self._next_segment()
            if segment is None:
                break
            try:
                segment.write(line + b"\n")
            except OSError as failure:
                error = failure
            else:
                return
        if not self._memory.add(line):
            self.losses.note("memory_full")
            self._say_once(
                "full", "The journal's memory is full as well: records are being lost, and counted."
            )
        elif self._memory_header is None:
            self._memory_header = self._new_header()

    def _append_apart(self, line: bytes) -> None:
        """Append to a segment made for this record: the interrupted append may be anywhere in its own."""
        try:
            segment = Segment.create(self._folder_used or self.folder, self._new_header())
            segment.write(line + b"\n")
        except OSError:
            if not self._memory.add(line):
                self.losses.note("memory_full")
            return
        self._records += 1
        self._bytes += len(line) + 1
        self._closed[segment.path] = segment.header
        segment.finish()

    def _next_segment(self) -> Segment | None:
        """Begin a segment at the first place that takes one; move what is in memory to it."""
        for place in ("home", "fallback"):
            if time.monotonic() < self._retry_at[place]:
                continue
            try:
                if place == "home":
                    make_private(self.folder)
                    folder = self.folder
                else:
                    folder = make_fallback(self.folder)
                limit.enforce(folder, self._max_bytes - self._segment_bytes, self.losses)
                segment = Segment.create(folder, self._new_header())
            except OSError as error:
                self._close_place(place, error)
                continue
            self._active = segment
            self._folder_used = folder
            self._place = place
            return segment if self._memory_moved(segment) else None
        self._place = "memory"
        return None

    def _memory_moved(self, segment: Segment) -> bool:
        while lines := self._memory.first(1 << 20):
            try:
                segment.write(b"\n".join(lines) + b"\n")
            except OSError as error:
                self._close_place(self._place, error)
                self._retire()
                self._place = "memory"
                return False
            self._memory.drop_until(self._memory.taken_out + len(lines))
        return True

    def _close_place(self, place: str, error: OSError) -> None:
        if place in self._retry_at:
            self._retry_at[place] = time.monotonic() + RETRY_S
        if place == "home":
            self._say_once(
                place,
                f"The journal in {self.folder} cannot be written ({error.strerror or error}). Records go "
                "to a temporary folder instead, or to memory. Free the disk or set AGENTOPS_HOME to a folder "
                "that can be written.",
            )
        elif place == "fallback":
            self._say_once(
                place, f"The temporary folder cannot be written either ({error.strerror or error})."
            )

    def _retire(self) -> None:
        segment, self._active = self._active, None
        if segment is None:
            return
        segment.retired = True
        if segment.borrowed or not segment.finish():
            self._closed[segment.path] = segment.header

    def _new_header(self) -> Header:
        try:
            return self._header()
        except Exception:
            return Header(EMPTY_RESOURCE, "")

    # Reading, for the shipper.

    def header(self) -> Header:
        """Return the header that a new segment would have now."""
        return self._new_header()

    def borrow(self) -> Segment | None:
        """Return the segment being written, kept open until `give_back`; None when there is none."""
        with self._lock:
            if self._active is not None:
                self._active.borrowed = True
            return self._active

    def give_back(self, segment: Segment) -> None:
        """End `borrow`."""
        with self._lock:
            segment.borrowed = False
            if segment.retired:
                if segment.finish():
                    self._closed.pop(segment.path, None)
            elif segment is self._active and not self._writing and segment.is_unlinked():
                self._move(segment)

    def _move(self, segment: Segment) -> None:
        """Take what is pending to a new segment: somebody has deleted this one under us."""
        self._active = None
        target = self._next_segment()
        while target is not None and (chunk := segment.next_chunk(1 << 20)) is not None:
            try:
                target.write(chunk.lines)
            except OSError:
                self.losses.note("bug", chunk.lines.count(b"\n"))
            segment.acknowledged = chunk.end
        segment.abandon()

    def closed_segments(self) -> list[Path]:
        """Return this process's full segments that may still hold records for its endpoint, oldest first."""
        with self._lock:
            for path in [path for path in self._closed if not path.exists()]:
                del self._closed[path]
            if not self._closed:
                return []
            wanted = self._new_header()
            return [path for path, header in self._closed.items() if is_alike(header, wanted)]

    def in_memory(self, limit_bytes: int) -> tuple[list[bytes], bytes, int]:
        """Return the oldest lines that are only in memory, their resource, the position to acknowledge."""
        with self._lock:
            lines = self._memory.first(limit_bytes)
            resource = self._memory_header.resource if self._memory_header is not None else EMPTY_RESOURCE
            return lines, resource, self._memory.taken_out + len(lines)

    def acknowledge_memory(self, position: int) -> None:
        """Let go of the lines in memory before `position`."""
        with self._lock:
            self._memory.drop_until(position)

    def mark(self) -> Mark:
        """Return this moment, for `reached`."""
        closed = tuple((path, _WHOLE_FILE) for path in self.closed_segments())
        with self._lock:
            active = self._active
            ends = closed if active is None else (*closed, (active.path, active.length()))
            return Mark(ends, self._memory.put_in)

    def reached(self, mark: Mark) -> bool:
        """Return whether everything appended before `mark` has left the journal."""
        with self._lock:
            if self._memory.taken_out < mark.memory:
                return False
            active = self._active
            acknowledged = {} if active is None else {active.path: active.acknowledged}
        return all(_has_left(path, end, acknowledged.get(path)) for path, end in mark.ends)

    # Counting and surviving.

    def stats(self) -> JournalStats:
        """Return what this journal did so far."""
        with self._lock:
            return JournalStats(
                self._records,
                self._bytes,
                len(self._memory),
                len(self._closed),
                self._place,
                self.losses.by_reason(),
            )

    def save_losses(self) -> None:
        """Write newly counted losses to the folder's file."""
        self.losses.save(self._folder_used or self.folder)

    def _say_once(self, topic: str, message: str) -> None:
        if topic not in self._said:
            self._said.add(topic)
            self._to_say.append(message)

    def _say(self) -> None:
        # Outside the lock: the program's own logging may record, and so come back here.
        while self._to_say:
            log.warning("%s", self._to_say.pop(0))

    def before_fork(self) -> None:
        """Bring appends to rest."""
        self._held_for_fork = self._lock.acquire(timeout=fork.LOCK_WAIT_S)

    def after_fork_in_parent(self) -> None:
        """Let appends go on."""
        if self._held_for_fork:
            self._held_for_fork = False
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Forget the parent's segments; the first record here begins one of this process."""
        self._held_for_fork = False
        self.losses.reset_in_child()
        self._reset()


def is_alike(header: Header, wanted: Header) -> bool:
    """Return whether records under `header` are for the server and project that `wanted` names."""
    return header.endpoint == wanted.endpoint and header.owner == wanted.owner


def _has_left(path: Path, end: int, acknowledged: int | None) -> bool:
    if acknowledged is None:
        acknowledged = read_cursor(path) or 0
        try:
            end = min(end, os.stat(path).st_size)
        except FileNotFoundError:
            return True
    return acknowledged >= end
