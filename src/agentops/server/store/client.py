"""`Store`: the one doorway to the engine.

A client of clickhouse-connect is one handle that does one thing at a time, so reads borrow from a small pool;
the writer and the summariser hold one each, and never wait for a reader. All methods block: call them from
worker threads.
"""

from __future__ import annotations

import contextlib
import queue
import re
import threading
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from agentops.errors import StoreError
from agentops.server.store.dialect import on_cluster
from agentops.server.store.disk import KEPT_FREE, Disk
from agentops.server.store.engine import load_engine
from agentops.server.store.remote import DiskFull, Unavailable, connected, explained, inlined
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
    "storage_configuration.disks.default.keep_free_space_bytes": str(KEPT_FREE),
}
_SETTINGS: Mapping[str, str] = {
    "output_format_json_quote_64bit_integers": "0",
    "output_format_json_quote_denormals": "0",
    "output_format_json_escape_forward_slashes": "0",
    # One request's rows are too few for several threads to share their reading.
    "input_format_parallel_parsing": "0",
    # Indexes of words are built by merges: on the way in they would cost as much as the row itself. So is
    # what tells which traces a part holds, which is a file more.
    "exclude_materialize_skip_indexes_on_insert": (
        "name_lower_words,source_lower_words,error_lower_words,status_lower_words,input_lower_words,"
        "output_lower_words,"
        "input_letter_groups,output_letter_groups,traces_held"
    ),
    # Session rows are few and long: by default one thread would read fewer than 160,000 of them.
    "merge_tree_min_rows_for_concurrent_read": "8192",
    "merge_tree_min_bytes_for_concurrent_read": "2097152",
    # With FINAL too, conditions on a table's key are tried before its other columns are read.
    "optimize_move_to_prewhere_if_final": "1",
    # Parts of words, short ones too, are looked up in the dictionary of words.
    "text_index_like_min_pattern_length": "1",
    "text_index_like_max_postings_to_read": "100000",
}
# A server has its own bound, for all who use it, and its own mind on compiling.
_EMBEDDED_SETTINGS: Mapping[str, str] = {
    "max_memory_usage": "2000000000",
    # What is asked for the fourth time would wait a tenth of a second for each expression to be compiled,
    # which wins nothing measurable over three million rows.
    "compile_expressions": "0",
    "compile_aggregate_expressions": "0",
    "compile_sort_description": "0",
}
_READERS = 4
_SMALL_BYTES = 64 * 1024
"""Rows below this go to the embedded engine within the statement: by way of a file, as the client sends them,
costs 4 ms more whatever they are, within a statement more for every byte."""
_ARRIVING = ("spans", "logs")
_REMOVAL: Final = re.compile(r"DELETE FROM `?(?P<table>\w+)|ALTER TABLE (?P<masked>\w+) APPLY DELETED MASK")


class _Parts(msgspec.Struct):
    largest: int
    together: int


class Store:
    """A store that is open: ask with `rows` and `answer`, write with `insert`, change with `command`."""

    def __init__(self, url: StoreUrl) -> None:
        self.url = url
        self._pool: queue.LifoQueue[Any] = queue.LifoQueue()
        self._made = 0
        self._lock = threading.Lock()
        self._closed = False
        self._changes = 0
        self._all: list[Any] = []
        self._pool.put(self.connect())
        self._made = 1
        self.disk = Disk(url.path, self.connect()) if url.path is not None else None
        """What the store is on, when that is known."""

    @property
    def changes(self) -> int | None:
        """How often what stands in the store was changed; None where others change it, too.

        Spans and logs that arrive are not counted: sessions change after them.
        """
        return self._changes if self.url.embedded else None

    def _changed(self) -> None:
        with self._lock:
            self._changes += 1

    def connect(self) -> Any:
        """Return a new client of the engine, closed with the store.

        Raises:
            StoreError: the engine cannot be opened or reached.
        """
        client = self._embedded(self.url.path) if self.url.path else connected(self.url, _SETTINGS)
        with self._lock:
            self._all.append(client)
        return client

    def _embedded(self, path: Path) -> Any:
        import clickhouse_connect

        try:
            load_engine()
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            return clickhouse_connect.get_client(
                interface="chdb",
                path=str(path),
                chdb_options=dict(_ENGINE_OPTIONS),
                settings={**_SETTINGS, **_EMBEDDED_SETTINGS},
            )
        except Exception as error:
            raise StoreError(f"The store {self.url} cannot be opened: {error}") from error

    def _another(self) -> Any:
        """Return one more client for readers.

        Raises:
            Unavailable: the store, which did answer once, does not now.
        """
        try:
            return self.connect()
        except StoreError as error:
            with self._lock:
                self._made -= 1
            raise Unavailable(str(error)) from error

    @contextlib.contextmanager
    def _reader(self) -> Generator[Any]:
        client: Any = None
        try:
            client = self._pool.get_nowait()
        except queue.Empty:
            with self._lock:
                grow = self._made < _READERS
                self._made += grow
            client = self._another() if grow else self._pool.get()
        try:
            yield client
        finally:
            self._pool.put(client)

    def answer(
        self, sql: str, parameters: Mapping[str, Any] | None = None, *, form: str = "JSONEachRow"
    ) -> bytes:
        """Return a query's result in one of the engine's formats. Values go in `{name:Type}` places."""
        sql, values = self._asked(sql, parameters)
        with explained(), self._reader() as client:
            return client.raw_query(sql, parameters=values, fmt=form)

    def rows(self, sql: str, parameters: Mapping[str, Any] | None, row: type[Row]) -> list[Row]:
        """Return a query's rows as structs; columns and fields meet by name."""
        return decoded(self.answer(sql, parameters), row)

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that answers nothing. On a cluster it reaches every machine, if it must.

        Raises:
            Unavailable: nothing was done; try again later.
        """
        if removal := _REMOVAL.match(sql):
            self.check_room(removal["table"] or removal["masked"])
        sql, values = self._asked(on_cluster(sql, self.url), parameters)
        try:
            with explained(), self._reader() as client:
                client.command(sql, parameters=values)
        finally:
            self._changed()

    def check_room(self, *tables: str, merged: bool = False) -> None:
        """Let rows of tables be removed, or their parts be merged, if the disk has room for that.

        The engine refuses no removal that lacks room: it lets it wait until there is, for ever if need be,
        and everything that waits for it too.

        Raises:
            NoRoom: parts of them could not be written a second time.
        """
        if self.disk is None:
            return
        found = self.rows(
            "SELECT max(bytes_on_disk) AS largest, sum(bytes_on_disk) AS together FROM system.parts WHERE "
            "active AND database = currentDatabase() AND table IN {tables:Array(String)} "
            "GROUP BY table, partition",
            {"tables": list(tables)},
            _Parts,
        )
        self.disk.check_room(max((one.together if merged else one.largest for one in found), default=0))

    def _asked(self, sql: str, parameters: Mapping[str, Any] | None) -> tuple[str, dict[str, Any]]:
        if self.url.embedded or not parameters:
            return sql, dict(parameters or {})
        return inlined(sql, parameters)

    def insert(
        self, table: str, lines: Sequence[bytes], client: Any = None, columns: Sequence[str] | None = None
    ) -> None:
        """Commit rows. On return they are on disk.

        Args:
            table: where to.
            lines: each a JSON object with the table's column names, or, with `columns`, a JSON array.
            client: the caller's own; without one a reader is borrowed.
            columns: what the arrays hold, in their order.

        Raises:
            Unavailable: they are not; try again later.
        """
        if not lines:
            return
        block = b"\n".join(lines)
        form = "JSONEachRow" if columns is None else "JSONCompactEachRow"
        lost_before = self.disk.lost(table) if self.disk else 0
        doorway = contextlib.nullcontext(client) if client is not None else self._reader()
        try:
            with explained(), doorway as mine:
                if self.url.embedded and len(block) < _SMALL_BYTES:
                    named = f" ({', '.join(columns)})" if columns else ""
                    mine.command(f"INSERT INTO {table}{named} FORMAT {form}", data=block)
                else:
                    mine.raw_insert(table, insert_block=block, fmt=form, column_names=columns)
            if self.disk is not None and not self.disk.stored(table, lost_before):
                raise DiskFull(f"The disk of {self.url} was full: nothing of this was stored.")
        finally:
            if table not in _ARRIVING:
                self._changed()

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
