"""The backlog: finished segments that wait to be shipped, claimed, oldest first.

A finished segment was let go by its writer: full, closed, or left by a crash. Whoever claims it ships it.
Small ones go together: a thousand killed processes leave a thousand segments, which need no thousand commits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentops.journal.aside import keep_file_aside
from agentops.journal.folder import fallback_folder, orphans
from agentops.journal.header import Header, NotASegment
from agentops.journal.losses import Losses
from agentops.journal.segment import Segment
from agentops.shipper.delivery import Send, deliver_next, deliver_together
from agentops.shipper.outcome import Outcome

CHUNK_BYTES: Final = 4 << 20
MOST_TOGETHER: Final = 256
"""Segments, and so open files, of one request."""


@dataclass(frozen=True, slots=True)
class Drained:
    """What one call of `drain_orphans` did.

    Attributes:
        records: Records that left the journal.
        segments: Segments that were emptied and deleted.
        stopped: Why it stopped early; empty when it went through all that it could claim.
        lost: Records kept aside or lost on the way, by reason.
    """

    records: int
    segments: int
    stopped: str
    lost: dict[str, int]


def claim(path: Path, accept: Callable[[Header], bool], losses: Losses) -> Segment | None:
    """Return the segment at `path`, locked, if nobody holds it and its header is accepted."""
    try:
        segment = Segment.claim(path)
    except NotASegment as error:
        if error.damaged:
            keep_file_aside(path, losses)
        return None
    if segment is not None and not accept(segment.header):
        segment.abandon()
        return None
    return segment


@dataclass(frozen=True, slots=True)
class Shipped:
    """What one step through a backlog did.

    Attributes:
        records: Records that left the journal.
        emptied: Segments that were deleted.
        outcome: Of the last request; None when nothing was pending.
        done: Paths that need no second look: emptied, held by somebody, or not to be taken.
    """

    records: int
    emptied: int
    outcome: Outcome | None
    done: list[Path]


def ship_some(
    paths: list[Path], send: Send, accept: Callable[[Header], bool], losses: Losses, limit_bytes: int
) -> Shipped:
    """Ship a request's worth of the backlog: a chunk of the first segment, or several small ones together.

    Only segments of one owner go together, and `accept` is asked about no other's before they have gone: a
    request belongs to one project.
    """
    taken: list[Segment] = []
    done: list[Path] = []
    passed_over: list[Header] = []
    room = limit_bytes

    def fits(header: Header) -> bool:
        first = taken[0].header if taken else header
        if (header.endpoint, header.owner) != (first.endpoint, first.owner):
            passed_over.append(header)
            return False
        return accept(header)

    for path in paths:
        before = len(passed_over)
        segment = claim(path, fits, losses)
        if segment is None:
            if len(passed_over) == before:
                done.append(path)
            elif before > MOST_TOGETHER:
                break
            continue
        room -= segment.size - segment.acknowledged
        if room < 0 and taken:
            segment.abandon()
            break
        taken.append(segment)
        if room <= 0 or len(taken) >= MOST_TOGETHER:
            break
    records = emptied = 0
    outcome: Outcome | None = None
    try:
        if len(taken) > 1:
            delivered = deliver_together(taken, send, losses, limit_bytes)
            records, outcome = delivered.records, delivered.outcome
        for segment in taken:
            # The first alone, and of several that went together what is left: a line without its end, say.
            while outcome is None or outcome.verdict == "accepted":
                delivered = deliver_next(segment, send, losses, limit_bytes)
                records += delivered.records
                if delivered.outcome is None:
                    break
                outcome = delivered.outcome
                if len(taken) == 1:
                    break
    finally:
        for segment in taken:
            if segment.finish():
                emptied += 1
                done.append(segment.path)
    return Shipped(records, emptied, outcome, done)


def drain_orphans(
    folder: Path,
    send: Send,
    accept: Callable[[Header], bool],
    *,
    max_segments: int = 1024,
    chunk_bytes: int = CHUNK_BYTES,
) -> Drained:
    """Ship the segments of `folder` that nobody holds, oldest first; for the server on this machine.

    Args:
        folder: `<home>/journal`; its fallback folder is looked into too.
        send: Called with the signal (`traces` or `logs`) and an OTLP/JSON request body; returns an `Outcome`
            (`ACCEPTED` once it is committed; `refused` for a body that is malformed, which is then halved;
            `later` stops).
        accept: Whether the segments with this header are this server's to take.
        max_segments: Most segments to empty in one call, about.
        chunk_bytes: About the largest body.
    """
    losses = Losses()
    records = emptied = 0
    stopped = ""
    paths = orphans(folder)
    while paths:
        if emptied >= max_segments:
            stopped = f"{emptied} segments were emptied"
            break
        shipped = ship_some(paths, send, accept, losses, chunk_bytes)
        records += shipped.records
        emptied += shipped.emptied
        if shipped.outcome is not None and shipped.outcome.verdict != "accepted":
            stopped = shipped.outcome.reason or shipped.outcome.verdict
            break
        if shipped.outcome is None and not shipped.done:
            break  # A file that can be claimed and not read: the next look tries again.
        done = set(shipped.done)
        paths = [path for path in paths if path not in done]
    losses.save(folder if folder.is_dir() else fallback_folder(folder))
    return Drained(records, emptied, stopped, losses.by_reason())
