"""The ClickHouse HTTP protocol in front of a chDB engine: a ClickHouse server for tests, without its binary.

    python -m tests.bridge FOLDER [--cluster NAME] [--port N]

It answers what clickhouse-connect's HTTP client asks: queries with bound parameters and settings, raw
inserts, compression both ways, errors with their code and status, users and databases, and the limits that a
real server puts on addresses and their fields.

With a cluster there are two shards. Their local tables share the engine's storage; what a shard sees of it is
what the Distributed table's own sharding key assigns to it, so a query that needs rows of another shard and
does not say GLOBAL misses them, as it would on machines. Replicas and the queue of ON CLUSTER statements need
a Keeper, which the embedded engine has not: such statements are checked by the engine's parser as they are,
then run without.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import os
import re
import sys
import tempfile
import threading
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from backports import zstd

USER: Final = "agentops"
PASSWORD: Final = "pass word/1"
_MOST_URI_BYTES: Final = 1_048_576
_MOST_FIELD_BYTES: Final = 131_072
_MOST_IDLE: Final = 48
_SMALL_BYTES: Final = 65_536
"""What the engine reads sooner from a statement than from a file."""
_TRANSPORT: Final = {
    "query", "database", "user", "password", "default_format", "session_id", "session_timeout",
    "session_check", "query_id", "quota_key", "compress", "decompress", "wait_end_of_query",
    "client_protocol_version", "role", "send_progress_in_http_headers", "http_headers_progress_interval_ms",
    "enable_http_compression", "buffer_size",
}  # fmt: skip
_STATUSES: Final = {
    403: {497, 516, 194, 192, 193},
    404: {60, 81, 46, 47, 16, 36},
    400: {62, 27, 38, 41, 6, 69, 70, 53, 386, 43, 42, 456, 117},
    408: {159},
    501: {48},
}
_INSERT: Final = re.compile(rb"\s*INSERT\s+INTO\s+(\S+)\s*(\([^)]*\))?\s*FORMAT\s+(\w+)\s*\n?", re.IGNORECASE)
_FORMAT: Final = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_READS: Final = re.compile(rb"\s*(SELECT|WITH|\()", re.IGNORECASE)
_ON_CLUSTER: Final = re.compile(r"\s+ON\s+CLUSTER\s+[`'\"]?[\w-]+[`'\"]?", re.IGNORECASE)
_REPLICATED: Final = re.compile(r"Replicated(\w*MergeTree)\(\s*'[^']*'\s*,\s*'[^']*'\s*,?\s*")
_DISTRIBUTED: Final = re.compile(
    r"ENGINE\s*=\s*Distributed\(\s*['`]?[\w-]+['`]?\s*,\s*['`]?(\w+)['`]?\s*,\s*['`]?(\w+)['`]?\s*,\s*(.+)\)\s*$",
    re.IGNORECASE | re.DOTALL,
)
_NOT_COMPILED: Final = ("compile_expressions", "compile_aggregate_expressions", "compile_sort_description")
"""What a tenth of the tests' processor time would go into, for a handful of rows."""
_CONFIG: Final = """<clickhouse>
  <tcp_port>9000</tcp_port>
  <macros><shard>01</shard><replica>one</replica></macros>
  <remote_servers><{cluster}>
    <shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>9000</port></replica></shard>
    <shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>9000</port></replica></shard>
  </{cluster}></remote_servers>
</clickhouse>
"""
_OPTIONS: Final = (
    "mark_cache_size=67108864&index_mark_cache_size=16777216&max_server_memory_usage=3000000000"
    "&max_thread_pool_free_size=4"
)


class EngineError(Exception):
    """What the engine said, with its code."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        found = re.search(r"Code: (\d+)", text)
        self.code = int(found[1]) if found else 1002
        start = text.find("Code: ")
        self.text = text[start:] if start > 0 else text


class _Key(NamedTuple):
    """What a connection to the engine was set up with."""

    database: str
    settings: tuple[tuple[str, str], ...]


class Engine:
    """chDB, asked by many threads: a connection for each that asks at the same time."""

    def __init__(self, folder: Path, cluster: str) -> None:
        import chdb

        self._chdb: Any = chdb
        options = _OPTIONS
        if cluster:
            config = folder.with_name(folder.name + ".xml")
            config.write_text(_CONFIG.format(cluster=cluster))
            options += f"&config-file={config}"
        self._address = f"{folder}?{options}"
        self._cluster = cluster
        self._idle: list[tuple[_Key, Any]] = []
        self._lock = threading.Lock()
        self._shares: dict[tuple[str, str], str] = {}
        self._first = self._connect(_Key("", ()))
        known = "SELECT create_table_query FROM system.tables WHERE engine = 'Distributed'"
        for line in self._run(self._first, known.encode(), "TSVRaw", {}).decode().splitlines():
            self._share(line)

    def ask(self, sql: bytes, fields: dict[str, str], form: str) -> bytes:
        """Run one statement; return what it answers."""
        settings = {
            name: value
            for name, value in fields.items()
            if name not in _TRANSPORT and not name.startswith("param_")
        }
        parameters = {name[6:]: value for name, value in fields.items() if name.startswith("param_")}
        database = fields.get("database", "")
        if self._cluster:
            text = sql.decode()
            if _READS.match(sql) or text.lstrip()[:6].upper() == "INSERT":
                settings |= self._shard_settings(database)
            else:
                sql = self._alone(text, database, parameters).encode()
        key = _Key(database, tuple(sorted(settings.items())))
        named = _FORMAT.search(sql)
        return self._with(
            key, lambda one: self._run(one, sql, named[1].decode() if named else form, parameters)
        )

    def insert(self, table: str, columns: str, form: str, rows: bytes, fields: dict[str, str]) -> None:
        """Insert rows, as they came, into a table."""
        settings = {name: value for name, value in fields.items() if name not in _TRANSPORT}
        key = _Key(fields.get("database", ""), tuple(sorted(settings.items())))
        if len(rows) < _SMALL_BYTES:
            sql = f"INSERT INTO {table} {columns} FORMAT {form}\n".encode() + rows
            self._with(key, lambda one: self._run(one, sql, "TabSeparated", {}))
            return
        with tempfile.NamedTemporaryFile(suffix=".rows") as file:
            file.write(rows)
            file.flush()
            sql = f"INSERT INTO {table} {columns} FROM INFILE '{file.name}' FORMAT {form}".encode()
            self._with(key, lambda one: self._run(one, sql, "TabSeparated", {}))

    def _alone(self, text: str, database: str, parameters: dict[str, str]) -> str:
        """Return a statement as one machine runs it; the parser has seen it as it came."""
        if not _ON_CLUSTER.search(text) and not _REPLICATED.search(text):
            return text
        self._with(
            _Key(database, ()),
            lambda one: self._run(one, b"EXPLAIN AST " + text.encode(), "TabSeparated", parameters),
        )
        alone = _REPLICATED.sub(r"\1(", _ON_CLUSTER.sub("", text))
        self._share(alone)
        return alone

    def _share(self, statement: str) -> None:
        """Remember what a Distributed table says about who has which row."""
        face = _DISTRIBUTED.search(statement)
        if face:
            self._shares[face[1], face[2]] = face[3]

    def _shard_settings(self, asked: str) -> dict[str, str]:
        # Those of the database that is asked: of all, they would be more with every test that ran before.
        pairs = [
            f"'{database}.{table}': '({key.replace(chr(39), chr(92) + chr(39))}) % 2 + 1 = shardNum()'"
            for (database, table), key in self._shares.items()
            if asked in ("", database)
        ]
        return {"additional_table_filters": "{" + ", ".join(pairs) + "}"} if pairs else {}

    def _with(self, key: _Key, work: Callable[[Any], bytes]) -> bytes:
        connection: Any = None
        with self._lock:
            for place, (known, idle) in enumerate(self._idle):
                if known == key:
                    connection = idle
                    del self._idle[place]
                    break
        if connection is None:
            connection = self._connect(key)
        try:
            return work(connection)
        finally:
            with self._lock:
                self._idle.append((key, connection))
                old = self._idle[:-_MOST_IDLE]
                self._idle = self._idle[-_MOST_IDLE:]
            for _, one in old:
                one.close()

    def _connect(self, key: _Key) -> Any:
        connection = self._chdb.connect(self._address)
        try:
            said = [f"{name} = 0" for name in _NOT_COMPILED]
            for name, value in key.settings:
                quoted = value.replace("\\", "\\\\").replace("'", "\\'")
                literal = value if name == "additional_table_filters" else f"'{quoted}'"
                said.append(f"{name} = {literal}")
            # A statement costs half a millisecond, however little it says.
            self._run(connection, f"SET {', '.join(said)}".encode(), "TabSeparated", {})
            if key.database:
                self._run(connection, f"USE `{key.database}`".encode(), "TabSeparated", {})
        except BaseException:
            connection.close()
            raise
        return connection

    @staticmethod
    def _run(connection: Any, sql: bytes, form: str, parameters: dict[str, str]) -> bytes:
        try:
            answer = connection.query(sql, form, params=parameters)
        except Exception as error:
            raise EngineError(str(error)) from None
        return bytes(answer.bytes() or b"")


def _request_class(engine: Engine) -> type[BaseHTTPRequestHandler]:
    class Request(BaseHTTPRequestHandler):
        """One request of a client."""

        protocol_version = "HTTP/1.1"
        # A header and a body in two segments wait for each other's acknowledgement otherwise.
        disable_nagle_algorithm = True
        wbufsize = 65536

        def do_GET(self) -> None:
            if self.path == "/ping":
                self._answer(200, b"Ok.\n")
            else:
                self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                self._ask(body)
            except EngineError as error:
                status = next((status for status, codes in _STATUSES.items() if error.code in codes), 500)
                self._answer(status, error.text.encode(), {"X-ClickHouse-Exception-Code": str(error.code)})

        def _ask(self, body: bytes) -> None:
            encoding = self.headers.get("Content-Encoding", "")
            if encoding == "gzip":
                body = gzip.decompress(body)
            elif encoding == "deflate":
                body = zlib.decompress(body)
            elif encoding == "zstd":
                body = zstd.decompress(body)
            elif encoding:
                raise EngineError(f"Code: 89. DB::Exception: Unknown compression method {encoding}")
            if len(self.path) > _MOST_URI_BYTES:
                raise EngineError("Code: 1000. DB::Exception: URI is too long")
            fields = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
            form = self.headers.get("Content-Type", "")
            if form.startswith("multipart/form-data"):
                fields |= _form_fields(body, form.partition("boundary=")[2].encode())
                body = b""
            for name, value in fields.items():
                if len(value) > _MOST_FIELD_BYTES:
                    raise EngineError(f"Code: 1000. DB::Exception: Field value too long: {name}")
            self._authenticate()
            sql = fields.get("query", "").encode()
            sql = sql + b"\n" + body if sql else body
            insert = _INSERT.match(sql)
            if insert:
                columns = (insert[2] or b"").decode()
                engine.insert(insert[1].decode(), columns, insert[3].decode(), sql[insert.end() :], fields)
                answer = b""
            else:
                answer = engine.ask(sql, fields, fields.get("default_format", "TabSeparated"))
            headers = {"X-ClickHouse-Summary": "{}"}
            if (
                fields.get("enable_http_compression") == "1"
                and "gzip" in self.headers.get("Accept-Encoding", "")
                and len(answer) > 1000
            ):
                answer = gzip.compress(answer, 1)
                headers["Content-Encoding"] = "gzip"
            self._answer(200, answer, headers)

        def _authenticate(self) -> None:
            given = self.headers.get("Authorization", "")
            expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if given != expected:
                raise EngineError(
                    "Code: 516. DB::Exception: Authentication failed: password is incorrect, or there is no "
                    "user with such name. (AUTHENTICATION_FAILED)"
                )

        def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 -- the base class's name
            """Say nothing of requests that were answered."""

    return Request


def _form_fields(body: bytes, boundary: bytes) -> dict[str, str]:
    """Return the fields of a form, which is how the client sends many or long parameters."""
    found: dict[str, str] = {}
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        if name:
            found[name[1].decode()] = content[:-2].decode()
    return found


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def main() -> None:
    """Serve until the process is ended; the first line says the port."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cluster", default="")
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    engine = Engine(chosen.folder, chosen.cluster)
    server = _Server(("127.0.0.1", chosen.port), _request_class(engine))
    print(server.server_address[1], flush=True)
    # Who started it holds the other end: it ends with them, whatever happens to them.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
