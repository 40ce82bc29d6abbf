"""Fixtures that many tests share: real servers, on the embedded engine and on ClickHouse over HTTP.

A test of the store or of questions to it runs once on each engine; one that is about something else is marked
embedded_only, a module of such tests says EMBEDDED_ONLY = True.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest

from tests.engines import REAL, Remote
from tests.serving import Server

_STORE_TESTS = (
    "test_server_", "test_store", "test_query", "test_ledger", "test_analytics", "test_transfer",
    "test_waste", "test_compare",
)  # fmt: skip
StartServer = Callable[..., Server]
MakeServer = Callable[..., Server]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test of the store on each engine."""
    module = cast(ModuleType, metafunc.module)
    name = module.__name__
    if (
        "store_engine" in metafunc.fixturenames
        and name.startswith(tuple(f"tests.integration.{stem}" for stem in _STORE_TESTS))
        and not getattr(module, "EMBEDDED_ONLY", False)
    ):
        engines = ["embedded", "clickhouse" if REAL else "cluster"]
        if metafunc.definition.get_closest_marker("embedded_only"):
            del engines[1]
        metafunc.parametrize("store_engine", engines, indirect=True, scope="module")


@pytest.fixture(scope="session")
def remote() -> Iterator[Remote]:
    """ClickHouse for this run."""
    servers = Remote()
    yield servers
    servers.stop()


@pytest.fixture(scope="module")
def store_engine(request: pytest.FixtureRequest) -> str:
    """The engine that servers of this test keep their store in."""
    return getattr(request, "param", "embedded")


@pytest.fixture(scope="module")
def make_server(store_engine: str, remote: Remote) -> Iterator[MakeServer]:
    """Make servers, each with its home's store on the engine of this test. Who makes one closes it."""
    if store_engine == "embedded":
        yield Server
        return

    def make(home: Path, *, environment: dict[str, str] | None = None, **options: Any) -> Server:
        store = remote.url(store_engine, home)
        return Server(home, environment={"AGENTOPS_STORE": store, **(environment or {})}, **options)

    yield make
    remote.all_done(store_engine)


@pytest.fixture
def start_server(
    tmp_path: Path, make_server: MakeServer, store_engine: str, remote: Remote
) -> Iterator[StartServer]:
    """Start servers, each with the home given or one of its own; they are stopped afterwards."""
    started: list[Server] = []

    def start(home: Path | None = None, **options: Any) -> Server:
        server = make_server(home or tmp_path / f"home-{len(started)}", **options)
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()
    for home in {server.home for server in started}:
        remote.done(store_engine, home)


@pytest.fixture
def server(start_server: StartServer) -> Server:
    """A fresh server for this test."""
    return start_server()


@pytest.fixture(scope="module")
def module_server(tmp_path_factory: pytest.TempPathFactory, make_server: MakeServer) -> Iterator[Server]:
    """A server that a module's tests share; use ids of your own."""
    server = make_server(tmp_path_factory.mktemp("home"))
    yield server
    server.close()
