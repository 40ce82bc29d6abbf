"""The server, wired: opens the store, starts its threads, and answers HTTP."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from agentops.server import ui
from agentops.server.api import analytics, errors, events, guard, operations, otlp, sessions
from agentops.server.api import live as live_routes
from agentops.server.api.state import Rooms
from agentops.server.ingest import Ingest
from agentops.server.lapses import Lapses
from agentops.server.live import Live
from agentops.server.store import Store, StoreUrl
from agentops.server.store.lock import StoreLock
from agentops.server.store.migrate import migrate
from agentops.server.store.session import Silence
from agentops.server.store.summarise import Summariser
from agentops.server.store.write import Writer

_DRAIN_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a server needs to know. Silences in nanoseconds."""

    store: StoreUrl
    home: Path
    silence: Silence
    max_body_bytes: int
    local_only: bool = True


class Server:
    """The open rooms, and the order in which they close."""

    def __init__(self, options: Options) -> None:
        """Open the store.

        Raises:
            StoreError: it cannot be opened, is in use, or was made by a newer version.
        """
        self.options = options
        self._lock = StoreLock(options.store.path) if options.store.path is not None else None
        try:
            store = Store(options.store)
            try:
                migrate(store)
                self.live = Live()
                summariser = Summariser(store, options.silence, self.live.publish)
                writer = Writer(store, summariser)
            except BaseException:
                store.close()
                raise
        except BaseException:
            if self._lock:
                self._lock.release()
            raise
        self.rooms = Rooms(
            store=store,
            summariser=summariser,
            writer=writer,
            ingest=Ingest(writer),
            live=self.live,
            max_body_bytes=options.max_body_bytes,
            version=version("agentops"),
        )
        self._lapses = Lapses(store, self.live.publish)
        summariser.start()
        writer.start()
        self._lapses.start()

    def describe(self, url: str) -> None:
        """Write into the store's lock where this server answers."""
        if self._lock:
            self._lock.describe(url)

    def close(self) -> None:
        """Commit and summarise what was taken, then close the store."""
        self._lapses.stop()
        self.rooms.writer.stop(_DRAIN_S)
        self.rooms.summariser.stop(_DRAIN_S)
        self.rooms.store.close()
        if self._lock:
            self._lock.release()


def create_app(server: Server | None) -> FastAPI:
    """Return the ASGI application; without a server it only describes itself (openapi)."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        if server is not None:
            server.live.attach(asyncio.get_running_loop())
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
    app.state.rooms = server.rooms if server is not None else None
    errors.install(app)
    for room in (otlp, sessions, events, analytics, live_routes, operations):
        app.include_router(room.router)
    ui.install(app, errors.API_PREFIXES)
    return app


def guarded(server: Server) -> guard.Guard:
    """Return what answers HTTP: the application behind its guard."""
    return guard.Guard(create_app(server), server.options.local_only)
