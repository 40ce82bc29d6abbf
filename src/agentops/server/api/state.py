"""What routes share: the open rooms of this server, reached through the request."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from agentops.server.api.errors import ApiError
from agentops.server.backlog import Backlog
from agentops.server.ingest import Ingest
from agentops.server.live import Live
from agentops.server.store.client import Store
from agentops.server.store.summarise import Summariser
from agentops.server.store.write import Writer

DEFAULT_PROJECT: Final = "default"
_OWN_WRITES_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Rooms:
    """Everything that is open once the server is ready."""

    store: Store
    summariser: Summariser
    writer: Writer
    ingest: Ingest
    live: Live
    max_body_bytes: int
    version: str
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
    """Return the project that a request reads and writes. Without keys there is one."""
    return DEFAULT_PROJECT


def own_writes(open_rooms: Rooms) -> None:
    """Wait, for a bounded time, until what was acknowledged before this read is in the session rows."""
    open_rooms.summariser.caught_up(_OWN_WRITES_S)


def now_ns() -> int:
    """Return the time that silence is judged by."""
    return time.time_ns()
