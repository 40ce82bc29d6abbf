"""The meter: measures a journal folder again and again, and reads each byte of it about once.

Counting what waits means counting lines, and a backlog may be gigabytes; whoever asks every few seconds, as a
scrape of `/metrics` does, counts only what has come and gone since.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentops.journal.folder import FolderStats, folder_stats

_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class _Counted:
    """A file has `lines` line ends from offset `start` to `end`."""

    start: int
    end: int
    lines: int


class Meter:
    """Measures one journal folder and its fallback. Thread-safe.

    Args:
        folder: `<home>/journal`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._known: dict[Path, _Counted] = {}

    def stats(self) -> FolderStats:
        """Return what waits now."""
        with self._lock:
            before, self._known = self._known, {}

            def count(path: Path, start: int) -> int:
                self._known[path] = found = _counted(path, start, before.get(path))
                return found.lines

            return folder_stats(self._folder, count=count)


def _counted(path: Path, start: int, before: _Counted | None) -> _Counted:
    """Count the line ends from `start` to the end of the file, with the help of an earlier count."""
    end = path.stat().st_size
    if before is None or not before.start <= start <= before.end <= end:
        return _Counted(start, end, _line_ends(path, start, end))
    gone = _line_ends(path, before.start, start)
    come = _line_ends(path, before.end, end)
    return _Counted(start, end, before.lines - gone + come)


def _line_ends(path: Path, start: int, end: int) -> int:
    if start >= end:
        return 0
    count = 0
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (piece := file.read(min(_PIECE, end - start))):
            start += len(piece)
            count += piece.count(b"\n")
    return count
