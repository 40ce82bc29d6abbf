"""A session as people name it on a command line: by its id, or by the beginning of it."""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import quote

from agentops.cli.storeway import NotThere, StoreWay
from agentops.errors import AgentOpsError


def named_session(way: StoreWay, given: str) -> dict[str, Any]:
    """Return a session by its id, or by a beginning that no other of the latest sessions has: ids are long.

    Raises:
        AgentOpsError: there is none, or several begin so.
    """
    if given:
        with contextlib.suppress(NotThere):
            found: dict[str, Any] = way.ask("GET", f"/api/sessions/{quote(given, safe='')}")
            return found
        latest = way.ask("GET", "/api/sessions", parameters={"limit": 500})["sessions"]
        fitting = [one["session_id"] for one in latest if one["session_id"].startswith(given)]
        if len(fitting) == 1:
            return way.ask("GET", f"/api/sessions/{quote(fitting[0], safe='')}")
        if fitting:
            some = ", ".join(sorted(fitting)[:3]) + (", ..." if len(fitting) > 3 else "")
            raise AgentOpsError(f"{len(fitting)} sessions begin with {given!r}: {some}. Give more of the id.")
    raise AgentOpsError(f"There is no session {given!r}. `agentops sessions` lists the latest ones.")
