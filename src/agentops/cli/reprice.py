"""`agentops reprice`: what calls cost, computed anew with the prices in force and one's own."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from agentops.cli import listing, storeway
from agentops.cli.progress import progress


def define(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("reprice", help="recompute what calls cost; reported costs stay")
    command.add_argument(
        "--since",
        metavar="WHEN",
        help="only calls that began then or later: ISO 8601, or back from now as 30d",
    )
    command.add_argument("--everywhere", action="store_true", help="calls of all projects")
    command.add_argument("--json", action="store_true", help="print JSON")
    storeway.define(command)


def run(chosen: argparse.Namespace) -> int:
    """Reprice and say how much changed."""
    wish = msgspec.json.encode({"since": chosen.since, "everywhere": chosen.everywhere})
    done: dict[str, int] = {"calls": 0, "changed": 0}
    waiting = b""
    with (
        storeway.storeway(chosen.home, chosen.store, chosen.project) as way,
        progress("Pricing calls") as step,
    ):
        for piece in way.pieces("POST", "/api/store/reprice", wish):
            *lines, waiting = (waiting + piece).split(b"\n")
            for line in lines:
                now: dict[str, int] = msgspec.json.decode(line)
                step(now["calls"] - done["calls"])
                done = now
    if chosen.json:
        listing.print_json(done)
    else:
        print(f"{done['changed']:,} of {done['calls']:,} calls cost something else now")
    return 0
