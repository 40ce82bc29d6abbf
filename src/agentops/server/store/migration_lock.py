"""The lock on migrating: servers that start together on a ClickHouse change it one after the other.

ClickHouse has no locks, but creating a table is one: of several that create it, one succeeds. On a cluster
the table is a replicated one with a fixed name for its replica, so that the Keeper says no on every machine.
Its comment says until when the holder means to have it; a holder that died is waited for so long, and no
longer. The embedded store needs none: its process has it alone.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from typing import Any, Final

from msgspec import Struct

from agentops.errors import StoreError
from agentops.server.store.client import Store
from agentops.server.store.dialect import machines

_log: Final = logging.getLogger("agentops.server")
_TABLE: Final = "migrating"
_HELD_S: Final = 30.0
_RENEW_S: Final = 5.0
_LOOK_S: Final = 0.2
_PATIENCE_S: Final = 600.0
_TAKEN: Final = (57, 253)
"""TABLE_ALREADY_EXISTS on this machine, REPLICA_ALREADY_EXISTS on another."""


class _Comment(Struct):
    comment: str


class MigrationLock:
    """The lock, held inside a `with`."""

    def __init__(self, store: Store, held_s: float = _HELD_S) -> None:
        self._store = store
        self._held_s = held_s
        self._done = threading.Event()
        self._renewing: threading.Thread | None = None
        self._whose = f"{socket.gethostname()}:{os.getpid()}"

    def __enter__(self) -> None:
        """Take the lock, after whoever has it.

        Raises:
            StoreError: another server migrates for longer than anybody should.
        """
        if self._store.url.embedded:
            return
        told = False
        patience = time.monotonic() + _PATIENCE_S
        while not self._created():
            holder, until = self._holder()
            if holder and time.time() > until:
                _log.warning("The migration that %s began was not finished; taking it over", holder)
                self._drop()
                continue
            if not told:
                _log.info("Waiting for %s, which migrates the store", holder or "another server")
                told = True
            if time.monotonic() > patience:
                raise StoreError(
                    f"The store {self._store.url} has been migrated by {holder or 'another server'} for "
                    f"{_PATIENCE_S:.0f} s. When no such server runs any more: DROP TABLE {_TABLE}."
                )
            time.sleep(_LOOK_S)
        self._renewing = threading.Thread(target=self._renew, name="agentops-migrating", daemon=True)
        self._renewing.start()

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        if self._renewing is None:
            return
        self._done.set()
        self._renewing.join()
        self._drop()

    def _created(self) -> bool:
        cluster = self._store.url.cluster
        engine = f"ReplicatedMergeTree('/clickhouse/tables/{self._store.url.database}/{_TABLE}', 'holder')"
        try:
            self._command(
                f"CREATE TABLE {_TABLE} (nothing UInt8) ENGINE = {engine if cluster else 'MergeTree()'} "
                f"ORDER BY nothing COMMENT '{self._comment()}'"
            )
        except Exception as error:
            if getattr(error, "code", None) in _TAKEN:
                return False
            raise
        return True

    def _holder(self) -> tuple[str, float]:
        """Return who has the lock and until when, or ("", 0) when nobody has it any more."""
        rows = self._store.rows(
            f"SELECT comment FROM {machines('tables', self._store.url)} "
            f"WHERE database = {{database:String}} AND name = '{_TABLE}'",
            {"database": self._store.url.database},
            _Comment,
        )
        for row in rows:
            whose, _, until = row.comment.rpartition(" until ")
            with contextlib.suppress(ValueError):
                return whose, float(until)
        return "", 0.0

    def _renew(self) -> None:
        while not self._done.wait(min(_RENEW_S, self._held_s / 3)):
            with contextlib.suppress(Exception):
                self._command(f"ALTER TABLE {_TABLE} MODIFY COMMENT '{self._comment()}'")

    def _drop(self) -> None:
        cluster = self._store.url.cluster
        everywhere = f" ON CLUSTER `{cluster}`" if cluster else ""
        self._command(f"DROP TABLE IF EXISTS {_TABLE}{everywhere} SYNC")

    def _command(self, sql: str) -> None:
        # Not `Store.command`: this table is one machine's, on a cluster too.
        client: Any = self._store.connect()
        try:
            client.command(sql)
        finally:
            client.close()

    def _comment(self) -> str:
        return f"{self._whose} until {time.time() + self._held_s:.3f}"
