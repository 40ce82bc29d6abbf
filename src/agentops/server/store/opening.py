"""Opening a store: its lock, its engine, its schema, in this order; all undone when one of them fails."""

from __future__ import annotations

from dataclasses import dataclass

from agentops.errors import StoreError
from agentops.server.store.client import Store
from agentops.server.store.disk import KEPT_FREE
from agentops.server.store.lock import StoreLock
from agentops.server.store.migrate import migrate
from agentops.server.store.remote import DiskFull, explanation
from agentops.server.store.url import StoreUrl


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A store that is ready for use, held for this process if it is embedded."""

    store: Store
    lock: StoreLock | None

    def describe(self, url: str) -> None:
        """Write into the store's lock where its server answers."""
        if self.lock:
            self.lock.describe(url)

    def close(self) -> None:
        """Close the store and give it back."""
        if self.store.disk:
            self.store.disk.stop()
        self.store.close()
        if self.lock:
            self.lock.release()


def _made_ready(store: Store) -> None:
    from clickhouse_connect.driver.exceptions import DatabaseError

    try:
        migrate(store)
    except DiskFull as error:
        free = f"{store.disk.free_bytes} bytes are free" if store.disk else "no room is left"
        raise StoreError(
            f"The store {store.url} cannot be made ready: its disk is full: {free}, and with less than "
            f"{KEPT_FREE} nothing is stored. Free space there, or choose another with --home or --store."
        ) from error
    except DatabaseError as error:
        raise StoreError(explanation(store.url, error)) from error


def open_store(url: StoreUrl) -> OpenStore:
    """Open a store and bring it to this version's schema.

    Raises:
        StoreError: it cannot be opened, is in use, or was made by a newer version.
    """
    lock = StoreLock(url.path) if url.path is not None else None
    try:
        store = Store(url)
        try:
            _made_ready(store)
        except BaseException:
            store.close()
            raise
    except BaseException:
        if lock:
            lock.release()
        raise
    if store.disk:
        store.disk.start()
    return OpenStore(store, lock)
