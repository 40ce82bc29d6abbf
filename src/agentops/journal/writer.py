"""The writer: one record, one line, one `write`, in a segment of this process that the shipper borrows.

Where a record goes: the journal's folder; when that cannot be written, the fallback folder; when neither can,
memory; when that is full, nowhere, counted as `memory_full`. See `places`.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from agentops.journal import fork
from agentops.journal.folder import fallback_folder
from agentops.journal.header import EMPTY_RESOURCE, Header
from agentops.journal.losses import Losses
from agentops.journal.memory import Memory
from agentops.journal.places import Places
from agentops.journal.segment import Segment, read_cursor

log = logging.getLogger("agentops.journal")

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
        lost: Records lost, by reason (see `losses.REASONS`), also of other processes' that this one shipped.
        own_lost: Those of them that this process recorded.
    """

    records: int = 0
    bytes: int = 0
    memory_records: int = 0
    closed_segments: int = 0
    place: str = ""
    lost: dict[str, int] = field(default_factory=dict[str, int])
    own_lost: dict[str, int] = field(default_factory=dict[str, int])


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
        self._places = Places(self.folder)
        self._records = 0
        self._bytes = 0

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
        except Exception:
            # The recorded program must not feel an error of ours.
            self.losses.note("bug")
        try:
            if self._places.to_say:
                self._say()
            if self.on_append is not None:
                self.on_append()
        except Exception:
            pass  # The record is safe; whoever listens looks again at the next one.

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
                    self._places.try_again()  # There is no later.
                    self._next_segment()
                self._retire()
                if len(self._memory):
                    self.losses.note("exit", len(self._memory))
                    # Said as well: a disk that is full may not take the count either.
                    self._places.to_say.append(
                        f"{len(self._memory)} records were only in memory at the end: they are lost."
                    )
                    self._memory.drop_until(self._memory.put_in)
            self.save_losses()
            self._say()
        except Exception:
            self.losses.note("bug")

    def _append_elsewhere(self, line: bytes, error: OSError | None) -> None:
        """Append where the segment being written is full, absent, or has just failed with `error`."""
        if len(line) > self._max_bytes:
            self.losses.note("too_large")
            self._places.say_once(
                "too_large",
                f"A record of {len(line)} bytes is larger than the whole journal may be: it is lost, further "
                "ones are only counted. Allow more with AGENTOPS_JOURNAL_MAX_BYTES, or record less with "
                "AGENTOPS_MAX_VALUE_BYTES.",
            )
            return
        while True:
            # A bad descriptor is no fault of the place: the program has closed ours among others.
            if error is not None and error.errno != errno.EBADF:
                self._places.failed(error)
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
        self._remember(line)

    def _append_apart(self, line: bytes) -> None:
        """Append to a segment made for this record: the interrupted append may be anywhere in its own."""
        try:
            segment = Segment.create(self._places.folder_used, self.header())
            segment.write(line + b"\n")
        except OSError:
            self._remember(line)
            return
        self._records += 1
        self._bytes += len(line) + 1
        self._closed[segment.path] = segment.header
        segment.finish()

    def _next_segment(self) -> Segment | None:
        """Begin a segment where one can be made; move what is in memory to it."""
        room = self._max_bytes - self._segment_bytes
        segment = self._places.new_segment(self.header(), room, self.losses)
        if segment is None:
            return None
        self._active = segment
        piece_bytes = 1 << 20
        while lines := self._memory.first(piece_bytes):
            try:
                segment.write(b"\n".join(lines) + b"\n")
            except OSError as error:
                if len(lines) > 1:
                    # There may be room for some of it.
                    piece_bytes = sum(map(len, lines)) // 2
                    continue
                self._places.failed(error)
                self._retire()
                return self._next_segment()
            self._memory.drop_until(self._memory.taken_out + len(lines))
        return segment

    def _remember(self, line: bytes) -> None:
        """Keep a line in memory, the last resort."""
        if self._memory_header is None:
            self._memory_header = self.header()
        if not self._memory.add(line):
            self.losses.note("memory_full")
            self._places.say_once(
                "memory", "The journal's memory is full as well: records are being lost, and counted."
            )

    def _retire(self) -> None:
        segment, self._active = self._active, None
        if segment is None:
            return
        segment.retired = True
        if segment.borrowed or not segment.finish():
            self._closed[segment.path] = segment.header

    # Reading, for the shipper.

    def header(self) -> Header:
        """Return the header that a new segment would have now."""
        try:
            return self._header()
        except Exception:
            return Header(
                EMPTY_RESOURCE, ""
            )  # The caller's code; the record matters more than where it is for.

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
            endpoint = self.header().endpoint
            # The key may have changed meanwhile: what this very process recorded goes with the one of now.
            return [path for path, header in self._closed.items() if header.endpoint == endpoint]

    def in_memory(self, limit_bytes: int) -> tuple[list[bytes], bytes, int]:
        """Return the oldest lines that are only in memory, their resource, the position to acknowledge."""
        with self._lock:
            lines = self._memory.first(limit_bytes)
            return lines, self._memory_resource(), self._memory.taken_out + len(lines)

    def newest_in_memory(self, limit_bytes: int) -> tuple[list[bytes], bytes]:
        """Return the newest lines that are only in memory, and their resource."""
        with self._lock:
            return self._memory.last(limit_bytes), self._memory_resource()

    def _memory_resource(self) -> bytes:
        return EMPTY_RESOURCE if self._memory_header is None else self._memory_header.resource

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

    @property
    def whereabouts(self) -> str:
        """Where the last record went, in words: a folder, or memory."""
        return "memory" if self._places.current == "memory" else str(self._places.folder_used)

    def stats(self) -> JournalStats:
        """Return what this journal did so far."""
        with self._lock:
            return JournalStats(
                self._records,
                self._bytes,
                len(self._memory),
                len(self._closed),
                self._places.current,
                self.losses.by_reason(),
                self.losses.own_by_reason(),
            )

    def save_losses(self) -> None:
        """Write newly counted losses to the folder's file, or wherever one can be written."""
        for folder in (self._places.folder_used, self.folder, fallback_folder(self.folder)):
            self.losses.save(folder)

    def _say(self) -> None:
        # Outside the lock: the program's own logging may record, and so come back here.
        while self._places.to_say:
            log.warning("%s", self._places.to_say.pop(0))

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
    """Return whether records under `header` are for the server that `wanted` names, and its key or none."""
    return header.endpoint == wanted.endpoint and header.owner in ("", wanted.owner)


def _has_left(path: Path, end: int, acknowledged: int | None) -> bool:
    if acknowledged is None:
        acknowledged = read_cursor(path) or 0
        try:
            end = min(end, os.stat(path).st_size)
        except FileNotFoundError:
            return True
    return acknowledged >= end
