"""`agentops export`: sessions into a file, whether the server runs or not."""

from __future__ import annotations

import argparse
import contextlib
import gzip
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

from agentops.cli import storeway
from agentops.cli.named import named_session
from agentops.cli.progress import progress, sized
from agentops.errors import AgentOpsError

_FORMATS: Final = ("json", "otlp", "html", "csv", "parquet")
_ENDINGS: Final = {".json": "json", ".jsonl": "json", ".html": "html", ".csv": "csv", ".parquet": "parquet"}
_PACKED: Final = ".gz"
_PACKING: Final = 6
FILTERS: Final = {
    "q": "text in names, inputs, outputs and errors",
    "tag": "sessions with this tag (repeatable: with all of them)",
    "state": "running, success, fail or indeterminate (repeatable)",
    "since": "started at or after: ISO 8601, or back from now as 24h or 7d",
    "until": "started before",
    "model": "called this model (repeatable)",
    "agent": "has this agent (repeatable)",
    "tool": "called this tool (repeatable)",
    "user": "of this user (repeatable)",
    "name": "with this whole name (repeatable)",
    "error": "an error's type, or true or false (repeatable)",
    "also": "what else they have, all of it: model:NAME, agent:NAME, tool:NAME, error:ERROR (repeatable)",
    "min-cost": "cost at least so many US dollars",
    "min-duration": "took at least so long: 500ms, 2s, 1m",
}
REPEATABLE: Final = ("tag", "state", "model", "agent", "tool", "user", "name", "error", "also")


def define(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("export", help="write sessions into a file")
    command.add_argument("session", nargs="?", metavar="ID", help="id of the session, or the beginning of it")
    command.add_argument("--all", action="store_true", help="every session")
    command.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="where to, packed when it ends in .gz (default: standard output, as is -)",
    )
    command.add_argument(
        "--format",
        choices=_FORMATS,
        help="json (one document a line for several), otlp, csv, parquet, html (one session); "
        "without it the file's ending says, else json",
    )
    filters = command.add_argument_group("filters, for several sessions")
    for name, text in FILTERS.items():
        filters.add_argument(
            f"--{name}", help=text, action="append" if name in REPEATABLE else "store", metavar="VALUE"
        )
    storeway.define(command)


def run(chosen: argparse.Namespace) -> int:
    """Export; the exit code is 1 when no session passes the filters."""
    filters = {name.replace("-", "_"): getattr(chosen, name.replace("-", "_")) for name in FILTERS}
    filters = {name: value for name, value in filters.items() if value}
    given = [chosen.session is not None, chosen.all, bool(filters) and not chosen.all]
    if sum(given) != 1 or (chosen.session is not None and filters):
        raise AgentOpsError("Name one session by its id, or filters, or --all for every session.")
    form = chosen.format or _form(chosen.output)
    if form == "html" and chosen.session is None:
        raise AgentOpsError("A page holds one session: name it by its id, or use another --format.")
    if form == "parquet" and chosen.output in (None, "-") and sys.stdout.isatty():
        raise AgentOpsError("Parquet is no text for a terminal. Use -o FILE.")
    with storeway.storeway(chosen.home, chosen.store, chosen.project) as way:
        if chosen.session is not None:
            session_id = named_session(way, chosen.session)["session_id"]
            path, parameters = f"/api/sessions/{quote(session_id, safe='')}/export", {}
            sessions = 1
        else:
            path, parameters = "/api/export", filters
            sessions = int(way.ask("GET", "/api/sessions", parameters={**filters, "limit": 1})["total"])
            if not sessions:
                print("agentops export: no session passes these filters.", file=sys.stderr)
                return 1
        written = 0
        with _output(chosen.output) as file, progress("Exporting", is_bytes=True) as step:
            for piece in way.pieces("GET", path, parameters={**parameters, "format": form}):
                file.write(piece)
                written += len(piece)
                step(len(piece))
    if chosen.output not in (None, "-"):
        noun = "session" if sessions == 1 else "sessions"
        print(f"{sessions} {noun} in {chosen.output} ({form}, {sized(written)})", file=sys.stderr)
    return 0


def _form(output: str | None) -> str:
    name = (output or "").lower().removesuffix(_PACKED)
    return "otlp" if name.endswith(".otlp.json") else _ENDINGS.get(Path(name).suffix, "json")


@contextlib.contextmanager
def _output(name: str | None) -> Generator[IO[bytes]]:
    """Open the file; it appears under its name when it is whole."""
    if name in (None, "-"):
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = Path(str(name))
    # A device or a pipe is written as it is, since it must stay one; a link, too: what it leads to is.
    special = target.exists() and not target.is_file()
    target = target if special else Path(os.path.realpath(target))
    part = target if special else target.with_name(target.name + ".part")
    try:
        with part.open("wb") as file:
            if str(name).lower().endswith(_PACKED):
                with gzip.GzipFile("", "wb", _PACKING, file) as packed:
                    yield packed  # pyright: ignore[reportReturnType] -- as good as a file of bytes
            else:
                yield file
        if not special:
            part.replace(target)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise AgentOpsError(f"{target} cannot be written: {error.strerror or error}.") from error
    finally:
        if not special:
            part.unlink(missing_ok=True)
