"""What routes share: the open rooms of this server, reached through the request."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import Request

from agentops.server.api.errors import ApiError
from agentops.server.auth import Auth, Caller
from agentops.server.auth.caller import ANYBODY, DEFAULT_PROJECT, unauthorised
from agentops.server.auth.projects import NoSuchProject
from agentops.server.backlog import Backlog
from agentops.server.ingest import Ingest
from agentops.server.live import Live
from agentops.server.store.client import Store
from agentops.server.store.shared_prices import SharedPrices
from agentops.server.store.summarise import Summariser
from agentops.server.store.write import Writer

__all__ = ["DEFAULT_PROJECT", "Rooms", "caller_of", "now_ns", "own_writes", "project_of", "rooms"]
_OWN_WRITES_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Rooms:
    """Everything that is open once the server is ready."""

    store: Store
    summariser: Summariser
    writer: Writer
    ingest: Ingest
    live: Live
    prices: SharedPrices
    auth: Auth
    max_body_bytes: int
    version: str
    home: Path | None = None
    """The folder of everything local."""
    backlog: Backlog | None = None
    """The journal of this server's home; None when it has none."""


def rooms(request: Request) -> Rooms:
    """Return the rooms.

    Raises:
        ApiError: 503, the store is still being opened.
    """
    found: Rooms | None = getattr(request.app.state, "rooms", None)
    if found is None:
        raise ApiError(
            503,
            "starting",
            "The server is still opening its store.",
            "Try again in a second.",
            {"Retry-After": "1"},
        )
    return found


def project_of(request: Request) -> str:
    """Return the project that a request reads and writes. Without keys there is one.

    This machine's `agentops` command names it in the header X-Agentops-Project. A key speaks for its own
    project, whatever is sent along.

    Raises:
        ApiError: 404, there is no such project.
    """
    caller = caller_of(request)
    wanted = request.headers.get("x-agentops-project")
    if not wanted or not caller.everywhere or caller.key_hash:
        return caller.project
    try:
        return rooms(request).auth.projects.named(wanted).project
    except NoSuchProject:
        raise ApiError(
            404,
            "project_not_found",
            f"There is no project {wanted!r}.",
            "`agentops projects list` shows the projects there are.",
        ) from None


def caller_of(request: Request) -> Caller:
    """Return who asks, as the gate found out.

    Raises:
        Denied: 401, a server with keys let a request in whose caller nobody looked for.
    """
    found: Caller | None = request.scope.get("agentops.caller")
    if found is not None:
        return found
    auth = rooms(request).auth
    if auth.required:
        raise unauthorised("This server answers to its keys only, and the request has none.")
    shown = request.headers.get("authorization")
    return auth.authenticate({"authorization": shown}) if shown else ANYBODY


def own_writes(open_rooms: Rooms) -> None:
    """Wait, for a bounded time, until what was acknowledged before this read is in the session rows."""
    open_rooms.summariser.caught_up(_OWN_WRITES_S)


def now_ns() -> int:
    """Return the time that silence is judged by."""
    return time.time_ns()
