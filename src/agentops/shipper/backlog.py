"""The backlog: finished segments that wait to be shipped, claimed one at a time, oldest first.

A finished segment was let go by its writer: full, closed, or left by a crash. Whoever claims it ships it.
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
from agentops.shipper.delivery import Send, deliver_next

CHUNK_BYTES: Final = 4 << 20


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


def drain_orphans(
    folder: Path,
    send: Send,
    accept: Callable[[Header], bool],
    *,
    max_segments: int = 64,
    chunk_bytes: int = CHUNK_BYTES,
) -> Drained:
    """Ship the segments of `folder` that nobody holds, oldest first; for the server on this machine.

    Args:
        folder: `<home>/journal`; its fallback folder is looked into too.
        send: Called with the signal (`traces` or `logs`) and an OTLP/JSON request body; returns an `Outcome`
            (`ACCEPTED` once it is committed; `refused` for a body that is malformed, which is then halved;
            `later` stops).
        accept: Whether the segments with this header are this server's to take.
        max_segments: Most segments to empty in one call.
        chunk_bytes: About the largest body.
    """
    losses = Losses()
    records = emptied = 0
    stopped = ""
    for path in orphans(folder):
        if emptied >= max_segments:
            stopped = f"{max_segments} segments were emptied"
            break
        segment = claim(path, accept, losses)
        if segment is None:
            continue
        try:
            while not stopped:
                delivered = deliver_next(segment, send, losses, chunk_bytes)
                records += delivered.records
                if delivered.outcome is None:
                    break
                if delivered.outcome.verdict != "accepted":
                    stopped = delivered.outcome.reason or delivered.outcome.verdict
        finally:
            emptied += segment.finish()
        if stopped:
            break
    losses.save(folder if folder.is_dir() else fallback_folder(folder))
    return Drained(records, emptied, stopped, losses.by_reason())
