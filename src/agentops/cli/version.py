"""`agentops version`: which version is this?"""

from __future__ import annotations

import argparse
from importlib.metadata import version
from typing import Any


def define(commands: Any) -> None:
    """Add the command."""
    commands.add_parser("version", help="print the version")


def run(_: argparse.Namespace) -> int:
    """Print the version."""
    print(version("agentops"))
    return 0
