"""The disk of an embedded store: how much of it is free, and whether what was written on it is whole.

When the disk fills up while the engine writes a part, an insert as well as a merge may be said to be done and
leave files that end too early. Their rows would be lost: those of an insert at once, those of a merge when
the parts that it replaced go, some seconds later (`old_parts_lifetime` of the schema). So while little is
free, every new part's files are measured, before an insert returns and twice a second. A table with a part
that falls short is read from the disk anew: the engine puts that part aside and takes those it replaced.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from pathlib import Path
from typing import Any, Final

import msgspec

from agentops.server.store.again import Again
from agentops.server.store.remote import DiskFull

_log: Final = logging.getLogger("agentops.server")
KEPT_FREE: Final = 32_000_000
"""Bytes with less than which nothing is begun: no insert, no merge."""
_PER_REWRITTEN: Final = 1.1
"""Bytes that the engine wants free, beside those, for each of a part that it rewrites."""
_LOW: Final = 1_000_000_000
"""Bytes that no program fills between two looks."""
_EVERY_S: Final = 0.5
_STILL_LOW: Final = 20
"""Looks that go on after there was room again."""
_UNMEASURED: Final = frozenset(
    {
        "checksums.txt",
        "columns.txt",
        "columns_substreams.txt",
        "default_compression_codec.txt",
        "metadata_version.txt",
        "txn_version.txt",
        "uuid.txt",
    }
)
"""Files of a part that its size, as the engine states it, leaves out."""


class NoRoom(DiskFull):
    """Parts cannot be rewritten: nothing is removed, and nothing was begun."""

    retry_after_s = 30

    def __init__(self, needed: int, free: int) -> None:
        super().__init__(
            f"The store's disk has too little room to rewrite what is there: {needed} bytes must be free, "
            f"and {free} are."
        )


class _Part(msgspec.Struct):
    table: str
    name: str
    min_block_number: int
    max_block_number: int
    path: str
    rows: int
    bytes_on_disk: int
    modified: int

    @property
    def inserted(self) -> bool:
        """Say whether an insert wrote it, and not a merge."""
        return self.min_block_number == self.max_block_number


class Disk:
    """Looks after one store's folder.

    Args:
        folder: the store's.
        client: of the engine; this object's own.
    """

    def __init__(self, folder: Path, client: Any) -> None:
        self._folder = folder
        self._client = client
        self._turn = threading.RLock()
        self._whole: set[tuple[str, str, int]] = set()
        self._away: set[str] = set()
        """Tables that could not be attached again yet."""
        self._lost: dict[str, int] = {}
        """How many inserted parts of a table were put aside."""
        self._looks = 0
        self._again = Again(
            "agentops-disk",
            self._look,
            every_s=_EVERY_S,
            failed="Looking at what was written on a full disk failed",
        )

    @property
    def free_bytes(self) -> int:
        """Return how much is free; a disk that does not say has room."""
        try:
            found = os.statvfs(self._folder)
        except OSError:
            return _LOW
        return found.f_bavail * found.f_frsize

    @property
    def full(self) -> bool:
        """Say whether the store takes nothing more."""
        return self.free_bytes < KEPT_FREE

    def check_room(self, part_bytes: int) -> None:
        """Let a part be written anew, if there is room for that.

        Raises:
            NoRoom: there is not.
        """
        needed = KEPT_FREE + int(part_bytes * _PER_REWRITTEN)
        free = self.free_bytes
        if free < needed:
            raise NoRoom(needed, free)

    def start(self) -> None:
        """Start looking at parts while the disk is nearly full."""
        self._again.start()

    def stop(self) -> None:
        """End the thread."""
        self._again.stop()

    def lost(self, table: str) -> int:
        """Return a number that changes when rows inserted into a table turn out not to be on disk."""
        return self._lost.get(table, 0)

    def stored(self, table: str, lost_before: int) -> bool:
        """Say whether what was just inserted is on disk.

        Args:
            table: where to.
            lost_before: `lost(table)` before the insert.
        """
        if self.free_bytes < _LOW:
            self.mend()
        return self.lost(table) == lost_before

    def mend(self) -> None:
        """Measure the parts of the last minute; read tables anew whose parts are not whole."""
        with self._turn:
            short: dict[str, list[_Part]] = {table: [] for table in self._away}
            for part in self._new_parts():
                if not self._is_whole(part):
                    short.setdefault(part.table, []).append(part)
            for table, parts in short.items():
                self._put_aside(table, parts)

    def _put_aside(self, table: str, parts: list[_Part]) -> None:
        rows = self._rows(table) - sum(part.rows for part in parts if part.inserted)
        self._lost[table] = self.lost(table) + sum(part.inserted for part in parts)
        self._away.add(table)
        self._client.command(f"DETACH TABLE IF EXISTS {table} SYNC")
        self._client.command(f"ATTACH TABLE IF NOT EXISTS {table}")
        self._away.discard(table)
        self._whole.clear()  # The numbers in the names of parts begin anew.
        gone = max(0, rows - self._rows(table))
        for part in parts:
            _log.warning(
                "The disk was full while part %s of %s was written: it is put aside; %s",
                part.name,
                table,
                "its rows were not acknowledged" if part.inserted else "those that it replaced stay",
            )
            if not gone:
                self._client.command(
                    f"ALTER TABLE {table} DROP DETACHED PART 'broken-on-start_{part.name}' "
                    "SETTINGS allow_drop_detached = 1"
                )
        if gone:
            _log.error("Of %s %d rows are lost: what is left of their part is in `detached`", table, gone)

    def _rows(self, table: str) -> int:
        answer: bytes = self._client.raw_query(
            "SELECT sum(rows) FROM system.parts WHERE active AND database = currentDatabase() "
            f"AND table = '{table}'",
            fmt="TSV",
        )
        return int(answer)

    def _look(self) -> None:
        self._looks = _STILL_LOW if self.free_bytes < _LOW else max(self._looks - 1, 0)
        if self._looks:
            self.mend()

    def _new_parts(self) -> list[_Part]:
        answer: bytes = self._client.raw_query(
            "SELECT table, name, min_block_number, max_block_number, path, rows, bytes_on_disk, "
            "toUnixTimestamp(modification_time) AS modified "
            "FROM system.parts WHERE active AND database = currentDatabase() "
            "AND modification_time >= now() - 60",
            fmt="JSONEachRow",
        )
        return msgspec.json.Decoder(_Part).decode_lines(answer) if answer else []

    def _is_whole(self, part: _Part) -> bool:
        key = (part.table, part.name, part.modified)
        if key in self._whole:
            return True
        size = 0
        try:
            with os.scandir(part.path) as files:
                for file in files:
                    if file.name not in _UNMEASURED:
                        with contextlib.suppress(FileNotFoundError):
                            size += file.stat().st_size
        except FileNotFoundError:
            return True  # Merged and gone meanwhile.
        if size < part.bytes_on_disk and not Path(part.path).is_dir():
            return True
        whole = size >= part.bytes_on_disk
        if whole:
            self._whole.add(key)
        return whole
