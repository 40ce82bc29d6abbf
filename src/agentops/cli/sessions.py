"""`agentops sessions`: the list of sessions, filtered and sorted as in the API."""

from __future__ import annotations

import argparse
from typing import Any, Final

from agentops.cli import listing, storeway

_SORTS: Final = ("started", "duration", "cost", "tokens", "errors", "events")
_PAGE: Final = 500
_COLUMNS: Final = (
    ("STATE", "left"),
    ("STARTED (UTC)", "left"),
    ("DURATION", "right"),
    ("EVENTS", "right"),
    ("ERRORS", "right"),
    ("TOKENS", "right"),
    ("COST", "right"),
    ("NAME", "text"),
    ("ID", "id"),
)
_DROPPED: Final = ("EVENTS", "TOKENS", "ERRORS", "STARTED (UTC)", "DURATION", "COST")


def define(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("sessions", help="list sessions")
    command.add_argument(
        "--limit", type=listing.whole(1), default=20, metavar="N", help="at most so many (default 20)"
    )
    command.add_argument("--sort", choices=_SORTS, default="started", help="what to sort by")
    command.add_argument("--order", choices=("asc", "desc"), default="desc")
    listing.define(command)


def run(chosen: argparse.Namespace) -> int:
    """List; the exit code is 0 for an empty list too."""
    asked: dict[str, Any] = {**listing.chosen_filters(chosen), "sort": chosen.sort, "order": chosen.order}
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    with storeway.storeway(chosen.home, chosen.store, chosen.project) as way:
        while True:
            page = way.ask(
                "GET",
                "/api/sessions",
                parameters={**asked, "limit": min(_PAGE, chosen.limit - len(found)), "cursor": cursor},
            )
            found += page["sessions"]
            cursor = page["next_cursor"]
            if cursor is None or len(found) >= chosen.limit:
                break
    if chosen.json:
        listing.print_json({"sessions": found, "total": page["total"]})
        return 0
    show(found)
    return 0


def show(found: list[dict[str, Any]]) -> None:
    """Print sessions as a table; on a narrow terminal with fewer columns."""
    listing.print_table(
        _COLUMNS, map(fields, found), style=lambda row: listing.STATE_STYLES.get(row[0], ""), drop=_DROPPED
    )


def fields(one: dict[str, Any]) -> list[str]:
    """Return what a row says of a session."""
    return [
        one["state"],
        (one["started_at"] or "-")[:19].replace("T", " "),
        listing.duration(one["duration_ms"]),
        listing.number(one["event_counts"]["total"]),
        listing.number(one["event_counts"]["error"]),
        listing.number(one["tokens"]["total"]),
        listing.usd(one["cost_usd"]),
        one["name"] or "-",
        one["session_id"],
    ]
