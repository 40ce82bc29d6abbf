"""`agentops import`: what was exported, or any OTLP file, into the store."""

from __future__ import annotations

import argparse
import codecs
import contextlib
import gzip
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from agentops.cli import storeway
from agentops.cli.progress import progress
from agentops.errors import AgentOpsError

_BATCH_BYTES: Final = 4_000_000
_PROTOBUF: Final = (".pb", ".binpb", ".protobuf")
_JSON: Final = "application/json"
_NO_IMPORTS: Final = {b"PAR1": "Parquet", b'"event_id",': "CSV", b"<": "HTML"}
"""How exports begin that are made for other programs."""
_ZIP: Final = b"PK\x03\x04"
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""How JSON fails that is none, or is nested too deeply."""


def define(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("import", help="store what was exported, or files of OTLP")
    command.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="exports (json, also one document a line), OTLP as JSON or protobuf, plain or .gz; "
        "- is standard input",
    )
    storeway.define(command)


def run(chosen: argparse.Namespace) -> int:
    """Import; the exit code is 1 when a file cannot be used or something of it was refused."""
    from agentops.otlp.refusal import MalformedBody

    sessions: set[str] = set()
    spans = logs = failed = 0
    refused: dict[str, int] = {}
    with (
        storeway.storeway(chosen.home, chosen.store, chosen.project, records=True) as way,
        progress("Importing", sum(map(_size, chosen.files)) or None, is_bytes=True) as step,
    ):
        for name in chosen.files:
            left = _size(name)
            try:
                content = _content(name)
                # What is sent is about as long as what was read; a packed file counts as it lies on the disk.
                packed = left / len(content) if content else 0.0
                for media, body in _bodies(name, content):
                    answer = way.ask("POST", "/api/import", body, media=media)
                    sessions.update(answer["sessions"])
                    spans += answer["spans"]
                    logs += answer["logs"]
                    for one in answer["rejected"]:
                        refused[one["reason"]] = refused.get(one["reason"], 0) + one["count"]
                    done = min(left, round(len(body) * packed))
                    left -= done
                    step(done)
            except (AgentOpsError, MalformedBody, OSError, EOFError, zlib.error) as error:
                failed += 1
                reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                print(f"agentops import: {name}: {reason}", file=sys.stderr)
            step(left)
    also = f", {_counted(logs, 'log record')}" if logs else ""
    held = f"{_counted(spans, 'span')}{also}"
    print(f"{_counted(len(sessions), 'session')} ({held}) imported", file=sys.stderr)
    for reason, count in refused.items():
        print(f"agentops import: {count} refused: {reason}", file=sys.stderr)
    return 1 if failed or refused else 0


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _size(name: str) -> int:
    """Return a file's size in bytes, 0 where it is not known before it is read."""
    with contextlib.suppress(OSError):
        return 0 if name == "-" else Path(name).stat().st_size
    return 0


def _content(name: str) -> bytes:
    content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    content = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    if not content.strip():
        raise AgentOpsError("it is empty")
    return content.removeprefix(codecs.BOM_UTF8)


def _bodies(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what to send for a file: pieces small enough for any server, with their content type."""
    for start, form in _NO_IMPORTS.items():
        if content.startswith(start):
            raise AgentOpsError(f"{form} cannot be imported; export as json or otlp instead")
    if content.startswith(_ZIP):
        raise AgentOpsError("it is a zip archive; unpack it and import the files that it holds")
    if Path(name.removesuffix(".gz")).suffix in _PROTOBUF or content.lstrip()[:1] not in (b"{", b"["):
        yield "application/x-protobuf", content
        return
    from agentops.server.ingest.imported import as_otlp

    for document in _documents(content):
        if not isinstance(document, dict):
            raise AgentOpsError("it holds something else than JSON objects")
        yield from ((_JSON, body) for body in _batches(as_otlp(document)))  # pyright: ignore[reportUnknownArgumentType] -- JSON of unknown shape


def _documents(content: bytes) -> list[Any]:
    try:
        return [msgspec.json.decode(content)]
    except _UNREADABLE as whole:
        found: list[Any] = []
        for number, line in enumerate(content.splitlines(), 1):
            try:
                found += [msgspec.json.decode(line)] if line.strip() else []
            except _UNREADABLE as error:
                said = f"line {number}: {error}" if found else whole
                raise AgentOpsError(f"it is neither JSON nor JSON lines ({said})") from None
        return found


def _batches(document: dict[str, Any]) -> Iterator[bytes]:
    """Yield a document in pieces: spans, then log records, then edits, which need the spans."""
    for name in ("resourceSpans", "resourceLogs", "edits"):
        waiting: list[bytes] = []
        size = 0
        for one in document.get(name) or ():
            text = msgspec.json.encode(one)
            if waiting and size + len(text) > _BATCH_BYTES:
                yield _piece(name, waiting)
                waiting, size = [], 0
            waiting.append(text)
            size += len(text)
        if waiting:
            yield _piece(name, waiting)


def _piece(name: str, texts: list[bytes]) -> bytes:
    also = b'"resourceSpans":[],' if name == "edits" else b""
    return b"{" + also + b'"' + name.encode() + b'":[' + b",".join(texts) + b"]}"
