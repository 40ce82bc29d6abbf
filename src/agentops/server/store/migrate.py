"""Migrations: the schema's numbered files, each applied once, in order.

A migration that was released is never edited. A store that has migrations this version does not know was made
by a newer one and is refused untouched.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from agentops.errors import StoreError
from agentops.server.store.client import Store
from agentops.server.store.dialect import filled
from agentops.server.store.migration_lock import MigrationLock
from agentops.server.store.url import StoreUrl

FOLDER: Final = Path(__file__).parent / "schema"
_STATEMENT_END: Final = re.compile(r";\s*$", re.MULTILINE)
_MIGRATIONS: Final = """
CREATE TABLE IF NOT EXISTS migrations ${on_cluster}
(number UInt32, name String, applied_at UInt64)
ENGINE = ${replacing}(applied_at) ORDER BY number SETTINGS index_granularity = 1024${settings}
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the schema folder, `NNNN_name.sql`."""

    number: int
    name: str
    source: str

    def statements(self, url: StoreUrl) -> list[str]:
        """Return its statements as the store's engine wants them."""
        return [text for part in _STATEMENT_END.split(self.source) for text in filled(part, url)]


class _Applied(msgspec.Struct):
    number: int
    name: str


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """Return the folder's migrations in order."""
    found: list[Migration] = []
    for file in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql")):
        number, _, name = file.stem.partition("_")
        found.append(Migration(int(number), name, file.read_text(encoding="utf-8")))
    return found


def migrate(store: Store, folder: Path = FOLDER) -> list[Migration]:
    """Bring the store to this version's schema; return what was applied now.

    Raises:
        StoreError: the store was made by a newer version.
    """
    known = migrations(folder)
    for statement in filled(_MIGRATIONS, store.url):
        store.command(statement)
    if not _missing(store, known):
        return []
    with MigrationLock(store):
        # Another server may have applied them while this one waited for the lock.
        return _apply(store, _missing(store, known))


def _missing(store: Store, known: list[Migration]) -> list[Migration]:
    """Return the migrations that the store has not, and refuse a store that has more than we know."""
    applied = {
        row.number: row.name
        for row in store.rows("SELECT number, name FROM migrations FINAL", None, _Applied)
    }
    newest = known[-1].number if known else 0
    newer = sorted(number for number in applied if number > newest)
    if newer:
        raise StoreError(
            f"The store {store.url} was made by a newer version of AgentOps (its migration "
            f"{newer[-1]:04d}_{applied[newer[-1]]} "
            f"is unknown here; this version ends at {newest:04d}). Upgrade with: pip install "
            f"--upgrade 'agentops[server]', "
            "or choose another store with --store."
        )
    return [migration for migration in known if migration.number not in applied]


def _apply(store: Store, missing: list[Migration]) -> list[Migration]:
    for migration in missing:
        for statement in migration.statements(store.url):
            store.command(statement)
        row = {"number": migration.number, "name": migration.name, "applied_at": time.time_ns()}
        store.insert("migrations", [msgspec.json.encode(row)])
    return missing
