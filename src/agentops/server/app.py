"""The server, wired: starts its threads on an open store, and answers HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from agentops.server import prices, ui
from agentops.server.api import analytics, errors, events, guard, operations, otlp, sessions
from agentops.server.api import live as live_routes
from agentops.server.api.paths import Paths
from agentops.server.api.state import Rooms
from agentops.server.backlog import Backlog
from agentops.server.ingest import Ingest
from agentops.server.lapses import Lapses
from agentops.server.live import Live
from agentops.server.store.opening import OpenStore
from agentops.server.store.session import Silence
from agentops.server.store.summarise import Summariser
from agentops.server.store.write import Writer
from agentops.server.wire import export as wire_export

_DRAIN_S: Final = 20.0
_WARM_AFTER_S: Final = 1.0
"""Whoever waits for the server to be ready asks in its first second."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a server needs to know. Silences in nanoseconds."""

    silence: Silence
    max_body_bytes: int
    home: Path | None = None
    local_only: bool = True


class Server:
    """The open rooms, and the order in which they close."""

    def __init__(self, options: Options, opened: OpenStore) -> None:
        """Start the rooms on a store that is open; it is closed with the server."""
        self.options = options
        self._opened = opened
        store = opened.store
        self.live = Live()
        summariser = Summariser(store, options.silence, self.live.publish)
        writer = Writer(store, summariser)
        self.rooms = Rooms(
            store=store,
            summariser=summariser,
            writer=writer,
            ingest=Ingest(writer),
            live=self.live,
            max_body_bytes=options.max_body_bytes,
            version=version("agentops"),
            backlog=Backlog(options.home) if options.home is not None else None,
        )
        self._lapses = Lapses(store, self.live.publish)
        summariser.start()
        writer.start()
        self._lapses.start()

    def describe(self, url: str) -> None:
        """Write into the store's lock where this server answers."""
        self._opened.describe(url)

    def close(self) -> None:
        """Commit and summarise what was taken, then close the store."""
        self._lapses.stop()
        self.rooms.writer.stop(_DRAIN_S)
        self.rooms.summariser.stop(_DRAIN_S)
        self._opened.close()


def create_app(server: Server | None) -> FastAPI:
    """Return the ASGI application; without a server it only describes itself (openapi)."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        if server is not None:
            loop = asyncio.get_running_loop()
            server.live.attach(loop)
            loop.call_later(_WARM_AFTER_S, _warm)
        yield

    app = FastAPI(
        title="AgentOps",
        version=version("agentops"),
        description="Sessions of AI agents: recorded, stored, queried.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        # A server that traced itself into itself would never be quiet.
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    app.openapi = functools.partial(_described, app)
    app.state.rooms = server.rooms if server is not None else None
    errors.install(app)
    app.add_middleware(Paths)
    for room in (otlp, sessions, events, analytics, live_routes, operations, wire_export):
        app.include_router(room.router)
    ui.install(app, errors.API_PREFIXES)
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with our one error shape where the framework would put its own."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        for route in document["paths"].values():
            for method in route.values():
                if "HTTPValidationError" in str(method["responses"].get("422", "")):
                    del method["responses"]["422"]
        for name in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(name, None)
        app.openapi_schema = document
    return app.openapi_schema


def _warm() -> None:
    """Load, beside the first answers, what the first priced span would have to wait for."""

    def load() -> None:
        import_module("agentops.otlp.decode")
        prices.warm()

    threading.Thread(target=load, name="agentops-warm", daemon=True).start()


def guarded(server: Server) -> guard.Guard:
    """Return what answers HTTP: the application behind its guard."""
    return guard.Guard(create_app(server), server.options.local_only)
