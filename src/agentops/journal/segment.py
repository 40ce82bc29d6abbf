"""A segment: one file of records with a header, open and locked by its owner.

A `Segment` object exists only while this process holds the file's lock. Its bytes are
`[header][acknowledged][pending]`: `acknowledged` is the offset where the pending records begin, kept in the
cursor file beside it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import threading
import time
import weakref
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agentops.journal import fork
from agentops.journal.descriptors import out_of_the_way
from agentops.journal.header import Header, NotASegment, decode_header, encode_header

SUFFIX: Final = ".jsonl"
CURSOR_SUFFIX: Final = ".cursor"
NEW_SUFFIX: Final = ".new"
_LONGEST_HEADER: Final = 1 << 20
_BEGAN_NS: Final = time.time_ns()


@dataclass(frozen=True, slots=True)
class Chunk:
    """Pending bytes of a segment, from `start` to `end`: whole lines, each with its newline.

    `more` is True when lines wait behind them; `torn` when they are the segment's last bytes and lack their
    newline.
    """

    lines: bytes
    start: int
    end: int
    more: bool = False
    torn: bool = False


class _Open:
    """Every segment this process has open, so that a forked child closes its copies of their files."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.segments: weakref.WeakSet[Segment] = weakref.WeakSet()
        self.cursors: dict[Path, int] = {}
        """Cursors that the disk did not take: this process at least ships no chunk again and again."""
        self._held = False

    def before_fork(self) -> None:
        self._held = self.lock.acquire(timeout=fork.LOCK_WAIT_S)

    def after_fork_in_parent(self) -> None:
        if self._held:
            self._held = False
            self.lock.release()

    def after_fork_in_child(self) -> None:
        self.lock = threading.RLock()
        segments, self.segments = list(self.segments), weakref.WeakSet()
        for segment in segments:
            segment.abandon()


class Segment:
    """One open segment; make one with `create` or `claim`, and `finish` it.

    Attributes:
        path: Where it is.
        header: What its first line says.
        acknowledged: Offset up to which every record has left the journal.
        trusted: Every line was written whole by this process, so lines need no check before they are joined.
        own: This process wrote it.
        borrowed: The shipper is reading it (guarded by the journal's lock).
        retired: The writer is done with it (guarded by the journal's lock).
    """

    def __init__(self, path: Path, fd: int, header: Header, start: int, trusted: bool) -> None:
        self.path = path
        self.fd = fd
        self.header = header
        self.start = start
        self.size = start
        self.acknowledged = start
        self.trusted = trusted
        # A process id may be another process's of long ago: in a container each has the same.
        self.own = trusted or (header.pid == os.getpid() and header.created_ns >= _BEGAN_NS)
        self.borrowed = False
        self.retired = False
        self.signals_done: dict[str, int] = {}
        """Per signal, the offset up to which the server has accepted it: a mixed chunk is not sent twice."""

    @classmethod
    def create(cls, folder: Path, header: Header) -> Segment:
        """Make a new, locked segment in `folder`.

        Raises:
            OSError: the folder cannot be written, or cannot be locked in.
        """
        created_ns = time.time_ns()
        header = replace(header, pid=os.getpid(), created_ns=created_ns)
        name = f"{created_ns:020d}-{header.pid}-{secrets.token_hex(4)}{SUFFIX}"
        path = folder / name
        new = folder / (name + NEW_SUFFIX)
        line = encode_header(header)
        with _open.lock:
            fd = out_of_the_way(os.open(new, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600))
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.write(fd, line) != len(line):
                    raise OSError(errno.ENOSPC, "no room for a segment's header", str(new))
                os.rename(new, path)
            except BaseException:
                os.close(fd)
                new.unlink(missing_ok=True)
                raise
            segment = cls(path, fd, header, len(line), trusted=True)
            _open.segments.add(segment)
        return segment

    @classmethod
    def claim(cls, path: Path) -> Segment | None:
        """Lock a segment that nobody holds and return it; None when it is gone or somebody holds it.

        Raises:
            NotASegment: its header cannot be read. Its lock is free again.
        """
        with _open.lock:
            try:
                fd = out_of_the_way(os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW))
            except OSError:
                return None
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Between our open and our lock its last owner may have deleted it: then we hold nothing.
                if os.fstat(fd).st_nlink == 0:
                    os.close(fd)
                    return None
                segment = cls(path, fd, *_read_header(fd), trusted=False)
            except OSError:
                os.close(fd)
                return None
            except NotASegment:
                os.close(fd)
                raise
            _open.segments.add(segment)
        segment.size = segment.length()
        segment.acknowledged = _saved_cursor(segment)
        return segment

    def write(self, line: bytes) -> None:
        """Append one line (with its newline) in one write. A short write is taken back.

        Raises:
            OSError: it is not on disk.
        """
        written = os.write(self.fd, line)
        if written != len(line):
            os.ftruncate(self.fd, os.fstat(self.fd).st_size - written)
            raise OSError(errno.ENOSPC, "the disk took a part of the record only")
        self.size += written

    def length(self) -> int:
        """Return the file's size in bytes."""
        return os.fstat(self.fd).st_size

    def is_unlinked(self) -> bool:
        """Return whether the file has been deleted under us."""
        return os.fstat(self.fd).st_nlink == 0

    def next_chunk(self, limit_bytes: int) -> Chunk | None:
        """Return whole pending lines, about `limit_bytes` but at least one; None when none is pending."""
        start = self.acknowledged
        piece = os.pread(self.fd, limit_bytes, start)
        end = piece.rfind(b"\n") + 1
        more = len(piece) == limit_bytes
        parts = [piece]
        while end == 0 and piece:
            piece = os.pread(self.fd, limit_bytes, start + sum(map(len, parts)))
            cut = piece.find(b"\n") + 1
            parts.append(piece[:cut] if cut else piece)
            if cut:
                end = sum(map(len, parts))
        lines = b"".join(parts)
        if end == 0:
            # The last line lacks its end. In a file that is still written it may be on its way.
            if not lines or self.trusted:
                return None
            return Chunk(lines + b"\n", start, start + len(lines), torn=True)
        return Chunk(lines[:end], start, start + end, more)

    def acknowledge(self, offset: int) -> None:
        """Move the cursor: every record before `offset` has left the journal."""
        self.acknowledged = offset
        try:
            fd = os.open(str(self.path) + CURSOR_SUFFIX, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(fd, b"%020d\n" % offset, 0)
            finally:
                os.close(fd)
        except OSError:
            # Without its cursor the segment is shipped again from the start by the next to claim it, which
            # changes nothing at the server.
            _open.cursors[self.path] = offset

    def finish(self) -> bool:
        """Let go of the segment, deleting it if all of it is acknowledged. Returns whether it was deleted."""
        with _open.lock:
            if self.fd < 0:
                return False
            try:
                done = self.acknowledged >= self.length()
            except OSError:
                done = False  # The program has closed our descriptor; another process finds the rest.
            if done:
                self.delete()
            self.abandon()
            return done

    def delete(self) -> None:
        """Remove the files; the segment stays open and locked."""
        try:
            _open.cursors.pop(self.path, None)
            self.path.unlink(missing_ok=True)
            Path(str(self.path) + CURSOR_SUFFIX).unlink(missing_ok=True)
        except OSError:
            pass  # It stays as an acknowledged orphan, which the next to claim it tries to delete again.

    def abandon(self) -> None:
        """Close the file, which frees the lock unless a forked process shares it; so it never unlocks."""
        fd, self.fd = self.fd, -1
        _open.segments.discard(self)
        if fd >= 0:
            with contextlib.suppress(OSError):  # The program has closed every descriptor it found.
                os.close(fd)


_open = _Open()
fork.watch(_open)


def is_free(path: Path) -> bool:
    """Return whether nobody holds the segment at `path` just now: a glance that `claim` may contradict."""
    with _open.lock:
        try:
            fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(fd)
    return True


def read_header(path: Path) -> Header:
    """Return the header of the segment at `path`, whoever holds it.

    Raises:
        OSError: it is gone, or cannot be read.
        NotASegment: it holds none that this version reads.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        return _read_header(fd)[0]
    finally:
        os.close(fd)


def _read_header(fd: int) -> tuple[Header, int]:
    first = os.pread(fd, 65_536, 0)
    if b"\n" not in first:
        first = os.pread(fd, _LONGEST_HEADER, 0)
    end = first.find(b"\n") + 1
    if end == 0:
        raise NotASegment(damaged=True)
    return decode_header(first[:end]), end


def _saved_cursor(segment: Segment) -> int:
    """Return the saved offset, or the start when it is absent, damaged or not at the beginning of a line."""
    offset = max(read_cursor(segment.path) or 0, _open.cursors.get(segment.path, 0))
    if not offset or not segment.start <= offset <= segment.size:
        return segment.start
    if offset < segment.size and os.pread(segment.fd, 1, offset - 1) != b"\n":
        return segment.start
    return offset


def read_cursor(path: Path) -> int | None:
    """Return the offset saved for the segment at `path`, None when there is none."""
    try:
        text = Path(str(path) + CURSOR_SUFFIX).read_bytes()
    except OSError:
        return None
    return int(text[:20]) if len(text) == 21 and text[:20].isdigit() and text[20:] == b"\n" else None
