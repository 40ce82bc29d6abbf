"""`agentops tail`: sessions as they change, live, one line a change, until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Generator
from typing import Any
from urllib.parse import quote

import msgspec

from agentops.cli import listing, sessions, storeway
from agentops.errors import AgentOpsError


def define(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("tail", help="follow sessions live")
    command.add_argument(
        "--lines", type=listing.whole(0), default=5, metavar="N", help="sessions to begin with (default 5)"
    )
    command.add_argument("--count", type=listing.whole(1), metavar="N", help="stop after so many changes")
    listing.define(command)


def run(chosen: argparse.Namespace) -> int:
    """Follow; Ctrl-C ends it with exit code 0."""
    filters = listing.chosen_filters(chosen)
    told = 0
    with storeway.storeway(chosen.home, chosen.store, chosen.project, waits=True) as way:
        # Listened to before the first look: nothing falls between the two.
        changes = _changes(way)
        try:
            next(changes)
            begin = way.ask("GET", "/api/sessions", parameters={**filters, "limit": max(1, chosen.lines)})
            last: dict[str, Any] = {}
            for one in reversed(begin["sessions"][: chosen.lines]):
                last[one["session_id"]] = one
                _tell(chosen, one)
            for changed in changes:
                found = _now(way, filters, changed)
                for one in found + _deleted(way, last, changed, found):
                    if last.get(one["session_id"]) == one:
                        continue
                    last[one["session_id"]] = one
                    _tell(chosen, one)
                    told += 1
                    if chosen.count is not None and told >= chosen.count:
                        return 0
        except KeyboardInterrupt:
            return 0
        finally:
            changes.close()
    raise AgentOpsError("The server closed the stream.")


def _changes(way: storeway.StoreWay) -> Generator[list[str]]:
    """Yield an empty list once the server listens, then the ids of what changed."""
    for line in way.lines("/api/live"):
        if not line:
            yield []
        elif line.startswith(b"data: "):
            yield msgspec.json.decode(line[6:]).get("sessions") or []


def _now(way: storeway.StoreWay, filters: dict[str, Any], ids: list[str]) -> list[dict[str, Any]]:
    """Return those of the changed sessions that pass the filters, as they are now, oldest first."""
    if not ids:
        return []
    page = way.ask("GET", "/api/sessions", parameters={**filters, "limit": 500})
    latest: list[dict[str, Any]] = page["sessions"][::-1]
    # A star among the ids: anything may have changed.
    if "*" in ids:
        return latest
    older: set[str] = set()
    if page["next_cursor"] is not None:
        older = set(ids) - {one["session_id"] for one in latest}
    found = [one for session_id in older for one in _older(way, filters, session_id)]
    found.sort(key=lambda one: one["started_at"])
    return found + [one for one in latest if one["session_id"] in ids]


def _deleted(
    way: storeway.StoreWay, last: dict[str, Any], ids: list[str], found: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return those of the sessions told of that are gone, as they were, with `deleted` as their state."""
    there = {one["session_id"] for one in found}
    gone: list[dict[str, Any]] = []
    for session_id in last if "*" in ids else ids:
        if session_id in there or session_id not in last:
            continue
        try:
            way.ask("GET", f"/api/sessions/{quote(session_id, safe='')}")
        except storeway.NotThere:
            gone.append({**last[session_id], "state": "deleted"})
    return gone


def _older(way: storeway.StoreWay, filters: dict[str, Any], session_id: str) -> list[dict[str, Any]]:
    """Return a session that the list's first page has not, if it passes the filters."""
    from agentops.server.query.times import iso, moment

    try:
        started = way.ask("GET", f"/api/sessions/{quote(session_id, safe='')}")["started_at"]
    except storeway.NotThere:
        return []
    if started is None:
        return []
    at, now = moment(started, 0), time.time_ns()
    since, until = filters.get("since"), filters.get("until")
    if (since and at < moment(since, now)) or (until and at >= moment(until, now)):
        return []
    # The list says whether the other filters let it through: asked for the microsecond of its start.
    narrow = {**filters, "since": started, "until": iso(at + 1000), "limit": 500}
    listed = way.ask("GET", "/api/sessions", parameters=narrow)["sessions"]
    return [one for one in listed if one["session_id"] == session_id]


def _tell(chosen: argparse.Namespace, one: dict[str, Any]) -> None:
    if chosen.json:
        listing.print_json(one)
        return
    row = sessions.fields(one)
    if not sys.stdout.isatty():
        print("\t".join(listing.plain(field) for field in row), flush=True)
        return
    from rich.text import Text

    state, started, length, events, errors, tokens, cost, name, session_id = map(listing.plain, row)
    line = Text(f"{state:<13}", listing.STATE_STYLES.get(state, ""))
    line.append(
        f" {started}  {length:>9}  {events:>6} events  {errors:>4} errors  {tokens:>10} tokens  {cost:>9}  "
        f"{name}  "
    )
    line.append(session_id, "dim")
    listing.console().print(line)
