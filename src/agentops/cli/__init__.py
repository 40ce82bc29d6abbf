"""The command `agentops`: a doorway to the server and to what is recorded here.

Each subcommand is a module that imports what it needs when it runs, so that `agentops version` costs no
server.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final

from agentops.errors import AgentOpsError

_COMMANDS: Final = (
    "serve",
    "sessions",
    "show",
    "tail",
    "stats",
    "export",
    "import_",
    "store",
    "reprice",
    "keys",
    "projects",
    "doctor",
    "settings",
    "version",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; return its exit code."""
    _open_streams()
    parser = argparse.ArgumentParser(
        prog="agentops",
        description="Record the sessions of your AI agents and see them, live, on your own machine.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="command")
    runs: dict[str, Callable[[argparse.Namespace], int]] = {}
    for name in _COMMANDS:
        module = import_module(f"agentops.cli.{name}")
        module.define(commands)
        runs[name.rstrip("_")] = module.run
    chosen = parser.parse_args(argv)
    if chosen.version:
        return runs["version"](chosen)
    if chosen.command is None:
        parser.print_help()
        return 0
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that cannot write a letter shows another sign in its place.
        sys.stdout.reconfigure(errors="replace")
    try:
        code = runs[chosen.command](chosen)
        # Here and not when Python ends, which would complain: who reads may have left.
        sys.stdout.flush()
        return code
    except AgentOpsError as error:
        print(f"agentops {chosen.command}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # What is left in the buffer has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        # The server went away, or the disk is full; nor can be written then what is left in the buffer.
        print(f"agentops {chosen.command}: {error.strerror or error}.", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _open_streams() -> None:
    """Give a program that was started with closed streams ones that go nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 -- until the end
