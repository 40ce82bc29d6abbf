"""Numbered records, journals to put them in, and what a folder still holds of them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from agentops.journal import Header, Journal, Segment
from agentops.journal.folder import REJECTED, fallback_folder, segments
from agentops.shipper import ACCEPTED, Drained, Outcome, Signal, drain_orphans

ENDPOINT = "http://127.0.0.1:1"
RESOURCE = b'{"attributes":[]}'


def record(number: int, padding: int = 0) -> bytes:
    return b'{"spans":[{"name":"%d","pad":"%s"}],"scope":{"name":"t"}}' % (number, b"x" * padding)


def log_record(number: int) -> bytes:
    return b'{"logRecords":[{"name":"%d"}],"scope":{"name":"t"}}' % number


def header(endpoint: str = ENDPOINT, owner: str = "") -> Header:
    return Header(RESOURCE, endpoint, owner)


def journal_in(folder: Path, *, segment_bytes: int = 1 << 20, max_bytes: int = 1 << 30) -> Journal:
    return Journal(folder, header, segment_bytes=segment_bytes, max_bytes=max_bytes)


def numbers_in(body: bytes) -> list[int]:
    """The numbers of the records in a request body, which must be whole OTLP/JSON."""
    read = msgspec.json.decode(body)
    if "resourceSpans" in read:
        scopes = [scope for one in read["resourceSpans"] for scope in one["scopeSpans"]]
        return [int(scope["spans"][0]["name"]) for scope in scopes]
    scopes = [scope for one in read["resourceLogs"] for scope in one["scopeLogs"]]
    return [int(scope["logRecords"][0]["name"]) for scope in scopes]


class Inbox:
    """A receiver in this process: remembers what it accepted, and answers as told."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.bodies: list[tuple[Signal, bytes]] = []
        self.answers: list[Outcome] = []

    def __call__(self, signal: Signal, body: bytes) -> Outcome:
        outcome = self.answers.pop(0) if self.answers else ACCEPTED
        if outcome.verdict == "accepted":
            self.numbers += numbers_in(body)
            self.bodies.append((signal, body))
        return outcome


def drained(
    folder: Path, inbox: Inbox | None = None, *, chunk_bytes: int = 4 << 20
) -> tuple[list[int], Drained]:
    """Drain every orphan of `folder`; the numbers that came out, and what the drain says of itself."""
    inbox = inbox or Inbox()
    result = drain_orphans(
        folder,
        inbox,
        lambda header: header.endpoint == ENDPOINT,
        max_segments=100_000,
        chunk_bytes=chunk_bytes,
    )
    return inbox.numbers, result


def crash(journal: Journal) -> Path | None:
    """Do to a journal what SIGKILL does: its files are closed, nothing else happens. Its active segment."""
    segment: Segment | None = journal.borrow()
    if segment is None:
        return None
    segment.abandon()
    return segment.path


def kept_aside_in(folder: Path) -> list[dict[str, str]]:
    lines: list[dict[str, str]] = []
    for place in (folder, fallback_folder(folder)):
        for path in sorted((place / REJECTED).glob("*")):
            lines += [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    return lines


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in segments(folder))
