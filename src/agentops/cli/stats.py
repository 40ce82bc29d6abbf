"""`agentops stats`: the figures of the Analytics page: totals, and one dimension broken down."""

from __future__ import annotations

import argparse
import sys
from typing import Any, Final

from agentops.cli import listing, storeway

_BY: Final = ("model", "agent", "tool", "tag", "user", "session", "kind", "name", "state")
_DROPPED: Final = ("P50", "SHARE", "ERRORS", "P95", "TOKENS")


def define(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("stats", help="sums over sessions: cost, tokens, latency, errors")
    command.add_argument("--by", choices=_BY, default="model", help="what to break down by (default model)")
    command.add_argument(
        "--limit", type=listing.whole(1, 500), default=20, metavar="N", help="rows at most (default 20)"
    )
    listing.define(command)


def run(chosen: argparse.Namespace) -> int:
    """Show them."""
    filters = listing.chosen_filters(chosen)
    with storeway.storeway(chosen.home, chosen.store, chosen.project) as way:
        sums = way.ask("GET", "/api/analytics", parameters={**filters, "interval": "week"})
        groups = way.ask(
            "GET",
            "/api/analytics/breakdown",
            parameters={
                **filters,
                "interval": "week",
                "by": chosen.by,
                "limit": chosen.limit,
            },
        )
    if chosen.json:
        kept = {name: sums[name] for name in ("totals", "previous")}
        listing.print_json({**kept, "by": groups["by"], "groups": groups["groups"]})
        return 0
    _show_totals(sums["totals"], sums["previous"])
    if sys.stdout.isatty():
        print()
    counts = "SESSIONS" if groups["counts"] == "sessions" else "EVENTS"
    listing.print_table(
        [(chosen.by.upper(), "text")]
        + [(name, "right") for name in (counts, "ERRORS", "P50", "P95", "TOKENS", "COST", "SHARE")],
        [
            [
                one["value"],
                listing.number(one["count"]),
                listing.number(one["errors"]),
                listing.duration(one["duration_ms"]["p50"]),
                listing.duration(one["duration_ms"]["p95"]),
                listing.number(one["tokens"]),
                listing.usd(one["cost_usd"]),
                f"{one['share']:.1%}",
            ]
            for one in groups["groups"]
        ],
        drop=_DROPPED,
    )
    return 0


def _show_totals(now: dict[str, Any], before: dict[str, Any] | None) -> None:
    def figures(of: dict[str, Any]) -> list[tuple[str, str]]:
        rate, latency = of["error_rate"], of["latency_ms"]
        return [
            ("sessions", listing.number(of["sessions"]["total"])),
            ("failed sessions", listing.number(of["sessions"]["fail"])),
            ("events", listing.number(of["events"]["total"])),
            ("error rate", "-" if rate is None else f"{rate:.1%}"),
            ("tokens", listing.number(of["tokens"]["total"])),
            ("cost", listing.usd(of["cost_usd"])),
            ("latency p50", listing.duration(latency["p50"])),
            ("latency p95", listing.duration(latency["p95"])),
        ]

    was = figures(before) if before is not None else [("", "")] * 8
    columns = [("TOTAL", "left"), ("", "right")]
    if before is not None:
        columns.append(("BEFORE", "right"))
    listing.print_table(
        columns,
        [
            [name, value] + ([old] if before is not None else [])
            for (name, value), (_, old) in zip(figures(now), was, strict=True)
        ],
    )
