"""Losses: how many records did not reach a server, by reason. Counted in memory, written beside the segments.

A reason is a word of `REASONS`. `torn` and `corrupt` are kept aside for inspection, and so is `refused`.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
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
        self._unsaved: Counter[str] = Counter()

    def note(self, reason: Reason, records: int = 1) -> bool:
        """Count `records` lost. Returns whether they are the first for this reason, and so worth a word."""
        if records <= 0:
            return False
        with self._lock:
            first = reason not in self._total
            self._total[reason] += records
            self._unsaved[reason] += records
        return first

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
        try:
            fd = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(fd, b"\n".join(lines) + b"\n")
            finally:
                os.close(fd)
        except OSError:
            with self._lock:
                self._unsaved.update(unsaved)

    def reset_in_child(self) -> None:
        """Begin at nothing with a new lock: what the parent counted, the parent saves."""
        self._lock = threading.RLock()
        self._total = Counter()
        self._unsaved = Counter()


def saved_losses(folder: Path) -> dict[str, int]:
    """Return the sum of the folder's file, by reason; damaged lines count for nothing."""
    total: Counter[str] = Counter()
    try:
        lines = (folder / FILE).read_bytes().splitlines()
    except OSError:
        return {}
    for line in lines:
        try:
            loss = msgspec.json.decode(line, type=Loss)
        except msgspec.DecodeError:
            continue
        total[loss.reason] += loss.records
    return dict(total)
