"""The server, wired: starts its threads on an open store, and answers HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import functools
import logging
import threading
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.types import ASGIApp

from agentops.server import prices, ui
from agentops.server.api import (
    account,
    analytics,
    answers,
    compare,
    errors,
    events,
    guard,
    ledger,
    operations,
    otlp,
    pricing,
    sessions,
    store,
    transfer,
    waste,
)
from agentops.server.api import live as live_routes
from agentops.server.api.examples import illustrate
from agentops.server.api.gate import Gate
from agentops.server.api.paths import Paths
from agentops.server.api.state import Rooms
from agentops.server.auth import Auth
from agentops.server.auth.secret import Secret
from agentops.server.backlog import Backlog
from agentops.server.connection import Patience
from agentops.server.drain import Drained
from agentops.server.forwarded import Forwarded
from agentops.server.ingest import Ingest
from agentops.server.lapses import Lapses
from agentops.server.live import Live
from agentops.server.living import Living
from agentops.server.pricelist import PriceList
from agentops.server.query.rehearsal import rehearse
from agentops.server.relay import Relay
from agentops.server.store.again import Again
from agentops.server.store.opening import OpenStore
from agentops.server.store.priority import merges_give_way
from agentops.server.store.retention import Retention
from agentops.server.store.session import Silence
from agentops.server.store.shared_prices import SharedPrices
from agentops.server.store.summarise import Summariser
from agentops.server.store.upkeep import Tidy
from agentops.server.store.write import Writer
from agentops.server.wire import export as wire_export
from agentops.server.wire import public, v2, v4

_log: Final = logging.getLogger("agentops.server")
_DRAIN_S: Final = 20.0
_WARM_AFTER_S: Final = 1.0
"""Whoever waits for the server to be ready asks in its first second."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a server needs to know. Silences in nanoseconds."""

    silence: Silence
    max_body_bytes: int
    home: Path
    local_only: bool = True
    trusted_proxies: list[str] = field(default_factory=list[str])
    auth: bool = False
    secret: Secret | None = None
    quota_bytes: int = 0
    """Telemetry a minute for keys without a quota of their own; 0: no limit."""
    retention_days: int = 0
    """Days that projects keep sessions which say nothing themselves; 0: for ever."""
    own_prices: PriceList | None = None
    warms: bool = True
    """Whether it prepares for the first span and the first page; for a single command it does not."""


class Server:
    """The open rooms, and the order in which they close."""

    def __init__(self, options: Options, opened: OpenStore) -> None:
        """Start the rooms on a store that is open; it is closed with the server."""
        self.options = options
        self._opened = opened
        store = opened.store
        self.live = Live()
        self._relay = Relay(store, self.live)
        summariser = Summariser(store, options.silence, self._relay.publish, listened=self.live.listened)
        writer = Writer(store, summariser)
        self.auth = Auth(
            store,
            options.home,
            required=options.auth,
            secret=options.secret,
            quota_bytes=options.quota_bytes,
            on_ended=self.live.recheck,
        )
        shared_prices = SharedPrices(store, options.home)
        self.rooms = Rooms(
            store=store,
            summariser=summariser,
            writer=writer,
            ingest=Ingest(writer),
            live=self.live,
            prices=shared_prices,
            auth=self.auth,
            max_body_bytes=options.max_body_bytes,
            version=version("agentops"),
            home=options.home,
            backlog=Backlog(options.home),
        )
        self._lapses = Lapses(store, summariser, self.live.publish, Living(options.home), self.live.listened)
        self._tidy = Tidy(store, lambda: writer.commits + summariser.passes)
        # The engine starts threads as it needs them.
        self._merges = Again(
            "agentops-merges",
            merges_give_way,
            every_s=10.0,
            first_s=1.0,
            failed="Lowering the priority of merges failed",
        )
        self._leaving = threading.Event()
        self._rehearsing = threading.Lock()
        self._retention = Retention(store, summariser, options.retention_days, self._relay.publish)
        if options.own_prices is not None:
            shared_prices.renew(options.own_prices)
        summariser.start()
        writer.start()
        self._lapses.start()
        self._retention.start()
        self._tidy.start()
        if store.url.embedded:
            self._merges.start()

        def on_second() -> None:
            summariser.look_again()
            shared_prices.hear()

        self._relay.start(on_second)
        self.auth.start()

    def describe(self, url: str) -> None:
        """Write into the store's lock where this server answers."""
        self._opened.describe(url)

    def warm(self) -> None:
        """Do beside the first answers what the first priced span and the first page would wait for."""
        threading.Thread(target=self._warm, name="agentops-warm", daemon=True).start()

    def _warm(self) -> None:
        import_module("agentops.otlp.decode")
        prices.warm()
        store = self.rooms.store
        if not store.url.embedded:
            return
        with self._rehearsing:
            if self._leaving.is_set():
                return
            try:
                for _ in rehearse(store, time.time_ns()):
                    if self._leaving.is_set():
                        break
            except Exception as error:  # Whoever asks the same is told what is wrong.
                _log.debug("What the first page asks could not be asked before: %s", error)

    def leave(self) -> None:
        """End the listeners, and turn away what is not being decoded yet, so that nobody is left waiting."""
        self.live.close()
        self.rooms.ingest.intake.leave()

    def close(self) -> None:
        """Commit and summarise what was taken, then close the store."""
        self._leaving.set()
        with self._rehearsing:
            pass  # The store is closed under no question.
        self._lapses.stop()
        self._retention.stop()
        self._tidy.stop()
        self._merges.stop()
        self.rooms.ingest.decoders.close()
        self.rooms.writer.stop(_DRAIN_S)
        self.rooms.summariser.stop(_DRAIN_S)
        self._relay.stop()
        self.auth.stop()
        self._opened.close()


def create_app(server: Server | None) -> FastAPI:
    """Return the ASGI application; without a server it only describes itself (openapi)."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        if server is not None:
            loop = asyncio.get_running_loop()
            server.live.attach(loop)
            if server.options.warms:
                loop.call_later(_WARM_AFTER_S, server.warm)
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
    for room in (
        otlp,
        sessions,
        events,
        ledger,
        transfer,
        analytics,
        waste,
        compare,
        pricing,
        live_routes,
        store,
        operations,
        account,
    ):
        app.include_router(room.router)
    for room in (wire_export, v2, v4, public):
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
                for status in (413, 415):
                    if "requestBody" in method and str(status) not in method["responses"]:
                        refused = copy.deepcopy(method["responses"]["400"])
                        method["responses"][str(status)] = refused | {"description": answers.WHEN[status]}
                for answer in method["responses"].values():
                    kinds: dict[str, Any] = answer.get("content", {})
                    if len(kinds) > 1 and kinds.get("application/json") == {"schema": {}}:
                        del kinds["application/json"]
        for name in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(name, None)
        illustrate(document)
        app.openapi_schema = document
    return app.openapi_schema


def guarded(server: Server) -> ASGIApp:
    """Return what answers HTTP: the application behind its gate and its guard."""
    app = create_app(server)
    inner = Gate(app, server.auth) if server.auth.required else app
    outer: ASGIApp = Drained(guard.Guard(Patience(inner), server.options.local_only))
    trusted = server.options.trusted_proxies
    return Forwarded(outer, trusted) if trusted else outer
