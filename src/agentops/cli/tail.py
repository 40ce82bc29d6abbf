"""`agentops tail`: sessions as they change, live, one line a change, until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Generator
from typing import Any

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
                for one in _now(way, filters, changed):
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
    found = way.ask("GET", "/api/sessions", parameters={**filters, "limit": 500})["sessions"]
    # A star among the ids: anything may have changed.
    return [one for one in reversed(found) if "*" in ids or one["session_id"] in ids]


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
