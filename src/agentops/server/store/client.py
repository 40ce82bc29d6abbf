"""`Store`: the one doorway to the engine.

A client of clickhouse-connect is one handle that does one thing at a time, so reads borrow from a small pool;
the writer and the summariser hold one each, and never wait for a reader. All methods block: call them from
worker threads.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from agentops.errors import StoreError
from agentops.server.store.engine import load_engine
from agentops.server.store.url import StoreUrl

Row = TypeVar("Row")

# The engine's defaults are a big server's: gigabytes of caches and no bound. These suit a laptop.
_ENGINE_OPTIONS: Mapping[str, str] = {
    "mark_cache_size": "134217728",
    "index_mark_cache_size": "33554432",
    "primary_index_cache_size": "67108864",
    "query_condition_cache_size": "33554432",
    "mmap_cache_size": "128",
    "max_server_memory_usage": "2500000000",
    # A thread's stack and allocator arena stay after a burst; two cores need no hundreds of idle ones.
    "max_thread_pool_free_size": "4",
}
_SETTINGS: Mapping[str, str] = {
    "output_format_json_quote_64bit_integers": "0",
    "output_format_json_quote_denormals": "0",
    "output_format_json_escape_forward_slashes": "0",
    "max_memory_usage": "2000000000",
}
_READERS = 4


class Store:
    """A store that is open: ask with `rows` and `answer`, write with `insert`, change with `command`."""

    def __init__(self, url: StoreUrl) -> None:
        self.url = url
        self._pool: queue.LifoQueue[Any] = queue.LifoQueue()
        self._made = 0
        self._lock = threading.Lock()
        self._closed = False
        self._all: list[Any] = []
        self._pool.put(self.connect())
        self._made = 1

    def connect(self) -> Any:
        """Return a new client of the engine, closed with the store.

        Raises:
            StoreError: the engine cannot be opened or reached.
        """
        import clickhouse_connect

        try:
            if self.url.path is not None:
                load_engine()
                self.url.path.mkdir(parents=True, exist_ok=True, mode=0o700)
                client = clickhouse_connect.get_client(
                    interface="chdb",
                    path=str(self.url.path),
                    chdb_options=dict(_ENGINE_OPTIONS),
                    settings=dict(_SETTINGS),
                )
            else:
                client = clickhouse_connect.get_client(
                    host=self.url.host,
                    port=self.url.port,
                    username=self.url.user or None,
                    password=self.url.password,
                    database=self.url.database,
                    secure=self.url.secure,
                    settings=dict(_SETTINGS),
                    autogenerate_session_id=False,
                )
        except Exception as error:
            raise StoreError(f"The store {self.url} cannot be opened: {error}") from error
        with self._lock:
            self._all.append(client)
        return client

    @contextlib.contextmanager
    def _reader(self) -> Generator[Any]:
        client: Any = None
        try:
            client = self._pool.get_nowait()
        except queue.Empty:
            with self._lock:
                grow = self._made < _READERS
                self._made += grow
            client = self.connect() if grow else self._pool.get()
        try:
            yield client
        finally:
            self._pool.put(client)

    def answer(
        self, sql: str, parameters: Mapping[str, Any] | None = None, *, form: str = "JSONEachRow"
    ) -> bytes:
        """Return a query's result in one of the engine's formats. Values go in `{name:Type}` places."""
        with self._reader() as client:
            return client.raw_query(sql, parameters=dict(parameters or {}), fmt=form)

    def rows(self, sql: str, parameters: Mapping[str, Any] | None, row: type[Row]) -> list[Row]:
        """Return a query's rows as structs; columns and fields meet by name."""
        return decoded(self.answer(sql, parameters), row)

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that answers nothing."""
        with self._reader() as client:
            client.command(sql, parameters=dict(parameters or {}))

    def insert(self, table: str, lines: Sequence[bytes], client: Any = None) -> None:
        """Commit rows, each one a JSON object with the table's column names. On return they are on disk."""
        if not lines:
            return
        block = b"\n".join(lines)
        if client is not None:
            client.raw_insert(table, insert_block=block, fmt="JSONEachRow")
            return
        with self._reader() as reader:
            reader.raw_insert(table, insert_block=block, fmt="JSONEachRow")

    def close(self) -> None:
        """Close every client; merges stop, files are left whole."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            clients, self._all = self._all, []
        for client in clients:
            with contextlib.suppress(Exception):
                client.close()


def decoded(answer: bytes, row: type[Row]) -> list[Row]:
    """Read JSONEachRow lines into structs."""
    if not answer:
        return []
    return msgspec.json.Decoder(row).decode_lines(answer)
