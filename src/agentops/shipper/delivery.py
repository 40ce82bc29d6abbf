"""Delivery: the pending records of one segment, sent in bounded requests, its cursor moved as they leave.

The way a request travels is the caller's: HTTP for a recording process, a function call for the server on
this machine. A refused request is halved until the record at fault is found; that one is kept aside, the
others go through.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate

from agentops.journal.aside import keep_aside
from agentops.journal.losses import Losses
from agentops.journal.segment import Chunk, Segment
from agentops.shipper.batch import body_of, is_whole, joined, only_signal, signal_of, together
from agentops.shipper.outcome import ACCEPTED, Outcome, Signal

log = logging.getLogger("agentops.shipper")

Send = Callable[[Signal, bytes], Outcome]
"""Deliver one OTLP/JSON request body. Must not raise."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one step did.

    Attributes:
        records: Records that left the segment.
        outcome: The last one; None when nothing was pending.
        more: Whether records that were there already wait behind.
    """

    records: int
    outcome: Outcome | None
    more: bool = False


@dataclass(slots=True)
class Sent:
    """How far lines of one signal came.

    Attributes:
        done: Leading lines that were dealt with.
        refused: Those of them that were refused for good, with the reason.
        outcome: `accepted`, or why it stopped.
    """

    done: int = 0
    refused: list[tuple[bytes, str]] = field(default_factory=list[tuple[bytes, str]])
    outcome: Outcome = ACCEPTED


def deliver_next(segment: Segment, send: Send, losses: Losses, limit_bytes: int) -> Delivered:
    """Send the next chunk of a segment that this process owns, and move its cursor past what left."""
    chunk = segment.next_chunk(limit_bytes)
    if chunk is None:
        return Delivered(0, None)
    if chunk.torn:
        keep_aside(segment, chunk.lines, "torn", "the line has no end", losses)
        segment.acknowledge(chunk.end)
        return Delivered(1, ACCEPTED)
    signal = only_signal(chunk.lines) if segment.trusted else None
    if signal is not None and not segment.signals_done:
        records = chunk.lines[:-1].replace(b"\n", b",")
        outcome = send(signal, joined(signal, segment.header.resource, records))
        if outcome.verdict == "accepted":
            _note_partial(outcome, losses, own=segment.own)
            segment.acknowledge(chunk.end)
            return Delivered(chunk.lines.count(b"\n"), outcome, chunk.more)
        if outcome.verdict != "refused":
            return Delivered(0, outcome)
    return _deliver_lines(segment, chunk, send, losses)


def _deliver_lines(segment: Segment, chunk: Chunk, send: Send, losses: Losses) -> Delivered:
    """Send a chunk in parts: signals apart, damaged lines left out, the refused one found.

    What is kept aside is kept when the progress past it is, so that a retry does not keep it twice.
    """
    lines = chunk.lines.split(b"\n")[:-1]
    ends = list(accumulate((len(line) + 1 for line in lines), initial=chunk.start))[1:]
    by_signal: dict[Signal, list[tuple[int, bytes]]] = {"traces": [], "logs": []}
    damaged: list[bytes] = []
    for end, line in zip(ends, lines, strict=True):
        signal = signal_of(line)
        if signal is not None and is_whole(line):
            if end > segment.signals_done.get(signal, 0):
                by_signal[signal].append((end, line))
        elif line:
            damaged.append(line)
    for signal, numbered in by_signal.items():
        wanted = [line for _, line in numbered]
        sent = deliver_lines(signal, segment.header.resource, wanted, send, losses, own=segment.own)
        if sent.outcome.verdict != "accepted":
            if sent.done == 0 or len(numbered) != len(lines):
                return Delivered(0, sent.outcome)
            _keep_refused(segment, sent, losses)
            segment.acknowledge(numbered[sent.done - 1][0])
            return Delivered(sent.done, sent.outcome)
        _keep_refused(segment, sent, losses)
        segment.signals_done[signal] = chunk.end
    for line in damaged:
        keep_aside(segment, line, "corrupt", "the line is not one JSON object of a known signal", losses)
    segment.signals_done.clear()
    segment.acknowledge(chunk.end)
    return Delivered(len(lines), ACCEPTED, chunk.more)


def deliver_together(segments: list[Segment], send: Send, losses: Losses, limit_bytes: int) -> Delivered:
    """Send the next chunks of several small segments as one request for each signal.

    A segment with a damaged line is left out, and all of them when the request is refused: `deliver_next`
    finds what is at fault. So nothing may have left; the outcome is then None.
    """
    groups: dict[Signal, list[tuple[bytes, bytes]]] = {"traces": [], "logs": []}
    chunks: list[tuple[Segment, Chunk]] = []
    for segment in segments:
        chunk = segment.next_chunk(limit_bytes)
        sorted_lines = None if chunk is None or chunk.torn else _by_signal(chunk.lines)
        if chunk is None or sorted_lines is None:
            continue
        chunks.append((segment, chunk))
        for signal, lines in sorted_lines.items():
            if lines:
                groups[signal].append((segment.header.resource, b",".join(lines)))
    for signal, group in groups.items():
        if not group:
            continue
        outcome = send(signal, together(signal, group))
        if outcome.verdict == "refused":
            return Delivered(0, None)
        if outcome.verdict != "accepted":
            return Delivered(0, outcome)
        _note_partial(outcome, losses, own=all(segment.own for segment in segments))
    for segment, chunk in chunks:
        segment.acknowledge(chunk.end)
    return Delivered(sum(chunk.lines.count(b"\n") for _, chunk in chunks), ACCEPTED if chunks else None)


def _by_signal(lines: bytes) -> dict[Signal, list[bytes]] | None:
    """Return whole lines by signal, or None when one is damaged."""
    found: dict[Signal, list[bytes]] = {"traces": [], "logs": []}
    for line in lines.split(b"\n")[:-1]:
        signal = signal_of(line)
        if signal is None or not is_whole(line):
            return None
        found[signal].append(line)
    return found


def deliver_lines(
    signal: Signal, resource: bytes, lines: list[bytes], send: Send, losses: Losses, *, own: bool = True
) -> Sent:
    """Send lines of one signal in order, halving what is refused, until done or a request fails."""
    sent = Sent()
    waiting = [lines] if lines else []
    while waiting:
        group = waiting.pop()
        outcome = send(signal, body_of(signal, resource, group))
        if outcome.verdict == "accepted":
            _note_partial(outcome, losses, own=own)
            sent.done += len(group)
        elif outcome.verdict != "refused":
            sent.outcome = outcome
            break
        elif len(group) == 1:
            sent.refused.append((group[0], outcome.reason))
            sent.done += 1
        else:
            half = len(group) // 2
            waiting += [group[half:], group[:half]]
    return sent


def _keep_refused(origin: Segment, sent: Sent, losses: Losses) -> None:
    for line, reason in sent.refused:
        if keep_aside(origin, line, "refused", reason, losses):
            log.warning(
                "The server refused a record for good (%s). Such records are kept under %s, and counted.",
                reason,
                origin.path.parent / "rejected",
            )


def _note_partial(outcome: Outcome, losses: Losses, *, own: bool) -> None:
    if losses.note("partly_refused", outcome.refused_records, own=own):
        log.warning("The server refused %d records of a batch: %s", outcome.refused_records, outcome.reason)
