"""Upkeep: how large the store is, and making it as small as it gets.

Merges run by themselves, as parts arrive; `compact` runs those that would wait for more. Files of parts that
a merge has replaced go some seconds later (`old_parts_lifetime` of the schema).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

from agentops.server.store.again import Again
from agentops.server.store.client import Store
from agentops.server.store.dialect import machines

_COMPACTED: Final = (
    "spans",
    "logs",
    "sessions",
    "session_traces",
    "span_agents",
    "span_sessions",
    "repeats",
    "resources",
    "edits",
)
_TIDIED: Final = ("sessions", "session_traces", "span_agents")
_QUIET_S: Final = 5.0
_MOST_TIDIED_BYTES: Final = 128 * 1024 * 1024
"""What takes seconds to merge."""
_NEW_SHARE: Final = 0.1
_SPANS: Final = frozenset(("spans", "spans_local"))


class TableSize(Struct, frozen=True):
    """A table as it is on disk. Replaced versions of rows count until a merge has dropped them."""

    table: str
    rows: int
    bytes: int
    parts: int
    index_bytes: int = 0


class StoreSize(Struct, frozen=True):
    """The store's size, and its tables, the largest first.

    Attributes:
        bytes: Everything: for an embedded store the files of its folder, else what its parts take.
        replaced_bytes: Parts that a merge has replaced and that go soon.
        spans: Rows of spans.
        sessions: Sessions that are listed.
        tables: Each with its size.
        migrations: Applied migrations, as NNNN_name.
    """

    bytes: int
    replaced_bytes: int
    spans: int
    sessions: int
    tables: list[TableSize]
    migrations: list[str]


class _Table(Struct):
    table: str


class _Count(Struct):
    n: int


class _Migration(Struct):
    number: int
    name: str


def sizes(store: Store) -> StoreSize:
    """Return how large the store is."""
    parts = machines("parts", store.url)
    tables = store.rows(
        "SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, count() AS parts, "
        f"sum(secondary_indices_compressed_bytes) AS index_bytes FROM {parts} "
        "WHERE active AND database = currentDatabase() GROUP BY table ORDER BY bytes DESC, table",
        None,
        TableSize,
    )
    replaced = store.rows(
        f"SELECT sum(bytes_on_disk) AS n FROM {parts} WHERE NOT active AND database = currentDatabase()",
        None,
        _Count,
    )[0].n
    sessions = store.rows("SELECT count() AS n FROM sessions FINAL WHERE NOT deleted", None, _Count)[0].n
    migrations = store.rows("SELECT number, name FROM migrations FINAL ORDER BY number", None, _Migration)
    total = sum(table.bytes for table in tables) + replaced
    return StoreSize(
        bytes=_folder_bytes(store.url.path) if store.url.path is not None else total,
        replaced_bytes=replaced,
        spans=sum(table.rows for table in tables if table.table in _SPANS),
        sessions=sessions,
        tables=tables,
        migrations=[f"{one.number:04d}_{one.name}" for one in migrations],
    )


def check_compactable(store: Store) -> None:
    """Let a store be compacted, if its disk has room for that.

    Raises:
        Unavailable: it has not: a merge that lacks room is left out by the engine without a word.
    """
    store.check_room(*_COMPACTED, merged=True)


def compact(store: Store) -> None:
    """Merge every table's parts until no row is there twice; returns when that is done.

    It reads and writes the whole store once: minutes for one of many gigabytes.
    """
    for table in _COMPACTED:
        store.command(f"OPTIMIZE TABLE {table} FINAL")


class Tidy:
    """Merges, when nothing has arrived for seconds, the tables that lists and charts read whole.

    Until then what arrived last stands in a dozen parts, and settling which version of a row is the last one
    costs more than reading it. Large tables, and those with little that is new, are left to the engine.

    Args:
        store: the store. A cluster tidies itself.
        written: a number that changes with everything that is written.
    """

    def __init__(self, store: Store, written: Callable[[], int]) -> None:
        self._store = store
        self._written = written
        self._seen = self._tidied = -1
        self._again = Again(
            "agentops-tidy", self.look, every_s=_QUIET_S, failed="Merging small tables failed"
        )

    def start(self) -> None:
        """Start looking."""
        if self._store.url.embedded:
            self._again.start()

    def stop(self) -> None:
        """Look no more."""
        self._again.stop()

    def look(self) -> None:
        """Merge, if nothing was written since the last look and something was since the last merge."""
        seen, self._seen = self._seen, self._written()
        if self._seen == seen != self._tidied:
            self._tidied = seen
            for table in untidy(self._store):
                self._store.command(f"OPTIMIZE TABLE {table} FINAL")


def untidy(store: Store) -> list[str]:
    """Return the tables that are worth merging now."""
    found = store.rows(
        "SELECT table FROM system.parts WHERE active AND database = currentDatabase() "
        f"AND table IN {_TIDIED} GROUP BY table HAVING sum(bytes_on_disk) <= {_MOST_TIDIED_BYTES} "
        f"AND sum(rows) - max(rows) >= max(rows) * {_NEW_SHARE}",
        None,
        _Table,
    )
    return [one.table for one in found]


def _folder_bytes(folder: Path) -> int:
    """Return what a folder's files take; files that go meanwhile are passed over."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total
