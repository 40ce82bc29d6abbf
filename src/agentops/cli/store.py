"""`agentops store`: what the store holds and how it grows; merging it, and how long it keeps sessions."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

import msgspec

from agentops.cli import listing, storeway
from agentops.cli.progress import progress, sized
from agentops.errors import AgentOpsError


def define(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("store", help="show the store's size and growth, merge it, set retention")
    storeway.define(command)
    command.add_argument("--json", action="store_true", help="print JSON")
    command.add_argument("--compact", action="store_true", help="the same as the action compact")
    actions = command.add_subparsers(dest="action", metavar="action")
    actions.add_parser("compact", help="merge each table into as few parts as possible")
    retention = actions.add_parser("retention", help="set how many days the project keeps sessions")
    retention.add_argument("days", type=int, metavar="DAYS", help="0: as the setting retention_days says")
    for action in actions.choices.values():
        # Given after the action they win; left out there, they do not hide what was given before it.
        for name in ("--home", "--store", "--project"):
            action.add_argument(name, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def run(chosen: argparse.Namespace) -> int:
    """Do what was asked."""
    if chosen.compact and chosen.action == "retention":
        raise AgentOpsError("--compact and retention are two actions: give one of them.")
    with storeway.storeway(chosen.home, chosen.store, chosen.project) as way:
        if chosen.compact or chosen.action == "compact":
            return _compact(chosen, way)
        if chosen.action == "retention":
            return _retention(chosen, way)
        found = way.ask("GET", "/api/store")
    if chosen.json:
        listing.print_json(found)
    else:
        _show(found)
    return 0


def _show(found: dict[str, Any]) -> None:
    kept = (
        f"{found['retention_days']} days" if found["retention_days"] else "as the setting retention_days says"
    )
    print(f"{found['url']}  (engine {found['engine']})")
    print(
        f"{found['sessions']:,} sessions, {found['spans']:,} spans, {sized(found['bytes'])} on disk; "
        f"sessions are kept {kept}"
    )
    sizes = [(name, "right") for name in ("ROWS", "PARTS", "ON DISK", "INDEXES")]
    listing.print_table(
        [("TABLE", "text"), *sizes],
        [
            [
                one["table"],
                f"{one['rows']:,}",
                str(one["parts"]),
                sized(one["bytes"]),
                sized(one["index_bytes"]),
            ]
            for one in found["tables"]
        ],
        drop=("INDEXES", "PARTS"),
    )
    applied = [
        (f"{one['number']:04d} {one['name']}", datetime.fromtimestamp(one["applied_at"] / 1e9, UTC))
        for one in found["migrations"]
    ]
    listing.print_table(
        [("MIGRATION", "text"), ("APPLIED (UTC)", "left")],
        [[name, f"{at:%Y-%m-%d %H:%M:%S}"] for name, at in applied],
    )
    listing.print_table(
        [("DAY (UTC)", "left"), ("SPAN RECORDS", "right")],
        [[one["day"], f"{one['spans']:,}"] for one in found["growth"]],
    )


def _compact(chosen: argparse.Namespace, way: storeway.StoreWay) -> int:
    said: list[int] = []
    waiting = b""
    with progress("Merging") as step:
        for piece in way.pieces("POST", "/api/store/compact"):
            *lines, waiting = (waiting + piece).split(b"\n")
            for line in lines:
                said.append(msgspec.json.decode(line)["bytes"])
                step(1)
    before, after = said[0], said[-1]
    if chosen.json:
        listing.print_json({"before": before, "after": after})
    else:
        print(f"Merged: {sized(before)} before, {sized(after)} now; replaced files go within a minute")
    return 0


def _retention(chosen: argparse.Namespace, way: storeway.StoreWay) -> int:
    if chosen.days < 0:
        raise AgentOpsError("DAYS is a number of days; 0 keeps sessions as the setting retention_days says.")
    found = way.ask("PUT", "/api/store/retention", msgspec.json.encode({"days": chosen.days}))
    if chosen.json:
        listing.print_json(found)
    elif found["days"]:
        print(
            f"Sessions of project {found['project']} are deleted {found['days']} days "
            "after their last sign of life."
        )
    else:
        print(f"Sessions of project {found['project']} are kept as the setting retention_days says.")
    return 0
