"""Losses: how many records did not reach a server, by reason. Counted in memory, written beside the segments.

A reason is a word of `REASONS`. `torn` and `corrupt` are kept aside for inspection, and so is `refused`.

The counts survive a full disk: where the file of losses takes no line, the count becomes the name of an empty
file, which needs no room for data. Whoever sweeps the folder later moves it into the file.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import msgspec

Reason = Literal[
    "over_size_limit",
    "torn",
    "corrupt",
    "refused",
    "partly_refused",
    "too_large",
    "memory_full",
    "exit",
    "unkept",
    "bug",
]
REASONS: Final[dict[Reason, str]] = {
    "over_size_limit": "dropped, oldest first, because the journal reached journal_max_bytes",
    "torn": "cut off by a crash in the middle of the write; the call that wrote it had not returned",
    "corrupt": "damaged on disk; kept aside under rejected/",
    "refused": "refused by the server for good; kept aside under rejected/",
    "partly_refused": "refused by the server, which named them in its answer to an accepted batch",
    "too_large": "larger than the whole journal may be",
    "memory_full": "recorded while no folder could be written and the memory for it was full",
    "exit": "only in memory, because no folder could be written, when the process ended",
    "unkept": "kept aside earlier and removed because rejected/ is full, or not written there at all",
    "bug": "lost to an error of the recorder itself; please report it",
}
FILE: Final = "losses.jsonl"
LONGEST_FILE_BYTES: Final = 1 << 20
"""A longer file is summed up into a line for each reason."""
_MARKER: Final = re.compile(r"losses-(\d{1,20})-(\d{1,10})-([a-z_]{1,40})-(\d{1,18})-[0-9a-f]{8}\.count")


class Loss(msgspec.Struct, frozen=True):
    """One line of the file."""

    at_ns: int
    pid: int
    reason: str
    records: int


class Losses:
    """Counts of one process. Thread-safe; re-entrant, as a signal may interrupt a count."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._total: Counter[str] = Counter()
        self._own: Counter[str] = Counter()
        self._unsaved: Counter[str] = Counter()

    def note(self, reason: Reason, records: int = 1, *, own: bool = True) -> bool:
        """Count `records` lost. Returns whether they are the first for this reason, and so worth a word.

        Args:
            reason: Why.
            records: How many.
            own: This process recorded them; it may be shipping what another one has left.
        """
        if records <= 0:
            return False
        with self._lock:
            first = reason not in self._total
            self._total[reason] += records
            self._unsaved[reason] += records
            if own:
                self._own[reason] += records
        return first

    def own_by_reason(self) -> dict[str, int]:
        """Return the losses so far of what this process recorded; `unkept` ones are counted already."""
        with self._lock:
            return {reason: count for reason, count in self._own.items() if reason != "unkept"}

    def by_reason(self) -> dict[str, int]:
        """Return this process's losses so far."""
        with self._lock:
            return dict(self._total)

    def save(self, folder: Path) -> None:
        """Write what was counted since the last call to the folder's file, or keep it for the next call."""
        if not self._unsaved:
            return
        with self._lock:
            unsaved, self._unsaved = self._unsaved, Counter()
        now = time.time_ns()
        lines = [
            msgspec.json.encode(Loss(now, os.getpid(), reason, count)) for reason, count in unsaved.items()
        ]
        if not _append(folder, b"\n".join(lines) + b"\n"):
            left = _marked(folder, now, unsaved)
            with self._lock:
                self._unsaved.update(left)

    def reset_in_child(self) -> None:
        """Begin at nothing with a new lock: what the parent counted, the parent saves."""
        self._lock = threading.RLock()
        self._total = Counter()
        self._own = Counter()
        self._unsaved = Counter()


def _append(folder: Path, text: bytes) -> bool:
    """Append whole lines to the folder's file; False when it did not take all of them."""
    try:
        fd = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            written = os.write(fd, text)
            size = os.fstat(fd).st_size
            if written != len(text):
                os.ftruncate(fd, size - written)
                return False
            if size > LONGEST_FILE_BYTES:
                with suppress(OSError):  # Another process is at it.
                    _sum_up(folder)
        finally:
            os.close(fd)
    except OSError:
        return False
    return True


def _sum_up(folder: Path) -> None:
    """Replace the file's lines by their sums, in place. A crash in the middle counts twice, never less."""
    fd = os.open(folder / FILE, os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        total = _sum((folder / FILE).read_bytes())
        now, pid = time.time_ns(), os.getpid()
        sums = [msgspec.json.encode(Loss(now, pid, reason, count)) for reason, count in total.items()]
        os.ftruncate(fd, os.pwrite(fd, b"\n".join(sums) + b"\n", 0))
    finally:
        os.close(fd)


def _marked(folder: Path, at_ns: int, counts: Mapping[str, int]) -> dict[str, int]:
    """Leave each count as the name of an empty file; return those for which that failed too."""
    left: dict[str, int] = {}
    for reason, count in counts.items():
        name = f"losses-{at_ns}-{os.getpid()}-{reason}-{count}-{secrets.token_hex(4)}.count"
        try:
            os.close(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError:
            left[reason] = count
    return left


def _markers(folder: Path) -> dict[str, Loss]:
    """Return the counts that are names of files, by name."""
    try:
        names = os.listdir(folder)
    except OSError:
        return {}
    found = {name: _MARKER.fullmatch(name) for name in names}
    return {
        name: Loss(int(parts[1]), int(parts[2]), parts[3], int(parts[4]))
        for name, parts in found.items()
        if parts is not None
    }


def gather_markers(folder: Path) -> None:
    """Move counts that are names of files into the file, where there is room for them again."""
    for name, loss in _markers(folder).items():
        try:
            os.unlink(folder / name)  # Whoever removes it has to write it.
        except OSError:
            continue
        if not _append(folder, msgspec.json.encode(loss) + b"\n"):
            _marked(folder, loss.at_ns, {loss.reason: loss.records})
            return


def saved_losses(folder: Path) -> dict[str, int]:
    """Return the sum of what the folder says was lost, by reason; damaged lines count for nothing."""
    total: Counter[str] = Counter()
    for loss in _markers(folder).values():
        total[loss.reason] += loss.records
    try:
        total.update(_sum((folder / FILE).read_bytes()))
    except OSError:
        pass
    return dict(total)


def _sum(text: bytes) -> Counter[str]:
    total: Counter[str] = Counter()
    for line in text.splitlines():
        try:
            loss = msgspec.json.decode(line, type=Loss)
        except msgspec.DecodeError:
            continue
        total[loss.reason] += loss.records
    return total
