"""The journal's folder: made private, listed, swept and measured. Nothing here needs a lock held for long.

Every process of a home uses two folders: the journal under the home, and a fallback under the system's
temporary folder that exists only after the first could not be written.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agentops.config import temporary_folder
from agentops.journal.header import Header, NotASegment
from agentops.journal.losses import gather_markers, saved_losses
from agentops.journal.segment import CURSOR_SUFFIX, NEW_SUFFIX, SUFFIX, is_free, read_cursor, read_header

REJECTED: Final = "rejected"
_COUNT_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class FolderStats:
    """What waits in a journal folder and its fallback, for `agentops doctor` and `/metrics`.

    Attributes:
        segments: Segment files, those being written included.
        backlog_bytes: Bytes not yet acknowledged.
        backlog_records: Records not yet acknowledged; None when they were not counted.
        oldest_age_s: Age of the oldest segment that has a backlog; None without one.
        rejected_files: Files of records kept aside.
        rejected_bytes: Their size.
        lost: Records lost, by reason, as far as `losses.jsonl` goes back.
    """

    segments: int = 0
    backlog_bytes: int = 0
    backlog_records: int | None = None
    oldest_age_s: float | None = None
    rejected_files: int = 0
    rejected_bytes: int = 0
    lost: dict[str, int] = field(default_factory=dict[str, int])


def make_private(folder: Path, *, own: bool = False) -> None:
    """Create `folder`, readable by this user alone.

    Args:
        folder: Where; parents that do not exist, as the home before the first record, are made alike.
        own: Refuse a folder that somebody else has made, as anybody can in a temporary folder. The user's own
            choice of a home may well belong to another user, as a volume of a container does.

    Raises:
        OSError: it cannot be made or used.
    """
    if not folder.is_dir():
        for missing in [one for one in folder.parents if not one.exists()][::-1]:
            missing.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    found = os.lstat(folder) if own else folder.stat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(f"{folder} is not a folder of its own")
    if found.st_uid != os.geteuid():
        if own:
            raise PermissionError(f"{folder} belongs to another user")
    elif stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def fallback_folder(folder: Path) -> Path:
    """Return where segments go while `folder` cannot be written: one place for a user and home."""
    name = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:16]
    return temporary_folder() / f"agentops-{os.geteuid()}" / f"journal-{name}"


def make_fallback(folder: Path) -> Path:
    """Create the fallback of `folder` and return it.

    Raises:
        OSError: it cannot be made, or somebody else has made it.
    """
    fallback = fallback_folder(folder)
    make_private(fallback.parent, own=True)
    make_private(fallback, own=True)
    return fallback


def segments(folder: Path) -> list[Path]:
    """Return the folder's segments, oldest first; none when it cannot be read."""
    try:
        names = sorted(
            name for name in os.listdir(folder) if name.endswith(SUFFIX) and name != "losses.jsonl"
        )
    except OSError:
        return []
    return [folder / name for name in names]


def orphans(folder: Path) -> list[Path]:
    """Return the segments of `folder` and its fallback that nobody seems to hold, oldest first.

    A glance, not a claim: `Segment.claim` decides. Leftovers of a crash that hold no record are removed on
    the way.
    """
    found: list[Path] = []
    for place in (folder, fallback_folder(folder)):
        _sweep(place)
        found += [path for path in segments(place) if is_free(path)]
    return sorted(found, key=lambda path: path.name)


def held(folder: Path) -> list[Header]:
    """Return the headers of the segments of `folder` and its fallback that a process holds just now.

    The lock dies with its holder: whoever holds one lives, whatever keeps it from saying so.
    """
    found: list[Header] = []
    for place in (folder, fallback_folder(folder)):
        for path in segments(place):
            if not is_free(path):
                with contextlib.suppress(OSError, NotASegment):  # Shipped and deleted while we looked.
                    found.append(read_header(path))
    return found


def _sweep(folder: Path) -> None:
    """Remove cursors without a segment, and unborn segments that nobody holds."""
    try:
        names = set(os.listdir(folder))
    except OSError:
        return
    gather_markers(folder)
    for name in names:
        path = folder / name
        if name.endswith(SUFFIX + CURSOR_SUFFIX):
            if name.removesuffix(CURSOR_SUFFIX) not in names and not path.with_suffix("").exists():
                path.unlink(missing_ok=True)
        elif name.endswith(SUFFIX + NEW_SUFFIX) and _older_than(path, 60.0) and is_free(path):
            path.unlink(missing_ok=True)


def _older_than(path: Path, age_s: float) -> bool:
    try:
        return time.time() - path.stat().st_mtime > age_s
    except OSError:
        return False


def folder_stats(
    folder: Path, count_records: bool = True, count: Callable[[Path, int], int] | None = None
) -> FolderStats:
    """Measure the journal in `folder` and its fallback.

    Args:
        folder: `<home>/journal`.
        count_records: Whether to count records, which reads the whole backlog.
        count: Who counts the lines of a file from an offset; `count_lines` when None (see `meter`).
    """
    counted = (count or count_lines) if count_records else None
    held = backlog_bytes = backlog_records = rejected_files = rejected_bytes = 0
    oldest_ns: int | None = None
    lost: dict[str, int] = {}
    for place in (folder, fallback_folder(folder)):
        for path in segments(place):
            held += 1
            pending_bytes, pending_records = _pending(path, counted)
            backlog_bytes += pending_bytes
            backlog_records += pending_records
            created_ns = _created_ns(path)
            if pending_bytes and created_ns and (oldest_ns is None or created_ns < oldest_ns):
                oldest_ns = created_ns
        for path in kept_aside(place):
            rejected_files += 1
            rejected_bytes += _size(path)
        for reason, records in saved_losses(place).items():
            lost[reason] = lost.get(reason, 0) + records
    age_s = None if oldest_ns is None else max(0.0, (time.time_ns() - oldest_ns) / 1e9)
    return FolderStats(
        held,
        backlog_bytes,
        backlog_records if count_records else None,
        age_s,
        rejected_files,
        rejected_bytes,
        lost,
    )


def kept_aside(folder: Path) -> list[Path]:
    """Return the files of records kept aside, oldest first."""
    try:
        return [folder / REJECTED / name for name in sorted(os.listdir(folder / REJECTED))]
    except OSError:
        return []


def count_lines(path: Path, start: int) -> int:
    """Return how many lines `path` has from offset `start`, a last one without its end included."""
    count = 0
    piece = b"\n"
    with path.open("rb") as file:
        file.seek(start)
        while more := file.read(_COUNT_PIECE):
            piece = more
            count += piece.count(b"\n")
    return count if piece.endswith(b"\n") else count + 1


def pending_start(path: Path) -> int:
    """Return the offset of the first record of the segment at `path` that is not acknowledged.

    Raises:
        OSError: it cannot be read.
    """
    cursor = read_cursor(path)
    if cursor is not None and cursor <= path.stat().st_size:
        return cursor
    with path.open("rb") as file:
        return len(file.readline())


def _pending(path: Path, count: Callable[[Path, int], int] | None) -> tuple[int, int]:
    try:
        start = pending_start(path)
        size = path.stat().st_size - start
        return size, count(path, start) if count is not None and size else 0
    except OSError:
        return 0, 0  # Shipped and deleted while we looked.


def _created_ns(path: Path) -> int:
    digits = path.name.partition("-")[0]
    return int(digits) if digits.isdigit() else 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
