"""`agentops doctor`: does recording work here, and if not, why?"""

from __future__ import annotations

import argparse
from typing import Any
from urllib.parse import urlsplit

from agentops import config
from agentops.cli import ports
from agentops.journal.folder import folder_stats


def define(commands: Any) -> None:
    """Add the command."""
    commands.add_parser("doctor", help="check that recording works here")


def run(_: argparse.Namespace) -> int:
    """Print what was checked; the exit code is 1 when something is wrong."""
    endpoint: str = config.read("endpoint")
    parts = urlsplit(endpoint)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = ports.health(parts.hostname or "127.0.0.1", port) if parts.scheme == "http" else None
    wrong = 0
    if found is not None:
        print(
            f"ok     server      {endpoint} answers (version {found.get('version')}, process "
            f"{found.get('pid')})"
        )
    elif parts.scheme == "http":
        wrong = 1
        print(
            f"wrong  server      nobody answers at {endpoint}: start it with `agentops serve`. Until "
            f"then, records wait."
        )
    else:
        print(f"?      server      {endpoint} is not plain HTTP: not asked")
    home = config.home()
    if not home.exists():
        print(f"ok     home        {home} (made at the first record)")
    else:
        print(f"ok     home        {home}")
    stats = folder_stats(home / "journal")
    waiting = f"{stats.backlog_records} records ({stats.backlog_bytes / 1e6:.1f} MB) wait to be shipped"
    if not stats.backlog_bytes:
        print("ok     journal     nothing waits to be shipped")
    elif found is None:
        print(f"?      journal     {waiting} for the server")
    else:
        print(f"ok     journal     {waiting}, the oldest for {stats.oldest_age_s or 0:.0f} s")
    for reason, records in stats.lost.items():
        wrong = 1
        print(f"wrong  journal     {records} records were lost: {reason}")
    if stats.rejected_files:
        wrong = 1
        print(
            f"wrong  journal     {stats.rejected_files} files of refused records are in "
            f"{home / 'journal' / 'rejected'}"
        )
    return wrong
