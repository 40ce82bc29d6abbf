"""Fixtures that many tests share: real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Server

StartServer = Callable[..., Server]


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Start servers, each with the home given or one of its own; they are stopped afterwards."""
    started: list[Server] = []

    def start(home: Path | None = None, **options: Any) -> Server:
        server = Server(home or tmp_path / f"home-{len(started)}", **options)
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()


@pytest.fixture
def server(start_server: StartServer) -> Server:
    """A fresh server for this test."""
    return start_server()


@pytest.fixture(scope="module")
def module_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that a module's tests share; use ids of your own."""
    server = Server(tmp_path_factory.mktemp("home"))
    yield server
    server.close()
