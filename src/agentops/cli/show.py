"""`agentops show ID`: one session as a tree of its events, with what each took and cost."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from agentops.cli import listing, storeway
from agentops.cli.named import named_session

_PAGE: Final = 1000
_DEEPEST: Final = 30
"""Levels that are indented; what is deeper says how deep it is."""
_KIND_STYLES: Final = {"llm": "magenta", "tool": "yellow", "agent": "cyan", "error": "red"}


def define(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("show", help="show one session as a tree with costs")
    command.add_argument("session", metavar="ID", help="id of the session, or the beginning of it")
    command.add_argument(
        "--limit", type=listing.whole(1), default=2000, metavar="N", help="events to show (default 2000)"
    )
    listing.define(command, filters=False)


def run(chosen: argparse.Namespace) -> int:
    """Show it.

    Raises:
        AgentOpsError: there is no such session.
    """
    with storeway.storeway(chosen.home, chosen.store, chosen.project) as way:
        session = named_session(way, chosen.session)
        path = f"/api/sessions/{quote(session['session_id'], safe='')}/events"
        events: list[dict[str, Any]] = []
        cursor: str | None = None
        while len(events) < chosen.limit:
            limit = min(_PAGE, chosen.limit - len(events))
            page = way.ask("GET", path, parameters={"limit": limit, "cursor": cursor})
            events += page["events"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
    if chosen.json:
        listing.print_json({"session": session, "events": events})
        return 0
    _show(session, events, whole=cursor is None)
    return 0


def _show(session: dict[str, Any], events: list[dict[str, Any]], *, whole: bool) -> None:
    from rich.text import Text

    console = listing.console()
    state = session["state"]
    head = Text(listing.plain(session["name"] or session["session_id"]), "bold")
    head.append(f"  {state}", listing.STATE_STYLES.get(state, ""))
    if session["state_reason"]:
        head.append(f": {listing.plain(session['state_reason'])}")
    console.print(head)
    counts = session["event_counts"]
    started = (session["started_at"] or "-")[:19].replace("T", " ")
    held = "1 event" if counts["total"] == 1 else f"{counts['total']:,} events"
    errors = "1 error" if counts["error"] == 1 else f"{counts['error']:,} errors"
    console.print(
        f"{listing.plain(session['session_id'])}  started {started} UTC, "
        f"{listing.duration(session['duration_ms'])}, {held} "
        f"({counts['llm']:,} llm, {counts['tool']:,} tool, {errors}), "
        f"{listing.number(session['tokens']['total'])} tokens, {listing.usd(session['cost_usd'])}"
    )
    if session["tags"]:
        console.print("tags: " + ", ".join(map(listing.plain, session["tags"])))
    for depth, event in _walk(events):
        line = _line(depth, event)
        if console.is_terminal:
            console.print(line)
        else:
            # Ten times as quick: sessions may have very many events.
            print(line.plain)
    if not whole:
        console.print(f"... {counts['total'] - len(events):,} more: --limit shows them", style="dim")


def _walk(events: list[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the events with their depth, children after their parent in start order."""
    known = {event["event_id"] for event in events}
    below: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        parent = event["parent_id"]
        below[parent if parent in known and parent != event["event_id"] else ""].append(event)
    seen: set[str] = set()
    waiting = [(0, event) for event in reversed(below[""])]
    while waiting:
        depth, event = waiting.pop()
        if event["event_id"] in seen:
            continue
        seen.add(event["event_id"])
        yield depth, event
        waiting += [(depth + 1, child) for child in reversed(below[event["event_id"]])]
    # Events that are each other's parents hang nowhere: they are shown all the same.
    yield from ((0, event) for event in events if event["event_id"] not in seen)


def _line(depth: int, event: dict[str, Any]) -> Any:
    from rich.text import Text

    line = Text("  " * (min(depth, _DEEPEST) + 1))
    if depth > _DEEPEST:
        line.append(f"[{depth}] ", "dim")
    line.append(event["kind"], _KIND_STYLES.get(event["kind"], "dim"))
    line.append(f" {listing.plain(event['name'])}")
    if event["model"] and event["model"] not in event["name"]:
        line.append(f" {listing.plain(event['model'])}", "dim")
    line.append(f"  {listing.duration(event['duration_ms'])}")
    if event["tokens"]["total"] is not None:
        line.append(f"  {event['tokens']['total']:,} tokens")
    if event["cost_usd"] is not None:
        line.append(f"  {listing.usd(event['cost_usd'])}")
    if event["status"] != "ok":
        line.append(f"  {event['status']}", "red" if event["status"] == "error" else "blue")
    if event["error_type"] or event["error_message"]:
        said = ": ".join(filter(None, (event["error_type"], event["error_message"])))
        line.append(f" {listing.plain(said)[:200]}", "red")
    return line
