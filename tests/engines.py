"""The engines that the store's tests run on: embedded, and ClickHouse over HTTP, one machine or two shards.

A bridge (bridge.py) stands in for the ClickHouse; AGENTOPS_TEST_CLICKHOUSE=http://user:password@host:8123
(with ?cluster=name for a cluster) takes a real one. Each home gets a database of its own, dropped at the end.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, quote, unquote, urlsplit

from agentops.server.store.opening import open_store
from agentops.server.store.url import StoreUrl
from tests.bridge import PASSWORD, USER

REAL: Final = os.environ.get("AGENTOPS_TEST_CLICKHOUSE", "")
SHARDS: Final = "two_shards"
START_TIMEOUT_S: Final = 60.0


class Bridge:
    """A bridge in a process of its own, on a free port; ended with `stop`, and with us."""

    def __init__(self, cluster: str = "", folder: Path | None = None, port: int = 0) -> None:
        self.cluster = cluster
        self._own = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="agentops-bridge-"))
        command = [sys.executable, "-m", "tests.bridge", str(self.folder / "engine"), "--port", str(port)]
        self.process = subprocess.Popen(
            [*command, *(["--cluster", cluster] if cluster else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parent.parent,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.address = f"http://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}"

    def store(self, database: str) -> str:
        """Return the store URL of a database."""
        return store_url(self.address, database, self.cluster)

    def ask(self, sql: str) -> str:
        """Run a statement and return what it answers."""
        return ask(self.address, sql)

    def stop(self) -> None:
        """End it; its files go with it if they are its own."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        if self._own:
            shutil.rmtree(self.folder, ignore_errors=True)


class Remote:
    """ClickHouse servers for the tests of one run, started when the first test wants one.

    A home's database goes to another home, emptied, when the first is done with it: making one anew takes
    fifteen times as long. One whose tables or migrations a test has changed is dropped.
    """

    def __init__(self) -> None:
        self._bridges: dict[str, Bridge] = {}
        self._homes: dict[tuple[str, Path], str] = {}
        self._empty: dict[str, list[str]] = {}
        self._schema: dict[str, str] = {}
        self._numbers = itertools.count()

    def url(self, engine: str, home: Path) -> str:
        """Return the store URL of a home: the same home, the same database."""
        if REAL:
            database = "t_" + hashlib.blake2b(str(home).encode(), digest_size=8).hexdigest()
            self._homes[engine, home] = database
            cluster = parse_qs(urlsplit(REAL).query).get("cluster", [""])[0]
            return store_url(REAL, database, cluster)
        bridge = self._bridge(engine)
        if (engine, home) not in self._homes:
            empty = self._empty[engine]
            self._homes[engine, home] = empty.pop() if empty else f"t_{next(self._numbers)}"
        return bridge.store(self._homes[engine, home])

    def done(self, engine: str, home: Path) -> None:
        """Say that nobody uses a home's database any more."""
        database = self._homes.pop((engine, home), None)
        if database is None:
            return
        if REAL:
            cluster = parse_qs(urlsplit(REAL).query).get("cluster", [""])[0]
            everywhere = f" ON CLUSTER `{cluster}`" if cluster else ""
            ask(REAL, f"DROP DATABASE IF EXISTS {database}{everywhere} SYNC")
            return
        bridge = self._bridge(engine)
        if _schema(bridge, database) != self._schema[engine]:
            bridge.ask(f"DROP DATABASE IF EXISTS {database} SYNC")
            return
        tables = bridge.ask(
            f"SELECT name FROM system.tables WHERE database = '{database}' AND engine LIKE '%MergeTree' "
            "AND name NOT IN ('migrations', 'migrations_local') FORMAT TSV"
        )
        for table in tables.split():
            bridge.ask(f"TRUNCATE TABLE {database}.{table} SYNC")
        self._empty[engine].append(database)

    def all_done(self, engine: str) -> None:
        """Say that nobody uses any home's database any more."""
        for used, home in list(self._homes):
            if used == engine:
                self.done(used, home)

    def stop(self) -> None:
        """End the bridges."""
        for bridge in self._bridges.values():
            bridge.stop()

    def _bridge(self, engine: str) -> Bridge:
        bridge = self._bridges.get(engine)
        if bridge is None:
            bridge = self._bridges[engine] = Bridge(SHARDS if engine == "cluster" else "")
            first = f"t_{next(self._numbers)}"
            open_store(StoreUrl.parse(bridge.store(first))).close()
            self._schema[engine] = _schema(bridge, first)
            self._empty[engine] = [first]
        return bridge


def _schema(bridge: Bridge, database: str) -> str:
    """Return what a database's tables are and which migrations it knows, without its own name."""
    tables = bridge.ask(
        f"SELECT name, create_table_query FROM system.tables WHERE database = '{database}' "
        "ORDER BY name FORMAT TSV"
    )
    if not tables:
        return ""
    migrations = bridge.ask(f"SELECT name FROM {database}.migrations ORDER BY name FORMAT TSV")
    return (tables + migrations).replace(database, "")


def store_url(address: str, database: str, cluster: str = "") -> str:
    """Return the store URL of a database on a server with an HTTP address."""
    parts = urlsplit(address)
    scheme = "clickhouses" if parts.scheme == "https" else "clickhouse"
    return f"{scheme}://{parts.netloc}/{database}" + (f"?cluster={cluster}" if cluster else "")


def ask(address: str, sql: str) -> str:
    """Run a statement on a server with an HTTP address."""
    parts = urlsplit(address)
    port = parts.port or 8123
    request = urllib.request.Request(f"{parts.scheme}://{parts.hostname}:{port}/", sql.encode())
    if parts.username:
        named = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_header("Authorization", "Basic " + base64.b64encode(named.encode()).decode())
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode()
